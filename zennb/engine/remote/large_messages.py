"""Owns how large requests reach a worker, and large outcomes the driver: through the artifact store, as values do.

A default argument, a closure or a class attribute can hold any amount of data, and an outcome has the files that its
step wrote. The scheduler of a cluster keeps in its memory all that passes through it.
"""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cloudpickle

from zennb.engine.remote.worker import opened_store
from zennb.engine.step.perform import perform
from zennb.engine.step.request import Channels
from zennb.errors import StoreError, ZennbError

if TYPE_CHECKING:
    from zennb.components.component import ArtifactStore
    from zennb.engine.step.cancellation import CancellationToken
    from zennb.engine.step.outcome import StepOutcome
    from zennb.engine.step.request import Link, StepRequest

__all__ = ["SentOutcome", "StoredRequest", "perform_and_send"]

_TOKEN = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRequest:
    """A request in an artifact store.

    Attributes:
        store: the store.
        digest: its name there.
    """

    store: ArtifactStore
    digest: str

    @classmethod
    def of(cls, request: StepRequest) -> StoredRequest | None:
        """Store a request that is too large to be sent; None for one that is not, or that the store does not take."""
        process, store, limit = request.process, request.store, request.size_limit
        carried = [] if process is None else [*process.constants.values(), *process.settings.values()]
        size = sum(map(len, (request.code, request.values, *carried)))
        if store is None or limit is None or size <= limit:
            return None
        digest = _stored(cloudpickle.dumps(request), store)
        return cls(store=store, digest=digest) if digest else None

    def delete(self) -> None:
        """Delete it: the step has ended."""
        _delete(self.digest, self.store)

    def load(self) -> StepRequest:
        """Return the request."""
        request: StepRequest = cloudpickle.loads(_content(self.store, self.digest))
        return request


@dataclass(frozen=True, slots=True, kw_only=True)
class SentOutcome:
    """An outcome on its way from a worker.

    Attributes:
        pickled: the outcome; empty where it is in the artifact store of its step.
        digest: its name there; "" for none.
    """

    pickled: bytes = b""
    digest: str = ""

    @classmethod
    def of(
        cls, outcome: StepOutcome, request: StepRequest, cancel: CancellationToken | None = None
    ) -> SentOutcome:
        """Return it pickled, or where it is stored if it is too large to be sent and the store takes it.

        Args:
            outcome: what is sent.
            request: of the step.
            cancel: stops the step; nobody may open what comes of it then, so it is not left in the store.
        """
        pickled, limit = cloudpickle.dumps(outcome), request.size_limit
        store = None if limit is None or len(pickled) <= limit else opened_store(request)
        digest = "" if store is None else _stored(pickled, store)
        if store is not None and digest and cancel is not None and cancel.is_stopped:
            _delete(digest, store)
            digest = ""
        return cls(digest=digest) if digest else cls(pickled=pickled)

    def opened(self, store: ArtifactStore) -> StepOutcome:
        """Return the outcome; in the store, it is deleted.

        Raises:
            StoreError: it is not in the store any more.
        """
        try:
            content = _content(store, self.digest) if self.digest else self.pickled
            outcome: StepOutcome = cloudpickle.loads(content)
        finally:
            self.delete(store)
        return outcome

    def delete(self, store: ArtifactStore) -> None:
        """Delete it from the store: it is opened, or nobody will open it."""
        if self.digest:
            _delete(self.digest, store)


def perform_and_send(request: StepRequest | StoredRequest, link: Link | None = None) -> SentOutcome:
    """Perform a step, as `perform`; its request may be in an artifact store, and its outcome goes there if large."""
    found = request.load() if isinstance(request, StoredRequest) else request
    with (link or Channels()).open() as channels:  # until it is stored, so that it may be stopped up to then
        return SentOutcome.of(perform(found, channels), found, channels.cancel)


def _stored(content: bytes, store: ArtifactStore) -> str:
    """Return the name under which something is stored; "" where the store does not take it."""
    try:
        # The name is its own: it is deleted, and others may send the same.
        return store.put([uuid.uuid4().hex.encode(), content])
    except StoreError:
        return ""


def _delete(digest: str, store: ArtifactStore) -> None:
    with suppress(ZennbError):
        store.delete(digest)


def _content(store: ArtifactStore, digest: str) -> memoryview:
    return memoryview(store.get(digest))[_TOKEN:]
