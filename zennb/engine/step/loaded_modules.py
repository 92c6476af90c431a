"""Owns the modules that a step has loaded: outputs may need them, which pickles do not say.

A library may register parts of itself when it makes an object (spaCy its pipes). A pickle of the object only names the
modules of its classes, so in a new kernel the parts are missing.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING

from zennb.packages.origin import Origin, origin, top_level

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from zennb.core.records.records import Artifact

__all__ = ["MODULES", "import_again", "loaded_since", "needed_by"]

MODULES = "modules"
"""Entry of a step's changes: the modules to import before its outputs are loaded."""

_PLAIN = frozenset({"matplotlib", "numpy", "pandas", "polars", "pyarrow", "scipy"})
"""Packages whose objects need nothing but their own classes; reusing a step with numbers stays as fast as it was."""

_REGISTERING = {"spacy": ("spacy.pipeline.factories", "register_factories")}
"""Package → module and function that register what it otherwise registers when it makes an object."""


def loaded_since(before: Collection[str], packages: Iterable[str]) -> list[str]:
    """Return the modules of packages that were loaded since `before`.

    Args:
        before: names of modules.
        packages: import names of the packages whose types the outputs have.
    """
    wanted = {*packages} - _PLAIN
    if not wanted:
        return []
    new = [name for name in list(sys.modules) if name not in before and top_level(name) in wanted]
    return [name for name in new if origin(name) is Origin.PACKAGE]


def needed_by(artifacts: Iterable[Artifact], modules: Collection[str]) -> list[str]:
    """Return which modules belong to packages whose types are in some outputs."""
    packages = {package for artifact in artifacts for package in artifact.packages} if modules else set()
    return [name for name in modules if top_level(name) in packages]


def import_again(modules: Iterable[str]) -> None:
    """Import modules of installed packages, as the step had done; one that is gone is missed where it is needed."""
    packages = set()
    for name in modules:
        packages.add(top_level(name))
        if name not in sys.modules:
            with suppress(Exception):
                import_module(name)
    for package in packages & _REGISTERING.keys():
        module, function = _REGISTERING[package]
        with suppress(Exception):
            getattr(import_module(module), function)()
