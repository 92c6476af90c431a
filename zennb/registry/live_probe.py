"""Owns the live probe of a stack: whether workers on other machines read what this process stores."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from contextlib import suppress
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, cast

from zennb.components.component import Visibility
from zennb.core.records.component_types import component_type
from zennb.errors import StoreError, ZennbError
from zennb.registry.flavors import made
from zennb.registry.pool import located

if TYPE_CHECKING:
    from pathlib import Path

    from zennb.components.component import ArtifactStore, Orchestrator
    from zennb.core.records.records import ComponentSpec, StackSpec

__all__ = ["why_unreachable"]

SECONDS = 10.0


def why_unreachable(stack: StackSpec, home: Path, *, seconds: float | None = None) -> str:
    """Return why steps of a stack would not find their inputs on other machines, as a sentence; "" when they would.

    Of what runs steps on this machine, or starts its machines only at first use, only what its `probe` looks for.

    Args:
        stack: the stack.
        home: the home directory.
        seconds: how long to wait for a worker.
    """
    seconds = SECONDS if seconds is None else seconds
    for kind in ("orchestrator", "step_operator"):
        if kind in stack.components and (why := _why(stack, stack.components[kind], home, seconds)):
            return why
    return ""


def _why(stack: StackSpec, spec: ComponentSpec, home: Path, seconds: float) -> str:
    runner = cast("Orchestrator", made(spec))
    names = f"{component_type(spec.type).title} '{spec.name}'"
    try:
        runner.probe(seconds=seconds)
    except ZennbError as error:
        return f"The {names} does not work yet: {error.message}"
    if runner.visibility < Visibility.NETWORK or runner.on_demand:
        return ""
    store = cast("ArtifactStore", made(located(stack.artifact_store, home)))
    found: Future[None] = Future()
    # In a thread: to connect alone may take longer than this. It is a daemon, and closes what it has opened.
    threading.Thread(target=_try, args=(runner, store, seconds, found), daemon=True).start()
    try:
        found.result(seconds)
    except TimeoutError:
        return (
            f"No worker of {names} has answered within {seconds:g} s, so whether its workers reach the artifact store "
            f"'{store.name}' is not known yet; steps wait until one is there."
        )
    except ZennbError as error:
        if not isinstance(error, StoreError):  # it says itself what is wrong with the cluster
            return f"The {names} does not work yet: {error.message}"
        return _unread(names, store, error)
    except Exception as error:  # noqa: BLE001 - whatever a worker raised is the answer
        return _unread(names, store, error)
    return ""


def _unread(names: str, store: ArtifactStore, error: Exception) -> str:
    what = error.first_sentence if isinstance(error, ZennbError) else f"{type(error).__name__}: {error}"
    return (
        f"A worker of {names} cannot read what this process has written to the artifact store '{store.name}' ({what}); "
        "steps would fail there. Check that both reach the same place, with the same rights."
    )


def _try(runner: Orchestrator, store: ArtifactStore, seconds: float, found: Future[None]) -> None:
    content = f"zennb looks whether a worker reads this, {time.time_ns()}".encode()
    deadline = time.monotonic() + seconds
    try:
        digest = store.put([content])
        try:
            call = runner.submit(_read, store, digest)
            try:
                if call.result(max(0.1, deadline - time.monotonic())) != content:
                    found.set_exception(StoreError("it read something else."))
                    return
            finally:
                call.cancel()
        finally:
            with suppress(ZennbError):
                store.delete(digest)
        found.set_result(None)
    except BaseException as error:  # noqa: BLE001 - it is raised where the answer is awaited
        if not found.done():
            found.set_exception(error)
    finally:
        for component in (runner, store):
            with suppress(Exception):
                component.close()


def _read(store: ArtifactStore, digest: str) -> bytes:
    """Return what a store holds, on a worker."""
    with TemporaryDirectory() as folder:
        if "cache" in store.options():
            # Local copies in a home that all machines share would answer for a store that this one does not reach.
            store.configure("cache", folder)
        try:
            return bytes(store.get(digest))
        finally:
            store.close()
