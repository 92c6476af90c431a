"""Outputs that cannot be stored do not keep a step from reuse: cells that read them get what a plain kernel has."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook, Ran

POOL = "from concurrent.futures import ThreadPoolExecutor"

KINDS = {
    "generator": ("v = (n * n for n in range(5))", "got = (next(v), next(v))"),
    "generator function": (
        "def count(n):\n    for k in range(n):\n        yield k",
        "v = count(5)",
        "got = (next(v), list(v))",
    ),
    "file": ("v = open('a.txt')", "got = v.readline()"),
    "lock": ("import threading\nv = threading.Lock()", "got = (v.acquire(blocking=False), v.locked())"),
    "held lock": ("import threading\nv = threading.Lock()\nv.acquire()", "got = v.locked()"),
    "condition": ("import threading\nv = threading.Condition()", "got = v.acquire()\nv.release()"),
    "event": ("import threading\nv = threading.Event()\nv.set()", "got = v.is_set()"),
    "queue": ("import queue\nv = queue.Queue()\nv.put(3)", "got = (v.qsize(), v.get(), v.qsize())"),
    "pool": (
        "from concurrent.futures import ThreadPoolExecutor\nv = ThreadPoolExecutor(2)",
        "got = list(v.map(len, ['a', 'bc']))",
    ),
    "shut pool": (
        f"{POOL}\nwith ThreadPoolExecutor(2) as v:\n    sizes = [*v.map(len, 'ab')]",
        "try:\n    v.submit(len, 'a')\nexcept RuntimeError as error:\n    got = (str(error), sizes)",
    ),
    "future": (
        f"{POOL}\nwith ThreadPoolExecutor(2) as _p:\n    v = _p.submit(len, 'abc')",
        "got = (v.done(), v.result())",
    ),
    "two that belong together": (
        "import sqlite3\nv = sqlite3.connect(':memory:')\nw = v.cursor()\nw.execute('create table t (a)')",
        "w.execute('insert into t values (1)')\ngot = v.execute('select count(*) from t').fetchall()",
    ),
    "database": (
        "import sqlite3\nv = sqlite3.connect('x.db')",
        "got = v.execute('select a from t').fetchall()",
    ),
    "reader": ("import csv\nv = csv.reader(['a,b', 'c,d'])", "got = (next(v), next(v, None))"),
    "handler": ("import logging\nv = logging.StreamHandler()", "got = type(v).__name__, v.level"),
    "inside a list": ("v = [open('a.txt'), 3]", "got = (v[0].read(), v[1])"),
    "in an object": (
        "from types import SimpleNamespace",
        "v = SimpleNamespace(source=(n for n in 'abc'), n=3)",
        "got = (next(v.source), v.n)",
    ),
    "other outputs beside it": ("n = 7\nv = (k for k in range(n))\nm = n * 2", "got = (list(v), n, m)"),
    "over a file that is closed": (
        "with open('a.txt') as _f:\n    v = iter(_f.readline, '')",
        "try:\n    next(v)\nexcept ValueError as error:\n    got = str(error)",
    ),
    "of an input": ("size = 4", "v = (k for k in range(size))", "got = list(v)"),
    "progress bar": (
        "from tqdm import tqdm\nv = tqdm(range(4))",
        "got = list(v), v.n",
    ),
    "finished progress bar": (
        "from tqdm import tqdm\nv = tqdm(range(4))\nfor k in v:\n    pass",
        "got = (v.n, v.total, k)",
    ),
    "progress bar under with": (
        "from tqdm import tqdm\nwith tqdm(total=4) as v:\n    for _ in range(4):\n        v.update()",
        "got = (v.n, v.total)",
    ),
}


@pytest.fixture(autouse=True)
def _files(notebook: Notebook) -> None:
    Path("a.txt").write_text("one\ntwo\n")
    with sqlite3.connect("x.db") as made:
        made.execute("create table t (a)")
        made.execute("insert into t values (5)")
    made.close()


def pending(notebook: Notebook) -> set[str]:
    found: set[str] = notebook.shell.zennb_step.lazy_outputs.unstored
    return found


def notes(ran: Ran) -> list[str]:
    shown = [each["data"].get("text/plain", "") for each in ran.displays]
    return [text for text in shown if "ran again" in text]


def close(notebook: Notebook) -> None:
    """Close what a cell left open: the tests count unclosed files as errors."""
    for name in ("w", "v"):
        value = notebook.ns.pop(name, None)
        for each in value if isinstance(value, list) else [value]:
            if hasattr(each, "close"):
                each.close()


def plain(notebook: Notebook, *cells: str) -> Any:
    notebook.run(*cells)
    found = repr(notebook.ns["got"])
    close(notebook)
    notebook.restart()
    return found


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_a_cell_that_reads_it_gets_what_a_plain_kernel_has(notebook: Notebook, kind: str) -> None:
    if "tqdm" in "".join(KINDS[kind]):
        pytest.importorskip("tqdm")
    *before, maker, reader = KINDS[kind]
    wanted = plain(notebook, *before, maker, reader)
    step = f"%%step make\n{maker}"
    notebook.run(*before, step)
    again = notebook.run(step)[-1]  # in the same kernel
    assert again.status == "cached", again.reason
    assert "fresh" in notebook.run("%pipeline status")[-1].displays[0]["data"]["text/plain"]
    notebook.run(reader)
    assert repr(notebook.ns["got"]) == wanted
    for as_step in (False, True):
        close(notebook)
        notebook.restart()
        assert notebook.run(*before, step)[-1].status == "cached"
        notebook.run(f"%%step read\n{reader}" if as_step else reader)
        assert repr(notebook.ns["got"]) == wanted
        assert not pending(notebook)
    close(notebook)
    notebook.restart()
    edited = notebook.run(*before, f"{step}\nmore = 1")[-1]
    assert (edited.status, edited.reason) == ("completed", "its code changed")
    notebook.run(reader)
    assert repr(notebook.ns["got"]) == wanted
    close(notebook)


ALIASES = {
    "an input": ("items = [1, 2]", "v = (n for n in items)", "`v` is a generator"),
    "another output": ("pass", "items = [1, 2]\nv = (n for n in items)", "`v` is a generator"),
    "weakly": (
        "class T:\n    pass",
        "o = T()\nimport weakref\nv = weakref.ref(o)",
        "`v` is a weak reference",
    ),
    "what a class holds": (
        "class T:\n    items = [1]",
        "v = (n for n in T.items)",
        "`v` is a generator",
    ),
    "what a function holds": (
        "def f(items=[1]):\n    return items",
        "v = (n for n in f())",
        "`v` is a generator",
    ),
    "a class of the same step": (
        "pass",
        "class T:\n    pass\nv = (n for n in [T()])",
        "`v` is a generator",
    ),
}


@pytest.mark.parametrize("kind", ALIASES)
def test_what_shares_state_with_something_else_is_made_by_its_step_alone(
    notebook: Notebook, kind: str
) -> None:
    before, maker, why = ALIASES[kind]
    step = f"%%step make\n{maker}"
    for _ in range(2):
        ran = notebook.run(before, step)[-1]
        assert ran.status == "completed"
        assert f"not cacheable: {why}" in ran.displays[-1]["data"]["text/plain"]
        notebook.restart()


EFFECTS = {
    "writes a file": "v = (n for n in range(3))\nopen('b.txt', 'w').close()",
    "appends to a file": "v = (n for n in range(3))\nwith open('a.txt', 'a') as f:\n    f.write('x')",
    "draws without a seed": "import random\nv = iter([random.random()].__iter__, None)\nw = (n for n in 'ab')",
    "asks the time": "import time\nv = (n for n in [time.time()])",
    "asks the time of day": "from datetime import datetime\nv = (n for n in [datetime.now()])",
    "makes a random name": "import uuid\nv = (n for n in [uuid.uuid4()])",
    "registers something": "import csv\ncsv.register_dialect('wide', delimiter=';')\nv = (n for n in 'ab')",
    "sets a variable of the environment": "import os\nos.environ['A_B'] = '1'\nv = (n for n in 'ab')",
    "starts a thread": (
        "import threading\n"
        "v = threading.Thread(target=threading.Event().wait, args=(30,), daemon=True)\nv.start()"
    ),
    "starts a thread that keeps a result": (
        "import threading\nv = threading.Thread(target=len, args=('a',))\nv.start()\nv.join()\nv.result = 1"
    ),
    "runs a program": "import subprocess\nv = subprocess.Popen(['true'])\nv.wait()",
    "opens a socket": "import socket\nv = socket.socket()\nv.close()",
    "holds a secret": "api_key = 'c4nary-7f3a'\nv = (n for n in 'ab')",
    "sets a context variable": "import contextvars\nv = contextvars.ContextVar('x')\nv.set(3)",
    "maps memory": "import mmap\nv = mmap.mmap(-1, 10)",
    "says no": "v = (n for n in 'ab')",
}


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("kind", EFFECTS)
def test_a_step_with_effects_is_not_run_twice(notebook: Notebook, kind: str) -> None:
    step = f"%%step make{' --no-cache' if kind == 'says no' else ''}\n{EFFECTS[kind]}"
    for _ in range(2):
        assert notebook.run(step)[0].status == "completed"
        close(notebook)
        notebook.restart()


FINISHED = {
    "progress bar": (
        "from tqdm import tqdm\nv = tqdm(range(4), desc='a')\nfor k in v:\n    pass",
        "got = (v.n, v.total, v.desc)",
    ),
    "progress bar of the notebook's kind": (
        "from tqdm.auto import tqdm\nwith tqdm(total=4) as v:\n    v.update(4)",
        "got = (v.n, v.total, type(v).__name__, str(v)[:4], v.update(), v.close(), v.refresh())",
    ),
    "progress bar over again": (
        "from tqdm import tqdm\nv = tqdm(range(2))\nfor k in v:\n    pass",
        "got = list(v)",
    ),
    "progress bar with widgets": (
        "from tqdm.notebook import tqdm\nv = tqdm(['a'], desc='c')\nfor k in v:\n    pass",
        "got = (v.n, v.total, v.desc, v.update(), v.close(), str(v)[:8])",
    ),
    "progress bar over an input": (
        "from tqdm import tqdm\nv = tqdm(items)\nfor k in v:\n    pass",
        "got = (v.n, v.total)",
    ),
    "pool": (
        f"{POOL}\nwith ThreadPoolExecutor(2) as v:\n    k = [*v.map(len, 'ab')]",
        "try:\n    v.submit(len, 'a')\nexcept RuntimeError as error:\n    got = str(error)",
    ),
    "file": ("with open('a.txt') as v:\n    text = v.read()", "got = (v.closed, v.name)"),
    "threads": (
        (
            "import threading as t\nv = [t.Thread(target=len, args='a', name=n) for n in 'xy']\n"
            "for k in v:\n    k.start()\n    k.join()"
        ),
        "got = (k is v[1], [(e.name, e.daemon, e.is_alive(), e.join(), e._started.is_set()) for e in v])",
    ),
}


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("kind", FINISHED)
def test_what_is_finished_is_stored(notebook: Notebook, kind: str) -> None:
    maker, reader = FINISHED[kind]
    if "tqdm" in maker:
        pytest.importorskip("tqdm")
    wanted = plain(notebook, "items = [1, 2]", maker, reader)
    cells = [f"%%step make\n{maker}", f"%%step read\n{reader}"]
    notebook.run("items = [1, 2]")
    notebook.run(*cells)
    notebook.restart()
    ran = notebook.run("items = [1, 2]", *cells)[1:]
    assert [each.status for each in ran] == ["cached", "cached"]
    assert "items" not in ran[0].outputs
    assert not pending(notebook)
    ran = notebook.run(reader)
    assert not notes(ran[0])
    assert repr(notebook.ns["got"]) == wanted
