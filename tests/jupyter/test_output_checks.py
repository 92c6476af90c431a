"""`--check`: which outputs pass, what a failed check says and leaves, and what is on record and comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import zennb
from zennb.errors import OutputCheckFailed, StepRefused, UsageError

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

RAW = """import pandas as pd
raw = pd.DataFrame({"age": [31, 52, 17], "name": ["ada", "bob", None]})"""
SCHEMA = 'schema = {"age": {"type": "int", "min": 0, "max": 120, "nulls": False}, "rows": (1, None)}'
CLEAN = "%%step clean --check schema\nclean = raw.assign(half=raw.age / 2)"


def _measures(step: str) -> list[tuple[str, dict[str, float]]]:
    """Return state and measures of all records of a step, newest first."""
    found = [each.record for run in zennb.runs() for each in reversed(run.steps) if each.name == step]
    return [(each.status.value, {name: one.last for name, one in each.metrics.items()}) for each in found]


def _use(notebook: Notebook, flavor: str) -> None:
    notebook.run("%load_ext zennb")
    if flavor != "local":
        notebook.run(
            f"%orchestrator register other --flavor={flavor}",
            "%stack register s -o other -a default",
            "%stack set s",
        )


@pytest.mark.parametrize("flavor", ["local", "threads", "processes"])
def test_what_passes_is_on_record_and_comes_back_on_reuse(notebook: Notebook, flavor: str) -> None:
    _use(notebook, flavor)
    notebook.run(RAW, SCHEMA, CLEAN)
    notebook.restart()
    last = notebook.run(RAW, SCHEMA, CLEAN)[-1]
    assert last.status == "cached"
    expected = {"check/clean/passed": 5.0, "check/clean/failed": 0.0, "check/clean/rows": 3.0}
    assert _measures("clean") == [("cached", expected), ("completed", expected)]


@pytest.mark.parametrize("flavor", ["local", "threads", "processes"])
@pytest.mark.parametrize("how", ["cell", "pipeline"])
def test_what_does_not_pass_fails_the_step_wherever_it_runs(
    notebook: Notebook, flavor: str, how: str
) -> None:
    _use(notebook, flavor)
    notebook.run(RAW, SCHEMA, CLEAN)
    notebook.run("raw = pd.DataFrame({'age': [31, 152, -17], 'name': ['ada', 'bob', None]})")
    error = notebook.cell(CLEAN if how == "cell" else "%pipeline run").error
    assert isinstance(error, OutputCheckFailed)
    assert str(error) == (
        "`clean` does not pass the check `schema`: column 'age': 1 of 3 rows below 0: row 2 (-17); "
        "column 'age': 1 of 3 rows above 120: row 1 (152). Nothing of this run of the step was bound or stored."
    )
    assert notebook.ns["clean"].age.tolist() == [31, 52, 17]
    state, measures = _measures("clean")[0]
    assert (state, measures["check/clean/failed"]) == ("failed", 2.0)


def test_each_element_of_a_mapped_step_is_checked(notebook: Notebook) -> None:
    notebook.run("parts = [[1, 2], [3, -4]]", "schema = {'min': 0}")
    error = notebook.cell("%%step double --map parts --check schema\ndoubled = [2 * n for n in parts]").error
    assert "`doubled` does not pass the check `schema`: 1 of 2 rows below 0: row 1 (-8)." in str(error)
    assert [name for name, _ in _measures("double[0]")] == ["completed"]


def test_a_changed_schema_runs_the_step_again(notebook: Notebook) -> None:
    notebook.run(RAW, SCHEMA, CLEAN)
    notebook.run("schema = {'age': {'max': 60}}")
    ran = notebook.cell(CLEAN)
    assert (ran.status, ran.reason) == ("completed", "input `schema` changed")


def test_one_of_several_outputs_is_checked_by_its_name(notebook: Notebook) -> None:
    notebook.run("schema = {'max': 2}")
    both = "low, high = 1, 3"
    error = notebook.cell(f"%%step both --check schema\n{both}").error
    assert isinstance(error, StepRefused)
    assert (
        "has 2 outputs (`low`, `high`); say which one `schema` is for, such as `--check high=schema`"
        in str(error)
    )
    notebook.run(f"%%step both --check low=schema\n{both}")
    error = notebook.cell(f"%%step both --check high=schema\n{both}").error
    assert str(error).startswith("`high` does not pass the check `schema`: the value 3 is above 2.")


def test_an_output_that_is_changed_in_place_is_checked(notebook: Notebook) -> None:
    notebook.run("xs, schema = [1], {'rows': 1}")
    error = notebook.cell("%%step grow --check schema\nxs.append(2)").error
    assert str(error).startswith("`xs` does not pass the check `schema`: 2 rows, at most 1 expected.")
    assert notebook.ns["xs"] == [1]


def test_drift_is_measured_against_the_version_before(notebook: Notebook) -> None:
    cell = "%%step draw --check schema\nsample = [value + shift for value in range(100)]"
    notebook.run("schema, shift = {'drift': 0.1}, 0", cell, "shift = 5", cell)
    assert _measures("draw")[0][1]["check/sample/drift"] == pytest.approx(0.05)
    notebook.run("shift = 60")
    for _ in range(2):  # the version that was refused is no version to compare with
        error = notebook.cell(cell).error
        assert "drift 0.55 from the version before, at most 0.1 allowed" in str(error)
    notebook.run("schema = {'drift': 0.6}", cell)


def test_the_drift_of_an_element_is_refused(notebook: Notebook) -> None:
    notebook.run("parts, schema = [[1], [2]], {'drift': 0.1}")
    error = notebook.cell("%%step double --map parts --check schema\ndoubled = parts * 2").error
    assert "is an element of a mapped step, which has no version before it" in str(error)


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ("[1]", "a schema is a dict such as"),
        ("{}", "the schema is empty"),
        ("{'age': {'typ': 'int'}}", "column 'age' has no rule 'typ'; did you mean 'type'?"),
        (
            "{'age': {'type': 'number'}}",
            "`type` of column 'age' is not a type: 'number'; there are: int, float",
        ),
        (
            "{'age': 'int'}",
            "the rules of column 'age' are a dict, not a str; did you mean {'age': {'type': 'int'}}?",
        ),
        ("{'rows': '3'}", "`rows` is how many rows there are"),
        ("{'age': {'drift': 2}}", "`drift` of column 'age' is a number from 0"),
        ("{'age': {'nulls': 'no'}}", "`nulls` of column 'age' is True or False, not a str."),
    ],
)
def test_a_wrong_schema_is_refused_before_the_step_runs(notebook: Notebook, schema: str, said: str) -> None:
    notebook.run(f"schema, ran = {schema}, []")
    error = notebook.cell("%%step clean --check schema\nran.append(1)\nclean = 1").error
    assert isinstance(error, UsageError)
    assert "step 'clean' has `--check schema`, and `schema` is not a schema that" in str(error)
    assert said in str(error)
    assert notebook.ns["ran"] == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--check missing", "has `--check missing`, but the notebook has no variable `missing` yet."),
        ("--check clean", "has `--check clean`, but binds `clean` itself"),
        ("--check 3=x", "--check takes the name of a variable with a schema, or OUTPUT=SCHEMA, not `3=x`"),
        ("--check schema --check schema", "--check gives the output two schemas"),
        ("--check other=schema", "has `--check other=schema`, but did not bind `other`."),
    ],
)
def test_an_option_that_cannot_be_followed_is_refused(notebook: Notebook, line: str, said: str) -> None:
    notebook.run("schema = {'max': 3}")
    notebook.run("clean = 1") if "clean" in line else None
    assert said in str(notebook.cell(f"%%step clean {line}\nclean = 1").error)


def test_a_schema_that_another_step_makes_is_an_edge(notebook: Notebook) -> None:
    notebook.run("%%step limits\nschema = {'max': 3}", "%%step clean --check schema\nclean = 1")
    plan = notebook.cell("%pipeline show")
    assert "schema" in str(plan.displays)


def test_the_values_of_a_column_that_looks_secret_are_not_shown(notebook: Notebook) -> None:
    notebook.run("schema = {'password': {'pattern': '[a-z]+'}}")
    error = notebook.cell("%%step users --check schema\nusers = {'password': ['hunter2', 'abc']}").error
    assert "1 of 2 rows not like [a-z]+: row 0 (••••)" in str(error)
