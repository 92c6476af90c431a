"""A cell that is interrupted anywhere in zennb's own code has bound everything or nothing, and the next one works."""

from __future__ import annotations

import os
import signal
import sys
from _thread import get_ident
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from tests.interrupted import InterruptedAt, InterruptedAtEnd, lines_of
from zennb import api, with_blocks
from zennb.core.records.records import Status
from zennb.digests import digest
from zennb.engine.environment import evaluated_code
from zennb.engine.environment.callers import INSIDE
from zennb.engine.step import streams

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

RECURSION = sys.getrecursionlimit()
POINTS = 30
"""Moments per kind of cell, spread evenly over its lines."""

BINDING = ("restoring.py", "lazy_outputs.py", "variable_tracker.py")
"""Where outputs are bound: few of the lines, and the ones that count."""

CODED = (
    "%%step coded\n"
    "import os\n"
    "os.environ['CODED'] = '{v}'\n"
    "class Box:\n    v = {v}\n"
    "def made():\n    return {v}\n"
    "box = Box()\n"
    "one, two = {v}, [{v}]\n"
    "gone = {v}\n"
    "del gone"
)
LARGE = "%%step large\nimport numpy as np\nfar, away = np.full(50_000, {v}), np.full(40_000, {v})\nnear = {v}"


def held(notebook: Notebook) -> dict[str, Any]:
    """Return the variant of each variable that the cells bind; large ones are loaded for that."""
    session = notebook.shell.zennb_step
    session.load(session.lazy_outputs.names)
    read: dict[str, Any] = {
        "Box": lambda found: found.v,
        "made": lambda found: found(),
        "box": lambda found: found.v,
        "two": lambda found: found[0],
        "far": lambda found: int(found[0]),
        "away": lambda found: int(found[0]),
    }
    names = ("Box", "made", "box", "one", "two", "gone", "far", "away", "near")
    return {
        name: read.get(name, lambda found: found)(notebook.ns[name]) for name in names if name in notebook.ns
    }


def check_shell(notebook: Notebook) -> None:
    session = notebook.shell.zennb_step
    assert notebook.shell.user_ns is session.namespace
    assert session.depth == 0
    assert api.workspace().metadata.runs(status=Status.RUNNING) == []
    (ran,) = notebook.run("print('here')")
    assert ran.out == "here\n"
    assert sys.getrecursionlimit() == RECURSION
    assert not getattr(INSIDE, "busy", False), "what this thread reads is not traced"
    assert (streams._installed, with_blocks._open.get(get_ident(), []), digest._visits.get()) == (
        {},
        [],
        None,
    )
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def moments(lines: int) -> list[int]:
    """Return lines from the first to some behind the last: a cell runs a few more when many ran before it."""
    return [1 + lines * point * 9 // (POINTS * 8) for point in range(POINTS)]


@pytest.mark.parametrize("within", [("",), BINDING], ids=["anywhere", "while-binding"])
@pytest.mark.parametrize("cell", [CODED, LARGE], ids=["definitions", "large"])
def test_reuse_that_is_interrupted_has_bound_everything_or_nothing(
    notebook: Notebook, cell: str, within: tuple[str, ...]
) -> None:
    first, second = cell.format(v=1), cell.format(v=2)
    notebook.run(first, second)
    count = lines_of(lambda: notebook.run(first), within=within)
    ends = set()
    for moment in moments(count):
        (ran,) = notebook.run(second)
        assert ran.status == "cached", (moment, ran.reason)
        before = held(notebook)
        with suppress(KeyboardInterrupt), InterruptedAt(moment, within=within):
            notebook.cell(first)
        after = held(notebook)
        assert (set(before.values()), after.keys()) == ({2}, before.keys())
        assert set(after.values()) in ({1}, {2}), (moment, after)
        assert cell is LARGE or {int(os.environ["CODED"])} == set(after.values()), (moment, after)
        ends |= set(after.values())
        check_shell(notebook)
    assert ends == {1, 2}


def test_a_step_that_is_interrupted_while_it_is_stored_has_bound_everything_or_nothing(
    notebook: Notebook,
) -> None:
    notebook.run(CODED.format(v=1))
    count = lines_of(lambda: notebook.run(CODED.format(v=2)))
    known = 2
    for variant, moment in enumerate(moments(count), start=3):
        with suppress(KeyboardInterrupt), InterruptedAt(moment):
            notebook.cell(CODED.format(v=variant))
        after = set(held(notebook).values())
        assert after in ({variant}, {known}), (moment, held(notebook))
        (known,) = after
        check_shell(notebook)


def test_what_a_step_reads_is_noticed_after_an_interrupt_while_that_is_noticed(notebook: Notebook) -> None:
    cell = (
        "%%step reads\nfrom pathlib import Path\ntext = Path('a.txt').read_text()\nos.environ['CODED'] = '1'"
    )
    within = ("callers.py", "access_tracer.py", "active_tracers.py", "named_paths.py")
    Path("a.txt").write_text("0")
    notebook.run("import os")
    count = lines_of(lambda: notebook.run(f"{cell}\n_ = 0"), within=within)
    for number, moment in enumerate(moments(count), start=1):
        with suppress(KeyboardInterrupt), InterruptedAt(moment, within=within):
            notebook.cell(f"{cell}\n_ = {number}")
        notebook.run(cell)
        Path("a.txt").write_text(str(number))
        os.environ["CODED"] = "2"
        (again,) = notebook.run(cell)
        assert again.reason == "a.txt changed", moment
        (third,) = notebook.run(cell)
        assert third.status == "cached", (moment, third.reason)


def test_a_pipeline_run_that_is_interrupted_has_bound_everything_or_nothing(notebook: Notebook) -> None:
    notebook.run("v = 1", "%%step a\nseed, first = v, [v]", "%%step b\nsecond = [seed]\nthird = seed")

    def values() -> set[int]:
        return {notebook.ns["seed"], *notebook.ns["first"], *notebook.ns["second"], notebook.ns["third"]}

    count = lines_of(lambda: notebook.run("v = 2", "%pipeline run"))
    known = 2
    for variant, moment in enumerate(moments(count), start=3):
        notebook.run(f"v = {variant}")
        with suppress(KeyboardInterrupt), InterruptedAt(moment):
            notebook.cell("%pipeline run")
        assert values() in ({variant}, {known}), (moment, values())
        (known,) = values()
        check_shell(notebook)


ENDING = {
    "a step": ["%%step coded\nimport os\none, two = {v}, [{v}]"],
    "reuse": ["%%step coded\none, two = {w}, [{w}]"],
    "a load": ["%%step large\nimport numpy as np\nfar = np.full(50_000, {w})", "got = far[0]"],
    "a pipeline run": ["v = {v}", "%pipeline run"],
    "a status": ["%pipeline status"],
    "an evaluation": ["%%step evaluated\nfound = eval('{v} + v')"],
    "a question about a file": ["%%step asks\nimport os\nfound, there = {v}, os.path.exists('a.txt')"],
}
"""Cells, of which the last one is interrupted; `v` is new each time, `w` is 1 and 2 in turn."""


@pytest.mark.parametrize("begins", [False, True], ids=["on the way out", "on the way in"])
@pytest.mark.parametrize("cells", ENDING.values(), ids=ENDING)
def test_an_interrupt_at_an_end_of_a_block_leaves_nothing_of_it_in_force(
    notebook: Notebook, cells: list[str], begins: bool
) -> None:
    notebook.run("v = 1", "%%step seen\nseed = [v]")
    for variant in (1, 2):
        notebook.run(*(cell.format(v=variant, w=variant) for cell in cells))
    *before, last = cells
    with InterruptedAtEnd(begins=begins) as counted:
        notebook.cell(last.format(v=3, w=1))
    for number, moment in enumerate(moments(counted.ends), start=4):
        which = {"v": number, "w": 1 + number % 2}
        notebook.run(*(cell.format(**which) for cell in before))
        with suppress(KeyboardInterrupt), InterruptedAtEnd(moment, begins=begins):
            notebook.cell(last.format(**which))
        check_shell(notebook)
        assert type(sys.modules["__main__"]) is ModuleType, moment  # nobody records what is read of it
        assert not evaluated_code._active, moment


def test_a_step_that_goes_on_after_an_interrupt_is_traced_further(notebook: Notebook) -> None:
    cell = (
        "%%step asks\nimport os\nfrom tests.interrupted import InterruptedAtEnd\n"
        "try:\n    with InterruptedAtEnd({at}):\n        _seen = os.path.exists('other.txt')\n"
        "except KeyboardInterrupt as error:\n    _kept = error\n"
        "there = os.path.exists(chr(97) + chr(46) + 'txt')"
    )
    for moment in range(1, 6):
        assert [ran.status for ran in notebook.run(*[cell.format(at=moment)] * 2)] == ["completed", "cached"]
        Path("a.txt").write_text("")
        (again,) = notebook.run(cell.format(at=moment))
        assert again.status == "completed", moment
        Path("a.txt").unlink()


# Python 3.14 flushes what is collected, and an interrupt in there goes nowhere.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_output_is_shown_again_after_an_interrupt_while_it_is_redirected(notebook: Notebook) -> None:
    within = ("streams.py", "output_capture.py")
    first, second = CODED.format(v=1), CODED.format(v=2)
    notebook.run(first, second)
    for moment in range(1, 1 + min(60, lines_of(lambda: notebook.run(first), within=within))):
        notebook.run(second)
        with suppress(KeyboardInterrupt), InterruptedAt(moment, within=within):
            notebook.cell(first)
        check_shell(notebook)
