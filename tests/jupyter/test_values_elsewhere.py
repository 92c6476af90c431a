"""Values that stand for something elsewhere, in another process or in a file: their content is not in the notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

ELSEWHERE = {
    "shared memory": (
        "from multiprocessing import shared_memory\nheld = shared_memory.SharedMemory(create=True, size=4)",
        "held.buf[0] = {}",
        "int(held.buf[0])",
        "held.close(); held.unlink()",
    ),
    "a list in shared memory": (
        "from multiprocessing import shared_memory\nheld = shared_memory.ShareableList([0])",
        "held[0] = {}",
        "held[0]",
        "held.shm.close(); held.shm.unlink()",
    ),
    "a dictionary of another process": (
        "import multiprocessing\nmanager = multiprocessing.Manager()\nheld = manager.dict()",
        "held['a'] = {}",
        "held['a']",
        "manager.shutdown()",
    ),
    "a cache on disk": (
        "import diskcache\nheld = diskcache.Cache('cached')",
        "held['a'] = {}",
        "held['a']",
        "held.close()",
    ),
}


@pytest.mark.parametrize(("make", "change", "look", "end"), ELSEWHERE.values(), ids=ELSEWHERE)
def test_a_step_that_reads_it_sees_what_is_there_now(
    notebook: Notebook, make: str, change: str, look: str, end: str
) -> None:
    notebook.run(make, change.format(1))
    try:
        for value in (1, 2):
            notebook.run(change.format(value), f"%%step look\nseen = {look}")
            assert notebook.ns["seen"] == value
        notebook.run(
            f"%%step change\n{change.format(3)}", change.format(4), f"%%step change\n{change.format(3)}"
        )
        assert notebook.run(look)[0].result == 3
    finally:
        notebook.run(end)


WEAK = {
    "a reference": ("w = weakref.ref(a)", "w().v"),
    "a proxy": ("w = weakref.proxy(a)", "w.v"),
    "a dictionary": ("w = weakref.WeakValueDictionary(a=a)", "w['a'].v"),
    "a set": ("w = weakref.WeakSet([a])", "[each.v for each in w][0]"),
    "keys": ("w = weakref.WeakKeyDictionary({a: 1})", "[each.v for each in w][0]"),
    "inside a list": ("w = [weakref.ref(a)]", "w[0]().v"),
    "of an object": ("w = A()\nw.other = weakref.ref(a)", "w.other().v"),
    "to a part": ("w = [weakref.ref(a.part)]", "(w[0]() is a.part) and a.v"),
}


@pytest.mark.parametrize(("refer", "look"), WEAK.values(), ids=WEAK)
def test_what_refers_weakly_to_a_changed_value_refers_to_it_after_reuse(
    notebook: Notebook, refer: str, look: str
) -> None:
    cells = [
        f"import weakref\nclass A: pass\na = A()\na.part = A()\n{refer}",
        "%%step change\na.v = 4",
    ]
    for _ in range(2):
        _, changed = notebook.run(*cells)
        assert notebook.run(look)[0].result == 4
        notebook.restart()
    assert changed.reason == "not cacheable: `w` refers weakly to `a`, and reuse would give another one"
