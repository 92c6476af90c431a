"""Reading is not making: a cell that only looks through an input makes no new version of it, and runs once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

FRAMES = "import numpy as np\nframes = {'x': np.arange(3), 'y': np.arange(5)}"
LARGE = "import numpy as np\nframes = {'x': np.arange(30_000), 'y': np.arange(5)}"

READS = {
    "items": (FRAMES, "for key, d in frames.items():\n    print(d.shape)", "d is frames['y']"),
    "large": (LARGE, "for key, d in frames.items():\n    print(d.shape)", "d is frames['y']"),
    "values": ("frames = [[1], [2]]", "for d in frames:\n    print(d)", "d is frames[1]"),
    "with a number": (
        "frames = ([1], [2])",
        "for n, d in enumerate(frames):\n    print(n, d)",
        "d is frames[1]",
    ),
    "one of them": (FRAMES, "d = frames['x']\nprint(d)", "d is frames['x']"),
    "deeper": ("frames = {'a': {'b': [[1]]}}", "d = frames['a']['b']\nprint(d)", "d is frames['a']['b']"),
    "two of them": ("frames = {'a': [1], 'b': [2]}", "c, d = frames.values()\nprint(d)", "d is frames['b']"),
    "frames of pandas": (
        "import pandas as pd\nframes = {k: pd.DataFrame({'n': [1, 2]}) for k in 'ab'}",
        "for key, d in frames.items():\n    print(d.shape)",
        "d is frames['b']",
    ),
    "objects": (
        "class Point:\n    def __init__(self, x):\n        self.x = [x]\nframes = [Point(1), Point(2)]",
        "for d in frames:\n    print(d.x)",
        "d is frames[1]",
    ),
    "a view of a part": (FRAMES, "d = frames['x'][1:]\nprint(d)", "np.shares_memory(d, frames['x'])"),
    "a pair": (FRAMES, "for d in frames.items():\n    print(len(d))", "d[1] is frames['y']"),
    "nothing to go through": (
        "frames = {}",
        "for key, d in frames.items():\n    print(d)",
        "len(frames) == 0",
    ),
}
AS_TODAY = {"a view of a part", "a pair"}
"""What is no part itself but shares state with the input is stored with it."""

AFTER = [
    ("total = repr(d), repr(frames)", "total"),
    ("d = None\ntotal = repr(frames)", "total"),
]


def versions(notebook: Notebook, name: str) -> int:
    found = notebook.shell.zennb_step.workspace.metadata.artifact(
        name, notebook=notebook.shell.zennb_step.notebook
    )
    return 0 if found is None else int(found.version)


def truth(notebook: Notebook, *cells: str) -> Any:
    notebook.run(*cells)
    found = repr(notebook.ns["total"])
    notebook.restart()
    return found


@pytest.mark.parametrize("kind", READS)
def test_a_cell_that_looks_through_an_input_runs_once_and_makes_nothing(
    notebook: Notebook, kind: str
) -> None:
    make, read, is_same = READS[kind]
    cells = [f"%%step make\n{make}", f"%%step read\n{read}"]
    first = notebook.run(*cells)[1]
    assert ("frames" in first.outputs) == (kind in AS_TODAY)
    assert versions(notebook, "frames") == (2 if kind in AS_TODAY else 1)
    for _ in range(3):
        for _ in range(2):
            assert [each.status for each in notebook.run(*cells)] == ["cached", "cached"]
            shown = notebook.run("%pipeline status")[0].displays[0]["data"]["text/plain"]
            assert shown.count("fresh") == 2
            assert "cached on stack" in notebook.run("%pipeline run")[0].displays[-1]["data"]["text/plain"]
        notebook.run(f"same = {is_same}")
        assert notebook.ns["same"]
        notebook.restart()


CHANGES = [
    "d.append(9)\ntotal = (d, frames)",
    "frames['b'].append(8)\ntotal = (d, frames)",
    "frames['b'] = [0]\nd.append(1)\ntotal = (d, frames)",
    "frames = {'b': [5]}\nd.append(1)\ntotal = (d, frames)",
    "d = [7]\nframes['b'].append(1)\ntotal = (d, frames)",
    "for key, d in frames.items():\n    d.append(len(key))\ntotal = (d, frames)",
    "del frames\nd.append(1)\ntotal = d",
    "frames.clear()\nfor key, d in frames.items():\n    pass\ntotal = (d, frames)",
]


@pytest.mark.parametrize("how", ["plain", "step", "pipeline"])
@pytest.mark.parametrize("change", CHANGES)
def test_what_is_changed_through_one_shows_in_the_other(notebook: Notebook, change: str, how: str) -> None:
    make, read = "frames = {'a': [1], 'b': [2]}", "for key, d in frames.items():\n    print(d)"
    again = "total = repr(total), repr(d)"
    wanted = truth(notebook, make, read, change, again)
    steps = [f"%%step make\n{make}", f"%%step read\n{read}"]
    cells = [*steps, change if how == "plain" else f"%%step change\n{change}", again]
    for number in range(3):
        if how == "pipeline" and number:
            notebook.run(*cells[:3], "%pipeline run", again)
        else:
            notebook.run(*cells)
        assert repr(notebook.ns["total"]) == wanted
        notebook.restart()
    for edited in (f"{steps[1]}\nmore = 1", steps[1]):  # the step between them changes, and changes back
        notebook.run(steps[0], edited, *cells[2:])
        assert repr(notebook.ns["total"]) == wanted
        notebook.restart()


def test_a_run_gives_a_step_the_part_and_the_whole_as_one(notebook: Notebook) -> None:
    cells = [
        "%%step make\nframes = {'a': [1], 'b': [2]}",
        "%%step read\nfor key, d in frames.items():\n    print(d)",
        "%%step change\nd.append(number)",
        "%%step look\ntotal = repr(frames), repr(d)",
    ]
    notebook.run("number = 5", *cells)
    notebook.run("%pipeline run")
    notebook.restart()
    notebook.run("number = 6", *cells)
    assert notebook.ns["total"] == ("{'a': [1], 'b': [2, 6]}", "[2, 6]")
    notebook.run("number = 7", "%pipeline run")
    assert notebook.ns["total"] == ("{'a': [1], 'b': [2, 7]}", "[2, 7]")
    notebook.run("same = d is frames['b']")
    assert notebook.ns["same"]


def test_a_loop_that_may_go_through_nothing_leaves_what_was_there(notebook: Notebook) -> None:
    step = "%%step grow\nfor d in others:\n    pass\nframes['b'].append(1)"
    before = ["frames = {'b': [2]}\nothers = []", "d = frames['b']"]
    notebook.run(before[0], step)
    notebook.restart()
    notebook.run(*before, step)
    assert (notebook.ns["d"], notebook.ns["frames"]) == ([2, 1], {"b": [2, 1]})
    notebook.run("same = d is frames['b']")
    assert notebook.ns["same"]


def test_a_part_can_be_loaded_by_its_name(notebook: Notebook) -> None:
    notebook.run(
        "%%step make\nframes = {'a': [1], 'b': [2]}", "%%step read\nfor d in frames.values():\n    print(d)"
    )
    notebook.run("import zennb\nfound = zennb.load('d')")
    assert notebook.ns["found"] == [2]


def test_equal_parts_at_two_places_are_two(notebook: Notebook) -> None:
    make = "%%step make\nframes = {'a': [1], 'b': [1]}"
    for key in "ab":
        notebook.run(make, f"%%step read\nd = frames['{key}']")
        notebook.restart()
    for key in "ab":
        notebook.run(make, f"%%step read\nd = frames['{key}']", "d.append(2)")
        assert notebook.ns["frames"] == {"a": [1], "b": [1]} | {key: [1, 2]}
        notebook.restart()


@pytest.mark.parametrize("options", ["-o d", "--ignore frames"])
def test_options_leave_parts_what_they_are(notebook: Notebook, options: str) -> None:
    cells = ["frames = {'a': [1], 'b': [2]}", f"%%step read {options}\nd = frames['b']", "d.append(3)"]
    for _ in range(3):
        notebook.run(*cells)
        assert notebook.ns["frames"] == {"a": [1], "b": [2, 3]}
        notebook.restart()


def test_the_last_value_is_the_part(notebook: Notebook) -> None:
    cells = ["%%step make\nframes = {'a': [1]}", "%%step read\nd = frames['a']\nd", "_.append(3)"]
    for _ in range(2):
        notebook.run(*cells)
        assert (notebook.ns["d"], notebook.ns["frames"]) == ([1, 3], {"a": [1, 3]})
        notebook.restart()


@pytest.mark.parametrize("size", [3, 30_000])
def test_a_run_binds_the_part_of_what_the_notebook_has(notebook: Notebook, size: int) -> None:
    make = f"%%step make\nimport numpy as np\nframes = {{'a': np.zeros({size}), 'b': np.zeros(2)}}"
    read = "%%step read\nfor d in frames.values():\n    print(len(d))"
    notebook.run(make, read)
    notebook.restart()
    notebook.run(make, read, "%pipeline run", "d[0] = 5", "same = d is frames['b']")
    assert notebook.ns["same"]
    assert notebook.ns["frames"]["b"][0] == 5
    notebook.run(make, "del d", "%pipeline run", "same = d is frames['b']")
    assert notebook.ns["same"]


def test_loop_variables_come_back_and_are_no_artifacts_in_lists(notebook: Notebook) -> None:
    loops = "%%step total\ntotal = 0\nfor key, d in frames.items():\n    total += len(d)\nfor n in range(3):\n    pass"
    cells = ("%%step make\nframes = {'a': [1], 'b': [2]}", loops)
    listed = "import zennb\nsorted(each.name for each in zennb.artifacts())"
    for _ in range(2):
        *_, ran, found = notebook.run(*cells, listed)
        assert "→ total  (" in ran.displays[-1]["data"]["text/plain"]
        assert found.result == ["frames", "total"]
        assert [notebook.ns[name] for name in ("key", "d", "n")] == ["b", [2], 2]
        notebook.restart()
    notebook.run(*cells, "%%step use\nused = key + key")
    (lineage, named) = notebook.run("%artifacts lineage used", "%artifacts show key")
    assert "made by total" in lineage.displays[-1]["data"]["text/plain"]
    assert "loop variable" in named.displays[-1]["data"]["text/plain"]


def test_a_loop_variable_that_a_step_makes_as_well_is_listed(notebook: Notebook) -> None:
    notebook.run("%%step loop\nfor n in range(3):\n    pass", "%%step make\nn = 2")
    notebook.run("%%step asked -o m\nfor m in range(3):\n    pass")
    (found,) = notebook.run("import zennb\nsorted(each.label for each in zennb.artifacts())")
    assert found.result == ["m v1", "n v2"]
