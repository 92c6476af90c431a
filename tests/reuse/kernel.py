"""Owns the two kernels that are compared: one with zennb, one without; each a process forked from a warm one.

Run as a program it is the warm process: for each line on its standard input (JSON: which kernel, where) it forks a
kernel that serves the given address and ends when told so, killed, or left alone.
"""

from __future__ import annotations

import io
import json
import os
import random
import re
import signal
import sys
import traceback
from contextlib import redirect_stderr, redirect_stdout
from importlib import import_module
from multiprocessing.connection import Client
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.reuse import elsewhere
from tests.reuse.content import Content, surroundings
from tests.reuse.truth import Truth
from zennb.commands import catalogue

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

__all__ = ["serve"]

FIRST = (
    *(
        "IPython.core.application",
        "IPython.core.completerlib",
        "IPython.core.magics",
        "IPython.core.oinspect",
    ),
    *("IPython.core.interactiveshell", "IPython.extensions.autoreload", "numpy", "pandas", "diskcache"),
    *("cryptography.hazmat.primitives.asymmetric.ed25519", "jupyter_core.paths", "bdb", "getpass", "termios"),
    *("zennb.jupyter.kernel.extension", "zennb.jupyter.kernel.session", "zennb.registry.workspace"),
    *("zennb.components.artifact_stores.local", "zennb.components.orchestrators.local"),
)
"""What kernels import sooner or later: the warm process does it for all of them."""

UNAWAITED = re.compile(
    r".*RuntimeWarning: coroutine .* was never awaited\n.*\nRuntimeWarning: Enable tracemalloc.*\n"
)
"""What Python says of a coroutine when it is collected, which is a matter of when that happens."""

ASIDE = re.compile(r"(Out\[\d+\]: )(aside\n)")
"""A terminal writes its prompt before a value is formatted, and so before what its `__repr__` prints."""


class Shell:
    """An IPython shell that runs cells and tells what they did."""

    def __init__(self, *, with_zennb: bool) -> None:
        from IPython.core.displaypub import CapturingDisplayPublisher
        from IPython.core.interactiveshell import InteractiveShell
        from traitlets.config import Config

        config = Config()
        config.HistoryManager.enabled = False
        self._shell: Any = InteractiveShell.instance(config=config)
        self._shell.display_pub = CapturingDisplayPublisher()
        if with_zennb:
            from zennb.jupyter.kernel.extension import load

            load(self._shell)
        self._given = frozenset(self._shell.user_ns)

    @property
    def _names(self) -> dict[str, Any]:
        session = getattr(self._shell, "zennb_step", None)
        lazy = session.lazy_outputs if session is not None else None
        pending = lazy.artifacts(lazy.unstored) if lazy is not None else {}
        # What cannot be stored is made again when a cell reads it; here that is a generator or a coroutine, of which
        # nothing else is told.
        waiting = {name: _of_type(artifact.type) for name, artifact in pending.items()}
        names = {**self._shell.user_ns, **waiting}
        return {
            name: names[name]
            for name in sorted(names)
            if name not in self._given and not name.startswith("_")
        }

    def run(self, text: str) -> dict[str, Any]:
        """Run a cell; return what it printed, showed and raised, and what every variable holds afterwards."""
        out, err = io.StringIO(), io.StringIO()
        self._shell.display_pub.outputs.clear()
        with redirect_stdout(out), redirect_stderr(err):
            result = self._shell.run_cell(text, store_history=True)
        error = result.error_in_exec or result.error_before_exec
        shown = list(self._shell.display_pub.outputs)
        facts = [
            {**one["metadata"]["zennb"], "said": one["data"]["text/plain"]}
            for one in shown
            if isinstance(one["metadata"].get("zennb"), dict)
        ]
        return {
            "out": "" if error else ASIDE.sub(r"\2\1", _uncleared(out.getvalue())),
            "err": "" if error else UNAWAITED.sub("", _uncleared(err.getvalue())),
            "shown": [one["data"]["text/plain"] for one in shown if "zennb" not in one["metadata"]],
            "error": f"{type(error).__name__}: {error}".replace(str(Path.cwd()), "") if error else "",
            "facts": dict(facts[-1]) if facts else {},
            "content": Content(self._shell.user_ns).of(self._names) | surroundings(),
        }

    def run_whole(self, text: str) -> dict[str, Any]:
        """Run a cell that binds nothing when it fails, as step cells promise."""
        before = dict(self._shell.user_ns)
        ran = self.run(text)
        if ran["error"]:
            self._shell.user_ns.clear()
            self._shell.user_ns.update(before)
            ran["content"] = Content(self._shell.user_ns).of(self._names) | surroundings()
        return ran

    def run_elsewhere(self, text: str) -> dict[str, Any]:
        """Run a step cell in another process; where that is refused, here, as its refusal says."""
        self.do("%stack set side")
        ran = self.run(text)
        self.do("%stack set default")
        if not ran["error"].startswith("StepRefused: "):
            return ran
        self._shell.execution_count -= 1
        return self.run(text) | {"refused": ran["error"]}

    def do(self, text: str) -> None:
        """Run a cell that the other kernel does not run, so that nobody notices."""
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            self._shell.run_cell(text, store_history=False).raise_error()

    def plan(self, _text: str) -> dict[str, tuple[str, str]]:
        """Return what zennb says a pipeline run would do: step → state and reason."""
        found = self._shell.zennb_hooks.pipeline.plan()
        return {step.name: (step.state.value, step.reason) for step in found.steps}

    def pipeline(self, text: str) -> dict[str, tuple[str, str]]:
        """Run the pipeline; return step → what became of it, and why."""
        from zennb import api

        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            self._shell.run_cell(f"%pipeline run {text}")
        metadata = api.workspace().metadata
        runs = metadata.runs(kind="pipeline", limit=1)  # none while there are no steps
        return {
            step.name: (step.status.value, step.reason)
            for run in runs
            for step in metadata.steps(run.id or 0)
        }

    def judged(self, name: str) -> tuple[str, bool, str]:
        """Return what became of the latest run of a step, and whether it may be reused, or why not."""
        from zennb import api

        step = next(step for step in reversed(api.workspace().metadata.latest_steps("")) if step.name == name)
        return step.status.value, step.reusable, step.unusable_because

    def truth(self, text: str) -> str:
        """Return a digest of all that a cell depends on just now."""
        code = compile(self._shell.transform_cell(text), "<cell>", "exec", flags=0x2000)  # top-level await
        return Truth(self._shell.user_ns).of(code)


async def _nothing() -> None:
    pass


def _uncleared(text: str) -> str:
    """Return what stands in a terminal in the end: what a slow step shows is cleared, and shown again as a whole."""
    return text.rpartition("\033[2K\r")[2]


def _of_type(name: str) -> Any:
    """Return a generator, or a coroutine that has ended."""
    if name != "coroutine":
        return (None for _ in ())
    found = _nothing()
    found.close()
    return found


def _kernel(order: dict[str, Any]) -> None:
    for name, value in order["environment"].items():
        os.environ[name] = value
    os.chdir(order["folder"])
    sys.path[:0] = [order["folder"], os.path.join(order["folder"], "site-packages")]  # noqa: PTH118
    sys.dont_write_bytecode = True
    if order.get("elsewhere"):
        elsewhere.announce(Path(order["folder"]) / "site-packages")
        elsewhere.fork()
    if order.get("seeded", True):
        random.seed(99)  # two kernels that nobody has seeded draw other numbers
        np.random.seed(99)
    with Client(order["address"], "AF_UNIX") as door:
        shell = Shell(with_zennb=order["with_zennb"])
        if order.get("elsewhere"):
            shell.do("%orchestrator register pool --flavor=forked\n%stack register side -o pool -a default")
        if order.get("reseeded"):  # what nobody has seeded does not travel: after this it counts as seeded
            random.seed(1)
            np.random.seed(1)
        door.send("ready")
        _answer(door, shell)


def _answer(door: Connection[Any, Any], shell: Shell) -> None:
    while True:
        try:
            verb, text = door.recv()
        except EOFError:
            return
        if verb == "stop":
            return
        door.send(getattr(shell, verb)(text))


def serve() -> None:
    """Fork a kernel for each order that comes in."""
    for name in FIRST:
        import_module(name)
    catalogue.tree()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print("warm", flush=True)
    for line in sys.stdin:
        child = os.fork()
        if child:
            print(child, flush=True)
            continue
        os.close(0)
        status = 1
        try:
            _kernel(json.loads(line))
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)


if __name__ == "__main__":
    from tests.reuse import kernel

    kernel.serve()
