"""What a step leaves behind that calls code later: reuse would leave nothing behind, so the step runs every time."""

from __future__ import annotations

import multiprocessing
import signal
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


class _Event(threading.Event):
    """An event that is set by a call that does not count as a setting of a library."""

    show = threading.Event.set


_OTHERS = """\
import asyncio, atexit, heapq, logging.handlers, queue, shutil, signal, socketserver
import _thread
from _thread import start_new_thread
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.pool import ThreadPool
log = []
def work(*_):
    threading.begun.show()
    threading.go.wait(60)
    log.append(1)
async def later():
    await asyncio.sleep(60)
def handle(*_): pass
def ignored(): return signal.signal(signal.SIGUSR2, signal.SIG_IGN)
def at_end(): return atexit.register(handle)
class Handler(logging.Handler):
    def emit(self, record): log.append(record)
thing = Thing()
"""
_POOL = "it leaves calls running in a pool, which reuse would not make"
_TASK = "it leaves a task in the event loop, which reuse would not start"
_REFERENCE = "it makes a weak reference to `Thing` with a callback, which reuse would not make again"
_INNER = "it calls `{}`, in a function, a loop or under a condition, where reuse cannot repeat it"
LEFT = {
    "_thread.start_new_thread(work, ())": _THREAD,
    "start_new_thread(heapq.heappush, (log, 1))": _THREAD,
    "threading.Thread(target=threading.go.wait, args=(60,)).start()": _THREAD,
    "_t = threading.Timer(3600, heapq.heappush, [log, 1])\n_t.daemon = True\n_t.start()": _THREAD,
    "_t = threading.Timer(3600, shutil.which, ['no'])\n_t.daemon = True\n_t.start()": _THREAD,
    "_l = asyncio.new_event_loop()\nthreading.Thread(target=_l.run_forever, daemon=True).start()": _THREAD,
    "_l = logging.handlers.QueueListener(queue.Queue(), Handler())\n_l.start()": _THREAD,
    "ThreadPoolExecutor(1).submit(threading.go.wait, 60)": _POOL,
    "_p = ThreadPoolExecutor(1)\n_p.submit(threading.go.wait, 60)\n_p.submit(work)\n_p.shutdown(wait=False)": _POOL,
    "_p = ThreadPool(1)\n_p.apply_async(threading.go.wait, [60])\n_p.close()": _POOL,
    "asyncio.get_running_loop().run_in_executor(None, work)\nawait asyncio.sleep(0)\nthreading.begun.wait(60)": _POOL,
    "asyncio.ensure_future(asyncio.wait_for(later(), 70))\nawait asyncio.sleep(0)": _TASK,
    "asyncio.create_task(asyncio.sleep(60))\nawait asyncio.sleep(0)": _TASK,
    "asyncio.get_running_loop().create_task(asyncio.sleep(60))\nawait asyncio.sleep(0)": _TASK,
    "_g = asyncio.gather(asyncio.sleep(60))\nawait asyncio.sleep(0)": _TASK,
    "_g = asyncio.TaskGroup()\nawait _g.__aenter__()\n_g.create_task(asyncio.sleep(60))": _TASK,
    "asyncio.get_running_loop().call_later(60, log.append, 1)\nawait asyncio.sleep(0)": _TASK,
    "_r = weakref.ref(thing, handle)": _REFERENCE,
    "_r = weakref.proxy(thing, log.append)": _REFERENCE,
    "_w = weakref.finalize(thing, heapq.heappush, log, 1)": _FINALIZER,
    "_s = ignored()": _INNER.format("signal.signal"),
    "_s = signal.alarm(60)": "it starts the timer ITIMER_REAL, which reuse would not do",
    "_e = at_end()": _INNER.format("atexit.register"),
}
"""Cell → why its step is not reused."""


def test_what_goes_on_in_threads_and_loops_of_libraries_is_a_reason(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("go", "begun"):
        monkeypatch.setattr(threading, name, _Event(), raising=False)
    handler = signal.getsignal(signal.SIGUSR2)
    said = {}
    try:
        for place, cell in enumerate(LEFT):
            notebook.run(_OBJECT + _OTHERS)
            for _ in range(2):
                said[cell] = notebook.run(f"%%step s{place}\n{cell}\nn = 1")[0].reason
            signal.alarm(0)
            signal.signal(signal.SIGUSR2, handler)
    finally:
        vars(threading)["go"].set()
    assert said == {cell: f"not cacheable: {why}" for cell, why in LEFT.items()}


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
    "an idle pool": (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "_pool = ThreadPoolExecutor(1)\nn = _pool.submit(len, [1]).result()"
    ),
    "an idle pool of multiprocessing": (
        "from multiprocessing.pool import ThreadPool\n_pool = ThreadPool(1)\nn = _pool.apply(len, [[1]])\n_pool.close()"
    ),
    "a pool that has done code of the user": (
        "from joblib import Parallel, delayed\ndef double(x): return 2 * x\n"
        "xs = Parallel(2, backend='threading')(delayed(double)(n) for n in range(3))"
    ),
    "threads that have ended": (
        "ds = {}\n_ts = [threading.Thread(target=ds.update, args=({n: n},)) for n in range(2)]\n"
        "for _t in _ts: _t.start()\nfor _t in _ts: _t.join()"
    ),
    "tasks that have ended": (
        "import asyncio\nasync def work(): await asyncio.sleep(0)\nawait asyncio.gather(work(), work())"
    ),
    "a listener of a library": (
        "import logging.handlers, queue\n_l = logging.handlers.QueueListener(queue.Queue())\n_l.start()\nn = 1"
    ),
    "references without callbacks": (
        "_o = Thing()\n_r = weakref.ref(_o)\n_d = weakref.WeakKeyDictionary({_o: 1})\nn = 1"
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


def test_a_task_that_is_being_cancelled_is_not_left_behind(notebook: Notebook) -> None:
    notebook.run("import asyncio\nasync def tick():\n    while True: await asyncio.sleep(.01)")
    cell = "%%step ticks\n_t = asyncio.create_task(tick())\nawait asyncio.sleep(.02)\n_t.cancel()\nn = 1"
    notebook.run(cell)
    (again,) = notebook.run(cell)
    assert again.status == "cached", again.reason
