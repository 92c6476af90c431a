"""What counts for reuse and is easily overlooked: values not loaded, other stores, steps side by side, deletions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zennb import api

if TYPE_CHECKING:
    from pathlib import Path

    from tests.jupyter.conftest import Notebook

BIG = "%%step big\nimport numpy as np\nx = np.arange(100_000)"


def latest(name: str) -> Any:
    return api.workspace().metadata.previous(name, "")


def test_the_packages_of_an_input_that_is_not_loaded_yet_count_as_those_of_a_loaded_one(
    notebook: Notebook,
) -> None:
    use = "%%step use\nlast = int(x[-1])"
    notebook.run(BIG, use)
    assert "numpy" in latest("use").parts.packages
    notebook.restart()
    (big, used) = notebook.run(BIG, use)
    assert "x" not in notebook.ns
    assert (big.status, used.status) == ("cached", "cached"), used.reason
    assert "numpy" in latest("use").parts.packages


def test_the_newest_result_is_not_taken_when_what_it_showed_lies_in_another_store(notebook: Notebook) -> None:
    cell = "%%step s\nimport time\nx = 1\nprint(time.perf_counter_ns())"
    notebook.run("%artifact-store register second --flavor=local", "%stack register two -o default -a second")
    (first,) = notebook.run(cell)
    notebook.run("%stack set two", "%pipeline run --rerun", "%stack set default")
    notebook.restart()
    (again,) = notebook.run(cell)
    assert (again.status, again.out) == ("cached", first.out)
    assert latest("s").reused == 1


def test_the_newest_result_is_not_taken_when_what_it_brings_about_lies_in_another_store(
    notebook: Notebook, tmp_path: Path
) -> None:
    cell = "%%step s\nimport time\nfrom pathlib import Path\n_ = Path('t').write_text(str(time.time_ns()))\nx = 1"
    notebook.run("%artifact-store register second --flavor=local", "%stack register two -o default -a second")
    notebook.run(cell)
    first = (tmp_path / "t").read_text()
    notebook.run("%stack set two", "%pipeline run --rerun", "%stack set default")
    assert (tmp_path / "t").read_text() != first
    notebook.restart()
    (again,) = notebook.run(cell)
    assert again.status == "cached", again.reason
    assert (tmp_path / "t").read_text() == first


def test_a_value_that_was_captured_and_is_made_by_a_step_is_that_steps_output(notebook: Notebook) -> None:
    notebook.run(
        "rows = [1, 2, 3]", "%%step size\nn = len(rows)", "%%step make\nmade = [1] + [2, 3]\nnamed = made[0]"
    )
    kinds = {name: artifact.kind for name, artifact in latest("make").outputs.items()}
    assert kinds == {"made": "output", "named": "output"}
    assert latest("size").inputs["rows"].kind == "captured"
    assert latest("make").outputs["made"].blob == latest("size").inputs["rows"].blob


def test_an_output_that_the_notebook_copies_is_captured_under_its_new_name(notebook: Notebook) -> None:
    notebook.run("%%step make\nmade = [1, 2, 3]", "copy = list(made)", "%%step size\nn = len(copy)")
    assert latest("make").outputs["made"].kind == "output"
    assert latest("size").inputs["copy"].kind == "captured"


def test_a_step_that_changes_settings_beside_another_one_is_not_reused(notebook: Notebook) -> None:
    notebook.run(
        "%orchestrator register t --flavor=threads --workers=2",
        "%stack register s -o t -a default --set",
        "import time, warnings",
        "%%step slow\ntime.sleep(0.4)\na = 1",
        "%%step sets\nwarnings.simplefilter('ignore')\ntime.sleep(0.2)\nb = 1",
    )
    assert latest("sets").reusable
    notebook.run("warnings.resetwarnings()", "%pipeline run --rerun")
    found = latest("sets")
    assert not found.reusable
    assert found.unusable_because == "it changed warning filters while other steps ran beside it"


def test_a_name_that_a_reused_step_deletes_is_not_waiting_any_more(notebook: Notebook) -> None:
    drop = "%%step drop\nlast = int(x[-1])\ndel x"
    notebook.run(BIG, drop)
    notebook.restart()
    (big, dropped) = notebook.run(BIG, drop)
    assert (big.status, dropped.status) == ("cached", "cached"), dropped.reason
    assert isinstance(notebook.cell("x").error, NameError)


def test_a_cell_may_delete_a_name_that_it_may_also_have_bound(notebook: Notebook) -> None:
    cell = "%%step tidy\nif rebind:\n    x = 2\nif drop:\n    del x"
    notebook.run("x = 1\nrebind, drop = False, True")
    (ran,) = notebook.run(cell)
    assert ran.status == "completed"
    assert "x" not in notebook.ns


def test_a_filter_that_raises_errors_for_some_messages_counts(notebook: Notebook) -> None:
    cells = [
        "import warnings\nwarnings.filterwarnings('error', message='old')",
        "%%step s\ntry:\n    warnings.warn('old')\n    said = 'nothing'\nexcept UserWarning:\n    said = 'raised'",
    ]
    notebook.run(*cells)
    cells[0] = cells[0].replace("'error'", "'ignore'")
    notebook.restart()
    notebook.run(*cells)
    assert notebook.ns["said"] == "nothing"
