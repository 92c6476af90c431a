"""Owns the lookup of digest handlers for library types, ours and those of other packages, by entry point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zennb.compat.instances import bases_of
from zennb.errors import MissingExtra
from zennb.packages.entry_points import DIGESTS, broken, load, offered
from zennb.packages.offer_index import OfferIndex
from zennb.packages.origin import module_of, public_name, top_level

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zennb.digests.walker import DigestWalker, Handler, Steps
    from zennb.packages.entry_points import Offer

__all__ = ["by_library", "by_type", "refusing"]


_known = [OfferIndex((), lambda offer: offer.name)]


def _index() -> OfferIndex:
    offers = offered(DIGESTS)
    # `offered` returns the same tuple until a package came or went.
    if _known[0].offers is not offers:
        _known[0] = OfferIndex(offers, lambda offer: offer.name)
    return _known[0]


def by_type(cls: type) -> Handler | None:
    """Return the handler that a package offers for exactly this type, by its full or its public name."""
    return _handler(cls, _index().for_type(cls))


def by_library(cls: type) -> Handler | None:
    """Return the handler of the library that a type, or a base of it, comes from."""
    index = _index()
    for base in bases_of(cls):
        library = top_level(module_of(base))
        for offers in (index.own.get(library, ()), index.others.get(library, ())):
            handler = _handler(cls, offers)
            if handler is not None:
                return handler
    return None


def _handler(cls: type, offers: Sequence[Offer]) -> Handler | None:
    """Return the handler that the offers of a single package give for a type; None without one."""
    if not offers:
        return None
    sources = sorted({offer.source for offer in offers})
    # Whichever one was taken, uninstalling the other could change the digest and all keys with it.
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
    """Import the function of an offer and return its handler for a type.

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
    """Return a handler that refuses every value; `phrase` describes the values."""

    def refuse(walker: DigestWalker, _value: Any) -> Steps | None:
        raise walker.refuse(phrase)

    return refuse
