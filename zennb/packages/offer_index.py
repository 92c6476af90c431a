"""Owns the lookup of entry points by type: those for exactly one type, and those for its library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.packages.entry_points import OWN
from zennb.packages.origin import full_name, module_of, public_name, top_level

if TYPE_CHECKING:
    from collections.abc import Callable

    from zennb.packages.entry_points import Offer

__all__ = ["OfferIndex"]


class OfferIndex:
    """The offers of one group.

    Args:
        offers: all of them, as `offered` returns them.
        made_for: returns the type (`grids.Grid`) or library (`grids`) that an offer is for; "" for one without a use.

    Attributes:
        own: type or library → the offers of zennb for it.
        others: type or library → the offers of other packages for it.
        by_name: name, as far as the first dot → offers.
    """

    def __init__(self, offers: tuple[Offer, ...], made_for: Callable[[Offer], str]) -> None:
        self.offers = offers
        self.own: dict[str, list[Offer]] = {}
        self.others: dict[str, list[Offer]] = {}
        self.by_name: dict[str, list[Offer]] = {}
        for offer in offers:
            if what := made_for(offer):
                (self.own if offer.source == OWN else self.others).setdefault(what, []).append(offer)
                self.by_name.setdefault(offer.name.partition(".")[0], []).append(offer)
        self._libraries = frozenset(top_level(what) for what in self.others if "." in what)

    def for_type(self, cls: type) -> list[Offer]:
        """Return what other packages offer for exactly this type, by its full or its public name."""
        if top_level(module_of(cls)) not in self._libraries:  # true of most types
            return []
        names = dict.fromkeys((full_name(cls), public_name(cls)))
        return [offer for name in names if "." in name for offer in self.others.get(name, ())]
