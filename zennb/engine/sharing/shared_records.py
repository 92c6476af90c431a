"""Owns `SharedRecords`: the records that completed steps leave beside their outputs, for other people to reuse.

Layout, below the place of the blobs:

    records/<cache key>/<public key of the author>-<sha-256 of the content>.json
    history/<day>/<moment>-<cache key>-<public key>-<sha-256>.json      empty; its name leads to the record

Day and moment count down, so that the newest comes first in every listing.

A cache key has several records: several people may have run the step, with other files, and not all of them are trusted
by everybody. One known name per key would belong to whoever came first, an untrusted or damaged record included, until
somebody deletes it. So the records of a key are listed, in one bounded request for one folder, and those of trusted
people are read first. If a listing lags behind, as that of some file systems does, a step runs needlessly; S3 and its
like list at once what was created. No result is wrong because of it: what counts is what a record holds, and whether a
blob is there is asked by its own name.
"""

from __future__ import annotations

import hashlib
import re
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from zennb.core.records.records import Status
from zennb.core.records.shared import runs_of
from zennb.engine.sharing.record_format import LARGEST, opened_record, record_content
from zennb.errors import MissingExtra, StoreBusy, StoreError, UsageError, ZennbError
from zennb.materializers.public_keys import NO_SIGNATURES, is_available

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from zennb.components.component import ArtifactStore
    from zennb.components.shared_files import ListedFile, SharedFiles
    from zennb.core.records.records import Run
    from zennb.core.records.shared import SharedRecord, SharedRun
    from zennb.materializers.signer import Signer
    from zennb.metadata.steps import NewStep
    from zennb.registry.workspace import Workspace

__all__ = ["SharedRecords", "shared_of", "shared_records"]

R = TypeVar("R")

PATIENCE = 10.0
"""Seconds that asking for records, or leaving some, may take."""

PAUSE = 300.0
"""Seconds for which a store that gave no answer is not asked again."""

_REMEMBERED = 20.0
"""Seconds for which a plan takes an earlier answer: panels plan again after every cell."""

_LISTED = 1000
"""Records of one cache key, and of one day, that are looked through."""

_READ = 8
"""Records of one cache key that are read."""

_DAYS = 60
"""Days with records that a history goes back at most."""

_KEY, _PUBLIC, _DIGEST = "(?P<key>[0-9a-f]{64}|none)", "(?P<signer>[0-9a-f]{64})", "(?P<digest>[0-9a-f]{64})"
_RECORD = re.compile(rf"{_PUBLIC}-{_DIGEST}\.json")
_MOMENT = re.compile(rf"(?P<moment>[0-9]{{13}})-{_KEY}-{_PUBLIC}-{_DIGEST}\.json")
_DAY = re.compile("[0-9]{5}")
_KEPT = "shared_records"
_ASKING = "nothing that others share is reused"
_LEAVING = "nothing is shared with others"
_LAST_MOMENT, _LAST_DAY = 10**13 - 1, 10**5 - 1


@dataclass(frozen=True, slots=True)
class _Place:
    """Where one record is, as its name says."""

    key: str
    signer: str
    digest: str

    @property
    def name(self) -> str:
        return f"records/{self.key}/{self.signer}-{self.digest}.json"


class SharedRecords:
    """The records in one artifact store. Thread-safe.

    Args:
        files: the small files beside its blobs.
        signer: signs what is left there, and knows who is trusted.
        name: the store's name.
        patience: seconds that each call may take.

    Attributes:
        signer: as given.
        name: as given.
    """

    def __init__(self, files: SharedFiles, signer: Signer, name: str, *, patience: float) -> None:
        self.signer, self.name = signer, name
        self._files, self._patience = files, patience
        self._paused: dict[str, float] = {}
        self._trouble = ""
        self._answers: dict[tuple[str, ...], tuple[float, list[SharedRecord]]] = {}

    @property
    def only_trusted(self) -> bool:
        """Whether data of people who are not trusted is not reused either."""
        return self._files.only_trusted

    def trouble(self) -> str:
        """Return once why the store could not be asked, as a remark; then ""."""
        found, self._trouble = self._trouble, ""
        return found

    def find(self, keys: Sequence[str], *, is_plan: bool = False) -> list[SharedRecord]:
        """Return the reusable records with one of these cache keys: the user's own, those of trusted people, others.

        A store that cannot be asked has none, and is not asked again for a while.

        Args:
            keys: the cache keys.
            is_plan: whether an answer of a moment ago will do.
        """
        wanted = tuple(key for key in keys if key)
        when, known = self._answers.get(wanted, (-_REMEMBERED, []))
        if is_plan and time.monotonic() - when < _REMEMBERED:
            return known
        found: list[SharedRecord] = self.attempt(lambda: self._found(wanted), [])
        if len(self._answers) >= _LISTED:
            self._answers.clear()
        self._answers[wanted] = (time.monotonic(), found)
        return found

    def publish(self, steps: Iterable[tuple[NewStep, int | None]], run: Run) -> None:
        """Leave the records of completed steps, whose blobs are stored; what the store refuses is no error.

        Args:
            steps: each as encoded for the metadata store, with the number of its run there.
            run: the run they belong to.
        """
        files: dict[str, bytes] = {}
        for new, number in steps:
            step = new.row.record
            content = record_content(new, run, number, signer=self.signer)
            if step.status is not Status.COMPLETED or content is None:
                continue
            key = step.cache_key if step.reusable and step.cache_key else "none"
            place = _Place(key, self.signer.identity, hashlib.sha256(content).hexdigest())
            moment = _LAST_MOMENT - int(step.started * 1000)
            day = f"{_LAST_DAY - int(step.started // 86_400):05}"
            files[place.name] = content
            # Not empty: some stores cannot tell an empty file from a folder.
            files[f"history/{day}/{moment:013}-{key}-{place.signer}-{place.digest}.json"] = b"{}"
        if files:
            self.attempt(lambda: self._files.create(files), None, what=_LEAVING)

    def runs(self, *, most: int = 200) -> list[SharedRun]:
        """Return what everybody ran, as far as the latest records tell, newest first.

        Raises:
            StoreError: the store cannot be asked.
        """
        found = self.recent(most=most)
        people, own = {each.signer for each in found}, self.signer.identity
        trusted = {each: "you" if each == own else "yes" for each in people if self._knows(each)}
        return runs_of(found, trusted)

    def _knows(self, signer: str) -> bool:
        return signer == self.signer.identity or self.signer.is_trusted(signer)

    def recent(self, *, most: int = 200) -> list[SharedRecord]:
        """Return the latest records of everybody, newest first.

        Raises:
            StoreError: the store cannot be asked.
        """
        return self._bounded(lambda: self._recent(most))

    def signers(self) -> frozenset[str]:
        """Return the public keys that recent records claim to be signed with.

        Raises:
            StoreError: the store cannot be asked.
        """
        return frozenset(place.signer for place in self._bounded(lambda: self._places(_LISTED)))

    def _found(self, keys: Sequence[str]) -> list[SharedRecord]:
        places: list[tuple[int, float, _Place]] = []
        own = self.signer.identity
        for key in keys:
            for entry in self._files.listed(f"records/{key}", most=_LISTED):
                if (named := _RECORD.fullmatch(entry.name)) is not None:
                    signer = named["signer"]
                    rank = 0 if signer == own else 1 if self._knows(signer) else 2
                    places.append((rank, -entry.written, _Place(key, signer, named["digest"])))
        # Bounded: whoever can write there may have left thousands. Those of trusted people come first.
        first = [place for _, _, place in sorted(places, key=lambda each: each[:2])[:_READ]]
        found = [each for each in self._read(first) if each.step.reusable]
        return [each for each in found if each.step.cache_key in keys]

    def _recent(self, most: int) -> list[SharedRecord]:
        found = self._read(self._places(most))
        return sorted(found, key=lambda each: each.step.started, reverse=True)

    def _places(self, most: int) -> list[_Place]:
        """Return where the latest records are, newest first."""
        found: list[_Place] = []
        days = [each.name for each in self._files.listed("history", most=_LISTED) if _is_day(each)]
        for day in sorted(days)[:_DAYS]:
            names = [each.name for each in self._files.listed(f"history/{day}", most=_LISTED)]
            places = [named for each in names if (named := _MOMENT.fullmatch(each)) is not None]
            found += [_Place(each["key"], each["signer"], each["digest"]) for each in places]
            if len(found) >= most:
                break
        return found[:most]

    def _read(self, places: Sequence[_Place]) -> list[SharedRecord]:
        """Return those records that are what their names say: signed by that person, with that content and key."""
        contents = self._files.read([each.name for each in places], most=LARGEST)
        found = []
        for place in places:
            content = contents.get(place.name)
            if content is None or hashlib.sha256(content).hexdigest() != place.digest:
                continue
            record = opened_record(content, signer=self.signer)
            if record is None or record.signer != place.signer:
                continue
            if place.key in {"none", record.step.cache_key}:
                found.append(record)
        return found

    def attempt(self, work: Callable[[], R], otherwise: R, *, what: str = _ASKING) -> R:
        """Return what the work returns; after an error, and for a while afterwards, return something else.

        Args:
            work: asks the store, in a thread of its own.
            otherwise: what is returned then.
            what: what it does: to ask and to leave records are given up each for itself.
        """
        if time.monotonic() - self._paused.get(what, -PAUSE) < PAUSE:
            return otherwise
        try:
            return self._bounded(work)
        except ZennbError as error:
            self._paused[what] = time.monotonic()
            self._trouble = f"{what}: {error.message.split('. ')[0].rstrip('.')}"
            return otherwise

    def _bounded(self, work: Callable[[], R]) -> R:
        """Return what the work returns, or raise what it raises, within the time that it may take."""
        found: list[R] = []
        errors: list[BaseException] = []

        def run() -> None:
            try:
                found.append(work())
            except BaseException as error:  # noqa: BLE001 - it is raised again by the caller
                errors.append(error)

        # On a thread: not every library can be told how long it may take.
        thread = threading.Thread(target=run, name="zennb-shared-records", daemon=True)
        thread.start()
        thread.join(self._patience)
        if thread.is_alive():
            raise StoreBusy(
                f"The artifact store '{self.name}' gives no answer for {self._patience:g} seconds."
            )
        if errors and isinstance(errors[0], ZennbError):
            raise errors[0]
        if errors:
            raise StoreError(f"The artifact store '{self.name}' failed: {errors[0]}") from errors[0]
        return found[0]


def shared_records(store: ArtifactStore, signer: Signer) -> SharedRecords | None:
    """Return the records in an opened store; None if nobody else can reach it, or signatures cannot be checked here."""
    # Kept with the store: a store that gave no answer is not asked again by the next cell.
    known: SharedRecords | None = vars(store).get(_KEPT)
    if known is not None and known.signer is signer:
        return known
    files = store.shared_files()
    if (
        files is None or not is_available()
    ):  # in this order: most stores share nothing, and need no library for it
        return None
    found = vars(store)[_KEPT] = SharedRecords(files, signer, store.name, patience=PATIENCE)
    return found


def shared_of(workspace: Workspace) -> SharedRecords:
    """Return the records in the artifact store of the active stack.

    Raises:
        MissingExtra: signatures cannot be checked here.
        UsageError: nobody else can reach that store.
        ZennbError: the stack cannot be opened.
    """
    opened = workspace.open()
    found = shared_records(opened.store, workspace.signer)
    if found is not None:
        return found
    if not is_available():
        raise MissingExtra(NO_SIGNATURES)
    raise UsageError(
        f"nobody else reaches the artifact store '{opened.spec.artifact_store.name}' of the active stack; activate a "
        "stack whose store is a bucket or a shared folder: `stack set NAME`."
    )


def _is_day(entry: ListedFile) -> bool:
    return entry.is_folder and _DAY.fullmatch(entry.name) is not None
