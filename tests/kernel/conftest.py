"""Real Jupyter kernels: cells are sent as a frontend sends them, and what comes back is kept in order."""

from __future__ import annotations

import os
import re
import signal
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import Empty
from typing import TYPE_CHECKING, Any

import pytest
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import KernelManager

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from jupyter_client.blocking.client import BlockingKernelClient

ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
PATIENCE = 120.0
"""Seconds after which a kernel that says nothing fails the test; machines that run tests can be slow."""


class ThisInterpreter(KernelSpecManager):
    """Knows one kernel: the interpreter the tests run in."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=command, display_name="Python 3", language="python")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of a cell: its type, its content, and when it came."""

    type: str
    content: dict[str, Any]
    when: float

    @property
    def facts(self) -> Any:
        """What a status line says, None for other messages."""
        return self.content.get("metadata", {}).get("zennb")


@dataclass(slots=True, kw_only=True)
class Ran:
    """All that came back from one cell."""

    messages: list[Message] = field(default_factory=list)
    reply: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def ended(self) -> Ran:
        """What is left of it in the end: a long step is shown anew above the line that says for how long it has run."""
        cleared = [number for number, each in enumerate(self.messages, 1) if each.type == "clear_output"]
        return replace(self, messages=self.messages[cleared[-1] :] if cleared else self.messages)

    @property
    def stdout(self) -> str:
        return self.stream("stdout")

    @property
    def stderr(self) -> str:
        return self.stream("stderr")

    def stream(self, name: str) -> str:
        return "".join(m.content["text"] for m in self.of("stream") if m.content["name"] == name)

    def of(self, *types: str) -> list[Message]:
        return [message for message in self.messages if message.type in types]

    @property
    def shown(self) -> list[tuple[Any, ...]]:
        """What a person sees, in order: neighbouring texts joined, counters, ids and status lines left out."""
        found: list[tuple[Any, ...]] = []
        names: dict[str, int] = {}
        for message in self.messages:
            content = message.content
            if message.facts is not None:
                continue
            if message.type == "stream" and found and found[-1][0] == content["name"]:
                found[-1] = (content["name"], found[-1][1] + content["text"])
            elif message.type == "stream":
                found.append((content["name"], content["text"]))
            elif message.type in {"display_data", "update_display_data", "execute_result"}:
                given = content.get("transient", {}).get("display_id")
                shown_as = names.setdefault(given, len(names)) if given else None
                found.append((message.type, content["data"], content["metadata"], shown_as))
            elif message.type == "clear_output":
                found.append(("clear_output", content["wait"]))
            elif message.type == "error":
                found.append(("error", content["ename"], content["evalue"]))
        return found

    @property
    def facts(self) -> dict[str, Any]:
        """The metadata of the last status line."""
        found = [message.facts for message in self.messages if message.facts is not None]
        assert found, f"no status line among {self.shown}"
        return dict(found[-1])

    @property
    def status(self) -> str:
        return str(self.facts["status"])

    @property
    def reason(self) -> str:
        return str(self.facts["reason"])

    @property
    def result(self) -> str:
        """The text of the cell's value."""
        return "".join(message.content["data"]["text/plain"] for message in self.of("execute_result"))

    @property
    def text(self) -> str:
        """The text of all displays, status lines included."""
        displays = self.of("display_data", "update_display_data", "execute_result")
        return "\n".join(message.content["data"].get("text/plain", "") for message in displays)

    @property
    def html(self) -> str:
        """The HTML of all displays, status lines included."""
        displays = self.of("display_data", "update_display_data", "execute_result")
        return "\n".join(message.content["data"].get("text/html", "") for message in displays)

    @property
    def error(self) -> str:
        """Name and text of the exception; "" when there was none."""
        return "".join(f"{m.content['ename']}: {m.content['evalue']}" for m in self.of("error"))

    @property
    def traceback(self) -> str:
        """The traceback as shown, without colours."""
        return "".join(ANSI.sub("", "\n".join(m.content["traceback"])) for m in self.of("error"))


class Kernel:
    """One kernel and a client of it."""

    def __init__(self, env: Mapping[str, str], folder: Path) -> None:
        self.folder = folder
        self._sockets = tempfile.TemporaryDirectory(prefix="k-")  # short: a socket's path has 107 characters
        self.manager: Any = KernelManager(
            kernel_spec_manager=ThisInterpreter(),
            transport="ipc",
            connection_file=str(Path(self._sockets.name) / "k.json"),
        )
        self.manager.start_kernel(cwd=str(folder), env=dict(env))
        self._connect()

    def _connect(self) -> None:
        self.client: BlockingKernelClient = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=PATIENCE)
        self._process = self.manager.provisioner.process

    @property
    def exit_code(self) -> int | None:
        """How the process ended, negative for a signal; None if it has not."""
        code: int | None = self._process.poll()
        return code

    def restart(self, *, extension: bool = True) -> None:
        """Restart as a frontend does; unless told otherwise, load the extension again."""
        self.client.stop_channels()
        self.manager.restart_kernel(now=not self.manager.is_alive())
        self._connect()
        if extension:
            self.run("%load_ext zennb")

    def close(self) -> None:
        """End the kernel for sure."""
        self.client.stop_channels()
        with suppress(Exception):
            self.manager.shutdown_kernel(now=True)
        self.manager.cleanup_resources()
        self.manager.context.destroy()
        self._sockets.cleanup()

    def kill(self) -> None:
        """End the kernel at once, as the system does when memory runs out."""
        os.kill(self.manager.provisioner.pid, signal.SIGKILL)
        deadline = time.monotonic() + PATIENCE
        while self.manager.is_alive() and time.monotonic() < deadline:
            time.sleep(0.02)

    def interrupt(self) -> None:
        """Interrupt as a frontend does."""
        self.manager.interrupt_kernel()

    def send(self, code: str, cell: str = "") -> str:
        """Send a cell and return the id under which its messages come back."""
        content = {
            "code": code,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": True,
        }
        message = self.client.session.msg(
            "execute_request", content, metadata={"cellId": cell} if cell else {}
        )
        self.client.shell_channel.send(message)
        return str(message["header"]["msg_id"])

    def follow(self, sent: str, until: Callable[[Ran], bool] | None = None, into: Ran | None = None) -> Ran:
        """Collect a cell's messages until it ends, or until a condition holds."""
        ran, started = into or Ran(), time.monotonic()
        while time.monotonic() - started < PATIENCE:
            if until is not None and until(ran):
                return ran
            try:
                message = self.client.get_iopub_msg(timeout=0.2)
            except Empty:
                assert self.manager.is_alive(), (
                    f"the kernel died ({self.exit_code}); it had shown {ran.shown}"
                )
                continue
            if message["parent_header"].get("msg_id") != sent:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "status" and content["execution_state"] == "idle":
                ran.reply = self._reply(sent)
                ran.seconds = time.monotonic() - started
                return ran
            if kind not in {"status", "execute_input"}:
                ran.messages.append(Message(type=kind, content=content, when=time.monotonic()))
        raise AssertionError(f"no end within {PATIENCE} s; shown so far: {ran.shown}")

    def _reply(self, sent: str) -> dict[str, Any]:
        while True:
            message = self.client.get_shell_msg(timeout=PATIENCE)
            if message["parent_header"].get("msg_id") == sent:
                return dict(message["content"])

    def answers(self) -> bool:
        """Whether it waits for cells, whatever came back from the last one."""
        sent, deadline = self.client.kernel_info(), time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.manager.is_alive():
            with suppress(Empty, ValueError):  # ValueError: a message that an interrupt has cut
                if self.client.get_shell_msg(timeout=1.0)["parent_header"].get("msg_id") == sent:
                    return True
        return False

    def cell(self, code: str, cell: str = "") -> Ran:
        """Run a cell to its end; it may fail."""
        ran = self.follow(self.send(code, cell))
        while ran.reply["status"] == "aborted":  # ipykernel 6 drops what arrives in the moment after an error
            ran = self.follow(self.send(code, cell))
        return ran

    def run(self, *cells: str) -> list[Ran]:
        """Run cells that must not fail."""
        done = []
        for code in cells:
            ran = self.cell(code)
            assert ran.reply["status"] == "ok", f"{code}\n{ran.shown}\n{ran.traceback}"
            done.append(ran)
        return done

    def value(self, expression: str) -> str:
        """Return the text of a value in the kernel."""
        (ran,) = self.run(expression)
        return ran.result

    def interrupted(self, code: str, *, when: str = "started") -> Ran:
        """Run a cell that prints `when` and goes on; interrupt it then; `seconds` counts from the interrupt."""
        sent = self.send(code)
        ran = self.follow(sent, until=lambda ran: when in ran.stdout)
        assert when in ran.stdout, ran.shown
        assert not ran.reply, "it ended before it could be interrupted"
        self.interrupt()
        return self.follow(sent, into=ran)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment whose home, stores and settings belong to one test."""
    ours = ("ZENNB_", "JPY_", "MPLBACKEND", "PYTHONWARNINGS")
    env = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return env | {
        "ZENNB_HOME": str(tmp_path / "home"),
        "JUPYTER_DATA_DIR": str(tmp_path / "jupyter"),
        "JUPYTER_CONFIG_DIR": str(tmp_path / "config"),
        "IPYTHONDIR": str(tmp_path / "ipython"),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }


@pytest.fixture
def kernels(environment: dict[str, str], tmp_path: Path) -> Iterator[Callable[[], Kernel]]:
    """Starts kernels on one home, with the extension loaded; all end with the test."""
    folder = tmp_path / "work"
    folder.mkdir()
    started: list[Kernel] = []

    def start() -> Kernel:
        started.append(Kernel(environment, folder))
        started[-1].run("%load_ext zennb")
        return started[-1]

    yield start
    for kernel in started:
        kernel.close()


@pytest.fixture
def kernel(kernels: Callable[[], Kernel]) -> Kernel:
    return kernels()
