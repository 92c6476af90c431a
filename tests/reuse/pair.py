"""Owns a pair of kernels, with zennb and without, that are made to do the same and compared after every cell."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, Listener
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.reuse.notebook import ALSO, PACKAGES

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Action", "Difference", "Pair", "Ran", "Warm", "minimal"]

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that is done to both kernels.

    Attributes:
        verb: `cell`, `step`, `elsewhere` (a step in another process), `file`, `install`, `restart`, `kill` or
            `pipeline`.
        name: which cell or file, or which version of the package.
        text: the text of the cell or file.
    """

    verb: str
    name: str = ""
    text: str = ""

    def __str__(self) -> str:
        match self.verb:
            case "step" | "cell" | "elsewhere":
                head = {"step": "%%step ", "elsewhere": "elsewhere: %%step ", "cell": ""}[self.verb]
                return f"[{head}{self.name}]\n{self.text}"
            case "file":
                return f"--- {self.name} is now:\n{self.text}"
        return f"--- {self.verb} {self.name}"


class Difference(AssertionError):
    """The two kernels printed, raised or hold something else: `parts` says in which variable or stream."""

    def __init__(self, parts: frozenset[str], message: str) -> None:
        super().__init__(message)
        self.parts = parts


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a cell: zennb's status line, what the cell raised, what it depended on, and why not elsewhere."""

    facts: dict[str, Any]
    error: str
    truth: str
    refused: str = ""


class Warm:
    """The warm process that kernels are forked from."""

    def __init__(self) -> None:
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "OPENBLAS_NUM_THREADS": "1",
            "MPLBACKEND": "agg",
        }
        for name in ("ZENNB_HOME", "ZENNB_NOTEBOOK", "JPY_SESSION_NAME", "ZENNB_STACK"):
            environment.pop(name, None)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.reuse.kernel"],
            cwd=ROOT,
            env=environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._answer() == "warm"

    def _answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def fork(self, order: dict[str, Any]) -> int:
        """Start a kernel; return its process id."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._answer())

    def close(self) -> None:
        """End the warm process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(10)


class Kernel:
    """One kernel, with a folder of its own, that can be restarted."""

    def __init__(self, warm: Warm, folder: Path, *, with_zennb: bool, elsewhere: bool = False) -> None:
        self._warm, self._with_zennb, self._elsewhere = warm, with_zennb, elsewhere
        self.folder = folder / ("with" if with_zennb else "without")
        self.folder.mkdir()
        (self.folder / "pkg_l").mkdir()
        self._private = folder / "private"
        self._times = iter(range(1_000_000_000, 2_000_000_000, 1000))

    def start(self) -> None:
        """Start a new process."""
        address = str(self._private) + ("1" if self._with_zennb else "0")
        with Listener(address, "AF_UNIX") as listener:
            places = {"ZENNB_HOME": "home", "IPYTHONDIR": "ipython", "JUPYTER_DATA_DIR": "jupyter"}
            order = {
                "with_zennb": self._with_zennb,
                "elsewhere": self._elsewhere and self._with_zennb,
                "reseeded": self._elsewhere,
                "folder": str(self.folder),
                "address": address,
                "environment": {
                    **{name: f"{self._private}-{place}" for name, place in places.items()},
                    "TOP_FOLDER": str(self.folder),
                },
            }
            self.pid = self._warm.fork(order)
            self._door: Connection[Any, Any] = listener.accept()
        assert self._door.recv() == "ready"

    def stop(self, *, hard: bool = False) -> None:
        """End the process, with a signal that nobody can catch when `hard`."""
        if hard:
            os.kill(self.pid, signal.SIGKILL)
        else:
            with suppress(OSError):
                self._door.send(("stop", ""))
        with suppress(EOFError, OSError):
            self._door.recv()
        self._door.close()

    def ask(self, verb: str, text: str) -> Any:
        """Have a cell run, or its truth told."""
        self._door.send((verb, text))
        return self._door.recv()

    def write(self, name: str, text: str) -> None:
        """Write a file into the kernel's folder; each version gets a time of its own."""
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        stamp = next(self._times)
        os.utime(file, (stamp, stamp))

    def install(self, version: str) -> None:
        """Install a version of the package, in place of the one before."""
        place = self.folder / "site-packages"
        for old in place.glob("fakepkg-*.dist-info"):
            shutil.rmtree(old)
        info = f"site-packages/fakepkg-{version}.dist-info"
        self.write(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: fakepkg\nVersion: {version}\n")
        self.write(f"{info}/top_level.txt", "fakepkg\n")
        self.write("site-packages/fakepkg/__init__.py", PACKAGES[version])


class Pair:
    """Two kernels in folders of their own."""

    def __init__(self, warm: Warm, *, elsewhere: bool = False) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="zennb-reuse-"))
        self._plain = Kernel(warm, self.folder, with_zennb=False, elsewhere=elsewhere)
        self._ours = Kernel(warm, self.folder, with_zennb=True, elsewhere=elsewhere)
        self._running = False
        self._content: dict[str, Any] = {}

    def close(self) -> None:
        """End both kernels and remove their folders."""
        self._stop()
        shutil.rmtree(self.folder)

    def _stop(self, *, hard: bool = False) -> None:
        if self._running:
            self._plain.stop()
            self._ours.stop(hard=hard)
        self._running = False

    def do(self, action: Action) -> Ran | None:
        """Do the same to both kernels; what came of it when it was a cell.

        Raises:
            Difference: the two differ now.
        """
        match action.verb:
            case "file":
                self._plain.write(action.name, action.text)
                self._ours.write(action.name, action.text)
            case "install":
                self._plain.install(action.name)
                self._ours.install(action.name)
            case "restart" | "kill":
                self._stop(hard=action.verb == "kill")
            case "pipeline":
                self._pipeline(action)
            case _:
                return self._cell(action)
        return None

    def _pipeline(self, action: Action) -> None:
        """Run the steps as a pipeline: nothing that the notebook holds may be other than after running it by hand."""
        said = self._ours.ask("plan", "") if not action.text else {}
        done = self._ours.ask("pipeline", action.text)
        wrong = {
            name: (said[name], done.get(name))
            for name in said
            if said[name][0] == "fresh" and done.get(name, ("cached",))[0] != "cached"
        }
        if wrong:
            raise Difference(frozenset({"status"}), f"--- said to be fresh, and ran: {wrong}")
        there, here = self._plain.ask("run", "pass"), self._ours.ask("run", "pass")
        if there["content"] != here["content"]:
            raise _difference({"content": there["content"]}, {"content": here["content"]}, {"pipeline": done})

    def _cell(self, action: Action) -> Ran:
        if not self._running:
            self._plain.start()
            self._ours.start()
            self._running = True
        step, text = action.verb in {"step", "elsewhere"}, action.text
        truth = self._plain.ask("truth", ALSO.get(text, "None") + "\n" + text) if step else ""
        there = self._plain.ask("run_whole" if step else "run", f"# {action.name}\n{text}")
        verb = "run_elsewhere" if action.verb == "elsewhere" else "run"
        here = self._ours.ask(verb, f"{'%%step' if step else '#'} {action.name}\n{text}")
        facts, refused = here.pop("facts"), here.pop("refused", "")
        del there["facts"]
        if there != here:
            difference = _difference(there, here, facts)
            # What a failed step has changed is put back, to what it was, by zennb alone: then both begin anew.
            back = {name for name in _put_back(facts) if here["content"].get(name) == self._content.get(name)}
            if not (there["error"] == here["error"] != "" and difference.parts <= back):
                raise difference
            self._stop()
        self._content = here["content"]
        return Ran(facts, there["error"], truth, refused)


def _put_back(facts: dict[str, Any]) -> frozenset[str]:
    """Return the variables that a failed step has changed and zennb, as it says, has put back."""
    names, said, _ = str(facts.get("reason", "")).rpartition(" put back as before the step")
    return frozenset(re.findall(r"`(\w+)`", names.rpartition(";")[2])) if said else frozenset()


def _difference(there: dict[str, Any], here: dict[str, Any], facts: dict[str, Any]) -> Difference:
    there, here = {**there["content"], **there}, {**here["content"], **here}
    parts = [part for part in {**there, **here} if part != "content" and there.get(part) != here.get(part)]
    told = [f"{part}\n  plain: {there.get(part)}\n  zennb: {here.get(part)}" for part in parts]
    said = f"--- the kernels differ; zennb says: {facts}"
    return Difference(frozenset(parts), "\n".join([said, *told]))


def _fails(warm: Warm, actions: Sequence[Action]) -> Difference | None:
    pair = Pair(warm, elsewhere=any(action.verb == "elsewhere" for action in actions))
    try:
        for action in actions:
            pair.do(action)
    except Difference as difference:
        return difference
    finally:
        pair.close()
    return None


def minimal(warm: Warm, actions: Sequence[Action], difference: Difference, *, seconds: float = 60) -> str:
    """Return the shortest story found in that time that still ends in the same difference, as text.

    All cells and files of one name are tried first, then one action after the other, from the last to the first.
    """
    kept = list(actions)
    until = time.monotonic() + seconds
    names = list(dict.fromkeys(action.name for action in reversed(kept)))
    tries = [[n for n, action in enumerate(kept) if action.name == name] for name in names]
    tries += [[n] for n in reversed(range(len(kept)))]
    gone: set[int] = set()
    for places in tries:
        if time.monotonic() > until:
            break
        without = gone.union(places)
        found = _fails(warm, [action for n, action in enumerate(kept) if n not in without])
        if found is not None and found.parts == difference.parts:
            gone, difference = without, found
    return "\n".join([*(str(action) for n, action in enumerate(kept) if n not in gone), str(difference)])
