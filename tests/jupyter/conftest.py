"""A notebook in this process: cells are run in a real IPython shell, and a restart gives a new one on the same home."""

from __future__ import annotations

import atexit
import io
import os
import signal
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from zennb import api
from zennb.core.records.setting_names import MODULE_PATH
from zennb.jupyter.kernel.extension import load, unload
from zennb.materializers.signer import Signer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from zennb.engine.environment.settings import Settings
    from zennb.jupyter.kernel.session import KernelSession

_CONFIG = Config()
_CONFIG.HistoryManager.enabled = False  # its thread would outlive the shell


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What one cell did."""

    out: str
    err: str
    displays: list[dict[str, Any]] = field(default_factory=list)
    error: BaseException | None = None
    result: object = None

    @property
    def facts(self) -> dict[str, Any]:
        """The last status line's metadata."""
        found = [shown["metadata"]["zennb"] for shown in self.displays if "zennb" in shown["metadata"]]
        assert found, f"the cell shows no status line; it printed: {self.out}{self.err}"
        return dict(found[-1])

    @property
    def status(self) -> str:
        return str(self.facts["status"])

    @property
    def reason(self) -> str:
        return str(self.facts["reason"])

    @property
    def outputs(self) -> list[str]:
        return list(self.facts["outputs"])


class Notebook:
    """Cells run one after another in a kernel that can be restarted."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._numbers = count(1)
        self.start()
        session: KernelSession = self.shell.zennb_step
        self._settings: Settings = session.environment.settings
        self._process = self._settings.read()
        self._added: set[str] = set()

    def start(self) -> None:
        InteractiveShell.clear_instance()
        self.shell: Any = InteractiveShell.instance(config=_CONFIG)
        self.shell.display_pub = CapturingDisplayPublisher()
        load(self.shell)

    def stop(self) -> None:
        unload(self.shell)
        atexit.unregister(self.shell.atexit_operations)  # else each shell is reset once more at exit
        InteractiveShell.clear_instance()
        api.close()

    def restart(self) -> None:
        """Start a new shell, in a process whose settings are as in the beginning."""
        self.set_back()
        self.stop()
        self.start()

    def set_back(self) -> None:
        """Set the process's settings as they were in the beginning."""
        settings = self._settings
        changes = settings.changes(settings.read(), self._process)
        changes.pop(MODULE_PATH, None)  # has what a test has put there, which stays
        settings.apply(changes)
        sys.path[:] = [path for path in sys.path if path not in self._added]

    @property
    def ns(self) -> dict[str, Any]:
        found: dict[str, Any] = self.shell.user_ns
        return found

    def cell(self, text: str, cell_id: str | None = None) -> Ran:
        """Run a cell; its error, if any, is returned."""
        out, err, path = io.StringIO(), io.StringIO(), {*sys.path}
        self.shell.display_pub.outputs.clear()
        with redirect_stdout(out), redirect_stderr(err):
            result = self.shell.run_cell(text, store_history=True, cell_id=cell_id)
        self._added |= {*sys.path} - path
        return Ran(
            out=_uncleared(out),
            err=_uncleared(err),
            displays=[dict(shown) for shown in self.shell.display_pub.outputs],
            error=result.error_in_exec or result.error_before_exec,
            result=result.result,
        )

    def run(self, *cells: str) -> list[Ran]:
        """Run cells that must not fail."""
        done = []
        for text in cells:
            ran = self.cell(text)
            assert ran.error is None, f"{text}\n{ran.out}{ran.err}"
            done.append(ran)
        return done


def _uncleared(stream: io.StringIO) -> str:
    """Return what stands in a cell in the end: on a slow machine the line of a running step is cleared away once."""
    return stream.getvalue().rpartition("\033[2K\r")[2]


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Notebook]:
    monkeypatch.setenv("ZENNB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    for name in ("ZENNB_NOTEBOOK", "JPY_SESSION_NAME", "ZENNB_STACK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    main = sys.modules["__main__"]
    Signer().sign([b""])  # makes the key, which would else appear in the folder while cells list it
    nb = Notebook(tmp_path / "home")
    try:
        yield nb
    finally:
        nb.set_back()
        nb.stop()
        sys.modules["__main__"] = main
        # A pool that joblib keeps for the next call counts for steps of other tests that ask about files.
        pools: Any = sys.modules.get("joblib.externals.loky.reusable_executor")
        if getattr(pools, "_executor", None) is not None:
            pools._executor.shutdown(wait=True)


@pytest.fixture
def no_run_left(notebook: Notebook) -> Iterator[None]:
    """End the background runs that a failed test has left."""
    yield
    for run in api.workspace().metadata.runs(status="running"):
        if run.process != os.getpid():
            os.kill(run.process, signal.SIGKILL)
