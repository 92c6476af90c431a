"""Owns the list of materializers, of zennb and of installed packages, by type and by recorded name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zennb.errors import MissingExtra, UnknownName
from zennb.materializers.materializer import Materializer
from zennb.materializers.summary import DISTRIBUTION
from zennb.packages.entry_points import MATERIALIZERS, OWN, broken, load, offered, refresh
from zennb.packages.offer_index import OfferIndex
from zennb.packages.origin import module_of, top_level

if TYPE_CHECKING:
    from collections.abc import Iterable

    from zennb.core.records.records import Artifact
    from zennb.packages.entry_points import Offer

__all__ = [
    "Candidates",
    "by_name",
    "candidates",
    "is_readable",
    "make",
    "may_run_code",
    "not_importable",
    "unreadable",
]

ANY = "*"
"""Any type, in zennb's own fallbacks. Packages must name the types of their materializers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """The materializers to try for a value, in order: those for the most specific type first.

    Attributes:
        precise: materializers of packages that name exactly this type.
        own: zennb's materializers for the library of the type.
        package: materializers of packages for the library of the type.
        others: zennb's materializers for all other types; none if there is one for the library.
    """

    precise: tuple[Offer, ...] = ()
    own: tuple[Offer, ...] = ()
    package: tuple[Offer, ...] = ()
    others: tuple[Offer, ...] = ()

    def levels(self) -> Iterable[tuple[Offer, ...]]:
        """Return the four groups in order."""
        return (self.precise, self.own, self.package, self.others)


def _made_for(offer: Offer) -> str:
    name, _, made_for = offer.name.partition(".")
    return made_for if name and (offer.source == OWN or made_for != ANY) else ""


_known = [OfferIndex((), _made_for)]


def _index() -> OfferIndex:
    offers = offered(MATERIALIZERS)
    if _known[0].offers is not offers:
        _known[0] = OfferIndex(offers, _made_for)
    return _known[0]


def candidates(cls: type) -> Candidates:
    """Return the candidates for values of a type, without importing any."""
    index = _index()
    library = top_level(module_of(cls))
    own = tuple(index.own.get(library, ()))
    return Candidates(
        precise=tuple(index.for_type(cls)),
        own=own,
        package=tuple(index.others.get(library, ())),
        others=() if own else tuple(o for o in index.own.get(ANY, ()) if o.name.startswith("plain.")),
    )


def by_name(name: str, *, artifact: str, distribution: str = "") -> Offer:
    """Return the materializer named in a record.

    Args:
        name: as recorded.
        artifact: the artifact to load, for errors.
        distribution: the package that the materializer came from when the artifact was stored; "" where unknown.

    Raises:
        MissingExtra: its package is not installed, or several packages offer one of that name.
        UnknownName: no known package offers one.
    """
    # Its package may have been installed a moment ago.
    if name not in _index().by_name:
        refresh()
    known = _index().by_name.get(name, [])
    found = _fitting(known, distribution)
    sources = sorted({offer.source for offer in found})
    if len(sources) > 1:
        both = " and ".join(f"'{source}'" for source in sources)
        raise MissingExtra(
            f"artifact '{artifact}' is stored by a materializer '{name}', and the packages {both} each bring one of "
            "that name; uninstall the one that did not store it, then try again."
        )
    if found:
        return found[0]
    if distribution:
        raise MissingExtra(
            f"artifact '{artifact}' is stored by the materializer '{name}' of the package '{distribution}', which is "
            f"not installed; pip install {distribution}, then try again."
        )
    hint = "Is zennb up to date, and is the package installed that brings it?"
    raise UnknownName("materializer", name, _index().by_name, hint=hint)


def _fitting(known: list[Offer], distribution: str) -> list[Offer]:
    """Return zennb's own offers if there are any; else those of the package that wrote the record, else all."""
    own = [offer for offer in known if offer.source == OWN]
    if own or not distribution:
        return own or known
    return [offer for offer in known if offer.source == distribution]


def is_readable(artifact: Artifact) -> bool:
    """Whether the materializer of an artifact is available, without importing it."""
    return bool(
        _fitting(_index().by_name.get(artifact.materializer, []), artifact.summary.get(DISTRIBUTION, ""))
    )


def may_run_code(materializer: str) -> bool:
    """Whether loading what a materializer wrote can run code: all formats but zennb's own data formats may."""
    own = any(offer.source == OWN for offer in _index().by_name.get(materializer, ()))
    return not own or materializer == "pickle"


def unreadable(artifacts: Iterable[Artifact]) -> str:
    """Return which artifact has no available materializer, as a reason; "" when all have one."""
    lost = next((each for each in artifacts if not is_readable(each)), None)
    if lost is None:
        return ""
    source = lost.summary.get(DISTRIBUTION, "")
    of = f" of the package '{source}'" if source else ""
    return f"`{lost.label}` is stored by the materializer '{lost.materializer}'{of}, which is not installed"


def make(offer: Offer) -> Materializer:
    """Import a materializer of a package and create it.

    Raises:
        MissingExtra: it cannot be imported, or is not a valid materializer.
    """
    title = f"The materializer '{offer.name.partition('.')[0]}' of the package '{offer.source}'"
    kind = load(offer, title)
    name = offer.name.partition(".")[0]
    if not (isinstance(kind, type) and issubclass(kind, Materializer)):
        raise broken(offer, title, f"{offer.target} is not a subclass of zennb's Materializer")
    if getattr(kind, "name", None) != name:
        raise broken(offer, title, f"its class calls itself '{getattr(kind, 'name', '')}'")
    try:
        made: Any = kind()
    except Exception as error:
        raise broken(offer, title, f"making it raised {type(error).__name__}: {error}") from error
    taken = [other for other in _index().by_name[name] if other.source == OWN]
    if taken and offer.source != OWN:
        raise broken(offer, title, f"'{name}' is the name of one of zennb's own")
    materializer: Materializer = made
    return materializer


def not_importable(what: str, error: ImportError) -> MissingExtra:
    """Return the error that says which library an artifact needs, and how to install it.

    Args:
        what: the artifact, so that the library can follow: `a table of`.
        error: what its import raised.
    """
    if isinstance(error, ModuleNotFoundError):
        library = f"{error.name}, which is not installed"
    else:
        library = f"{error.name or 'a library'}, which cannot be imported ({error})"
    return MissingExtra(f'this artifact is {what} {library}; pip install "zennb[frames]", then try again.')
