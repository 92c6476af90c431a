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

__all__ = ["Candidates", "by_name", "candidates", "is_readable", "make", "unreadable"]

ANY = "*"
"""Stands for all types in our own fall-backs; a package has to say which types its materializer is for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """What may store a value, in the order in which it is tried; what comes first names its type most precisely.

    Attributes:
        precise: materializers of packages that name exactly this type.
        own: ours for the library of the type.
        package: materializers of packages for the library of the type.
        others: ours for all other types; none where there is one for the library.
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
    """Return which materializers may be made for values of a type; imports none of them."""
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
    """Return the materializer that a record names.

    Args:
        name: as recorded.
        artifact: what is to be loaded, for errors.
        distribution: the package that the materializer came from when the artifact was stored; "" where unknown.

    Raises:
        MissingExtra: its package is not installed, or several offer one of that name.
        UnknownName: nobody is known to offer one.
    """
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
    """Return ours where there are; else those of the package that wrote the record, else all."""
    own = [offer for offer in known if offer.source == OWN]
    if own or not distribution:
        return own or known
    return [offer for offer in known if offer.source == distribution]


def is_readable(artifact: Artifact) -> bool:
    """Say whether what stored an artifact is here to read it, as far as that shows without importing it."""
    return bool(
        _fitting(_index().by_name.get(artifact.materializer, []), artifact.summary.get(DISTRIBUTION, ""))
    )


def unreadable(artifacts: Iterable[Artifact]) -> str:
    """Return, as a reason, which artifact nothing here can read; "" when there is none."""
    lost = next((each for each in artifacts if not is_readable(each)), None)
    if lost is None:
        return ""
    source = lost.summary.get(DISTRIBUTION, "")
    of = f" of the package '{source}'" if source else ""
    return f"`{lost.label}` is stored by the materializer '{lost.materializer}'{of}, which is not installed"


def make(offer: Offer) -> Materializer:
    """Import and make a materializer of a package.

    Raises:
        MissingExtra: it cannot be imported, or is none.
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
