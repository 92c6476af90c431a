"""`from __future__ import annotations` holds for the cells after it, whether they run or are reused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

IMPORT = "%%step first\nfrom __future__ import annotations\nimport dataclasses"

CELLS = {
    "a function": ("def f(x: int) -> Later: return x", "found = str(f.__annotations__)"),
    "a name that is defined later": (
        "class Node:\n    next: Leaf\nclass Leaf: pass",
        "found = str(Node.__annotations__)",
    ),
    "a dataclass": (
        "@dataclasses.dataclass\nclass Card:\n    rank: int = 3",
        "found = str([field.type for field in dataclasses.fields(Card)])",
    ),
    "a variable": ("size: int = 3", "found = str([size])"),
    "a local function": (
        "def outer():\n    def inner(x: Later): return x\n    return inner",
        "found = str(outer().__annotations__)",
    ),
}


@pytest.mark.parametrize(("definition", "look"), CELLS.values(), ids=CELLS)
def test_annotations_stay_text_when_cells_are_reused(definition: str, look: str, notebook: Notebook) -> None:
    cells = [IMPORT, f"%%step define\n{definition}", f"%%step look\n{look}"]
    for cell in (IMPORT.partition("\n")[2], definition, look):
        notebook.run(cell)
    expected = notebook.ns["found"]
    notebook.restart()
    notebook.run(*cells)
    assert notebook.ns["found"] == expected
    notebook.restart()
    ran = notebook.run(*cells)
    assert [each.status for each in ran] == ["cached", "cached", "cached"]
    assert notebook.ns["found"] == expected
    notebook.restart()
    notebook.run(*cells[:2], look)  # a plain cell sees the definition that reuse executed again
    assert notebook.ns["found"] == expected


def test_annotations_are_text_in_cells_that_run_after_the_reused_import(notebook: Notebook) -> None:
    notebook.run(IMPORT)
    notebook.restart()
    first, _, step = notebook.run(
        IMPORT, "def plain(x: Later): return x", "%%step step\ndef made(x: Later): return x"
    )
    assert (first.status, step.status) == ("cached", "completed")
    assert notebook.ns["plain"].__annotations__ == notebook.ns["made"].__annotations__ == {"x": "Later"}


def test_a_step_that_annotates_runs_again_without_the_import(notebook: Notebook) -> None:
    cells = ["def kinds(f): return str(f.__annotations__)", "%%step s\ndef f(x: int): return x\nr = kinds(f)"]
    notebook.run(*cells)
    assert notebook.ns["r"] == "{'x': <class 'int'>}"
    notebook.restart()
    ran = notebook.run(IMPORT, *cells)
    assert notebook.ns["r"] == "{'x': 'int'}", ran[-1].reason
    notebook.restart()
    _, again = notebook.run(*cells)
    assert notebook.ns["r"] == "{'x': <class 'int'>}"
    assert again.status == "cached"


def test_a_pipeline_run_compiles_its_steps_alike(notebook: Notebook) -> None:
    notebook.run(IMPORT, "%%step s\ndef f(x: Later): return x\nr = str(f.__annotations__)")
    notebook.run("%pipeline run --rerun")
    assert notebook.ns["r"] == "{'x': 'Later'}"


FUTURES = {
    "in the middle": (
        "import math\nx = [7 / 2]\nfrom __future__ import division\nimport json\ndef f(a: int):\n    return a"
    ),
    "twice": (
        "from __future__ import division\nimport math\nfrom __future__ import annotations\nimport json\nx = [1]\n"
        "def f(a): pass"
    ),
    "below a docstring": "'''Text.'''\nfrom __future__ import division\nimport math, json\nx = [1]\ndef f(a): pass",
    "with a call between": (
        "import math, json\nimport csv\ncsv.register_dialect('futures', delimiter='|')\n"
        "from __future__ import division\nx = [1]\ndef f(a): pass"
    ),
}


@pytest.mark.parametrize("text", FUTURES.values(), ids=FUTURES)
def test_an_import_from_the_future_may_stand_anywhere_in_a_cell(notebook: Notebook, text: str) -> None:
    look = "print(math.pi, json.dumps(x), f(1))"
    notebook.run(text, look)
    plain = notebook.run(look)[0].out
    for status in ("completed", "cached"):
        notebook.restart()
        assert notebook.run(f"%%step a\n{text}")[0].status == status
        assert notebook.run(look)[0].out == plain
    notebook.run("%pipeline run --rerun")
    assert notebook.run(look)[0].out == plain
