"""Owns the global options of numpy, pandas, matplotlib, scikit-learn and polars that steps can set."""

from __future__ import annotations

import os
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Any

from zennb.compat.frames import option_defaults, option_names, option_values
from zennb.compat.python import environment_data
from zennb.engine.environment.settings import LibraryOptions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["LIBRARY_OPTIONS"]

_NUMPY_PRINTING = {
    "edgeitems": 3,
    "threshold": 1000,
    "floatmode": "maxprec",
    "precision": 8,
    "suppress": False,
    "linewidth": 75,
    "nanstr": "nan",
    "infstr": "inf",
    "sign": "-",
    "formatter": None,
    "legacy": False,
    "override_repr": None,
}
_NUMPY_ERRORS = {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"}

_NOT_STYLE = ("backend", "backend_fallback", "interactive", "toolbar", "webagg.")
"""Prefixes of matplotlib options that say where figures go, not how they look."""


def _loaded(library: str) -> Any:
    return sys.modules[library]


def _put_pandas(options: Mapping[str, Any]) -> None:
    # Deprecated options warn when they are set; the user has seen that when the step ran.
    with warnings.catch_warnings(action="ignore"):
        for key, value in options.items():
            _loaded("pandas").set_option(key, value)


def _style_keys() -> Iterable[str]:
    return (
        # The methods of `dict`: `RcParams` checks, and loads the backend when that key is read.
        key if not key.startswith(_NOT_STYLE) else ""
        for key in dict.keys(_loaded("matplotlib").rcParams)
    )


def _style_defaults() -> dict[str, Any]:
    found = dict(dict.items(_loaded("matplotlib").rcParamsOrig))
    return {key: value for key, value in found.items() if not key.startswith(_NOT_STYLE)}


def _put_style(options: Mapping[str, Any]) -> None:
    with warnings.catch_warnings(action="ignore"):
        _loaded("matplotlib").rcParams.update(options)


@cache
def _sklearn_defaults() -> dict[str, Any]:
    """Return the options that nobody has set: each thread begins with them."""
    # In this thread the user may have set some already.
    with ThreadPoolExecutor(max_workers=1) as thread:
        found: dict[str, Any] = thread.submit(_loaded("sklearn").get_config).result()
    return found


def _polars() -> dict[str, str]:
    found = environment_data()  # the public way would count as read by the step
    names = {os.fsdecode(name): os.fsdecode(value) for name, value in found.items() if b"POLARS_" in name}
    return dict(sorted(names.items()))


def _put_polars(options: Mapping[str, Any]) -> None:
    for name in _polars().keys() - options["environment"].keys():
        del os.environ[name]
    os.environ.update(options["environment"])


LIBRARY_OPTIONS: tuple[LibraryOptions, ...] = (
    LibraryOptions(
        name="numpy print options",
        is_per_context=True,
        module="numpy",
        modules=frozenset({"numpy", "pandas"}),
        keys=lambda: _loaded("numpy").get_printoptions(),
        values=lambda: _loaded("numpy").get_printoptions().values(),
        defaults=lambda: _NUMPY_PRINTING,
        put=lambda options: _loaded("numpy").set_printoptions(**options),
    ),
    LibraryOptions(
        name="numpy error handling",
        is_per_context=True,
        module="numpy",
        modules=frozenset({"numpy", "pandas"}),
        keys=lambda: _loaded("numpy").geterr(),
        values=lambda: _loaded("numpy").geterr().values(),
        defaults=lambda: _NUMPY_ERRORS,
        put=lambda options: _loaded("numpy").seterr(**options),
    ),
    LibraryOptions(
        name="pandas options",
        module="pandas",
        modules=frozenset({"pandas"}),
        keys=option_names,
        values=option_values,
        defaults=option_defaults,
        put=_put_pandas,
    ),
    LibraryOptions(
        name="matplotlib style",
        module="matplotlib",
        modules=frozenset({"matplotlib", "seaborn"}),
        keys=_style_keys,
        values=lambda: dict.values(_loaded("matplotlib").rcParams),
        defaults=_style_defaults,
        put=_put_style,
    ),
    LibraryOptions(
        name="scikit-learn configuration",
        is_per_context=True,
        module="sklearn",
        modules=frozenset({"sklearn"}),
        keys=lambda: _loaded("sklearn").get_config(),
        values=lambda: _loaded("sklearn").get_config().values(),
        defaults=_sklearn_defaults,
        put=lambda options: _loaded("sklearn").set_config(**options),
    ),
    LibraryOptions(
        name="polars options",
        module="polars",
        modules=frozenset({"polars"}),
        keys=lambda: ("environment",),
        values=lambda: (_polars(),),
        defaults=lambda: {"environment": {}},
        put=_put_polars,
    ),
)
"""Options of the libraries that are loaded."""
