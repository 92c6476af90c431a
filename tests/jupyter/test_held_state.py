"""What cannot be stored and holds state of an input: it bars reuse only of steps that change the input."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.jupyter.people import People, people

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

__all__ = ["people"]

MAKE = "xs = [1, 2]\nother = [3]"
HOLDERS = {
    "a generator": "def over(rows):\n    for row in rows:\n        yield row\nholder = over(xs)",
    "an object with a lock": (
        "import threading\nclass Kept:\n    pass\nholder = Kept()\nholder.rows, holder.lock = xs, threading.Lock()"
    ),
    "a list of both": "import threading\nholder = [xs, threading.Lock()]",
    "a part of a part": "import threading\nholder = {'a': [threading.Lock(), (xs,)]}",
}
READ = "%%step read\ntotal = sum(xs)"
CHANGE = "%%step change\nxs.append(len(other))"


@pytest.mark.parametrize("holder", HOLDERS.values(), ids=HOLDERS)
def test_a_step_that_only_reads_is_reused_and_one_that_changes_is_not(
    notebook: Notebook, holder: str
) -> None:
    for _ in range(2):
        notebook.run(MAKE, holder)
        (read,) = notebook.run(READ)
        (change,) = notebook.run(CHANGE)
        (held,) = notebook.run("holder_ = list(holder) if hasattr(holder, '__next__') else [holder]\nxs")
        assert held.result == [1, 2, 1]
        assert notebook.ns["total"] == 3
        if hasattr(notebook.ns["holder"], "__next__"):
            assert notebook.ns["holder_"] == [1, 2, 1]
        notebook.restart()
    assert read.status == "cached"
    assert change.status == "completed"
    assert "`holder`, " in change.reason
    assert change.reason.endswith("shares state with `xs`, which it changes")


@pytest.mark.parametrize("holder", HOLDERS.values(), ids=HOLDERS)
def test_results_made_before_there_was_a_holder_do_not_part_it_from_its_input(
    notebook: Notebook, holder: str
) -> None:
    notebook.run(MAKE, CHANGE)
    notebook.restart()
    notebook.run(MAKE, holder)
    (change,) = notebook.run(CHANGE)
    assert change.status == "completed"
    assert change.reason in {"it did not bind `holder`", "function `over` is new", "class `Kept` is new"}
    notebook.run("xs.append(9)")
    (end,) = notebook.run("(list(holder) if hasattr(holder, '__next__') else holder)")
    assert "9" in repr(vars(end.result) if hasattr(end.result, "rows") else end.result)


def test_results_of_others_who_had_no_holder_do_not_part_it_from_its_input(people: People) -> None:
    people.turn("ada").run(MAKE, CHANGE, READ)
    bob = people.turn("bob")
    bob.run(MAKE, HOLDERS["a list of both"])
    (change, read) = bob.run(CHANGE, READ)
    assert bob.ns["holder"][0] is bob.ns["xs"]
    assert (change.status, read.status) == ("completed", "cached")


def test_a_step_that_reads_the_holder_too_runs_each_time(notebook: Notebook) -> None:
    for _ in range(2):
        notebook.run(MAKE, HOLDERS["a generator"])
        notebook.run("def first():\n    return next(holder)")
        (direct,) = notebook.run("%%step a\ny = next(holder) + len(xs)")
        (through,) = notebook.run("%%step b\nz = first() + len(xs)")
        assert (notebook.ns["y"], notebook.ns["z"]) == (3, 4)
        notebook.restart()
    for each in (direct, through):
        assert each.reason.startswith("not cacheable: it reads `holder`")


SHARED: dict[str, tuple[str, str, str]] = {
    "a part": ("xs = [[1], [2]]", "first = xs[0]", "first.append(5)"),
    "the whole": ("xs = [[1], [2]]", "again = xs", "again.append(5)"),
    "a container of it": ("xs = [[1], [2]]", "pair = (xs, 1)", "pair[0].append(5)"),
    "a view": ("import numpy as np\nxs = np.arange(4)", "view = xs[1:]", "view[0] = 9"),
    "an iterator": ("xs = [[1], [2]]", "steps = iter(xs)", "next(steps).append(5)"),
    "a method": ("xs = [[1], [2]]", "add = xs.append", "add(5)"),
    "a rebound name": ("xs = [[1], [2]]", "xs = xs + [[3]]", "xs[0].append(5)"),
    "a changed part": ("xs = [[1], [2]]", "xs[0].append(3)", "xs[0].append(5)"),
    "a changed part of a part": ("xs = [[1], [2]]\nys = [xs]", "ys[0][0].append(3)", "xs[0].append(5)"),
    "a deleted name": ("xs = [[1], [2]]\nys = [xs]", "del xs", "ys[0].append(5)"),
    "a function that changes it": (
        "xs = [[1], [2]]\ndef grow():\n    xs.append([3])",
        "grow()",
        "xs[0].append(5)",
    ),
    "a table": (
        "import pandas as pd\nxs = pd.DataFrame({'a': [1, 2]})",
        "column = xs['a']",
        "xs.loc[0, 'a'] = 9",
    ),
    "a changed table": (
        "import pandas as pd\nxs = pd.DataFrame({'a': [1, 2]})",
        "xs['b'] = 3",
        "xs['c'] = 4",
    ),
}


@pytest.mark.parametrize(("made", "body", "then"), SHARED.values(), ids=SHARED)
def test_whatever_a_step_does_with_the_input_its_holder_goes_on_with_it(
    notebook: Notebook, made: str, body: str, then: str
) -> None:
    look = "held = repr(holder[0])"
    notebook.run(made, "import threading\nholder = [xs, threading.Lock()]", body, then, look)
    plain = notebook.ns["held"]
    for _ in range(2):
        notebook.restart()
        notebook.run(
            made, "import threading\nholder = [xs, threading.Lock()]", f"%%step s\n{body}", then, look
        )
        assert notebook.ns["held"] == plain
    notebook.restart()
    notebook.run(
        made, f"%%step s\n{body}"
    )  # without the holder: what it records is not taken for that with one
    notebook.restart()
    notebook.run(made, "import threading\nholder = [xs, threading.Lock()]", f"%%step s\n{body}", then, look)
    assert notebook.ns["held"] == plain
