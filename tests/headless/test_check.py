"""Whole checks in real kernels."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import nbformat
import pytest
from nbformat import v4

from zennb.headless.check import check

if TYPE_CHECKING:
    from pathlib import Path

    from zennb.core.records.check_findings import CheckedCell

pytestmark = pytest.mark.kernel


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / ".ipython"))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / ".jupyter"))


def make(folder: Path, *sources: str) -> Path:
    node = v4.new_notebook(cells=[v4.new_code_cell(textwrap.dedent(each).strip()) for each in sources])
    folder.mkdir(exist_ok=True)
    nbformat.write(node, folder / "study.ipynb")
    return folder / "study.ipynb"


def by_number(cells: tuple[CheckedCell, ...]) -> dict[int, CheckedCell]:
    return {cell.number: cell for cell in cells}


def test_a_notebook_is_compared_cell_by_cell_and_its_folder_left_alone(tmp_path: Path) -> None:
    path = make(
        tmp_path / "study",
        "from pathlib import Path\nxs = [1, 2]\nPath('out.txt').write_text('x')",
        "xs.append(3); print(xs)\nxs",
        "import time; time.time_ns()",
        "raise KeyError('a')",
        "%%time\nprint(len(xs))",
        "# nothing",
        "more = (x for x in xs)\nnext(more)",
        "import os, zennb\nprint(sorted(os.listdir()))",
        "try:\n    get_ipython().zennb_step\n    print('with zennb')\nexcept AttributeError:\n    print('without')",
    )
    said: list[str] = []
    found = check(path, on_run=said.append)
    cells = by_number(found.cells)
    assert said == ["plain", "plain, a second time", "as steps", "reused in a new kernel"]
    assert list(cells) == [1, 2, 3, 4, 5, 7, 8, 9]
    assert (cells[2].cold, cells[2].reused, cells[2].cached) == (True, True, True)
    assert (cells[3].varies, cells[3].cold) == (True, None)
    assert cells[4].stays == "raises KeyError"
    assert cells[5].stays == "starts with %%time"
    assert cells[7].cached is False
    assert "generator" in cells[7].reason
    assert cells[8].cold is True
    assert "-without\n+with zennb" in cells[9].cold_difference
    assert [cell.number for cell in found.silent] == [9]
    assert found.notes == ()
    assert [file.name for file in path.parent.iterdir()] == ["study.ipynb"]


def test_the_copy_of_the_folder_holds_back_no_path_that_a_cell_names_in_full(tmp_path: Path) -> None:
    path = make(tmp_path / "study", f"open({str(tmp_path / 'elsewhere.txt')!r}, 'w').close()")
    check(path, once=True)
    assert (tmp_path / "elsewhere.txt").exists()
    assert [file.name for file in path.parent.iterdir()] == ["study.ipynb"]


def test_a_cell_over_the_time_limit_ends_the_runs_with_a_sentence(tmp_path: Path) -> None:
    path = make(tmp_path / "study", "x = 1", "import time; time.sleep(60)", "x")
    found = check(path, timeout=3, once=True)
    assert [cell.number for cell in found.cells] == [1]
    (note,) = found.notes
    assert note == (
        "plain: cell [2] ended the run, so it and the cells after it were not compared: "
        "the cell ran longer than 3 s."
    )


def test_a_kernel_that_dies_only_with_steps_leaves_the_rest_untold(tmp_path: Path) -> None:
    path = make(
        tmp_path / "study",
        "x = 1",
        "import os\nif hasattr(get_ipython(), 'zennb_step'):\n    os._exit(1)",
        "x",
    )
    found = check(path, once=True)
    assert [(cell.number, cell.cold) for cell in found.cells] == [(1, True), (2, None), (3, None)]
    assert found.notes[0].startswith("as steps: cell [2] ended the run")


def test_a_notebook_that_uses_zennb_already_is_judged_by_its_own_cells(tmp_path: Path) -> None:
    path = make(
        tmp_path / "study",
        "%load_ext zennb\nx = 1",
        "%stack",
        "%%step doubled -o y\ny = x * 2\nprint(y)",
        "#| step: tripled\nz = x * 3\nz",
        "%zennb autostep on",
        "sum([y, z])",
        "%pipeline status",
        "import zennb\ntold = zennb.load('doubled') if zennb.runs() else None\nprint(told)",
        "print(told)",
        "#| step: off\nprint('plain')",
        "%zennb autostep off\n%runs",
    )
    found = check(path)
    cells = by_number(found.cells)
    assert [cell.number for cell in found.cells if cell.differs] == []
    assert [number for number, cell in cells.items() if cell.uncompared == "it uses zennb itself"] == [
        1, 2, 5, 7, 11
    ]  # fmt: skip
    assert cells[8].uncompared == "it uses what zennb returns"
    assert cells[9].uncompared == "it uses what zennb returns"
    assert [(cells[at].cold, cells[at].reused, cells[at].cached) for at in (3, 4, 6)] == [
        (True, True, True)
    ] * 3
    assert (cells[10].stays, cells[10].cold, cells[10].cached) == ("says `step: off`", True, None)
    assert (found.silent, found.failing, found.notes) == ((), (), ())


def test_cell_magics_of_all_kinds_are_no_difference(tmp_path: Path) -> None:
    path = make(
        tmp_path / "study",
        "%%file notes.txt\nhello",
        "%%writefile -a notes.txt\nworld",
        "%%bash\nmkdir made && ls\nwc -l < notes.txt",
        "%%capture told\nprint(1)",
        "print(told.stdout)",
        "%%time\nxs = list(range(3))",
        "%%timeit -n 1 -r 1\nxs",
        "%%html\n<b>1</b>",
        "%%javascript\n1",
        "%%latex\n$x$",
        "%%script cat\n1",
        "import os",
        "os.mkdir('other')\ngen = (x for x in xs)",
    )
    said: list[str] = []
    found = check(path, on_run=said.append)
    cells = by_number(found.cells)
    assert said[-2:] == ["plain, for its files", "plain, over those files"]
    assert [cell.number for cell in found.cells if cell.differs] == []
    assert [number for number, cell in cells.items() if cell.files] == [1, 3, 13]
    assert cells[13].cached is False  # its generator cannot be stored, so it ran, and the folder was there
    assert (found.silent, found.failing) == ((), ())


def test_a_cell_that_fails_only_as_a_step_says_how_and_is_not_silent(tmp_path: Path) -> None:
    path = make(
        tmp_path / "study",
        "x = 1",
        "if hasattr(get_ipython(), 'zennb_step'):\n    raise LookupError('as a step')\ny = 2",
        "print(x + y)",
    )
    found = check(path)
    cells = by_number(found.cells)
    assert [cell.number for cell in found.failing] == [2, 3]
    assert found.silent == ()
    assert cells[2].failure == "LookupError: as a step"
    assert cells[2].reason == "it failed as a step with LookupError, so there is nothing to reuse"
    assert cells[3].failure == "NameError: name 'y' is not defined"


def test_edits_compare_stored_steps_with_a_plain_run_of_the_edited_notebook(tmp_path: Path) -> None:
    path = make(
        tmp_path / "study",
        "RATE = 3\nloud = True",
        "def scaled(x):\n    return x * RATE + 1",
        "xs = [scaled(x) for x in (1, 2)]\nprint(xs)",
        "print('the total is', sum(xs)) if loud else None",
        "import time\nnow = time.time_ns()",
        "import numpy as np\nlarge = np.arange(100_000) + RATE",
    )
    found = check(path, edits=3, seed=1)
    again = check(path, once=True, edits=3, seed=1)
    assert [(each.number, each.before, each.after) for each in again.trials] == [
        (each.number, each.before, each.after) for each in found.trials
    ]
    assert (len(found.trials), found.seed) == (3, 1)
    for trial in found.trials:
        assert (trial.is_silent, trial.is_loud, trial.notes) == (False, False, ())
        assert trial.reused.part == trial.reused.whole == 6
        # `now` varies, so that it cannot be compared.
        assert trial.variables.part == trial.variables.whole == 5
        assert 0 < trial.cached.part < trial.cached.whole


def test_an_edit_that_a_step_does_not_notice_is_found(tmp_path: Path) -> None:
    path = make(
        tmp_path / "study",
        "RATE = 3",
        "%%step total --ignore RATE\ntotal = RATE + RATE",
        "print(total)",
    )
    (trial,) = check(path, once=True, edits=1, seed=1).trials
    assert (trial.number, trial.before) == (1, "3")
    assert trial.is_silent
    assert trial.different == ("total",)
    assert [cell.number for cell in trial.cells if cell.differs] == [3]


def test_an_edit_that_does_not_end_is_no_difference(tmp_path: Path) -> None:
    path = make(tmp_path / "study", "import os\nn = 1\nif n != 1:\n    os._exit(1)", "n")
    trials = check(path, once=True, edits=2, seed=1).trials
    assert any("ended the run" in note for trial in trials for note in trial.notes)
    assert not any(trial.is_silent or trial.is_loud for trial in trials)


def test_two_plain_runs_may_agree_by_chance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    count = tmp_path / "count.txt"
    monkeypatch.setenv("RUNS_COUNTED_IN", str(count))
    path = make(
        tmp_path / "study",
        """
        import os, pathlib
        counted = pathlib.Path(os.environ["RUNS_COUNTED_IN"])
        runs = int(counted.read_text()) if counted.exists() else 0
        counted.write_text(str(runs + 1))
        rows = (n for n in ())
        print("same" if runs < 3 else f"other {runs}")
        """,
    )
    found = check(path)
    (cell,) = found.cells
    assert (cell.varies, cell.reused, cell.differs) == (True, None, False)


def test_unseeded_draws_that_agree_by_chance_are_no_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first two plain runs draw the same, and the run as steps something else, which is replayed."""
    count = tmp_path / "count.txt"
    monkeypatch.setenv("RUNS_COUNTED_IN", str(count))
    draw = """
        import os, pathlib, random
        counted = pathlib.Path(os.environ["RUNS_COUNTED_IN"])
        runs = int(counted.read_text()) if counted.exists() else 0
        counted.write_text(str(runs + 1))
        _ = random.random()
        print("drew", [5, 5, 9, 5, 5, 7, 1, 2][runs])
        """
    found = check(make(tmp_path / "study", draw, "print('rest')"))
    cell, rest = found.cells
    assert (cell.varies, cell.differs) == (True, False)
    assert (rest.varies, rest.cold, rest.reused) == (False, True, True)


def test_magics_that_are_listed_are_no_measure(tmp_path: Path) -> None:
    (cell,) = check(make(tmp_path / "study", "%lsmagic"), once=True).cells
    assert cell.uncompared == "it lists zennb's magics"
    assert not cell.differs


def test_a_note_that_a_step_ran_again_is_no_difference(tmp_path: Path) -> None:
    """A cell that reads what cannot be stored has its maker run again, and zennb says so in the cell."""
    path = make(tmp_path / "study", "rows = (n for n in (1, 2))\ntotal = 3", "print(list(rows))")
    cells = check(path, once=True).cells
    assert [(cell.cold, cell.reused) for cell in cells] == [(True, True)] * 2
