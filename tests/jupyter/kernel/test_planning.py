"""What `%pipeline status` says is what `%pipeline run` then does: each step by the versions that the run would give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from zennb import api

if TYPE_CHECKING:
    from pathlib import Path

    from tests.jupyter.conftest import Notebook


def states(notebook: Notebook) -> dict[str, str]:
    return {step.name: step.state.value for step in notebook.shell.zennb_hooks.pipeline.plan().steps}


def planned(notebook: Notebook, name: str) -> Any:
    return notebook.shell.zennb_hooks.pipeline.plan().step(name)


def ran(notebook: Notebook) -> dict[str, str]:
    """Run the pipeline; return what became of each step."""
    notebook.run("%pipeline run")
    run = api.workspace().metadata.runs(kind="pipeline", limit=1)[0]
    return {step.name: step.status.value for step in api.workspace().metadata.steps(run.id or 0)}


def agree(notebook: Notebook) -> dict[str, str]:
    """Compare the plan with the run; return the plan."""
    said = states(notebook)
    done = ran(notebook)
    for name, state in said.items():
        assert state in {"fresh", "stale", "may run"}
        if state != "may run":
            assert done[name] == ("cached" if state == "fresh" else "completed"), (name, said, done)
    return said


STEP = "%%step s\ny = K + 1"


def test_a_value_set_back_is_fresh_and_the_version_that_the_notebook_holds_is_told(
    notebook: Notebook,
) -> None:
    notebook.run("K = 1", STEP, "K = 2", STEP, "K = 1")
    step = planned(notebook, "s")
    assert step.state == "fresh"
    assert step.remark == "`y` in the notebook is v2; a run gives v1"
    assert agree(notebook) == {"s": "fresh"}
    assert notebook.ns["y"] == 2
    assert planned(notebook, "s").remark == ""


def test_a_step_that_changes_a_plain_input_in_place_is_fresh_after_it_ran(notebook: Notebook) -> None:
    notebook.run("xs = [1]", "%%step grow\nxs.append(2)", "%%step use\nn = len(xs)")
    assert agree(notebook) == {"grow": "fresh", "use": "fresh"}
    assert notebook.ns["xs"] == [1, 2]
    notebook.run("%pipeline run --rerun")
    assert notebook.ns["xs"] == [1, 2]
    assert agree(notebook) == {"grow": "fresh", "use": "fresh"}


def test_a_plain_cell_that_makes_the_input_anew_counts_even_when_it_is_the_same_object(
    notebook: Notebook,
) -> None:
    notebook.run("n = 10", "%%step a\ny = n * 2", "%%step b\nn = 3")
    assert agree(notebook) == {"a": "fresh", "b": "fresh"}
    assert notebook.ns["y"] == 20
    notebook.run("n = 3")
    assert states(notebook)["a"] == "stale"
    agree(notebook)
    assert notebook.ns["y"] == 6


def test_an_in_place_chain_of_steps_is_fresh(notebook: Notebook) -> None:
    notebook.run(
        "xs = [1]", "%%step one\nxs.append(2)", "%%step two\nxs.append(3)", "%%step see\ns = sum(xs)"
    )
    assert agree(notebook) == dict.fromkeys(("one", "two", "see"), "fresh")
    notebook.run("xs = [5]")
    assert states(notebook) == {"one": "stale", "two": "may run", "see": "may run"}
    agree(notebook)
    assert (notebook.ns["xs"], notebook.ns["s"]) == ([5, 2, 3], 10)


def test_an_output_changed_in_place_by_a_later_step_has_two_versions(notebook: Notebook) -> None:
    notebook.run(
        "%%step make\nxs = [1]",
        "%%step early\nfirst = len(xs)",
        "%%step grow\nxs.append(2)",
        "%%step late\nsecond = len(xs)",
    )
    assert set(agree(notebook).values()) == {"fresh"}


def test_what_follows_a_stale_step_may_run(notebook: Notebook) -> None:
    notebook.run("K = 1", STEP, "%%step t\nz = y > 0", "%%step u\nw = not z", "K = 5")
    assert states(notebook) == {"s": "stale", "t": "may run", "u": "may run"}
    assert "`K` changed" in planned(notebook, "s").reason
    assert planned(notebook, "t").reason == "needs step 's', which would run again"
    assert ran(notebook) == {"s": "completed", "t": "completed", "u": "cached"}


def test_the_file_that_a_stale_step_writes_may_make_its_reader_run(
    notebook: Notebook, tmp_path: Path
) -> None:
    write = "%%step write\nfrom pathlib import Path\n_ = Path('out.txt').write_text(str(K))"
    read = "%%step read\nfrom pathlib import Path\ntext = Path('out.txt').read_text()"
    notebook.run("K = 1", write, read)
    assert agree(notebook) == {"write": "fresh", "read": "fresh"}
    notebook.run("K = 2")
    assert states(notebook) == {"write": "stale", "read": "may run"}
    agree(notebook)
    (tmp_path / "out.txt").write_text("by hand")
    assert agree(notebook) == {"write": "fresh", "read": "fresh"}
    assert (tmp_path / "out.txt").read_text() == "2"


def test_an_edited_step_that_now_writes_a_file_may_make_its_reader_run(
    notebook: Notebook, tmp_path: Path
) -> None:
    (tmp_path / "data.csv").write_text("1")
    read = "%%step read\nfrom pathlib import Path\ntext = Path('data.csv').read_text()"
    notebook.run("%%step first\nx = 1", read)
    notebook.shell.zennb_hooks.session.registry  # the cell is edited, and not run
    edited = "%%step first\nfrom pathlib import Path\nx = Path('data.csv').write_text('2')"
    notebook.run(edited, "from pathlib import Path\n_ = Path('data.csv').write_text('1')", "K = 1")
    agree(notebook)


def test_a_seed_that_a_stale_step_sets_may_make_those_who_draw_run(notebook: Notebook) -> None:
    notebook.run(
        "S = 1",
        "%%step seed\nimport random\nrandom.seed(S)",
        "%%step draw\nimport random\nr = random.random()",
    )
    assert agree(notebook) == {"seed": "fresh", "draw": "fresh"}
    notebook.run("S = 2")
    assert states(notebook)["draw"] == "may run"
    agree(notebook)
    notebook.run("S = 1", "import random\nrandom.random()")
    assert agree(notebook) == {"seed": "fresh", "draw": "fresh"}


def test_a_local_module_that_changed_makes_its_users_stale(notebook: Notebook, tmp_path: Path) -> None:
    import sys

    (tmp_path / "planmod.py").write_text("def f(v): return v + 1\n")
    notebook.run(
        "import importlib, sys\nimportlib.invalidate_caches()\nsys.path.insert(0, '.')\nimport planmod",
        "%%step s\ny = planmod.f(1)",
    )
    try:
        assert agree(notebook) == {"s": "fresh"}
        (tmp_path / "planmod.py").write_text("def f(v): return v + 100\n")
        notebook.run("import importlib\n_ = importlib.reload(planmod)")
        assert agree(notebook) == {"s": "stale"}
    finally:
        sys.modules.pop("planmod", None)


def test_a_step_that_waits_sets_nothing_that_others_depend_on(notebook: Notebook) -> None:
    notebook.run("import time\nn = 1", "%%step t\nlate = time.time() > 0")
    notebook.cell("%%step s\ntime.sleep(0)\ny = 1 / 0")
    assert states(notebook) == {"t": "fresh", "s": "stale"}
    notebook.run("%%step u\ntime.sleep(0)\nsoon = 1")
    assert states(notebook) == {"t": "fresh", "s": "stale", "u": "fresh"}


def test_nothing_is_unknown_in_a_kernel(notebook: Notebook) -> None:
    notebook.run("import time", "%%step s\nnow = time.time()", "%%step t\nlater = now + 1")
    assert set(states(notebook).values()) <= {"fresh", "stale", "may run"}


def test_a_step_that_runs_every_time_is_stale_and_says_so(notebook: Notebook) -> None:
    notebook.run("%%step s --no-cache\nx = 1", "%%step t\ny = x")
    assert states(notebook) == {"s": "stale", "t": "may run"}
    assert ran(notebook) == {"s": "completed", "t": "cached"}


def test_what_the_cell_cannot_reuse_since_it_belongs_to_a_class_a_pipeline_run_refuses(
    notebook: Notebook,
) -> None:
    cell = "%%step s\nd = Model.defaults"
    notebook.run("class Model: defaults = {'a': 1}", cell)
    latest = api.workspace().metadata.previous("s", "")
    assert latest is not None
    assert not latest.reusable
    assert "`d` shares state with class `Model`" in latest.unusable_because
    refused = notebook.cell("%pipeline run")  # on copies: another dictionary than that of the class
    assert "`d` shares state with class `Model`" in str(refused.error)
    assert notebook.ns["d"] is notebook.ns["Model"].defaults
    (again,) = notebook.run(cell)
    assert again.status == "completed"
    assert notebook.ns["d"] is notebook.ns["Model"].defaults


def test_a_step_that_changes_a_local_module_is_not_reusable_by_whichever_way_it_ran(
    notebook: Notebook, tmp_path: Path
) -> None:
    import sys

    (tmp_path / "planlist.py").write_text(
        "ITEMS = []\ndef add(v):\n    ITEMS.append(v)\n    return len(ITEMS)\n"
    )
    notebook.run(
        "import importlib, sys\nimportlib.invalidate_caches()\nsys.path.insert(0, '.')\nimport planlist",
        "%%step s\nn = planlist.add(1)",
    )
    try:
        notebook.run("planlist.ITEMS.clear()", "%pipeline run")
        latest = api.workspace().metadata.previous("s", "")
        assert latest is not None
        assert not latest.reusable
        assert "it modifies constant `planlist.ITEMS`" in latest.unusable_because
        (again,) = notebook.run("%%step s\nn = planlist.add(1)")
        assert again.status == "completed"
    finally:
        sys.modules.pop("planlist", None)


@pytest.mark.parametrize(
    "line", ["%pipeline status --json", "%pipeline show --json", "%pipeline explain s --json"]
)
def test_every_command_gives_the_same_answer(notebook: Notebook, line: str) -> None:
    notebook.run("K = 1", STEP, "K = 2")
    (shown,) = notebook.run(line)
    assert '"stale"' in str(shown.displays[-1]["data"]["text/plain"])
