"""Owns the digests of libraries' types: our own modules and those of installed packages, found by entry point."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from zennb.errors import MissingExtra
from zennb.packages.entry_points import DIGESTS, OWN, Offer, broken, load, offered
from zennb.packages.origin import module_of, public_name, top_level

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zennb.digests.walker import DigestWalker, Handler, Steps

__all__ = ["by_library", "by_type", "refusing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Index:
    """Offers by entry point name, and the packages of which some type is named by itself."""

    offers: tuple[Offer, ...] = ()
    by_name: dict[str, list[Offer]] = field(default_factory=dict)
    precise: frozenset[str] = frozenset()


_known = [_Index()]


def _index() -> _Index:
    offers = offered(DIGESTS)
    if _known[0].offers is not offers:
        by_name: dict[str, list[Offer]] = {}
        for offer in offers:
            by_name.setdefault(offer.name, []).append(offer)
        precise = frozenset(top_level(name) for name in by_name if "." in name)
        _known[0] = _Index(offers=offers, by_name=by_name, precise=precise)
    return _known[0]


def by_type(cls: type) -> Handler | None:
    """Return the handler that a package offers for exactly this type, by its full or its public name."""
    index = _index()
    module = module_of(cls)
    if top_level(module) not in index.precise:
        return None
    names = dict.fromkeys((f"{module}.{cls.__qualname__}", public_name(cls)))
    return _handler(cls, [offer for name in names if "." in name for offer in index.by_name.get(name, ())])


def by_library(cls: type) -> Handler | None:
    """Return the handler of the library that a type, or a base of it, comes from."""
    by_name = _index().by_name
    for base in cls.__mro__:
        found = by_name.get(top_level(module_of(base)), ())
        for offers in ([o for o in found if o.source == OWN], [o for o in found if o.source != OWN]):
            handler = _handler(cls, offers)
            if handler is not None:
                return handler
    return None


def _handler(cls: type, offers: Sequence[Offer]) -> Handler | None:
    """Return what the only package that offers something makes of a type; None when that is nothing."""
    if not offers:
        return None
    sources = sorted({offer.source for offer in offers})
    if len(sources) > 1:
        both = " and ".join(f"'{source}'" for source in sources)
        return refusing(
            f"a {public_name(cls)}, whose digest the packages {both} define, of which one has to go"
        )
    for offer in offers:
        try:
            handler = _made(cls, offer)
        except MissingExtra as error:
            return refusing(f"a {public_name(cls)} whose digest cannot be had ({error.message.rstrip('.')})")
        if handler is not None:
            return handler
    return None


def _made(cls: type, offer: Offer) -> Handler | None:
    """Ask the function that an offer leads to for the handler of a type.

    Raises:
        MissingExtra: it cannot be imported, or does not work.
    """
    title = f"The digest '{offer.name}' of the package '{offer.source}'"
    choose = load(offer, title)
    try:
        found: Any = choose(cls)
    except Exception as error:
        raise broken(offer, title, f"{offer.target} raised {type(error).__name__}: {error}") from error
    if found is not None and not callable(found):
        raise broken(offer, title, f"{offer.target} returned {found!r:.80} instead of a handler or None")
    handler: Handler | None = found
    return handler


def refusing(phrase: str) -> Handler:
    """Return the handler of a type that has no content; `phrase` says what its values are."""

    def refuse(walk: DigestWalker, _value: Any) -> Steps | None:
        raise walk.refuse(phrase)

    return refuse
