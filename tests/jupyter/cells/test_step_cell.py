"""Step cells in a real shell: what they bind, when they run again, what reuse brings back."""

from __future__ import annotations

import logging
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook
    from zennb.core.records.records import Artifact


def step(text: str, line: str = "") -> str:
    return f"%%step {line}\n" + textwrap.dedent(text).strip("\n")


def test_a_step_runs_once_and_is_taken_over_after_a_restart(notebook: Notebook) -> None:
    (first,) = notebook.run(step("x = [1, 2, 3]\nprint('made')\nlen(x)", "make"))
    assert (first.status, first.reason, first.outputs) == ("completed", "first run", ["x"])
    assert "made" in first.out
    assert "3" in first.out
    notebook.restart()
    (again,) = notebook.run(step("x = [1, 2, 3]\nprint('made')\nlen(x)", "make"))
    assert again.status == "cached"
    assert "same code and inputs as run 1" in again.reason
    assert notebook.ns["x"] == [1, 2, 3]
    assert again.out.replace("Out[1]", "") == first.out.replace("Out[1]", "")


def test_the_trailing_value_is_the_cells_result(notebook: Notebook) -> None:
    (ran,) = notebook.run(step("a = 20\na + 1"))
    assert ran.result == 21
    (quiet,) = notebook.run(step("a = 20\na + 2;"))
    assert "22" not in quiet.out
    (loud,) = notebook.run(step("a = 20\na + 2"))
    assert "22" in loud.out


def test_comments_and_layout_do_not_matter_but_code_does(notebook: Notebook) -> None:
    notebook.run(step("x = 1", "s"))
    (same,) = notebook.run(step("# a remark\nx  =  (1)", "s"))
    assert same.status == "cached"
    (other,) = notebook.run(step("x = 2", "s"))
    assert (other.status, other.reason) == ("completed", "its code changed")


def test_a_helper_edited_in_another_cell_runs_only_what_reaches_it(notebook: Notebook) -> None:
    helpers = "def inner(v): return v + 1\ndef clean(v): return inner(v) * 2"
    cells = [step("a = clean(3)", "uses"), step("b = 10", "other")]
    notebook.run(helpers, *cells)
    notebook.run(helpers.replace("+ 1", "+ 5"))
    uses, other = notebook.run(*cells)
    assert (uses.status, other.status) == ("completed", "cached")
    assert uses.reason == "function `inner` changed"
    assert notebook.ns["a"] == 16


EDITS = {
    "a method of a notebook class": (
        "class M:\n    def f(self): return 1\nm = M()",
        "class M:\n    def f(self): return 2\nm = M()",
        "r = m.f()",
        (1, 2),
    ),
    "a global constant": ("K = 3", "K = 4", "r = K * 2", (6, 8)),
    "a constant read by a helper": (
        "K = 3\ndef h(): return K",
        "K = 4\ndef h(): return K",
        "r = h()",
        (3, 4),
    ),
    "a nested helper": (
        "def outer():\n    def deep(): return 1\n    return deep()",
        "def outer():\n    def deep(): return 9\n    return deep()",
        "r = outer()",
        (1, 9),
    ),
    "a decorator": (
        "def deco(f):\n    return lambda *a: f(*a) + 1\n@deco\ndef g(x): return x",
        "def deco(f):\n    return lambda *a: f(*a) + 2\n@deco\ndef g(x): return x",
        "r = g(1)",
        (2, 3),
    ),
    "a lambda": ("f = lambda x: x + 1", "f = lambda x: x + 2", "r = f(1)", (2, 3)),
    "a default argument": ("def f(x=1): return x", "def f(x=2): return x", "r = f()", (1, 2)),
    "a default taken from a constant": (
        "N = 1\ndef f(x=N): return x",
        "N = 2\ndef f(x=N): return x",
        "r = f()",
        (1, 2),
    ),
    "an alias of a function": ("def f(): return 1\ng = f", "def f(): return 2\ng = f", "r = g()", (1, 2)),
    "a partial": (
        "from functools import partial\ndef f(a, b): return a + b\np = partial(f, 1)",
        "from functools import partial\ndef f(a, b): return a - b\np = partial(f, 1)",
        "r = p(2)",
        (3, -1),
    ),
    "a dispatch dict": (
        "def f(): return 1\ntable = {'f': f, 'g': lambda: 2}",
        "def f(): return 1\ntable = {'f': f, 'g': lambda: 3}",
        "r = table['g']()",
        (2, 3),
    ),
    "an import alias pointed elsewhere": (
        "import math as m",
        "import cmath as m",
        "r = m.sqrt(4)",
        (2.0, 2 + 0j),
    ),
    "a monkeypatched attribute": (
        "class C: rate = 1\nC.rate = 2",
        "class C: rate = 1\nC.rate = 3",
        "r = C.rate",
        (2, 3),
    ),
}


@pytest.mark.parametrize(("before", "after", "cell", "values"), EDITS.values(), ids=EDITS)
def test_what_a_step_reaches_counts(
    notebook: Notebook, before: str, after: str, cell: str, values: tuple[object, object]
) -> None:
    notebook.run(before)
    (first,) = notebook.run(step(cell, "s"))
    assert (first.status, notebook.ns["r"]) == ("completed", values[0])
    notebook.run(before)
    (same,) = notebook.run(step(cell, "s"))
    assert (same.status, notebook.ns["r"]) == ("cached", values[0])
    notebook.run(after)
    (other,) = notebook.run(step(cell, "s"))
    assert (other.status, notebook.ns["r"]) == ("completed", values[1]), other.reason
    notebook.restart()
    notebook.run(after)
    (again,) = notebook.run(step(cell, "s"))
    assert (again.status, notebook.ns["r"]) == ("cached", values[1]), again.reason


BINDINGS = {
    "for loop": ("for i in range(3): total = i", {"i": 2, "total": 2}),
    "comprehension variable": ("squares = [n * n for n in range(3)]", {"squares": [0, 1, 4]}),
    "walrus": ("if (n := 5) > 3: big = True", {"n": 5, "big": True}),
    "with": ("import io\nwith io.StringIO('a') as f: text = f.read()\ndel f", {"text": "a"}),
    "except as": ("try: 1 / 0\nexcept ZeroDivisionError as e: said = str(e)", {"said": "division by zero"}),
    "match": ("match [1, 2]:\n    case [a, *rest]: pass", {"a": 1, "rest": [2]}),
    "augmented": ("t = 1\nt += 2", {"t": 3}),
    "subscript": ("d = {}\nd['k'] = 1", {"d": {"k": 1}}),
    "one branch": ("if True: y = 1\nelse: z = 2", {"y": 1}),
    "star import": ("from math import *\nr = floor(pi)", {"r": 3}),
    "top-level await": ("import asyncio\nv = await asyncio.sleep(0, 7)", {"v": 7}),
    "time line": ("%time q = sum([1, 2])", {"q": 3}),
    "private names stay the step's own": ("_tmp = 4\nshown = _tmp + 1", {"shown": 5}),
    "unpacking": ("(p, (q, *r)), s = (1, (2, 3, 4)), 5", {"p": 1, "q": 2, "r": [3, 4], "s": 5}),
}


@pytest.mark.parametrize(("cell", "bound"), BINDINGS.values(), ids=BINDINGS)
def test_the_right_names_are_bound_and_come_back(
    notebook: Notebook, cell: str, bound: dict[str, object]
) -> None:
    (first,) = notebook.run(step(cell, "s"))
    assert first.status == "completed"
    assert sorted(first.outputs) == sorted(bound)
    assert {name: notebook.ns[name] for name in bound} == bound
    notebook.restart()
    (again,) = notebook.run(step(cell, "s"))
    assert again.status == "cached", again.reason
    assert {name: notebook.ns[name] for name in bound} == bound


def test_a_name_that_the_branch_not_taken_would_bind_is_left_alone(notebook: Notebook) -> None:
    notebook.run("y = 'mine'", step("if False: y = 'other'\nx = 1", "s"))
    assert notebook.ns["y"] == "mine"
    notebook.restart()
    _, again = notebook.run("y = 'still mine'", step("if False: y = 'other'\nx = 1", "s"))
    assert (again.status, notebook.ns["y"]) == ("cached", "still mine")


def test_deleted_names_are_deleted_again_on_reuse(notebook: Notebook) -> None:
    notebook.run("tmp = 1", step("kept = tmp\ndel tmp", "s"))
    assert "tmp" not in notebook.ns
    notebook.restart()
    _, again = notebook.run("tmp = 1", step("kept = tmp\ndel tmp", "s"))
    assert again.status == "cached"
    assert "tmp" not in notebook.ns


def test_imports_functions_and_classes_are_executed_again(notebook: Notebook) -> None:
    cell = step(
        "import json\nfrom math import pi\nclass P:\n    v = 2\ndef f(x): return json.dumps([x, P.v])\ng = f\np = P()"
    )
    notebook.run(cell)
    notebook.restart()
    (again,) = notebook.run(cell)
    assert again.status == "cached", again.reason
    assert notebook.ns["g"](1) == "[1, 2]"
    assert type(notebook.ns["p"]) is notebook.ns["P"]
    assert notebook.ns["pi"] == pytest.approx(3.14159, abs=1e-4)


def test_a_function_that_writes_a_global_makes_it_an_output(notebook: Notebook) -> None:
    notebook.run("n = 1\ndef bump():\n    global n\n    n += 1")
    (ran,) = notebook.run(step("bump()\nr = n", "s"))
    assert sorted(ran.outputs) == ["n", "r"]
    notebook.restart()
    notebook.run("n = 1\ndef bump():\n    global n\n    n += 1")
    (again,) = notebook.run(step("bump()\nr = n", "s"))
    assert (again.status, notebook.ns["n"], notebook.ns["r"]) == ("cached", 2, 2)


def test_names_in_shell_lines_are_inputs(notebook: Notebook) -> None:
    notebook.run("word = 'one'")
    (first,) = notebook.run(step("out = !echo {word}\ntext = out[0]", "s"))
    assert notebook.ns["text"] == "one"
    notebook.run("word = 'two'")
    (second,) = notebook.run(step("out = !echo {word}\ntext = out[0]", "s"))
    assert (second.status, second.reason, notebook.ns["text"]) == ("completed", "input `word` changed", "two")
    assert first.status == "completed"


def test_a_name_the_cell_binds_before_it_reads_it_is_no_input_on_the_second_run(notebook: Notebook) -> None:
    cell = step("xs = [3, 1, 2]\nfor x in xs: best = x\nbest", "s")
    notebook.run(cell)
    assert notebook.run(cell)[0].status == "cached"
    loop = step("for n in items: last = n\nsaid = last", "loop")
    notebook.run("items = [1, 2]", loop)
    assert notebook.ns["said"] == 2
    notebook.run("items = []\nlast = 7", loop)
    assert notebook.ns["said"] == 7
    notebook.run("last = 8", loop)
    assert notebook.ns["said"] == 8
    (again,) = notebook.run(loop)
    assert again.status == "cached"
    assert notebook.ns["said"] == 8


def test_a_step_that_changes_a_class_runs_every_time(notebook: Notebook) -> None:
    notebook.run("class A:\n    n = 0\n    def go(self):\n        A.n += 1\n        return A.n\na = A()")
    first, through = notebook.run(step("A.n = 10", "set"), step("q = a.go()", "through"))
    for ran in (first, through):
        assert "modifies class `A`" in str(ran.displays[-1]["data"]["text/plain"])
    assert notebook.ns["q"] == 11
    notebook.restart()
    notebook.run("class A:\n    n = 0\n    def go(self):\n        A.n += 1\n        return A.n\na = A()")
    notebook.run(step("A.n = 10", "set"), step("q = a.go()", "through"))
    assert notebook.ns["q"] == 11


@pytest.mark.parametrize(
    ("cell", "setting", "check"),
    [
        (
            "import logging\nlogging.raiseExceptions = False",
            "logging.raiseExceptions",
            "logging.raiseExceptions",
        ),
        ("class A:\n    n = 0\nA.n = 5", "A.n", "A.n"),
        ("class B:\n    n = 0\n    @classmethod\n    def up(cls): cls.n += 1\nB.up()", "cls.n", "B.n"),
    ],
)
def test_settings_that_no_output_holds_are_made_again(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch, cell: str, setting: str, check: str
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", True)
    (first,) = notebook.run(step(cell, "s"))
    assert f"it sets `{setting}`" in str(first.displays[-1]["data"]["text/plain"])
    value = eval(check, notebook.ns)
    notebook.restart()
    logging.raiseExceptions = True
    (again,) = notebook.run(step(cell, "s"))
    assert again.status == "completed"
    assert eval(check, notebook.ns) == value


# Changes in place


def test_an_input_changed_in_place_is_an_output_and_the_earlier_version_stays(notebook: Notebook) -> None:
    notebook.run(step("import numpy as np\nx = np.zeros(5)", "make"))
    (changed,) = notebook.run(step("x[0] = 7", "change"))
    assert changed.outputs == ["x"]
    (reader,) = notebook.run(step("total = float(x.sum())", "read"))
    assert reader.outputs == ["total"]
    notebook.restart()
    ran = notebook.run(
        step("import numpy as np\nx = np.zeros(5)", "make"),
        step("x[0] = 7", "change"),
        step("total = float(x.sum())", "read"),
    )
    assert [r.status for r in ran] == ["cached"] * 3, [r.reason for r in ran]
    assert notebook.ns["total"] == 7.0
    assert notebook.ns["x"].tolist() == [7, 0, 0, 0, 0]
    history = api_history("x")
    assert [a.version for a in history] == [2, 1]


def api_history(name: str) -> list[Artifact]:
    from zennb import api

    return list(api.workspace().metadata.history(name))


def test_what_a_plain_cell_changed_is_an_input_of_its_own(notebook: Notebook) -> None:
    notebook.run(step("xs = [1]", "make"), "xs.append(2)")
    (ran,) = notebook.run(step("n = len(xs)", "count"))
    assert notebook.ns["n"] == 2
    notebook.restart()
    ran1, _, ran2 = notebook.run(step("xs = [1]", "make"), "xs.append(2)", step("n = len(xs)", "count"))
    assert (ran1.status, ran2.status, notebook.ns["n"]) == ("cached", "cached", 2)
    notebook.restart()
    _, _, ran3 = notebook.run(step("xs = [1]", "make"), "xs.append(3)", step("n = len(xs)", "count"))
    assert (ran3.status, ran3.reason) == ("completed", "input `xs` changed")
    assert ran.status == "completed"


def test_equal_bytes_made_again_do_not_disturb_what_follows(notebook: Notebook) -> None:
    notebook.run(step("x = [1, 2]", "make"), step("y = sum(x)", "use"))
    make, use = notebook.run(step("x = [1] + [2]", "make"), step("y = sum(x)", "use"))
    assert (make.status, use.status) == ("completed", "cached")


def test_names_that_share_state_come_back_sharing_it(notebook: Notebook) -> None:
    cell = step("a = [1]\nb = a\nc = {'a': a}", "s")
    notebook.run(cell)
    notebook.restart()
    (again,) = notebook.run(cell)
    assert again.status == "cached"
    assert notebook.ns["b"] is notebook.ns["a"]
    assert notebook.ns["c"]["a"] is notebook.ns["a"]


def test_an_alias_made_in_a_later_step_still_is_one_after_reuse(notebook: Notebook) -> None:
    cells = [step("a = [1]", "make"), step("b = a", "alias")]
    notebook.run(*cells)
    notebook.restart()
    ran = notebook.run(*cells, "b.append(2)")
    assert [each.status for each in ran[:2]] == ["cached", "cached"]
    assert notebook.ns["a"] == [1, 2]


def test_the_steps_own_names_are_gone_after_every_run_of_it(notebook: Notebook) -> None:
    notebook.run("_mine = 'before'")
    cell = step("_half = 2\n_mine = 3\nrest = 4\nwhole = _half * _mine", "s -o whole")
    for _ in range(2):
        notebook.run(cell)
        assert notebook.ns["whole"] == 6
        assert {"_half", "rest"}.isdisjoint(notebook.ns)
        assert notebook.ns["_mine"] == "before"


def test_a_change_through_another_name_is_seen_cold_and_reused(notebook: Notebook) -> None:
    cells = [
        step("import numpy as np\na = [1]\nb = a\narr = np.arange(6)\nview = arr[2:4]", "make"),
        step("b.append(2)\nview[0] = 99", "change"),
        step("arr[3] = 77", "again"),
        step("said = (a, b, a is b, arr.tolist(), view.tolist())", "look"),
    ]
    notebook.run(*cells)
    expected = ([1, 2], [1, 2], True, [0, 1, 99, 77, 4, 5], [99, 77])
    assert notebook.ns["said"] == expected
    notebook.restart()
    ran = notebook.run(*cells)
    assert [each.status for each in ran] == ["cached"] * 4, [each.reason for each in ran]
    assert notebook.ns["said"] == expected
    notebook.run("view[1] = 5\na.append(3)")
    assert (int(notebook.ns["arr"][3]), notebook.ns["b"]) == (5, [1, 2, 3])
    notebook.restart()
    notebook.run(cells[0], step("view[0] = 1", "other"))
    assert int(notebook.ns["arr"][2]) == 1


def test_what_shares_state_only_through_another_variable_still_does_after_reuse(notebook: Notebook) -> None:
    cells = [
        step("data = {'rows': [1]}", "a"),
        step("model = {'rows': data['rows'], 'fit': [0]}", "b"),
        step("size = len(data)\nfit = model['fit']", "c"),  # `data` shares with `model`, `model` with `fit`
        step("size + len(fit)", "d"),
    ]
    notebook.run(*cells)
    notebook.restart()
    assert [ran.status for ran in notebook.run(*cells)] == ["cached"] * 4
    notebook.run("fit.append(1)\ndata['rows'].append(2)")
    assert notebook.ns["model"] == {"rows": [1, 2], "fit": [0, 1]}


@pytest.mark.filterwarnings("always::SyntaxWarning")
def test_the_compiler_warns_of_a_reused_cell_as_often_as_of_a_plain_one(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warnings.showwarning", lambda *said, **_: sys.stderr.write(f"{said[0]}\n"))
    code = "def same(): return 1 is 1\nvalue = same()"
    ran = [notebook.cell(code), *(notebook.cell(f"%%step\n{code}") for _ in range(2))]
    assert ran[2].status == "cached"
    assert len({each.err.count('"is" with') for each in ran}) == 1, [each.err for each in ran]
