"""Objects whose class belongs to the module `types`, as `SimpleNamespace`, are data as others are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

MADE = "import dataclasses\nRecord = dataclasses.make_dataclass('Record', [('n', int)])\nkept = Record(2)"
CASES: dict[str, tuple[str, str, str]] = {
    "in a list": ("kept = types.SimpleNamespace(n=1)", "r = [kept]", "r[0] is kept"),
    "changed": ("kept = types.SimpleNamespace(n=1)", "kept.n = 5", "kept.n"),
    "changed inside": (
        "kept = types.SimpleNamespace(sub=types.SimpleNamespace(k=[1]))",
        "kept.sub.k.append(2)\nz = kept.sub",
        "(kept.sub.k, kept.sub is z)",
    ),
    "changed by a function": (
        "kept = types.SimpleNamespace(n=1)\ndef grow():\n    kept.n += 1\n    return kept.n",
        "y = grow()",
        "(y, kept.n)",
    ),
    "with a function": ("kept = types.SimpleNamespace(f=lambda x: x + 1)", "y = kept.f(2)", "y"),
    "of a class that was made": (
        MADE,
        "kept.n = 3\nr = [kept, Record]",
        "(kept.n, r[0] is kept, r[1] is Record)",
    ),
    "types of types": ("T = list[int]\nU = int | str", "y = (T, U)", "(y[0] == T, y[1] == U, y[1])"),
}


@pytest.mark.parametrize(("made", "body", "look"), CASES.values(), ids=CASES)
def test_they_are_inputs_and_outputs_and_share_what_they_share(
    notebook: Notebook, made: str, body: str, look: str
) -> None:
    notebook.run(f"import types\n{made}", body)
    plain = notebook.cell(look).result
    for step in ("", "%%step made\n"):
        for _ in range(2):
            notebook.restart()
            (*_, ran) = notebook.run("import types", f"{step}{made}", f"%%step body\n{body}")
            assert notebook.cell(look).result == plain
        assert ran.status == "cached"


def test_a_step_runs_again_when_one_of_them_has_changed(notebook: Notebook) -> None:
    notebook.run("import types\nkept = types.SimpleNamespace(n=1)")
    step = "%%step double\ny = kept.n * 2"
    notebook.run(step, "kept.n = 2")
    (again,) = notebook.run(step)
    assert (again.status, again.reason, notebook.ns["y"]) == ("completed", "input `kept` changed", 4)
