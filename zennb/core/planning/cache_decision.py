"""Owns the cache decision for a step: reuse an earlier result, or run, with the reason. It has no side effects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zennb.core.planning.cache_key import differences
from zennb.core.records.shared import origin_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from zennb.core.records.records import CacheKeyParts, Step

__all__ = ["CacheDecision", "copied", "decide_reuse", "reason_to_run", "reused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheDecision:
    """What to do with a step.

    Attributes:
        reuse: the earlier step whose results are reused; None means run.
        reason: the reason, for people.
        is_elsewhere: whether results of `reuse` have to be copied from another store first.
    """

    reuse: Step | None = None
    reason: str
    is_elsewhere: bool = False


def decide_reuse(
    parts: CacheKeyParts,
    *,
    candidates: Sequence[Step],
    previous: Step | None,
    missing: Callable[[Step], str],
    elsewhere: Callable[[Step], str] = lambda _step: "",
    stale: Callable[[Step], str] = lambda _step: "",
    asked: str = "",
    unclear: Sequence[str] = (),
) -> CacheDecision:
    """Decide whether to reuse or run a step with these cache key parts.

    Args:
        parts: what the step's key is made of.
        candidates: reusable steps with the same key, newest first.
        previous: the latest record of the same step, whatever its key; None on a first run.
        missing: which result of a candidate the active store lacks, as a phrase; "" when it holds them all.
        elsewhere: the name of another store that holds what the active one lacks; "" when there is none.
        stale: why a candidate is invalid although its key matches (a file it read changed); "" when it is valid.
        asked: an option of the user that forces a run, e.g. `--rerun`.
        unclear: why the parts may not cover every dependency.
    """
    if asked:
        return CacheDecision(reason=f"asked for with {asked}")
    if unclear:
        return CacheDecision(reason=f"not cacheable: {unclear[0]}")
    lost: dict[str, Step] = {}
    moved = ""
    for candidate in candidates:
        differs = stale(candidate)
        if differs:
            # The newest candidate comes first, and its reason is the one that the user expects.
            moved = moved or differs
            continue
        gone = missing(candidate)
        if not gone:
            return reused(candidate)
        lost.setdefault(gone, candidate)
    for candidate in lost.values():  # only now: another store may be far away
        if name := elsewhere(candidate):
            return copied(candidate, name)
    if lost:
        return CacheDecision(reason=next(iter(lost)))
    if moved:
        return CacheDecision(reason=moved)
    return CacheDecision(reason=_why(previous, parts))


def reused(step: Step) -> CacheDecision:
    """Return the decision to reuse the results of an earlier step."""
    # Without a run: it was deleted, or is in the home of somebody else.
    origin = origin_of(step) or ("an earlier run" if step.run is None else f"run {step.run}")
    return CacheDecision(reuse=step, reason=f"same code and inputs as {origin}")


def copied(step: Step, store: str) -> CacheDecision:
    """Return the decision to reuse the results of an earlier step once they are copied from another store."""
    return CacheDecision(reuse=step, reason=f"copied from artifact store '{store}'", is_elsewhere=True)


def _why(previous: Step | None, parts: CacheKeyParts) -> str:
    if previous is not None and previous.parts is None:
        return "the run before could not be keyed"
    known = None if previous is None else previous.parts
    return reason_to_run(previous, [] if known is None else differences(known, parts))


def reason_to_run(previous: Step | None, found: Sequence[str]) -> str:
    """Return why a step has to run.

    Args:
        previous: its latest record; None on a first run.
        found: what differs from that record, one phrase each.
    """
    if previous is None:
        return "first run"
    if found:
        return found[0] + (f" (and {len(found) - 1} more)" if len(found) > 1 else "")
    if not previous.status.is_good:
        return f"the run before {'was interrupted' if previous.status.value == 'interrupted' else 'failed'}"
    if not previous.reusable:
        because = previous.unusable_because
        return f"not cacheable: {because}" if because else "runs every time"
    return "no stored result"
