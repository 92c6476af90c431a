"""What a step leaves behind that calls code later: reuse would leave nothing behind, so the step runs every time."""

from __future__ import annotations

import multiprocessing
import threading
from typing import TYPE_CHECKING, NamedTuple

import pytest

from zennb.engine.environment.later_calls import LaterCalls

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

_OBJECT = "import threading, time, weakref\nclass Thing: pass\n"


class Case(NamedTuple):
    """A cell that leaves something behind, one that makes it act, and what the status line says."""

    leaves: str
    acts: str
    says: str


_THREAD = "it leaves a thread running, which reuse would not start"
_FINALIZER = "it makes a finalizer of `Thing`, which reuse would not make again"
CASES = {
    "a finalizer": Case("o = Thing()\nend = weakref.finalize(o, print, 'gone')", "del o", _FINALIZER),
    "a finalizer that nobody keeps": Case(
        "o = Thing()\nweakref.finalize(o, print, 'gone')", "del o", _FINALIZER
    ),
    "a finalizer in a function": Case(
        "class Thing:\n    def __init__(self):\n        weakref.finalize(self, print, 'gone')\no = Thing()",
        "del o",
        _FINALIZER,
    ),
    "a thread": Case(
        "def work():\n    threading.go.wait()\n    print('gone')\nthreading.Thread(target=work).start()",
        "end()",
        _THREAD,
    ),
    "a thread of a class": Case(
        "class Work(threading.Thread):\n    def run(self):\n        threading.go.wait()\n        print('gone')\n"
        "Work().start()",
        "end()",
        _THREAD,
    ),
    "a timer": Case(
        "threading.Timer(0, lambda: (threading.go.wait(), print('gone'))).start()", "end()", _THREAD
    ),
}


def _end() -> None:
    vars(threading)["go"].set()
    for each in threading.enumerate():
        if each.name.startswith(("Thread-", "Work-")):
            each.join()


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_what_calls_code_later_does_so_after_a_restart(
    notebook: Notebook, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    for reason in ("first run", f"not cacheable: {case.says}"):
        notebook.ns["end"] = _end
        monkeypatch.setattr(threading, "go", threading.Event(), raising=False)
        notebook.run(_OBJECT)
        (left,) = notebook.run(f"%%step leaves\n{case.leaves}")
        assert (left.status, left.reason) == ("completed", reason)
        (acted,) = notebook.run(case.acts)
        assert acted.out == "gone\n"
        notebook.restart()


QUIET = {
    "a thread that has ended": "t = threading.Thread(target=print)\nt.start()\nt.join()\ndel t",
    "a pool that has ended": (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor() as pool:\n    xs = list(pool.map(abs, [1]))\ndel pool"
    ),
    "a finalizer that was called": "o = Thing()\nend = weakref.finalize(o, print)\nend()\ndel o, end",
    "a temporary folder": (
        "import tempfile\nwith tempfile.TemporaryDirectory() as name:\n    n = 1\ndel name"
    ),
    "a shared pool": "import asyncio\nawait asyncio.to_thread(abs, 1)",
}


@pytest.mark.parametrize("cell", QUIET.values(), ids=list(QUIET))
def test_what_has_ended_is_no_reason(notebook: Notebook, cell: str) -> None:
    notebook.run(_OBJECT, f"%%step a\n{cell}")
    assert notebook.run(f"%%step a\n{cell}")[0].status == "cached"


def test_a_process_that_goes_on_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    later, process = LaterCalls(), multiprocessing.Process(target=print)
    monkeypatch.setattr("multiprocessing.process._children", {process})
    assert [str(each) for each in later.reasons()] == [_THREAD.replace("thread", "process")]


def test_a_timer_that_calls_a_method_of_a_list_is_a_reason() -> None:
    later, timer = LaterCalls(), threading.Timer(60, [].append, [1])
    timer.start()
    assert [str(each) for each in later.reasons()] == [_THREAD]
    timer.cancel()
