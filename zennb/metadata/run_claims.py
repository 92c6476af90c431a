"""Owns `RunClaims`: which runs of this process still have somebody who runs them.

An interrupt can come between the moment a run is recorded as running, on another thread, and the moment its owner
learns of it. Such a run would stay `running` as long as its kernel lives. So its owner gives a claim with it, and sets
that to over in any case.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["RunClaim", "RunClaims"]


@dataclass(slots=True)
class RunClaim:
    """What the owner of a run says of it. As a context (see `MetadataStore.claim`), it is over when the block ends.

    Attributes:
        is_over: whether the owner has stopped to run it, whatever the record says.
        on_error: called if the block ends with an error.
    """

    is_over: bool = False
    on_error: Callable[[], None] = lambda: None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_error: object) -> None:
        self.is_over = True
        if kind is not None:
            self.on_error()


class RunClaims:
    """The claims on runs that are recorded as running. Thread-safe: each operation is one on a dictionary."""

    def __init__(self) -> None:
        self._claims: dict[int, RunClaim] = {}

    def note(self, run: int, claim: RunClaim | None) -> None:
        """Note that a run is recorded as running; without a claim it runs as long as its process."""
        if claim is None:
            self._claims.pop(run, None)
        else:
            self._claims[run] = claim

    def forget(self, run: int | None) -> None:
        """Drop the claim on a run whose end is recorded."""
        if run is not None:
            self._claims.pop(run, None)

    def forget_orphans(self, runs: Iterable[int]) -> None:
        """Drop the claims on orphans that are recorded as interrupted, unless somebody runs them again."""
        for run in self.orphans().intersection(runs):
            self._claims.pop(run, None)

    def orphans(self) -> frozenset[int]:
        """Return the runs whose owner has stopped, and whose end is not known to be recorded."""
        return frozenset(run for run, claim in list(self._claims.items()) if claim.is_over)
