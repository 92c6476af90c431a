"""`--expires`, `--ignore` and `--no-store` in a real shell: what counts, what is reused, what is never wrong."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from zennb import api
from zennb.errors import StepRefused, UsageError

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook, Ran

HOUR = 3_600.0


def shown(ran: Ran) -> str:
    """Return all that a cell printed and displayed, as text."""
    return ran.out + "\n".join(each["data"]["text/plain"] for each in ran.displays)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let time pass: the entry is added to the time that everybody reads."""
    ahead, real = [0.0], time.time
    monkeypatch.setattr(time, "time", lambda: real() + ahead[0])
    return ahead


# --expires


def test_a_result_is_reused_until_it_expires_and_then_says_since_when(
    notebook: Notebook, clock: list[float]
) -> None:
    cell = "%%step rates --expires 7d\nrates = [1]"
    notebook.run(cell)
    (soon,) = notebook.run(cell)
    clock[0] = 7 * 24 * HOUR - 60
    (still,) = notebook.run(cell)
    clock[0] += 2 * HOUR + 120
    (late,) = notebook.run(cell)
    (again,) = notebook.run(cell)
    assert [soon.status, still.status, again.status] == ["cached"] * 3
    assert (late.status, late.reason) == ("completed", "expired 2 h ago (--expires 7d)")


def test_a_shorter_time_judges_older_results_by_it_and_a_longer_one_does_not_revive_them(
    notebook: Notebook, clock: list[float]
) -> None:
    notebook.run("%%step rates\nrates = [1]")
    clock[0] = 5 * HOUR
    (kept,) = notebook.run("%%step rates --expires 6h\nrates = [1]")
    (late,) = notebook.run("%%step rates --expires 1h30m\nrates = [1]")
    assert (kept.status, late.status) == ("cached", "completed")
    assert late.reason == "expired 3 h ago (--expires 1h30m)"
    clock[0] += 2 * HOUR
    (longer,) = notebook.run("%%step rates --expires 2w\nrates = [1]")
    assert (longer.status, longer.reason) == ("completed", "expired 30 min ago (--expires 1h30m)")
    clock[0] += 15 * 24 * HOUR
    (without,) = notebook.run("%%step rates\nrates = [1]")
    assert without.reason == "expired 1 d ago (--expires 14d)"


def test_the_time_is_no_part_of_the_key(notebook: Notebook) -> None:
    notebook.run("%%step rates --expires 1h\nrates = [1]")
    (other,) = notebook.run("%%step rates --expires 2h\nrates = [1]")
    assert other.status == "cached"


def test_status_and_a_pipeline_run_say_what_the_cell_says(notebook: Notebook, clock: list[float]) -> None:
    notebook.run("%%step rates --expires 1h\nrates = [1]", "%%step total\ntotal = sum(rates)")
    (before,) = notebook.run("%pipeline status")
    clock[0] = 3 * HOUR
    (after,) = notebook.run("%pipeline status")
    notebook.run("%pipeline run")
    (again,) = notebook.run("%pipeline status")
    said = "expired 2 h ago (--expires 1h)"
    assert said not in shown(before)
    assert said in shown(after)
    assert said not in shown(again)
    (step,) = [each for each in api.workspace().metadata.latest_steps("") if each.name == "rates"]
    assert (step.status.value, step.reason) == ("completed", said)


@pytest.mark.parametrize("wrong", ["7", "7.5", "x", "7y", "d", "1d1d", "-1d", "0s", "1d 2h", "9999999999w"])
def test_what_is_no_duration_is_refused_with_a_sentence(wrong: str, notebook: Notebook) -> None:
    ran = notebook.cell(f"%%step rates '--expires={wrong}'\nrates = [1]")
    assert isinstance(ran.error, UsageError)
    assert "--expires" in str(ran.error)
    assert "rates" not in notebook.ns


# %artifacts expire


def test_what_expired_by_hand_runs_again_once_and_nothing_is_deleted(notebook: Notebook) -> None:
    cell = "%%step train\nmodel = [3]"
    notebook.run(cell)
    notebook.run(cell)
    (said,) = notebook.run("%artifacts expire model")
    assert "1 result and 1 reuse of step train expired" in shown(said)
    (status,) = notebook.run("%pipeline status")
    assert "`model v1` was expired by hand" in shown(status)
    notebook.restart()
    (late,) = notebook.run(cell)
    assert (late.status, late.reason) == ("completed", "`model v1` was expired by hand")
    (again,) = notebook.run(cell)
    assert again.status == "cached"
    assert api.load("model", version=1) == [3]


def test_expiring_one_version_leaves_no_older_result_of_the_same_step_to_be_reused(
    notebook: Notebook,
) -> None:
    cell = "%%step roll{}\nimport time\nmodel = [time.perf_counter_ns()]"
    notebook.run(cell.format(""), cell.format(" --rerun"))
    (said,) = notebook.run("%artifacts expire model --version 2")
    assert "2 results and 0 reuses" in shown(said)
    (late,) = notebook.run(cell.format(""))
    assert late.reason == "`model v2` was expired by hand"


def test_expiring_twice_or_something_nobody_made_says_so(notebook: Notebook) -> None:
    notebook.run("base = [1]", "%%step add\ntotal = base + [2]", "%artifacts expire total")
    (twice,) = notebook.run("%artifacts expire total")
    assert "nothing changed" in shown(twice)
    captured = notebook.cell("%artifacts expire base")
    assert "no step made it" in str(captured.error)


# --ignore


def test_an_ignored_input_may_change_and_the_step_still_gets_it(notebook: Notebook) -> None:
    cell = "%%step fit --ignore verbose,jobs\nscore = sum(rows)\nseen = (verbose, jobs)"
    notebook.run("rows, verbose, jobs = [1, 2], True, 4")
    notebook.run(cell)
    assert notebook.ns["seen"] == (True, 4)
    notebook.run("verbose, jobs = False, [8]")
    (reused,) = notebook.run(cell)
    (status,) = notebook.run("%pipeline status")
    assert reused.status == "cached"
    assert "fresh" in shown(status)
    notebook.run("rows = [5]")
    (ran,) = notebook.run(cell)
    assert (ran.status, ran.reason) == ("completed", "input `rows` changed")
    assert notebook.ns["seen"] == (False, [8])


def test_an_ignored_input_stays_in_the_lineage_and_explain_marks_it(notebook: Notebook) -> None:
    notebook.run("rows, verbose = [1], True", "%%step fit --ignore verbose\nscore = sum(rows), verbose")
    (step,) = api.workspace().metadata.latest_steps("")
    assert step.parts is not None
    assert (set(step.inputs), set(step.parts.inputs)) == ({"rows", "verbose"}, {"rows"})
    (told,) = notebook.run("%pipeline explain fit")
    assert "input `verbose` is ignored (--ignore)" in shown(told)


def test_what_a_function_reads_can_be_ignored_and_its_code_cannot(notebook: Notebook) -> None:
    helper = "def note(n):\n    return (n, level)"
    cell = "%%step a --ignore level\nx = note(1)"
    notebook.run("level = 1", helper, cell)
    notebook.run("level = 2")
    (same,) = notebook.run(cell)
    notebook.run(helper.replace("(n, level)", "(n + 1, level)"))
    (edited,) = notebook.run(cell)
    assert (same.status, edited.status) == ("cached", "completed")
    assert notebook.ns["x"] == (2, 2)
    code = notebook.cell("%%step b --ignore note\ny = note(1)")
    assert isinstance(code.error, StepRefused)
    assert "`note` is code" in str(code.error)


def test_ignoring_what_is_not_read_is_refused(notebook: Notebook) -> None:
    notebook.run("other = 1\nrows = [1]")
    ran = notebook.cell("%%step fit --ignore other\nscore = sum(rows)")
    assert isinstance(ran.error, StepRefused)
    assert "neither its cell nor a function it calls reads `other`" in str(ran.error)


def test_an_ignored_input_need_not_have_content(notebook: Notebook) -> None:
    cell = "%%step q --ignore conn\nn = conn.execute('select 40 + 2').fetchone()[0]"
    make = "import sqlite3\nconn = sqlite3.connect(':memory:')"
    notebook.run(make)
    (first,) = notebook.run(cell)
    notebook.restart()
    notebook.run(make)
    (again,) = notebook.run(cell)
    notebook.run("conn.close()")
    assert (first.status, again.status, notebook.ns["n"]) == ("completed", "cached", 42)
    assert "not cacheable" not in shown(first)


def test_a_step_that_changes_an_ignored_input_is_never_reused(notebook: Notebook) -> None:
    cell = "%%step add --ignore log\nlog.append(1)\nn = 7"
    notebook.run("log = []")
    (ran,) = notebook.run(cell)
    notebook.run("log.append('mine')")
    (again,) = notebook.run(cell)
    assert "it changes `log`, which --ignore leaves out" in shown(ran)
    assert again.status == "completed"
    assert notebook.ns["log"] == [1, "mine", 1]


def test_an_output_that_shares_state_with_an_ignored_input_is_never_reused(notebook: Notebook) -> None:
    cell = "%%step link --ignore log\nother = log"
    notebook.run("log = []", cell)
    notebook.run("log.append('mine')")
    notebook.run(cell)
    assert notebook.ns["log"] == ["mine"]
    assert notebook.ns["other"] is notebook.ns["log"]


def test_a_name_that_is_bound_on_the_way_can_be_ignored_beside_one_in_doubt(notebook: Notebook) -> None:
    cell = "%%step best --ignore verbose\nfor x in rows:\n    top = x\nresult = (top, verbose)"
    notebook.run("rows, verbose = [1, 2], True")
    notebook.run(cell)
    notebook.run("verbose = False")
    (again,) = notebook.run(cell)
    assert again.status == "cached"


def test_an_ignored_input_reaches_a_step_that_runs_elsewhere(notebook: Notebook) -> None:
    notebook.run("%orchestrator register pool --flavor=threads", "%stack register side -o pool -a default")
    cell = "%%step fit --ignore verbose --stack side\nscore = (sum(rows), len(verbose), str(conn))"
    cell = cell.replace("verbose --", "verbose,conn --")
    notebook.run("import sqlite3\nrows, verbose, conn = [1, 2], [1], sqlite3.connect(':memory:')")
    (first,) = notebook.run(cell)
    assert (first.status, notebook.ns["score"][:2]) == ("completed", (3, 1))
    notebook.run("verbose = [2, 3]")
    (again,) = notebook.run(cell)
    notebook.run("conn.close()")
    assert again.status == "cached"


# --no-store


def test_an_output_that_is_not_stored_is_bound_after_a_run_and_not_after_reuse(notebook: Notebook) -> None:
    cell = "%%step load --no-store raw\nraw = [1, 2, 3]\nclean = sum(raw)"
    (ran,) = notebook.run(cell)
    assert (ran.outputs, notebook.ns["raw"], notebook.ns["clean"]) == (["clean"], [1, 2, 3], 6)
    assert "raw (not stored)" in shown(ran)
    assert {each.name for each in api.artifacts()} == {"clean"}
    notebook.restart()
    notebook.run("raw = 'older'")
    (again,) = notebook.run(cell)
    assert again.status == "cached"
    assert notebook.ns["clean"] == 6
    assert "raw" not in notebook.ns


def test_without_the_option_it_is_another_step(notebook: Notebook) -> None:
    notebook.run("%%step load\nraw = [1]\nclean = 6")
    (ran,) = notebook.run("%%step load --no-store raw\nraw = [1]\nclean = 6")
    (back,) = notebook.run("%%step load\nraw = [1]\nclean = 6")
    assert (ran.status, ran.reason) == ("completed", "option `--no-store raw` is new")
    assert (back.status, notebook.ns["raw"]) == ("cached", [1])


def test_a_step_whose_unstored_output_another_one_reads_runs_every_time(notebook: Notebook) -> None:
    load = "%%step load --no-store raw\nraw = [1, 2]\nclean = 3"
    use = "%%step use\ntotal = sum(raw)"
    notebook.run(load, use)
    notebook.restart()
    (again, used) = notebook.run(load, use)
    assert again.reason == "not cacheable: step 'use' reads `raw`, which --no-store keeps out of the store"
    assert used.status == "cached"
    assert notebook.ns["total"] == 3
    assert {each.name for each in api.artifacts()} == {"clean", "total"}


def test_a_step_that_comes_to_read_it_later_is_told_and_the_next_run_is_well(notebook: Notebook) -> None:
    load = "%%step load --no-store raw\nraw = [1, 2]\nclean = 3"
    use = "%%step use\ntotal = sum(raw)"
    notebook.run(load)
    notebook.restart()
    notebook.run(load)
    lost = notebook.cell(use)
    assert isinstance(lost.error, NameError)
    assert (
        "`raw` is bound by step 'load', which does not store it (--no-store); run that cell again"
        in shown(lost)
    )
    (again, used) = notebook.run(load, use)
    assert (again.status, used.status, notebook.ns["total"]) == ("completed", "completed", 3)


def test_a_pipeline_run_refuses_to_hand_on_what_is_not_stored(notebook: Notebook) -> None:
    notebook.run(
        "k = 1", "%%step load --no-store raw\nraw = [k]\nclean = k", "%%step use\ntotal = sum(raw)", "k = 2"
    )
    ran = notebook.cell("%pipeline run")
    assert isinstance(ran.error, StepRefused)
    assert "step 'use' reads `raw`, which step 'load' does not store (--no-store raw)" in str(ran.error)
    assert notebook.ns["total"] == 1
    assert "raw" not in notebook.ns


def test_unstored_outputs_need_no_content_and_go_with_declared_ones(notebook: Notebook) -> None:
    cell = (
        "%%step load -o n --no-store conn\nimport sqlite3\nconn = sqlite3.connect(':memory:')\nn = 5\nm = 6"
    )
    (ran,) = notebook.run(cell)
    assert ran.outputs == ["n"]
    notebook.run("conn.close()")
    (again,) = notebook.run(cell)
    assert (again.status, "conn" in notebook.ns, "m" in notebook.ns) == ("cached", False, False)


def test_a_step_that_changes_in_place_what_it_does_not_store_runs_every_time(notebook: Notebook) -> None:
    cell = "%%step grow --no-store rows\nrows = rows + [1]\nn = len(rows)"
    notebook.run("rows = []")
    (ran,) = notebook.run(cell)
    (again,) = notebook.run(cell)
    assert "it changes `rows`, which --no-store keeps out of the store" in shown(ran)
    assert (again.status, notebook.ns["rows"]) == ("completed", [1, 1])


def test_what_the_cell_does_not_bind_cannot_be_kept_out_of_the_store(notebook: Notebook) -> None:
    ran = notebook.cell("%%step load --no-store row\nrows = [1]")
    assert isinstance(ran.error, StepRefused)
    assert "its code does not bind `row`" in str(ran.error)


def test_a_function_that_is_not_stored_is_gone_after_reuse(notebook: Notebook) -> None:
    cell = "%%step make --no-store f\ndef f():\n    return 1\nx = f()"
    notebook.run(cell)
    notebook.restart()
    (again,) = notebook.run(cell)
    assert (again.status, notebook.ns["x"], "f" in notebook.ns) == ("cached", 1, False)


def test_elsewhere_too_no_older_value_stays_bound(notebook: Notebook) -> None:
    notebook.run("%orchestrator register pool --flavor=threads", "%stack register side -o pool -a default")
    notebook.run("raw = 'older'")
    (ran,) = notebook.run("%%step load --no-store raw --stack side\nraw = [1]\nclean = 2")
    assert (ran.status, notebook.ns["clean"], "raw" in notebook.ns) == ("completed", 2, False)


def test_an_ignored_input_that_another_step_makes_counts_in_no_pipeline_run_either(
    notebook: Notebook,
) -> None:
    notebook.run("k, rows = 1, [1, 2]", "%%step tune\ndepth = [k]")
    notebook.run("%%step fit --ignore depth\nscore = sum(rows) + 0 * len(depth)", "k = 2")
    states = {step.name: step.state for step in notebook.shell.zennb_hooks.pipeline.plan().steps}
    notebook.run("%pipeline run")
    latest = {step.name: step.status for step in api.workspace().metadata.latest_steps("")}
    assert states == {"tune": "stale", "fit": "fresh"}
    assert latest == {"tune": "completed", "fit": "cached"}
    assert notebook.ns["depth"] == [2]
