"""Owns `MetadataStore`: stacks, runs, steps and artifacts in one SQLite file; each method is one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from zennb.metadata.artifacts import ArtifactQueries
from zennb.metadata.backups import Backups
from zennb.metadata.connection import Database
from zennb.metadata.countersigning import Countersigner
from zennb.metadata.deletion import Deletions
from zennb.metadata.interned_text import InternedText
from zennb.metadata.labels import LabelQueries
from zennb.metadata.listings import Listings
from zennb.metadata.models import ModelQueries
from zennb.metadata.rows import RUNS
from zennb.metadata.runs import RunQueries, add_seconds, record_run
from zennb.metadata.space import SpaceQueries, note_stored
from zennb.metadata.stacks import StackQueries
from zennb.metadata.step_history import StepHistory, select_known
from zennb.metadata.steps import NewStep, StepQueries, record_step

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from zennb.core.records.records import Artifact, Run, Step
    from zennb.core.records.seal import Seal
    from zennb.metadata.table import NewRow

__all__ = ["MetadataStore"]

R = TypeVar("R")


class MetadataStore(StackQueries, RunQueries, StepQueries, ArtifactQueries):
    """Stacks, components, runs, steps, artifacts and the edges between them, in one SQLite file.

    Any number of threads and processes may use one file. Every method may raise `StoreBusy` when another
    process holds the file for longer than `deadline`, and `StoreError` when it cannot be read or written.

    Args:
        path: the file, `metadata.db` of a home; made when missing.
        deadline: seconds to wait for a lock that another process holds.
        sign: returns the user's signature of a record; records stay unsigned without it, and are never reused.
        countersign: adds a signature that other people can check, a moment later.

    Raises:
        ForeignStore: the file belongs to another program or to a newer zennb.

    Attributes:
        listings: runs and artifacts a page at a time.
        space: which blobs the records name, and what of them was deleted or may be.
        deletions: deletes records.
        models: the registered models.
        labels: sets tags and notes of runs and artifacts.
        backups: makes copies of the file from time to time.
    """

    def __init__(
        self,
        path: Path,
        *,
        deadline: float = 10.0,
        sign: Callable[[bytes], str] | None = None,
        countersign: Callable[[Seal], str] = lambda seal: seal.signature,
    ) -> None:
        self.path = path
        self._sign = sign
        super().__init__(Database(path, deadline=deadline))
        self._countersigner = Countersigner(self._database, countersign)
        self.backups = Backups(path)
        self.listings = Listings(self._database, self.dead_runs)
        self.space = SpaceQueries(self._database)
        self.deletions = Deletions(self._database)
        self.models = ModelQueries(self._database)
        self.labels = LabelQueries(self._database)

    def close(self) -> None:
        """Close the file; twice is fine."""
        self._countersigner.finish()
        self.backups.close()
        self._database.close()

    @property
    def is_read_only(self) -> bool:
        """Whether the file can be read, but not written to."""
        return self._database.is_read_only

    def atomically(self, function: Callable[[], R]) -> R:
        """Run `function` so that all its changes to this store happen in one transaction.

        It runs on the store's own thread, so it must be short and must not wait for other threads.
        """
        return self._database.write(lambda _connection: function())

    def add(self, step: Step, *, run: Run | None = None) -> Step:
        """Record a step, its new artifacts and its edges in one transaction; returned with all ids filled in.

        An artifact without id gets the next version of its name, unless it equals that name's latest version.

        Args:
            step: the step.
            run: the run it belongs to, recorded with it: inserted when it has no id, else updated.
        """
        return self.add_all([step], run=run)[0]

    def add_all(self, steps: Iterable[Step], *, run: Run | None = None) -> list[Step]:
        """Record several steps as `add` does, all in one transaction.

        The output of one and the input of another are one artifact when they are the same object.
        """
        return self.add_new([self.encoded(step) for step in steps], run=run)

    def encoded(self, step: Step) -> NewStep:
        """Return a step as `add_new` takes it: encoded and sealed, so that the transaction is short."""
        return NewStep.of(step, self._sign)

    def add_new(self, new: Sequence[NewStep], *, run: Run | None = None) -> list[Step]:
        """Record several steps that are encoded already, as `add_all` does."""
        added = self._database.write(_add, new, None if run is None else RUNS.new(run))
        self._note_end(run)
        self._countersigner.note(added)
        self.backups.changed()
        return added

    def known_of(
        self, keys: Iterable[str], *, name: str, notebook: str, source: str, stack: str
    ) -> StepHistory:
        """Return the records that decide whether a step is reused, read in one transaction.

        Args:
            keys: the step's cache keys; the results of the first that has any are returned.
            name: the step.
            notebook: its notebook.
            source: text of its cell now.
            stack: the stack it is to run on.
        """
        where = InternedText.of(notebook)
        return self._database.read(select_known, keys, name=name, notebook=where, source=source, stack=stack)


def _add(connection: sqlite3.Connection, new: Sequence[NewStep], run: NewRow[Run] | None) -> list[Step]:
    # The run comes first: its steps refer to it by id.
    recorded = None if run is None else record_run(connection, run)
    # By identity: the output of one step that is the input of another in this batch has no id yet.
    shared: dict[int, Artifact] = {}
    added = [
        record_step(
            connection, step, run=step.row.record.run if recorded is None else recorded.id, recorded=shared
        )
        for step in new
    ]
    # With the steps, in one transaction: the sum of a run is never that of other steps than those on record.
    for number in {step.run for step in added if step.run is not None}:
        add_seconds(connection, number, [step for step in added if step.run == number])
    note_stored(connection, added)
    return added
