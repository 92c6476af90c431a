"""JupyterLab in a real browser: one server and one Chromium for the session, both ended with it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import nbformat
import pytest
from nbformat import v4
from playwright.sync_api import TimeoutError, sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 180_000
"""Milliseconds a page gets for anything; machines that run tests can be slow."""

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
QUIET = {
    "@jupyterlab/apputils-extension:notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": True,
    },
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
}
"""Settings: no question about news, and every output is in the page, scrolled to or not."""

BUSY = "[...document.querySelectorAll('.jp-InputPrompt')].some(p => p.textContent.includes('*'))"
IDLE = '.jp-Notebook-ExecutionIndicator[data-status="idle"]'


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running JupyterLab."""

    url: str
    token: str
    folder: Path


@dataclass(slots=True)
class Lab:
    """One notebook open in JupyterLab, or in Notebook 7 where `app` is `notebooks`."""

    page: Any
    server: Server
    name: str
    app: str = "doc/tree"
    errors: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)

    def open(self, *sources: str) -> Lab:
        """Write a notebook of code cells and open it."""
        node = v4.new_notebook(cells=[v4.new_code_cell(text, id=f"c{n}") for n, text in enumerate(sources)])
        node.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(node, self.server.folder / self.name)
        return self.visit(self.name)

    def visit(self, name: str) -> Lab:
        """Open a notebook of the server's folder."""
        self.page.goto(f"{self.server.url}/{self.app}/{quote(name)}?reset&token={self.server.token}")
        self._started(name)
        self.idle()
        return self

    def _started(self, name: str) -> None:
        """Wait until the notebook has a kernel: a page that has none yet looks idle, and asks for one when run."""
        deadline = time.monotonic() + PATIENCE / 1000
        url = f"{self.server.url}/api/sessions?token={self.server.token}"
        while time.monotonic() < deadline:
            with urllib.request.urlopen(url, timeout=30) as answer:
                sessions = json.load(answer)
            if any(each["path"] == name and each["kernel"]["execution_state"] == "idle" for each in sessions):
                return
            self.page.wait_for_timeout(200)
        raise AssertionError(f"{name} got no kernel")

    def idle(self) -> None:
        """Wait until the kernel has nothing to do, and a moment more for the page to show what came."""
        self.page.wait_for_selector(IDLE, timeout=PATIENCE)
        self.page.wait_for_timeout(1500)

    def run(self, number: int) -> str:
        """Run one cell, counted from 0, and return the text it shows."""
        cell = self.page.locator(".jp-CodeCell").nth(number)
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Control+Enter")
        self.page.wait_for_timeout(300)
        self.finished()
        return self.outputs()[number]

    def run_all(self, *, restart: bool = False) -> None:
        """Run all cells, as the menu does it."""
        command = "runmenu:restart-and-run-all" if restart else "runmenu:run-all"
        entry = self.page.locator(f'.lm-Menu-item[data-command="{command}"]')
        self.page.locator(".lm-MenuBar-item", has_text=re.compile("^Run$")).click()
        entry.click()
        if restart:
            self.page.locator(".jp-Dialog button.jp-mod-warn").click()
        # A cell gets its star when the kernel has restarted; without a restart, at once, and may lose it as soon.
        with suppress(TimeoutError) if not restart else nullcontext():
            self.page.wait_for_function(f"() => {BUSY}", timeout=PATIENCE if restart else 2000)
        self.finished()

    def finished(self) -> None:
        """Wait until every cell that was asked to run has a number instead of a star."""
        self.page.wait_for_function(f"() => !{BUSY}", timeout=PATIENCE)
        self.idle()

    def outputs(self) -> list[str]:
        """The text of each code cell's output area, top to bottom."""
        found = self.page.locator(".jp-CodeCell .jp-Cell-outputArea")
        return [" ".join(str(text).split()) for text in found.all_inner_texts()]


@pytest.fixture(scope="session")
def chromium() -> str:
    found = next((path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium on this machine; on Debian: apt-get install chromium")
    return found


@pytest.fixture(scope="session")
def server(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("lab")
    folder = home / "notebooks"
    folder.mkdir()
    settings = Path(sys.prefix) / "share" / "jupyter" / "lab"
    overrides = home / "lab" / "settings" / "overrides.json"
    overrides.parent.mkdir(parents=True)
    overrides.write_text(json.dumps(QUIET))
    token, port = os.urandom(16).hex(), free_port()
    options = [
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--IdentityProvider.token={token}",
        "--ServerApp.open_browser=False",
        "--ServerApp.allow_root=True",
        f"--ServerApp.root_dir={folder}",
        f"--LabApp.app_settings_dir={overrides.parent}",
        f"--LabApp.app_dir={settings}",
    ]
    log = (home / "server.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", *options],
        env=environment(home),
        cwd=folder,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(f"{url}/api/status?token={token}", process, home / "server.log")
        yield Server(url=url, token=token, folder=folder)
    finally:
        end(process)
        log.close()


def environment(home: Path) -> dict[str, str]:
    ours = ("ZENNB_", "JUPYTER", "JPY_", "IPYTHON", "PYTHONWARNINGS", "MPLBACKEND")
    env = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return env | {
        "HOME": str(home),
        "ZENNB_HOME": str(home / "zennb"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "IPYTHONDIR": str(home / "ipython"),
        "MPLCONFIGDIR": os.environ.get("MPLCONFIGDIR") or str(Path.home() / ".cache" / "matplotlib"),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        with suppress(OSError), urllib.request.urlopen(url, timeout=5):
            return
        time.sleep(0.2)
    raise AssertionError(log.read_text())


def end(process: subprocess.Popen[bytes]) -> None:
    """End the server, which ends its kernels; what is left of its group is killed."""
    process.send_signal(signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=20)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=20)


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Any]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def lab(server: Server, browser: Any, request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A window that notes errors of the page and keeps it from talking to anyone but the server."""
    context = browser.new_context(viewport={"width": 1200, "height": 1000})
    context.set_default_timeout(PATIENCE)
    opened = Lab(context.new_page(), server, f"{request.node.name}.ipynb")

    def check(route: Any) -> None:
        where = urlsplit(route.request.url)
        if where.hostname in {"127.0.0.1", None}:
            route.continue_()
        else:
            opened.strangers.append(route.request.url)
            route.abort()

    context.route("**/*", check)

    def dismiss(dialog: Any) -> None:
        opened.errors.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    opened.page.on("dialog", dismiss)
    opened.page.on("pageerror", lambda error: opened.errors.append(str(error)))
    opened.page.on("console", lambda said: opened.errors.append(said.text) if said.type == "error" else None)
    yield opened
    context.close()
