"""Owns which objects pickle writes as they are: those of packages that need no recipe of ours."""

from __future__ import annotations

import sys
from types import BuiltinFunctionType, MethodType
from typing import Any
from weakref import WeakKeyDictionary

from zennb.compat.instances import bases_of
from zennb.digests.objects import is_pure
from zennb.digests.recipes import has_plain_recipe
from zennb.materializers.constants import has_constants
from zennb.packages.origin import Origin, module_of, origin, top_level

__all__ = ["is_ordinary"]

_SPECIAL = frozenset(
    {"IPython", "PIL", "h5py", "keras", "numpy", "pandas", "plotly", "polars", "pyarrow", "sympy", "torch"}
    | {"tqdm"}
)
"""Packages some of whose types have recipes of ours, and so may the types that others derive from them."""

_ordinary: WeakKeyDictionary[type, bool] = WeakKeyDictionary()


def is_ordinary(cls: type) -> bool:
    """Whether no instance of a class needs a recipe of ours, so that there is no need to ask for each of them.

    A figure has ten thousand parts, of few classes. They are methods, numbers of numpy, and of classes of installed
    packages that are written in Python.
    """
    if (known := _ordinary.get(cls)) is None:
        known = _ordinary[cls] = _is_ordinary(cls)
    return known


def _is_ordinary(cls: type) -> bool:
    if cls in {MethodType, BuiltinFunctionType} or _is_number(cls):
        return True
    homes = [module_of(each) for each in bases_of(cls) if each is not object]
    figure: Any = getattr(sys.modules.get("matplotlib.figure"), "Figure", None)
    return (
        bool(homes)
        and all(origin(home) is Origin.PACKAGE and top_level(home) not in _SPECIAL for home in homes)
        and is_pure(cls)
        and has_plain_recipe(cls)
        and not has_constants(cls)
        and not (figure is not None and issubclass(cls, figure))
    )


def _is_number(cls: type) -> bool:
    """Whether these are scalars of numpy, which hold themselves what they are worth."""
    number: Any = getattr(sys.modules.get("numpy"), "number", None)
    return number is not None and issubclass(cls, number) and module_of(cls) == "numpy"
