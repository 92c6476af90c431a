"""Owns the index of entry points, of zennb and of installed packages, and the import of one of them.

Reading the index imports nothing. It is read again when `sys.path` has changed and, on `refresh`, when a package was
added to or removed from a folder on it.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from zennb.errors import MissingExtra
from zennb.packages.origin import top_level

__all__ = [
    "DIGESTS",
    "MATERIALIZERS",
    "OURS",
    "OWN",
    "Offer",
    "broken",
    "entry_offers",
    "load",
    "not_installed",
    "offered",
    "refresh",
]

MATERIALIZERS = "zennb.materializers"
"""Entry points `"<name>.<type or package>" = "module:Class"`; the name is written into artifact records."""

DIGESTS = "zennb.digests"
"""Entry points `"<type or package>" = "module:handler"`."""

OWN = "zennb"

_METADATA = (".dist-info", ".egg-info", ".egg")


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One entry point, not imported yet.

    Attributes:
        name: as the entry point is called.
        target: what it refers to: `module:attribute`.
        extra: what to give to `pip install` when it cannot be imported: `grids[zennb]`; "" for none.
        source: the distribution that contains it; `zennb` for ours.
    """

    name: str
    target: str
    extra: str = ""
    source: str = OWN


# The same entries are in pyproject.toml. They are repeated here so that common lookups need not read the metadata of
# installed packages, and so that zennb works from a source tree.
OURS: dict[str, tuple[Offer, ...]] = {
    MATERIALIZERS: tuple(
        Offer(name=name, target=f"zennb.materializers.{target}")
        for name, target in (
            ("numpy.numpy", "numpy:NumpyArrays"),
            ("plain.numpy", "plain:PlainData"),
            ("frame.pandas", "frames:Frames"),
            ("arrow_table.polars", "arrow:ArrowTables"),
            ("arrow_table.pyarrow", "arrow:ArrowTables"),
            ("picture.PIL", "figure:Pictures"),
            ("plain.*", "plain:PlainData"),
            ("pickle.*", "pickle:SignedPickles"),
            ("not_stored.*", "not_stored:NotStored"),
        )
    ),
    DIGESTS: tuple(
        Offer(name=name, target=f"zennb.digests.{module}:handler")
        for name, module in (
            ("matplotlib", "artists"),
            ("numpy", "arrays"),
            ("pandas", "frames"),
            ("pandera", "pandera"),
            ("polars", "polars"),
            ("pyarrow", "arrow"),
            ("torch", "tensors"),
        )
    ),
}

_found: dict[str, tuple[Offer, ...]] = {}
_offering: list[bool] = []
"""Whether a package offers anything; empty while that is not known."""

_path: list[str] = []
_folders: dict[str, tuple[int, frozenset[tuple[str, int]]]] = {}
"""Folder on `sys.path` → when it got or lost an entry, and the packages in it, as last seen."""


def offered(group: str) -> tuple[Offer, ...]:
    """Return all offers of a group, ours first, then others by name; the same tuple until something changes."""
    if sys.path != _path:
        refresh()
    if group not in _found:
        others = [each for each in entry_offers(group) if each.source != OWN]
        _found[group] = (*OURS.get(group, ()), *sorted(others, key=lambda each: (each.name, each.source)))
    return _found[group]


def refresh() -> None:
    """Detect packages that were installed or removed. Doing this for every value would cost more than its digest."""
    changed = [
        folder for folder in sys.path if _is_changed(folder)
    ]  # a list, so that every folder is checked
    if changed or sys.path != _path:
        _path[:] = sys.path
        _found.clear()
        _offering.clear()


def _is_changed(folder: str) -> bool:
    """Whether a package was added to or removed from a folder since the last check.

    The notebook's folder is on the path, and changes whenever a step or the frontend saves a file. Reading the metadata
    of all packages takes as long as a hundred small steps, so such a change alone must not trigger it.
    """
    try:
        moment = os.stat(folder or ".").st_mtime_ns  # noqa: PTH116 - asked for every folder and step
    except OSError:
        moment = 0
    known = _folders.get(folder)
    if known is not None and known[0] == moment:
        return False
    found = _folders[folder] = (moment, _packages(folder, moment))
    return known is None or known[1] != found[1]


def _packages(folder: str, moment: int) -> frozenset[tuple[str, int]]:
    """Return the entries of a folder that describe packages, with the time of each: one installed again gets a new one.

    Args:
        folder: an entry of `sys.path`.
        moment: when it changed, which says all for an archive.
    """
    try:
        with os.scandir(folder or ".") as entries:
            return frozenset(
                # With its time: a package that was installed again may have other entry points under the same name.
                (entry.name, entry.stat().st_mtime_ns)
                for entry in entries
                if entry.name.endswith(_METADATA)
            )
    except OSError:
        return frozenset({("", moment)})


def entry_offers(group: str) -> list[Offer]:
    """Return the entry points of a group, where a package besides zennb offers anything; reads all their metadata.

    It may be called while a step runs, on another thread too, so it lists no folders that were listed before, as
    `refresh` does: the step would seem to have done that.
    """
    from importlib.metadata import entry_points

    if sys.path != _path:
        refresh()
    found = []
    for point in entry_points(group=group) if _is_anything_offered() else ():
        source = point.dist.name if point.dist is not None else ""
        extra = f"{source}[{','.join(point.extras)}]" if point.extras else ""
        found.append(
            Offer(name=point.name, target=f"{point.module}:{point.attr}", extra=extra, source=source)
        )
    return found


def _is_anything_offered() -> bool:
    """Whether any package has entry points for zennb. To look for the word is much faster than to parse them all."""
    from importlib.metadata import distributions

    if not _offering:
        mark = f"[{OWN}."
        texts = ((each, each.read_text("entry_points.txt") or "") for each in distributions())
        _offering.append(any(mark in text and each.name != OWN for each, text in texts))
    return _offering[0]


def load(offer: Offer, title: str) -> Any:
    """Import and return the object of an offer.

    Args:
        offer: the offer.
        title: what to call it at the start of a sentence: `The digest 'grids' of the package 'dreams'`.

    Raises:
        MissingExtra: a library it needs is not installed, or its package is broken.
    """
    module, _, attribute = offer.target.partition(":")
    try:
        found: Any = import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except ImportError as error:
        raise _missing(offer, title, error) from error
    except Exception as error:
        raise broken(offer, title, f"importing {module} raised {type(error).__name__}: {error}") from error
    return found


def broken(offer: Offer, title: str, why: str) -> MissingExtra:
    """Return the error that names a broken package and the way out."""
    return MissingExtra(
        f"{title} is broken: {why}. Update or remove its package: pip install -U {offer.source}"
    )


def not_installed(offer: Offer, title: str, module: str) -> MissingExtra:
    """Return the error that says that a module which an offer needs is not installed, and how to install it."""
    return _missing(offer, title, ModuleNotFoundError(f"No module named {module!r}", name=module))


def _missing(offer: Offer, title: str, error: ImportError) -> MissingExtra:
    if offer.extra:
        advice = f'pip install "{offer.extra}"'
    elif error.name and top_level(error.name) != top_level(offer.target.partition(":")[0]):
        advice = (
            f"install what provides the module `{error.name}`; `pip show {offer.source}` names what it needs"
        )
    else:
        advice = f"pip install --force-reinstall {offer.source}"
    return MissingExtra(f"{title} cannot be imported ({error}): {advice}")
