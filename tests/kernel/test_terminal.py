"""IPython in a terminal: the same steps, cards and completion, as text."""

from __future__ import annotations

import re
import sys
import time
from typing import TYPE_CHECKING

import pexpect  # type: ignore[import-untyped]  # it ships no types
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.kernel

PATIENCE = 60
PROMPT = r"In \[\d+\]: "
MORE = r"   \.\.\.: "
ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")


class Terminal:
    """IPython with simple prompts, no colours, in a terminal 100 characters wide."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        flags = [
            "--simple-prompt",
            "--colors=NoColor",
            "--no-banner",
            "--TerminalInteractiveShell.xmode=Plain",
        ]
        self._child: pexpect.spawn[str] = pexpect.spawn(
            sys.executable,
            ["-m", "IPython", *flags],
            env={**environment, "TERM": "dumb", "PYTHONIOENCODING": "utf-8"},
            cwd=str(folder),
            dimensions=(50, 100),
            encoding="utf-8",
            timeout=PATIENCE,
            echo=False,
        )
        self._child.expect(PROMPT)

    def enter(self, *lines: str) -> str:
        """Type a cell and return what is shown until the next prompt."""
        for line in lines[:-1]:
            self._child.sendline(line)
            self._child.expect(MORE)
        self._child.sendline(lines[-1])
        while self._child.expect([PROMPT, MORE]):
            self._child.sendline("")  # blank lines end a cell of several lines
        return ANSI.sub("", str(self._child.before)).replace("\r\n", "\n")

    def close(self) -> None:
        self._child.close(force=True)


@pytest.fixture
def terminals(environment: dict[str, str], tmp_path: Path) -> Iterator[Callable[[], Terminal]]:
    started: list[Terminal] = []

    def start() -> Terminal:
        started.append(Terminal(environment, tmp_path))
        started[-1].enter("%load_ext zennb")
        return started[-1]

    yield start
    for terminal in started:
        terminal.close()


STEP = ("%%step sums", "print('adding')", "xs = [1, 2, 3]", "sum(xs)")


def test_a_step_shows_its_output_result_and_status_and_is_reused(terminals: Callable[[], Terminal]) -> None:
    first = terminals().enter(*STEP)
    assert "adding\n" in first
    assert re.search(r"Out\[\d+\]: 6\n", first), first
    assert re.search(r"✔ sums  completed  .*→ xs  \(first run\)", first), first
    terminal = terminals()
    again = terminal.enter(*STEP)
    assert "adding\n" in again
    assert re.search(r"Out\[\d+\]: 6\n", again), again
    assert re.search(r"● sums  cached  .*→ xs  \(same code and inputs as run 1, \d{4}-", again), again
    assert first.count("adding") == again.count("adding") == 1
    assert "[1, 2, 3]" in terminal.enter("xs")


def test_cards_and_tables_are_text(terminals: Callable[[], Terminal]) -> None:
    terminal = terminals()
    card = terminal.enter("%stack")
    assert "stack default" in card
    assert re.search(r"artifact store +default +local", card), card
    terminal.enter(*STEP)
    table = terminal.enter("%pipeline run")
    assert "sums" in table
    assert "cached" in table
    for shown in (card, table, terminal.enter("%runs")):
        assert "<" not in shown
        assert "display_id" not in shown
        assert max(map(len, shown.splitlines())) <= 100


def test_an_error_is_shown_on_the_cells_own_lines(terminals: Callable[[], Terminal]) -> None:
    shown = terminals().enter("%%step bad", "x = 1", "1 / 0")
    assert "ZeroDivisionError: division by zero" in shown
    assert "bad  failed" in shown
    assert "zennb/" not in shown
    assert re.search(r"line 3|----> 3|:3", shown), shown


def test_words_of_a_magic_are_completed(terminals: Callable[[], Terminal]) -> None:
    terminal = terminals()
    found = terminal.enter("get_ipython().complete('de', '%stack de', 9)[1]")
    assert "describe" in found
    assert "delete" in found
    for _ in range(50):  # names follow a moment after the extension is loaded
        names = terminal.enter("get_ipython().complete('d', '%stack set d', 12)[1]")
        if "'default'" in names:
            break
        time.sleep(0.2)
    assert "'default'" in names
