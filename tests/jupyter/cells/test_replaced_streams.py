"""Streams and hooks of Python that a cell replaces: steps after it are reused, and what it has set stays."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

import pytest

from zennb.engine.step.recording import Recording

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

SETS = {
    "error hook": "import sys\nsys.excepthook = lambda *parts: None",
    "display hook": "import sys\nsys.displayhook = print",
    "stream that is set back": (
        "import io, sys\nbefore = sys.stdout\nsys.stdout = io.StringIO()\nsys.stdout = before"
    ),
    "hook of threads": "import threading\nthreading.excepthook = lambda parts: None",
    "warnings": "import warnings\nwarnings.showwarning = lambda *parts: None",
    "print": "import builtins\n_print = print\nbuiltins.print = lambda *parts: _print(*parts)",
}


@pytest.mark.parametrize("is_step", [True, False])
@pytest.mark.parametrize("sets", SETS.values(), ids=list(SETS))
def test_steps_after_a_cell_that_replaces_a_hook_are_reused(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch, sets: str, *, is_step: bool
) -> None:
    for name in ("sys.excepthook", "threading.excepthook", "warnings.showwarning", "builtins.print"):
        module, _, attribute = name.partition(".")
        monkeypatch.setattr(name, getattr(sys.modules[module], attribute))  # to be set back after the test
    step = "%%step x\nx = 1\nprint(x)"
    notebook.run(f"%%step sets\n{sets}" if is_step else sets, step)
    (again,) = notebook.run(step)
    assert (again.status, again.out) == ("cached", "1\n")


@pytest.mark.parametrize("is_step", [True, False])
def test_what_a_cell_puts_in_the_place_of_the_formatter_stays(notebook: Notebook, *, is_step: bool) -> None:
    sets = (
        "def mine(value, *args, **more):\n    return {'text/plain': 'mine'}, {}\n"
        "get_ipython().display_formatter.format = mine"
    )
    notebook.run(f"%%step sets\n{sets}" if is_step else sets, "%%step x\nx = 1\nx", "%%step y\ny = x + 1\ny")
    assert notebook.shell.display_formatter.format.__name__ == "mine"
    notebook.shell.display_formatter.__dict__.pop("format")


class Stream(io.StringIO):
    """A stream written in Python, like the one of a kernel."""


def test_what_code_makes_of_a_stream_stays(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    stream, recording = Stream(), Recording()
    written = stream.write
    vars(stream)["write"] = lambda text: written(text.upper())
    monkeypatch.setattr(sys, "stdout", stream)
    capture = notebook.shell.zennb_step.capture
    with capture.recording(recording):
        print("one")
    print("two")
    with capture.recording(recording):
        vars(stream)["write"] = lambda text: written(text + "!")
    print("three")
    assert stream.getvalue() == "ONE\nTWO\nthree!\n!"


@pytest.mark.parametrize("make", [Stream, io.StringIO])
def test_what_goes_to_one_stream_is_recorded_once(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch, make: type[io.StringIO]
) -> None:
    """`sys.stderr = sys.stdout`, as cells do that want both in one place."""
    recording = Recording()
    monkeypatch.setattr(sys, "stdout", make())
    monkeypatch.setattr(sys, "stderr", sys.stdout)
    with notebook.shell.zennb_step.capture.recording(recording):
        print("one")
        print("two", file=sys.stderr)
    assert "".join(event["text"] for event in recording) == "one\ntwo\n"
