"""Notebook code that a library calls, and that changes the notebook: reuse does not lose what it did."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

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
SAYS, DIVIDES = "log.warning('one')", "quotient = np.array([1.0]) / 0"
CASES = {
    "a list of the notebook": (LISTS, SAYS, "lines"),
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
