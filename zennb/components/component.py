"""Owns the doors of stack components: what each component is, and what orchestrators and stores are asked."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from enum import IntEnum
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, TypeVar

from traitlets import MetaHasTraits

from zennb.components.configured import Configured, Option
from zennb.components.secret import Secret, SecretRef
from zennb.core.records.component_types import COMPONENT_TYPES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from concurrent.futures import Future

__all__ = [
    "COMPONENT_TYPES",
    "ArtifactStore",
    "Buffer",
    "Component",
    "Option",
    "Orchestrator",
    "Secret",
    "SecretRef",
    "Visibility",
]

R = TypeVar("R")

Buffer: TypeAlias = bytes | bytearray | memoryview
"""Contiguous bytes; memoryviews may have any format and shape, what counts is their bytes in C order."""


class Visibility(IntEnum):
    """How far away something works.

    A stack is fit when its artifact store reaches at least as far as its orchestrator.
    """

    PROCESS = 1
    """Within this Python process."""
    MACHINE = 2
    """From every process on this machine."""
    NETWORK = 3
    """From other machines too."""

    @property
    def words(self) -> str:
        """The reach in a sentence: `within this process`."""
        return {1: "within this process", 2: "on this machine", 3: "from other machines"}[self.value]


class _DoorMeta(ABCMeta, MetaHasTraits):
    """Lets a class with traits have abstract methods."""


class Component(Configured, metaclass=_DoorMeta):
    """A configured instance of a flavor.

    A flavor is a class with a `type`, a `flavor` and a one-line `description`. Its options are traits tagged
    `config=True` with a `help`; a secret option is a `SecretRef`. Construction is cheap and touches nothing
    outside: files, connections and threads are opened at first use, so that a stack can be listed, described
    and checked without being reached.

    Pickling a component takes its name and options along, nothing that is open.
    """

    type: ClassVar[str]
    """The component type, with underscores: `artifact_store`."""
    flavor: ClassVar[str]
    """The name after `--flavor=`."""
    description: ClassVar[str]
    """One line for `flavor list`."""
    visibility: ClassVar[Visibility]
    """How far away it works."""

    def close(self) -> None:
        """Give back what was opened: files, threads, connections. Closing twice is fine.

        A later call may open them again: a step that still runs can outlive a stack switch.
        """


class ArtifactStore(Component):
    """Keeps bytes under the sha-256 of their content: written once, never changed, dropped only when asked.

    What a writer promises, and `zennb.testing.artifact_store.ArtifactStoreContract` checks: when `put`
    returns, the bytes survive this process being killed, and another process sees them whole (where the store
    reaches beyond the process); a reader never sees a part of them; `get` returns exactly what was put, or
    raises; what a caller does to the buffers before or after changes nothing stored; all methods may be
    called from several threads at once. Opening, listing and reading never run code found in the store.
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
        """Return those of many for which `has` says yes, at once where the store can."""
        return frozenset(digest for digest in digests if self.has(digest))

    @abstractmethod
    def delete(self, digest: str) -> bool:
        """Remove the bytes called `digest`; say whether there was anything to remove."""

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
        """Read everything; move what is damaged aside; return its names, and those whose bytes are gone."""


class Orchestrator(Component):
    """Runs calls somewhere; knows nothing of steps.

    What a writer promises, and `zennb.testing.orchestrator.OrchestratorContract` checks: `submit` returns a
    `concurrent.futures.Future` that ends with what the function returned or raised; it may be called from
    several threads at once. Anything that is an `Executor` fits.
    """

    type = "orchestrator"

    in_kernel: ClassVar[bool] = False
    """Whether calls run at once on the calling thread, so that a cell's magics, `input` and `%debug` work."""

    @abstractmethod
    def submit(self, fn: Callable[..., R], /, *args: Any, **kwargs: Any) -> Future[R]:
        """Run `fn(*args, **kwargs)` where this orchestrator runs things, and return its future."""
