"""Owns how a large request reaches a worker: through the artifact store, as its inputs do.

A default argument, a closure or a class attribute can hold any amount of data, and the scheduler of a cluster keeps in
its memory all that passes through it.
"""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cloudpickle

from zennb.engine.remote.unstored_blobs import LARGEST
from zennb.engine.step.perform import perform
from zennb.errors import StoreError, ZennbError

if TYPE_CHECKING:
    from zennb.components.component import ArtifactStore
    from zennb.engine.step.outcome import StepOutcome
    from zennb.engine.step.request import Link, StepRequest

__all__ = ["StoredRequest", "perform_stored"]

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
        """Store a request that is large; None for one that is not, or that the store does not take."""
        process, store = request.process, request.store
        carried = [] if process is None else [*process.constants.values(), *process.settings.values()]
        if store is None or sum(map(len, (request.code, request.values, *carried))) <= LARGEST:
            return None
        try:
            # Its name is its own: it is deleted, and others may send the same.
            digest = store.put([uuid.uuid4().hex.encode(), cloudpickle.dumps(request)])
        except StoreError:
            return None
        return cls(store=store, digest=digest)

    def delete(self) -> None:
        """Delete it: the step has ended."""
        with suppress(ZennbError):
            self.store.delete(self.digest)

    def load(self) -> StepRequest:
        """Return the request."""
        request: StepRequest = cloudpickle.loads(memoryview(self.store.get(self.digest))[_TOKEN:])
        return request


def perform_stored(stored: StoredRequest, channels: Link | None = None) -> StepOutcome:
    """Perform a step whose request is in an artifact store; as `perform`."""
    return perform(stored.load(), channels)
