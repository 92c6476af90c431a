"""Owns `UnitOfWork`: what a run reads from its stores at once, and what it holds back to write together.

A killed kernel loses what is held back. So it is written before anything of it is shown, and before the next step
begins if it stands for more work than anybody would mind repeating.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from zennb.components.content import flat, name_of
from zennb.core.records.records import Status
from zennb.core.secrets.held import HELD
from zennb.engine.run.unstored import with_all_outputs, without_unstored
from zennb.errors import StoreError, StoreFull, StoreGone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from zennb.components.component import ArtifactStore, Buffer
    from zennb.core.records.records import Artifact, Run, Step
    from zennb.engine.run.saved_output import Scalars
    from zennb.metadata.steps import NewStep
    from zennb.metadata.store import MetadataStore

__all__ = ["MAX_LOST_SECONDS", "UnitOfWork", "WriteBuffer", "store_behind", "unstored_in"]

MAX_LOST_SECONDS = 0.05
"""Seconds of work that may be lost with a killed kernel."""

MANY = 500
"""Records held back at most."""

SMALL = 16 * 1024
"""Bytes up to which a blob is held back."""

CACHED = 1000
"""Small blobs that stay in memory once they are stored."""


class WriteBuffer:
    """An artifact store for the length of a run or cell: `flush` stores small blobs all in one transaction.

    Held-back blobs can be read here like all others, and stay in memory when they are stored, because the next steps
    read them. They are lost when the process ends, so flush before you report them as stored. Thread-safe.

    What the store has no room for does not end a step, which may have computed it for hours: it is noted in `unstored`,
    and the record of the step must not name it.

    Args:
        store: where the blobs go.
        keeps: whether large blobs that could not be stored stay in memory, for the next steps of a run.
        holds_back: whether small blobs are held back; else they are stored at once, for workers to read.

    Attributes:
        unstored: names of blobs that could not be stored → why, in brief.
    """

    def __init__(self, store: ArtifactStore, *, keeps: bool = True, holds_back: bool = True) -> None:
        self.store, self._keeps, self._holds_back = store, keeps, holds_back
        self.unstored: Mapping[str, str] = {}
        self._lock = threading.Lock()
        self._pending: dict[str, bytes] = {}
        self._stored: dict[str, bytes] = {}

    def put(self, chunks: Sequence[Buffer]) -> str:
        """Store the chunks, joined, or hold them back; return their sha-256."""
        return self.put_all([chunks])[0]

    def put_all(self, blobs: Sequence[Sequence[Buffer]]) -> list[str]:
        """Store several blobs, or hold back those that are small; return their names in order."""
        views = [flat(chunks) for chunks in blobs]
        # Large blobs go to the store at once: holding them back would need memory, and they cannot
        # share a transaction anyway.
        most = SMALL if self._holds_back else -1
        large = [place for place, parts in enumerate(views) if sum([part.nbytes for part in parts]) > most]
        stored = self._put_large([blobs[place] for place in large]) if large else []
        names = dict(zip(large, stored, strict=True))
        for place, parts in enumerate(views):
            if place not in names:
                content = b"".join(parts)
                names[place] = name_of(content)
                with self._lock:
                    self._pending[names[place]] = content
        return [names[place] for place in range(len(views))]

    def _put_large(self, blobs: Sequence[Sequence[Buffer]]) -> list[str]:
        try:
            names = self.store.put_all(blobs)
        except StoreFull:  # one of them may be too large, and the others not
            names = [self._put_or_note(chunks) for chunks in blobs]
        except StoreError as error:
            return [self._noted(chunks, error) for chunks in blobs]
        return names

    def _put_or_note(self, chunks: Sequence[Buffer]) -> str:
        try:
            return self.store.put(chunks)
        except StoreError as error:
            return self._noted(chunks, error)

    def _noted(self, chunks: Sequence[Buffer], error: StoreError) -> str:
        parts = flat(chunks)
        name, content = name_of(*parts), dict[str, bytes]()
        if self._keeps:
            with suppress(MemoryError):  # then the steps that need it say that it is missing
                content = {name: b"".join(parts)}
        self._hold({name: error.brief}, content)
        return name

    def _hold(self, unstored: Mapping[str, str], content: Mapping[str, bytes]) -> None:
        with self._lock:  # new dictionaries, as other threads read these without the lock
            self.unstored = {**self.unstored, **unstored}
            self._stored = {**self._stored, **content}

    def take(self, unstored: Mapping[str, tuple[bytes, str]]) -> None:
        """Hold blobs that another process could not store: name → content, and why."""
        if unstored:
            self._hold(
                {name: why for name, (_, why) in unstored.items()},
                {name: content for name, (content, _) in unstored.items()},
            )

    def held(self, names: Iterable[str]) -> dict[str, tuple[bytes, str]]:
        """Return those of these blobs that could not be stored and are in memory, for `take` in another process."""
        unstored, stored = self.unstored, self._stored
        return {name: (stored[name], unstored[name]) for name in names if name in unstored and name in stored}

    def get(self, digest: str) -> Buffer:
        """Return the blob called `digest`.

        Raises:
            MissingArtifact, DamagedArtifact: as the store raises them.
        """
        # Without the lock: at worst `flush` moves the blob in between, and then the store has it.
        content = self._pending.get(digest, self._stored.get(digest))
        return self.store.get(digest) if content is None else content

    def has(self, digest: str) -> bool:
        """Return whether the blob called `digest` is there."""
        # Not in `_stored`: another kernel may have deleted the blob since.
        if digest in self._pending:
            return True
        return digest in self._stored if digest in self.unstored else self.store.has(digest)

    def touch(self, digest: str) -> bool:
        """Return whether the blob called `digest` is there; if so, it counts as stored now."""
        return digest in self._pending or self.store.touch(digest)

    def space_warning(self) -> str:
        """Return what the store says once when it is nearly full; else ""."""
        return self.store.space_warning()

    def present(self, digests: Iterable[str]) -> frozenset[str]:
        """Return those of many blobs that are there."""
        wanted = frozenset(digests)
        pending = wanted & (self._pending.keys() | (self.unstored.keys() & self._stored.keys()))
        rest = wanted - pending
        return pending | self.store.present(rest) if rest else pending

    def flush(self) -> None:
        """Store what is held back.

        Raises:
            StoreError: it could not be stored; it is still held back.
        """
        with self._lock:
            pending = dict(self._pending)
        if not pending:
            return
        # Not under the lock, as it may take long. Until it has succeeded the blobs can be read
        # here, and are tried again.
        self.store.put_all([[content] for content in pending.values()])
        with self._lock:
            for digest in pending:
                self._pending.pop(digest, None)
            # A new dictionary instead of a change, as other threads read this one without the lock.
            self._remember(pending)

    def flush_or_note(self) -> None:
        """Store what is held back, or note in `unstored` that it could not be."""
        try:
            self.flush()
        except StoreError as error:
            with self._lock:
                pending, self._pending = self._pending, {}
                self.unstored = {**self.unstored, **dict.fromkeys(pending, error.brief)}
                self._remember(pending)

    def _remember(self, blobs: dict[str, bytes]) -> None:
        if len(self._stored) < CACHED:
            self._stored = {**self._stored, **blobs}
        else:
            kept = {name: self._stored[name] for name in self.unstored if name in self._stored}
            self._stored = {**kept, **blobs}


def store_behind(store: ArtifactStore | WriteBuffer) -> ArtifactStore:
    """Return the artifact store that a write buffer stands before; any other as it is."""
    return store.store if isinstance(store, WriteBuffer) else store


def unstored_in(store: ArtifactStore | WriteBuffer) -> frozenset[str]:
    """Return the names of blobs that could not be stored, and are gone with a run."""
    return frozenset(store.unstored) if isinstance(store, WriteBuffer) else frozenset()


class UnitOfWork:
    """The records and blobs of one run, read ahead and written together.

    What it reads ahead is one query: the results that the latest records' cache keys would find, and whether their
    blobs are there. A step that another kernel finishes afterwards is not among them; the metadata store finds it.

    Args:
        metadata: where records are.
        store: where blobs are held back.
        previous: step name → its latest record, of the steps in the run; None when it was not asked for.
        rerun: whether all steps run anyway, so that no result is needed.
        copied: returns the copy of a completed step's record that is stored with its blobs; None for none.
        shared: leaves records for other people, once their blobs are stored.
        noted: takes the steps that are on record now.

    Attributes:
        present: names of blobs that are in the store; add to it when you store more.
        scalars: those that steps of the run have captured: hundreds of steps may read the same parameter.
        gone: what happened to the records, if those that were written are not there any more; "" else.
    """

    def __init__(
        self,
        metadata: MetadataStore,
        store: WriteBuffer,
        *,
        previous: Mapping[str, Step] | None = None,
        rerun: bool = False,
        copied: Callable[[NewStep], bytes | None] = lambda _new: None,
        shared: Callable[[Sequence[tuple[NewStep, int | None]]], None] = lambda _new: None,
        noted: Callable[[Sequence[Step]], None] = lambda _steps: None,
    ) -> None:
        self.previous = previous or {}
        self.present: set[str] = set()
        self.scalars: Scalars = {}
        self.gone = ""
        self._metadata, self._store, self._copied, self._shared = metadata, store, copied, shared
        self._noted = noted
        self._read_ahead = frozenset[str]() if rerun else {step.cache_key for step in self.previous.values()}
        self._results: Mapping[str, Step] | None = None
        self._held: list[Step] = []
        self._seconds = 0.0
        self._keys: set[str] = set()
        self._recorded: dict[int, tuple[Artifact, Artifact]] = {}

    def find(self, key: str) -> list[Step]:
        """Return the result with that key if it is one of a latest record and was complete when first read."""
        if key not in self._read_ahead:
            return []
        if self._results is None:  # once one is needed, the others probably are, too
            self._results = self._complete_results()
        result = self._results.get(key)
        return [] if result is None else [result]

    def _complete_results(self) -> dict[str, Step]:
        results = self._metadata.find_all(self._read_ahead)
        blobs = {key: _blobs(step) for key, step in results.items()}
        # Asked for all blobs at once: one query instead of one for each.
        self.present |= self._store.present({blob for names in blobs.values() for blob in names})
        return {key: step for key, step in results.items() if self.present.issuperset(blobs[key])}

    def note(self, step: Step) -> None:
        """Hold back the record of a step that has ended."""
        self._held.append(step)
        self._keys.add(step.cache_key)
        self._seconds += step.seconds if step.reused is None else 0.0

    @property
    def is_due(self) -> bool:
        """Whether what is held back must be written before the next step begins."""
        return self._seconds > MAX_LOST_SECONDS or len(self._held) >= MANY

    def holds(self, *keys: str) -> bool:
        """Return whether a record with one of these keys is held back, where the metadata store cannot find it."""
        return not self._keys.isdisjoint(key for key in keys if key)

    def write(self, run: Run | None = None) -> list[Step]:
        """Write what is held back, with the run's record if it is given; return the steps as recorded.

        Where that is impossible, the steps say why they are not on record (`Step.unrecorded`).
        """
        held, self._held, self._keys, self._seconds = self._held, [], set(), 0.0
        steps = [self._with_recorded_inputs(step) for step in held]
        new = [self._metadata.encoded(step) for step in steps]
        if held:
            # Bytes first, then the record: a crash in between leaves bytes that no record names, which do no harm.
            # The other way round it would leave a record whose outputs cannot be loaded.
            self._store_all(new)
            if self._store.unstored:
                steps = [without_unstored(step, self._store.unstored) for step in steps]
                new = [self._metadata.encoded(step) for step in steps]
        try:
            added = self._metadata.add_new(new, run=run) if new or run is not None else []
        except StoreError as error:
            self.gone = error.brief if isinstance(error, StoreGone) else self.gone
            return [replace(step, unrecorded=HELD.mask(error.brief)) for step in held]
        if not self._store.unstored:
            self._shared([(each, after.run) for each, after in zip(new, added, strict=True)])
        self._noted(added)
        for before, after in zip(steps, added, strict=True):
            self._note_recorded(before.inputs, after.inputs)
            self._note_recorded(before.outputs, after.outputs)
        return [with_all_outputs(after, before) for before, after in zip(held, added, strict=True)]

    def _store_all(self, new: Sequence[NewStep]) -> None:
        """Store what is held back, with copies of the records of completed steps."""
        copies = [self._copied(each) for each in new if each.row.record.status is Status.COMPLETED]
        self._store.put_all([[copy] for copy in copies if copy is not None])
        self._store.flush_or_note()

    def _with_recorded_inputs(self, step: Step) -> Step:
        """Return the step with those inputs replaced that have been recorded since it was resolved."""
        if not any(id(item) in self._recorded for item in step.inputs.values()):
            return step
        found = {name: self._recorded.get(id(item), (item, item))[1] for name, item in step.inputs.items()}
        return replace(step, inputs=found)

    def _note_recorded(self, before: Mapping[str, Artifact], after: Mapping[str, Artifact]) -> None:
        for name, item in before.items():
            if item.id is None:
                # The item itself is kept, too, so that no other object gets its `id`.
                self._recorded[id(item)] = (item, after[name])


def _blobs(step: Step) -> Iterable[str]:
    blobs = {blob for artifact in step.outputs.values() for blob in artifact.blobs}
    blobs |= {blob for blob in (step.displays, "" if step.carried is None else step.carried.blob) if blob}
    return blobs
