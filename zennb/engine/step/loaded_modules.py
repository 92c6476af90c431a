"""Owns the modules that a step has loaded: outputs may need them, which pickles do not say.

A library may register parts of itself when it makes an object (spaCy its pipes). A pickle of the object only names the
modules of its classes, so in a new kernel the parts are missing.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING

from zennb.engine.step.uninterrupted import uninterrupted
from zennb.packages.origin import Origin, origin, top_level

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from zennb.core.records.records import Artifact

__all__ = ["MODULES", "import_for", "loaded_since"]

MODULES = "modules"
"""Entry of a step's changes: the modules to import before its outputs are loaded."""

_PLAIN = frozenset({"matplotlib", "numpy", "pandas", "polars", "pyarrow", "scipy"})
"""Packages whose objects need nothing but their own classes; reusing a step with numbers stays as fast as it was."""

_REGISTERING = {"spacy": ("spacy.pipeline.factories", "register_factories")}
"""Package → module and function that register what it otherwise registers when it makes an object."""


_known: dict[str, dict[str, None]] = {}
"""Package → its modules that steps have loaded in this process, or that were imported again for their outputs."""


def loaded_since(before: Collection[str], packages: Iterable[str]) -> list[str]:
    """Return the modules of packages that steps have loaded in this process, the latest of them since `before`.

    Those of earlier steps count too: a value that a later step changes still needs what its maker had loaded.

    Args:
        before: names of modules.
        packages: import names of the packages whose types the outputs have.
    """
    _note(name for name in sys.modules.keys() - set(before) if origin(name) is Origin.PACKAGE)
    return [name for package in sorted({*packages} - _PLAIN) for name in _known.get(package, ())]


def _note(modules: Iterable[str]) -> None:
    for name in modules:
        _known.setdefault(top_level(name), {})[name] = None


def import_for(artifacts: Iterable[Artifact], modules: Collection[str]) -> None:
    """Import what the types of artifacts need; a module that is gone is missed where it is needed.

    Args:
        artifacts: what is about to be loaded.
        modules: what steps had loaded when they were made.
    """
    packages = {package for artifact in artifacts for package in artifact.packages}
    needed = [name for name in modules if top_level(name) in packages]
    _note(needed)
    missing = [name for name in (*sorted(packages & _PLAIN), *needed) if name not in sys.modules]
    registering = packages & _REGISTERING.keys()
    if not missing and not registering:
        return
    with uninterrupted():  # a library that is imported by half stays broken until the kernel is restarted
        for name in missing:
            with suppress(Exception):
                import_module(name)
        for package in registering:
            module, function = _REGISTERING[package]
            with suppress(Exception):
                getattr(import_module(module), function)()
