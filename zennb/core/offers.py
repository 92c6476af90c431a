"""Owns the index of what zennb and installed packages offer by entry point, and how one offer is imported.

Reading the index imports nothing. It is read anew when `sys.path` has changed and, on `refresh`, a folder on it.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from zennb.errors import MissingExtra

__all__ = [
    "DIGESTS",
    "MATERIALIZERS",
    "OWN",
    "Offer",
    "broken",
    "entry_offers",
    "load",
    "offered",
    "own_offers",
    "refresh",
]

MATERIALIZERS = "zennb.materializers"
"""Entry points `"<name>.<type or package>" = "module:Class"`; the name is written into artifact records."""

DIGESTS = "zennb.digests"
"""Entry points `"<type or package>" = "module:handler"`."""

OWN = "zennb"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One entry point, before anything of it is imported.

    Attributes:
        name: as the entry point is called.
        target: where it leads: `module:attribute`.
        extra: what to give to `pip install` when it cannot be imported: `grids[zennb]`; "" for none.
        source: the distribution that brings it; `zennb` for ours.
    """

    name: str
    target: str
    extra: str = ""
    source: str = OWN


# The same entries stand in pyproject.toml. They are repeated here so that what everybody needs is found without reading
# the metadata of installed packages, and also where zennb runs from a source tree.
_OURS: dict[str, tuple[Offer, ...]] = {
    MATERIALIZERS: tuple(
        Offer(name=name, target=f"zennb.materializers.{target}")
        for name, target in (
            ("numpy.numpy", "numpy:NumpyArrays"),
            ("plain.numpy", "plain:PlainData"),
            ("arrow.pandas", "arrow:ArrowTables"),
            ("arrow.polars", "arrow:ArrowTables"),
            ("arrow.pyarrow", "arrow:ArrowTables"),
            ("picture.PIL", "figure:Pictures"),
            ("plain.*", "plain:PlainData"),
            ("pickle.*", "pickle:SignedPickles"),
        )
    ),
    DIGESTS: tuple(
        Offer(name=name, target=f"zennb.core.{module}:handler")
        for name, module in (
            ("matplotlib", "digest_artists"),
            ("numpy", "digest_arrays"),
            ("pandas", "digest_frames"),
            ("polars", "digest_polars"),
            ("pyarrow", "digest_arrow"),
        )
    ),
}

_found: dict[str, tuple[Offer, ...]] = {}
_path: list[str] = []
_folders: list[int] = []


def own_offers(group: str) -> tuple[Offer, ...]:
    """Return what zennb itself offers in a group."""
    return _OURS.get(group, ())


def offered(group: str) -> tuple[Offer, ...]:
    """Return all offers of a group, ours first, then others by name; the same tuple until something changes."""
    if sys.path != _path:
        refresh()
    if group not in _found:
        others = [each for each in entry_offers(group) if each.source != OWN]
        _found[group] = (*own_offers(group), *sorted(others, key=lambda each: (each.name, each.source)))
    return _found[group]


def refresh() -> None:
    """Notice packages that were installed or removed since; asking for every value would outweigh its digest."""
    now = [_changed(folder) for folder in sys.path]
    if sys.path != _path or now != _folders:
        _path[:], _folders[:] = sys.path, now
        _found.clear()


def _changed(folder: str) -> int:
    """Return when a folder got or lost an entry, as installing and removing a package does."""
    try:
        return os.stat(folder or ".").st_mtime_ns  # noqa: PTH116 - asked for every folder and step
    except OSError:
        return 0


def entry_offers(group: str) -> list[Offer]:
    """Return the entry points of a group, those of our own distribution among them; reads every package's metadata."""
    from importlib.metadata import entry_points

    found = []
    for point in entry_points(group=group):
        source = point.dist.name if point.dist is not None else ""
        extra = f"{source}[{','.join(point.extras)}]" if point.extras else ""
        found.append(
            Offer(name=point.name, target=f"{point.module}:{point.attr}", extra=extra, source=source)
        )
    return found


def load(offer: Offer, title: str) -> Any:
    """Import and return what an offer leads to.

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


def _missing(offer: Offer, title: str, error: ImportError) -> MissingExtra:
    if offer.extra:
        advice = f'pip install "{offer.extra}"'
    elif error.name and _top(error.name) != _top(offer.target.partition(":")[0]):
        advice = (
            f"install what provides the module `{error.name}`; `pip show {offer.source}` names what it needs"
        )
    else:
        advice = f"pip install --force-reinstall {offer.source}"
    return MissingExtra(f"{title} cannot be imported ({error}): {advice}")


def _top(module: str) -> str:
    return module.partition(".")[0]
