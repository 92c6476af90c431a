"""Owns the interfaces of stack components: `Component`, `ArtifactStore` and `Orchestrator`."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from enum import IntEnum
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, TypeVar

from traitlets import MetaHasTraits

from zennb.components.configured import Configured, Option
from zennb.components.secret import Secret, SecretRef
from zennb.core.records.component_types import COMPONENT_TYPES
from zennb.core.records.space import StoredBlob
from zennb.errors import MissingArtifact, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from concurrent.futures import Future

    from zennb.components.relay import Relay
    from zennb.components.shared_files import SharedFiles

__all__ = [
    "COMPONENT_TYPES",
    "ArtifactStore",
    "Buffer",
    "Component",
    "Option",
    "Orchestrator",
    "Secret",
    "SecretRef",
    "StoredBlob",
    "Visibility",
]

R = TypeVar("R")

Buffer: TypeAlias = bytes | bytearray | memoryview
"""Contiguous bytes; memoryviews may have any format and shape, and stand for their bytes in C order."""


class Visibility(IntEnum):
    """From where something can be reached.

    A stack is valid when its artifact store reaches at least as far as its orchestrator.
    """

    PROCESS = 1
    """Within this Python process."""
    MACHINE = 2
    """From every process on this machine."""
    NETWORK = 3
    """From other machines too."""

    @property
    def words(self) -> str:
        """The visibility in words: `within this process`."""
        return {1: "within this process", 2: "on this machine", 3: "from other machines"}[self.value]


class _TraitsMeta(ABCMeta, MetaHasTraits):
    """Lets a class with traits have abstract methods."""


class Component(Configured, metaclass=_TraitsMeta):
    """A configured instance of a flavor.

    A flavor is a class with a `type`, a `flavor` and a one-line `description`. Its options are traits tagged
    `config=True` with a `help`; a secret option is a `SecretRef`. Construction is cheap and has no
    side effects: files, connections and threads open at first use, so a stack can be listed, described and
    checked while its services are down.

    A component is pickled as its name and options, without what is open.
    """

    type: ClassVar[str]
    """The component type, with underscores: `artifact_store`."""
    flavor: ClassVar[str]
    """The name after `--flavor=`."""
    description: ClassVar[str]
    """One line for `flavor list`."""
    visibility: ClassVar[Visibility]
    """From where it can be reached. Where that depends on the options, the component has one of its own."""

    def probe(self, *, seconds: float) -> None:
        """Try out whether it works now: called when it is registered or updated; by default there is nothing to try.

        Args:
            seconds: how long this may take.

        Raises:
            ZennbError: it does not work; the message says why. It stays registered all the same.
        """
        del seconds

    def close(self) -> None:
        """Close what was opened: files, threads, connections. Closing twice is fine.

        A later call may open them again: a step that still runs can outlive a stack switch.
        """


class ArtifactStore(Component):
    """Stores bytes under the sha-256 of their content: written once, never changed, deleted only on request.

    An implementation guarantees, and `zennb.testing.artifact_store.ArtifactStoreContract` checks: once `put`
    returns, the bytes survive a crash of this process, and other processes see all of them (if the store reaches
    beyond the process); readers never see partial content; `get` returns exactly what was put, or raises; later
    changes of the buffers do not change what is stored; all methods are thread-safe. Opening, listing and reading
    never run code found in the store.
    """

    type = "artifact_store"

    @abstractmethod
    def put(self, chunks: Sequence[Buffer]) -> str:
        """Store the concatenation of `chunks` and return its sha-256 in lower-case hexadecimal.

        The first writer of some content wins; writing it again is cheap and changes nothing, except that a
        damaged copy is replaced.

        Raises:
            StoreError: it could not be stored; nothing half-written is visible.
            StoreBusy: another process held the store for longer than the deadline.
        """

    def put_all(self, blobs: Sequence[Sequence[Buffer]]) -> list[str]:
        """Store several at once, in one transaction where the store can; return their names in order.

        When it raises, some of them may be stored and others not.
        """
        return [self.put(chunks) for chunks in blobs]

    @abstractmethod
    def get(self, digest: str) -> Buffer:
        """Return the bytes called `digest`: `bytes`, or a private, writable memoryview for large ones.

        Writing to the view never reaches the store.

        Raises:
            MissingArtifact: nothing of that name is stored (any more).
            DamagedArtifact: what is stored is not what was put; it has been moved aside and is now missing.
        """

    @abstractmethod
    def has(self, digest: str) -> bool:
        """Say whether the bytes called `digest` are there with the right size; does not read large ones."""

    def present(self, digests: Iterable[str]) -> frozenset[str]:
        """Return those of many digests for which `has` is true, in one call where the store can."""
        return frozenset(digest for digest in digests if self.has(digest))

    @abstractmethod
    def delete(self, digest: str) -> bool:
        """Remove the bytes called `digest`; return whether they existed."""

    @abstractmethod
    def digests(self) -> Iterator[str]:
        """Yield the names of everything stored, in no particular order."""

    @abstractmethod
    def size(self, digest: str) -> int:
        """Return how many bytes `digest` has.

        Raises:
            MissingArtifact: nothing of that name is stored.
        """

    @abstractmethod
    def verify(self) -> list[str]:
        """Read everything; move what is damaged to quarantine; return the digests of what is damaged or missing."""

    # Space. A store without `free` works; `zennb artifacts prune` says that it cannot delete there.

    def stored(self) -> Iterator[StoredBlob]:
        """Yield name, size and time of everything stored, in no particular order; also leftovers without a record."""
        for digest in self.digests():
            try:
                yield StoredBlob(digest=digest, size=self.size(digest))
            except MissingArtifact:  # deleted in the meantime
                continue

    def touch(self, digest: str) -> bool:
        """Say whether `digest` is there, as `has` does; if so, it counts as stored now, so that `free` leaves it."""
        return self.has(digest)

    def free(self, digests: Iterable[str], *, before: float) -> frozenset[str]:
        """Delete blobs that were last stored, or touched, before a time, and give their space back.

        Whether a blob is old enough is decided at the moment of deletion: `put` and `touch` in other processes come
        either before it, and the blob stays, or after it, and find nothing.

        Args:
            digests: their names; those that are not there are left out.
            before: in seconds since the epoch.

        Returns:
            The names of those that were deleted.

        Raises:
            StoreError: this store cannot do it.
        """
        del digests, before
        raise StoreError(
            f"the artifact store '{self.name}' cannot free space: its flavor '{self.flavor}' has no method `free`. "
            "Nothing was deleted."
        )

    def shared_files(self) -> SharedFiles | None:
        """Return small named files beside the blobs, if other people can reach this store; else None.

        In them, completed steps leave their records for others to reuse.
        """
        return None

    def space_warning(self) -> str:
        """Return a sentence once when the store comes close to the limit that its owner set; else ""."""
        return ""


class Orchestrator(Component):
    """Executes calls; independent of steps.

    An implementation guarantees, and `zennb.testing.orchestrator.OrchestratorContract` checks: `submit` returns a
    `concurrent.futures.Future` that ends with what the function returned or raised; it may be called from
    several threads at once. Anything that is an `Executor` fits.
    """

    type = "orchestrator"

    in_kernel: ClassVar[bool] = False
    """Whether calls run immediately on the calling thread, so that a cell's magics, `input` and `%debug` work."""
    is_direct: ClassVar[bool] = False
    """Whether what a call takes and returns goes straight to its worker and back, and so may be large."""
    on_demand: bool = False
    """Whether its machines are started at first use, so that to try it out means to start them."""

    @property
    def dashboard(self) -> str:
        """The address of the page that shows what it runs; "" when it has none, or is not connected."""
        return ""

    def relay(self) -> Relay | None:
        """Return what carries messages of calls whose machines cannot reach this one; None for nothing.

        With it, the output of a step on another machine arrives while it runs; without, when it ends.
        """
        return None

    @abstractmethod
    def submit(self, fn: Callable[..., R], /, *args: Any, **kwargs: Any) -> Future[R]:
        """Execute `fn(*args, **kwargs)` and return its future.

        Where a call that runs cannot be stopped, the future may have a method `abandon`. It is called after `cancel`,
        ends the worker or returns where the call goes on running: `the Dask worker tcp://host:1234`.
        """
