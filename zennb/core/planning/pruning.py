"""Owns the choice of blobs to delete: which ones a rule names, and which of them are kept all the same."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from zennb.core.planning.expiry import parse_duration
from zennb.core.records.space import PrunedBlob, PrunePlan, PruneRule
from zennb.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from zennb.core.records.space import BlobReference, SpaceRecords, StoredBlob

__all__ = ["JUST_STORED", "NEEDED", "PINNED", "parse_rule", "parse_size", "plan_prune", "young_since"]

PINNED = "pinned"
NEEDED = "needed by an open kernel or a run of the last day"
JUST_STORED = "stored a moment ago, or since a step began that still runs"

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)\s*([kmgt]?)b?", re.IGNORECASE)


def parse_size(text: str) -> int:
    """Return the bytes in a size: `500MB`, `5GB`, `1.5 TB`, `1000000`.

    Raises:
        UsageError: it is no size.
    """
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise UsageError(
            f"'{text}' is no size; write a number with kB, MB, GB or TB behind it, such as 5GB or 1.5GB."
        )
    return int(float(found[1]) * _UNITS[found[2].lower()])


def parse_rule(
    *, older: str | None = None, keep: int | None = None, unreferenced: bool = False, to: str | None = None
) -> PruneRule:
    """Return the rule that options give, as typed: `older="30d"`, `keep=3`, `unreferenced=True` or `to="5GB"`.

    Raises:
        UsageError: it is none of them, or more than one, or has no valid value.
    """
    if sum((older is not None, keep is not None, unreferenced, to is not None)) != 1:
        raise UsageError(
            "say what to delete, in one way: `--older 30d` (not used for 30 days), `--keep 3` (all but the newest 3 "
            "versions of each name), `--unreferenced` (what no record names) or `--to 5GB` (the longest unused, until "
            "5 GB are left)."
        )
    if keep is not None and keep < 1:
        raise UsageError("`--keep` needs a number of versions, at least 1.")
    return PruneRule(
        older=None if older is None else parse_duration(older, option="--older"),
        keep=keep,
        unreferenced=unreferenced,
        to=None if to is None else parse_size(to),
    )


def plan_prune(
    rule: PruneRule,
    *,
    stored: Iterable[StoredBlob],
    records: SpaceRecords,
    copies: frozenset[str],
    now: float,
    grace: float,
) -> PrunePlan:
    """Return what a rule deletes from a store.

    A blob is deleted only when every record that names it is one that the rule gives up.

    Args:
        rule: which blobs.
        stored: everything in the store.
        records: what the metadata store knows.
        copies: blobs that belong to copies of records; they stay.
        now: the time, in seconds since the epoch.
        grace: seconds for which what was stored stays: its record may not be written yet.
    """
    blobs = list(stored)
    by_blob: dict[str, list[BlobReference]] = defaultdict(list)
    for reference in records.references:
        by_blob[reference.blob].append(reference)
    given_up = _given_up(rule, records.references, now)
    named = [
        each
        for each in blobs
        if each.digest not in copies
        and (
            all(given_up(reference) for reference in by_blob[each.digest])
            if each.digest in by_blob
            else rule.unreferenced or rule.to is not None
        )
    ]
    cutoff = young_since(records, now=now, grace=grace)
    spared: dict[str, int] = {}
    deletable: list[StoredBlob] = []
    for each in named:
        why = _reason_to_keep(each, records, cutoff)
        if why:
            spared[why] = spared.get(why, 0) + each.size
        else:
            deletable.append(each)
    total = sum(each.size for each in blobs)
    order = sorted(deletable, key=lambda each: _urgency(each, by_blob.get(each.digest, ())))
    chosen = order if rule.to is None else list(_until(order, total - rule.to))
    return PrunePlan(
        blobs=tuple(_pruned_blob(each, by_blob.get(each.digest, ())) for each in chosen),
        total=total,
        # A store that is small enough by what is deleted spares nothing.
        spared=spared if rule.to is None or total - sum(each.size for each in chosen) > rule.to else {},
    )


def young_since(records: SpaceRecords, *, now: float, grace: float) -> float:
    """Return the time from which on stored blobs stay, because their record may still be written.

    A step stores what it reads before it runs, and is recorded when it ends; so while a run is active, everything
    that was stored since it began stays.
    """
    cutoff = now - grace
    return cutoff if records.running_since is None else min(cutoff, records.running_since)


def _given_up(
    rule: PruneRule, references: Sequence[BlobReference], now: float
) -> Callable[[BlobReference], bool]:
    """Return whether a rule gives up a record's bytes."""
    if rule.older is not None:
        before = now - rule.older
        return lambda reference: reference.used < before
    if rule.keep is not None:
        kept = _newest(references, rule.keep)
        return lambda reference: not (reference.is_current or (_group(reference), reference.blob) in kept)
    return lambda _holding: rule.to is not None


def _newest(references: Sequence[BlobReference], count: int) -> set[tuple[tuple[str, str, str], str]]:
    """Return the newest blobs of each name in each notebook, as many as `count`."""
    groups: dict[tuple[str, str, str], dict[str, int]] = defaultdict(dict)
    for each in references:
        blobs = groups[_group(each)]
        blobs[each.blob] = max(blobs.get(each.blob, 0), each.order)
    found = set[tuple[tuple[str, str, str], str]]()
    for group, blobs in groups.items():
        # By version, not by blob: the memory of tensors lies in blobs of its own.
        newest = sorted(set(blobs.values()), reverse=True)[:count]
        found.update((group, blob) for blob, order in blobs.items() if order in newest)
    return found


def _group(reference: BlobReference) -> tuple[str, str, str]:
    return reference.kind, reference.notebook, reference.name


def _reason_to_keep(blob: StoredBlob, records: SpaceRecords, cutoff: float) -> str:
    if blob.digest in records.pinned:
        return PINNED
    if blob.digest in records.needed:
        return NEEDED
    return JUST_STORED if blob.stored is not None and blob.stored >= cutoff else ""


def _urgency(blob: StoredBlob, references: Sequence[BlobReference]) -> tuple[int, float, str]:
    """Order what no record names first, then old versions, then current ones; the longest unused first."""
    if not references:
        return 0, blob.stored or 0.0, blob.digest
    rank = 2 if any(each.is_current for each in references) else 1
    return rank, max(each.used for each in references), blob.digest


def _until(blobs: Iterable[StoredBlob], wanted: int) -> Iterable[StoredBlob]:
    for each in blobs:
        if wanted <= 0:
            return
        wanted -= each.size
        yield each


def _pruned_blob(blob: StoredBlob, references: Sequence[BlobReference]) -> PrunedBlob:
    used = max((each.used for each in references), default=blob.stored)
    labels = tuple(dict.fromkeys(each.label for each in references))
    return PrunedBlob(digest=blob.digest, size=blob.size, labels=labels, used=used)
