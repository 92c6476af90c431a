"""Notebook code that a library calls, and that changes the notebook: reuse does not lose what it did."""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from zennb.engine.environment.held_by_libraries import HeldByLibraries

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.jupyter.conftest import Notebook

LISTS = """
import logging
lines = []
class Lists(logging.Handler):
    def emit(self, record): lines.append(record.getMessage())
log = logging.getLogger('study')
log.handlers[:] = [Lists()]
"""
OWN = """
import logging
class Owns(logging.Handler):
    def __init__(self):
        super().__init__()
        self.lines = []
    def emit(self, record): self.lines.append(record.getMessage())
log = logging.getLogger('study')
handler = Owns()
log.handlers[:] = [handler]
"""
COUNTS = """
import logging
class Counts(logging.Handler):
    seen = 0
    def __init__(self):
        super().__init__()
        self.count = 0
    def emit(self, record):
        self.count += 1
        Counts.seen += 1
log = logging.getLogger('study')
handler = Counts()
log.handlers[:] = [handler]
"""
KEEPS = """
import collections, io, logging, logging.handlers, queue
import numpy as np
ring = collections.deque(range(1000), maxlen=1000)
many = dict.fromkeys(range(600), 0)
raw = bytearray(1000)
rows = [[0] for _ in range(100)]
line = queue.Queue()
simple = queue.SimpleQueue()
counts = np.zeros(2)
text = io.StringIO()
class Own(logging.Handler):
    n = 1.0
    def emit(self, record, *, sink=[]):
        {emits}
class Counting(logging.Formatter):
    n = 0
    def format(self, record):
        self.n += 1
        return super().format(record)
def calls(*parts):
    calls.n += 1
calls.n = 0
log = logging.getLogger('study')
own = Own()
counting = Counting()
streaming = logging.StreamHandler(io.StringIO())
streaming.setFormatter(counting)
log.handlers[:] = [{handler}]
"""
STREAM = """
import io, logging
buffer = io.StringIO()
log = logging.getLogger('study')
log.handlers[:] = [logging.StreamHandler(buffer)]
"""
FILTER = """
import logging
lines = []
def keep(record):
    lines.append(record.getMessage())
    return False
log = logging.getLogger('study')
log.handlers[:] = [logging.NullHandler()]
log.filters[:] = [keep]
"""
NUMPY = """
import numpy as np
errors = []
np.seterr(all='call')
np.seterrcall(lambda kind, flag: errors.append(kind));
"""
DASK = """
import dask
from dask.callbacks import Callback
tasks = []
class Notes(Callback):
    def _pretask(self, key, dsk, state): tasks.append(key)
notes = Notes()
notes.register()
"""
FILE = """
import logging
from pathlib import Path
log = logging.getLogger('study')
for each in log.handlers:
    each.close()
log.handlers[:] = [logging.FileHandler('study.log', 'w')]
"""
SAYS, DIVIDES = "log.warning('one')", "quotient = np.array([1.0]) / 0"
CASES = {
    "a list of the notebook": (LISTS, SAYS, "lines"),
    "a file": (FILE, SAYS, "Path('study.log').read_text()"),
    "a stream": (STREAM, SAYS, "buffer.getvalue()"),
    "an attribute of a handler": (OWN, SAYS, "handler.lines"),
    "a number in a handler": (COUNTS, SAYS, "handler.count"),
    "a number in the class of a handler": (COUNTS, SAYS, "Counts.seen"),
    "a filter": (FILTER, SAYS, "lines"),
    "errors of NumPy": (NUMPY, DIVIDES, "errors"),
    "tasks of Dask": (DASK, "total = dask.delayed(sum)([1, 2]).compute(scheduler='sync')", "len(tasks)"),
}


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    np.seterrcall(None)
    study = logging.getLogger("study")
    for each in study.handlers:
        each.close()
    study.handlers[:], study.filters[:] = [], []
    if (dask := sys.modules.get("dask.callbacks")) is not None:
        dask.Callback.active.clear()


@pytest.mark.parametrize(("given", "body", "look"), CASES.values(), ids=CASES)
def test_what_a_library_changes_through_the_notebook_is_there_after_reuse(
    notebook: Notebook, given: str, body: str, look: str
) -> None:
    if "dask" in given:
        pytest.importorskip("dask")
    cells = [given, f"%%step s\n{body}", f"seen = {look}"]
    for _ in range(2):
        notebook.run(*cells)
        assert notebook.ns["seen"] in (["one"], "one\n", ["divide by zero"], ["divide"], 1)
        notebook.restart()
    _, again, _ = notebook.run(*cells)
    assert "keeps" in again.reason or again.status == "completed"


@pytest.mark.parametrize(("given", "body", "look"), CASES.values(), ids=CASES)
def test_a_step_that_changes_nothing_through_them_is_reused(
    notebook: Notebook, given: str, body: str, look: str
) -> None:
    if "dask" in given:
        pytest.importorskip("dask")
    cells = [given, "%%step s\nfound = 1 + 1", f"seen = {look}"]
    notebook.run(*cells)
    notebook.restart()
    assert notebook.run(*cells)[1].status == "cached"


KEPT = {
    "a full ring": ("ring.append(record.getMessage())", "own", "ring[-1]"),
    "one of many counts": ("many[3] += 1", "own", "many[3]"),
    "bytes": ("raw[0] += 1", "own", "raw[0]"),
    "a list in a list": ("rows[7][0] += 1", "own", "rows[7]"),
    "a default by keyword": ("sink.append(1)", "own", "Own.emit.__kwdefaults__['sink']"),
    "another kind of number": ("self.n = True", "own", "own.n"),
    "an attribute of a function": ("calls()", "own", "calls.n"),
    "an array": ("counts[0] += 1", "own", "counts.tolist()"),
    "a queue": ("pass", "logging.handlers.QueueHandler(line)", "line.qsize()"),
    "a simple queue": ("simple.put(1)", "own", "simple.qsize()"),
    "a handler behind another": (
        "pass",
        "logging.handlers.MemoryHandler(1, target=logging.StreamHandler(text))",
        "text.getvalue()",
    ),
    "a formatter": ("pass", "streaming", "counting.n"),
}


@pytest.mark.parametrize(("emits", "handler", "look"), KEPT.values(), ids=KEPT)
def test_wherever_it_is_kept_it_is_there_after_reuse(
    notebook: Notebook, emits: str, handler: str, look: str
) -> None:
    cells = [KEEPS.format(emits=emits, handler=handler), f"%%step s\n{SAYS}", f"seen = {look}"]
    notebook.run(*cells)
    plain = notebook.ns["seen"]
    notebook.restart()
    notebook.run(*cells)
    assert (notebook.ns["seen"], type(notebook.ns["seen"])) == (plain, type(plain))


@pytest.mark.parametrize(("emits", "handler", "look"), KEPT.values(), ids=KEPT)
def test_a_step_that_leaves_it_alone_is_reused(
    notebook: Notebook, emits: str, handler: str, look: str
) -> None:
    cells = [KEEPS.format(emits=emits, handler=handler), "%%step s\nfound = 1 + 1", f"seen = {look}"]
    notebook.run(*cells)
    notebook.restart()
    assert notebook.run(*cells)[1].status == "cached"


def test_methods_of_the_user_are_not_called(notebook: Notebook) -> None:
    notebook.run(
        "import io, logging\nclass Raises(io.StringIO):\n    def getvalue(self): raise RuntimeError('no')\n"
        "class Long(dict):\n    def __len__(self): raise RuntimeError('no')\nlong = Long()\n"
        "class Names(logging.Handler):\n    def emit(self, record): long\n"
        "log = logging.getLogger('study')\nlog.handlers[:] = [logging.StreamHandler(Raises()), Names()];"
    )
    (ran,) = notebook.run("%%step s\nfound = 1 + 1")
    assert ran.status == "completed"


def test_an_error_stream_that_was_redirected_to_a_file_is_nobodys_log(tmp_path: Path) -> None:
    """A kernel logs to a copy of the descriptor of its error stream, and others write to that file as well."""
    number = os.open(tmp_path / "jupyter.log", os.O_CREAT | os.O_WRONLY)
    log = logging.getLogger("study")
    with os.fdopen(number, "w") as stream:
        log.addHandler(logging.StreamHandler(stream))
        log.addHandler(logging.FileHandler(tmp_path / "study.log"))
        held = HeldByLibraries()
        os.write(number, b"from another process")
        assert held.changed([]) == []
        log.warning("one")
        assert held.changed([]) == ["it changes what a handler of logging keeps"]
