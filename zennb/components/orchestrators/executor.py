"""Owns the `executor` orchestrator: calls run on any `concurrent.futures.Executor` that a function returns."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from traitlets import Dict, Enum, Unicode, observe

from zennb.components.component import Visibility
from zennb.components.pooled import PooledOrchestrator, named
from zennb.components.relay import FileRelay, Relay
from zennb.components.sent_calls import SendingExecutor
from zennb.errors import InvalidConfiguration, WorkerLost

if TYPE_CHECKING:
    from concurrent.futures import Executor

__all__ = ["ExecutorOrchestrator"]


class ExecutorOrchestrator(PooledOrchestrator):
    """Calls a class or function for an executor at first use, and runs calls on that.

    What the factory returns is an `Executor`, or has a method `executor` or `get_executor` that returns one, as the
    clients of ipyparallel and Dask have.
    """

    flavor = "executor"
    description = "runs steps on any executor: ipyparallel, mpi4py, Ray, Parsl, ..."
    visibility = Visibility.MACHINE

    _relay: FileRelay | None = None

    factory = Unicode(
        help="Where the class or function is that returns the executor: package.module.Name."
    ).tag(config=True, required=True)
    arguments = Dict(key_trait=Unicode(), help="Its keyword arguments: {'max_workers': 4}.").tag(config=True)
    where = Enum(
        ["machine", "network"], "machine", help="Whether its workers are on this machine or on others too."
    ).tag(config=True)

    messages = Unicode(
        help="A folder that the workers reach, too. With it, the output of steps on other machines arrives while "
        "they run."
    ).tag(config=True)

    @observe("where")
    def _reach(self, change: dict[str, Any]) -> None:
        own = Visibility.NETWORK if change["new"] == "network" else Visibility.MACHINE
        self.visibility = own  # type: ignore[misc]  # it depends on the options

    def relay(self) -> Relay | None:
        """Return a relay through files in the folder `messages`, if there is one."""
        if self.messages and self._relay is None:
            self._relay = FileRelay(Path(self.messages).expanduser(), every=0.5)
        return self._relay

    def probe(self, *, seconds: float) -> None:
        """Look for the factory, without calling it.

        Raises:
            InvalidConfiguration: there is no such factory.
        """
        del seconds
        named(self.factory, option="factory")

    def make_executor(self) -> Executor:
        """Return what the factory makes.

        Raises:
            InvalidConfiguration: there is no such factory, or what it returns is no executor.
            WorkerLost: the factory fails, as that of a cluster which does not run.
        """
        factory = named(self.factory, option="factory")
        try:
            made = factory(**self.arguments)
            for name in ("executor", "get_executor"):
                if not _is_executor(made) and callable(getattr(made, name, None)):
                    made = getattr(made, name)()
        except Exception as error:
            raise WorkerLost(
                f"`{self.factory}` has given no executor ({type(error).__name__}: {error}). Nothing was started; check "
                "its arguments, and that its cluster runs."
            ) from error
        if _is_executor(made):
            return SendingExecutor(made)
        raise InvalidConfiguration(
            f"`{self.factory}` returned a {type(made).__name__}, which has no `submit`; name a class or function that "
            "returns a `concurrent.futures.Executor`.",
            option="factory",
        )


def _is_executor(made: Any) -> bool:
    return callable(getattr(made, "submit", None)) and callable(getattr(made, "shutdown", None))
