"""Owns finding the records that are only in their copies, and writing them again."""

from __future__ import annotations

import math
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from zennb.components.artifact_stores.health import Values
from zennb.core.records.records import Artifact, Run, StackSpec, Status, Step
from zennb.metadata.space import LATEST_DELETION
from zennb.recovery.record_copies import MAGIC, RecordCopy, opened_copy
from zennb.sqlite_files import open_snapshot, skipping_damage

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from zennb.materializers.signer import Signer
    from zennb.metadata.store import MetadataStore

__all__ = ["LostRecords", "find_lost", "write_again"]

Mark: TypeAlias = tuple[str, str, float, str]
"""What tells the record of a step from others: name, notebook, start, cache key."""

_BATCH = 200


@dataclass(slots=True, kw_only=True)
class LostRecords:
    """Where the copies are whose records are missing.

    Attributes:
        places: moment of recording, number of the store and digest of each, in order of recording.
        foreign: copies that this user has not signed.
        stacks: the stacks on which these steps ran, as they were last.
    """

    places: list[tuple[float, int, str]] = field(default_factory=list)
    foreign: int = 0
    stacks: dict[str, StackSpec] = field(default_factory=dict)


def find_lost(
    roots: Sequence[Path], database: Path | None, *, signer: Signer, all_older: bool = False
) -> LostRecords:
    """Return the copies whose records are not in the database.

    Args:
        roots: directories of local artifact stores.
        database: a database of records that can be read; None for none.
        signer: knows this user's signature.
        all_older: also those older than the latest record there. They are left out as a rule, because somebody may have
            deleted them on purpose.
    """
    found, copies = LostRecords(), list[tuple[float, int, str, Mark, StackSpec]]()
    for number, root in enumerate(roots):
        with Values(root) as values:
            for digest, content in values.starting_with(MAGIC):
                copy = opened_copy(content, signer=signer)
                if copy is None:
                    found.foreign += 1
                else:
                    copies.append((copy.recorded, number, digest, _mark(copy.step), copy.run.stack))
    # Only now: a kernel that goes on working stores the copy first.
    known, latest = (set[Mark](), -math.inf) if database is None else _known(database)
    for recorded, number, digest, mark, stack in sorted(copies, key=lambda each: each[:3]):
        if mark not in known and (all_older or recorded > latest):
            found.places.append((recorded, number, digest))
            found.stacks[stack.name] = stack
    return found


def write_again(metadata: MetadataStore, lost: LostRecords, roots: Sequence[Path], *, signer: Signer) -> int:
    """Record what is missing; return the number of steps."""
    writer, count = _Writer(metadata), 0
    with ExitStack() as opened:
        stores = [opened.enter_context(Values(root)) for root in roots]
        for start in range(0, len(lost.places), _BATCH):
            places = lost.places[start : start + _BATCH]
            copies = [opened_copy(stores[number].get(digest), signer=signer) for _, number, digest in places]
            writer.write([copy for copy in copies if copy is not None])
            count += sum(copy is not None for copy in copies)
    writer.end_runs()
    return count


class _Writer:
    """Writes records again. What has the same content under the same name is one artifact, as far as can be told."""

    def __init__(self, metadata: MetadataStore) -> None:
        self._metadata = metadata
        self._runs: dict[tuple[object, ...], Run] = {}
        self._artifacts: dict[tuple[object, ...], Artifact] = {}

    def write(self, copies: Iterable[RecordCopy]) -> None:
        def write_all() -> None:
            for copy in copies:
                self._write(copy)

        self._metadata.atomically(write_all)

    def end_runs(self) -> None:
        """Write how long the runs took, as far as their steps tell."""
        for run in self._runs.values():
            self._metadata.end_run(run)

    def _write(self, copy: RecordCopy) -> None:
        run = self._run(copy)
        inputs = {name: self._known(item) for name, item in copy.step.inputs.items()}
        added = self._metadata.add(replace(copy.step, run=run.id, inputs=inputs))
        for item in (*added.inputs.values(), *added.outputs.values()):
            self._artifacts[_content(item)] = item

    def _run(self, copy: RecordCopy) -> Run:
        run = copy.run
        place = (run.host, run.process, run.started, run.kind, run.notebook, run.stack.name)
        if place not in self._runs:
            until = math.nextafter(run.started, math.inf)
            there = self._metadata.runs(since=run.started, until=until, notebook=run.notebook, kind=run.kind)
            same = [each for each in there if (each.host, each.process) == (run.host, run.process)]
            began = replace(run, status=Status.COMPLETED, seconds=0.0)
            self._runs[place] = same[0] if same else self._metadata.begin_run(began)
        known, ended = self._runs[place], copy.step.started + copy.step.seconds
        self._runs[place] = replace(known, seconds=max(known.seconds, ended - known.started))
        return known

    def _known(self, item: Artifact) -> Artifact:
        found = self._artifacts.get(_content(item))
        if found is None:
            same = self._metadata.with_digests([item.digest])[item.digest]
            found = next((each for each, _ in same if _content(each) == _content(item)), item)
        return found


def _content(item: Artifact) -> tuple[object, ...]:
    return item.name, item.digest, item.blob, item.item, item.materializer


def _mark(step: Step) -> Mark:
    return step.name, step.notebook, step.started, step.cache_key


def _known(database: Path) -> tuple[set[Mark], float]:
    """Return the marks of the records in a database, and when the latest of them was made, or some were deleted."""
    sql = "SELECT s.name, t.text, s.started, s.key, s.seconds FROM steps s JOIN texts t ON t.id = s.notebook"
    marks: set[Mark] = set()
    latest = -math.inf
    with skipping_damage(), closing(open_snapshot(database)) as snapshot:
        for name, notebook, started, key, seconds in snapshot.connection.execute(sql):
            marks.add((name, notebook, started, key))
            latest = max(latest, started + seconds)
        for (deleted,) in snapshot.connection.execute(LATEST_DELETION):
            latest = max(latest, deleted)
        return marks, latest
    return set(), -math.inf
