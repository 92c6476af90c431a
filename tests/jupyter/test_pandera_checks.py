"""`--check` with schemas of pandera, on every kind of orchestrator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("pandera")

from zennb.errors import OutputCheckFailed

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

SCHEMAS = """import pandas as pd, pandera.pandas as pa
raw = pd.DataFrame({"age": [31, 52]})
schema = pa.DataFrameSchema({"age": pa.Column(int, pa.Check.in_range(0, 120))})
class Person(pa.DataFrameModel):
    age: int = pa.Field(ge=0, le=120)
model = Person.to_schema()
inferred = "inferred" """


@pytest.fixture(scope="module", autouse=True)
def _used() -> None:
    """Use pandera once: that sets options of pandas, which a restart in this process would take back."""
    names: dict[str, Any] = {}
    exec(SCHEMAS, names)
    names["schema"].validate(names["raw"])
    names["Person"].validate(names["raw"])


@pytest.mark.parametrize(
    ("flavor", "schema"),
    [
        *((flavor, name) for flavor in ("local", "threads", "processes") for name in ("schema", "model")),
        ("threads", "Person"),
        ("processes", "inferred"),
    ],
)
def test_a_schema_counts_and_what_passes_is_reused(notebook: Notebook, flavor: str, schema: str) -> None:
    cell = f"%%step clean --check {schema}\nclean = raw * 2"
    notebook.run(
        "%data-validator register checks --flavor=pandera",
        f"%orchestrator register other --flavor={flavor}",
        "%stack register s -o other -a default --data-validator=checks",
        "%stack set s",
        SCHEMAS,
        cell,
    )
    notebook.restart()
    again = notebook.run(SCHEMAS, cell)[-1]
    assert again.status == "cached", again.reason
    notebook.run("raw = raw * 3")
    error = notebook.cell(cell).error
    assert isinstance(error, OutputCheckFailed)
    assert f"`clean` does not pass the check `{schema}`: column 'age' does not hold" in str(error)


def test_the_default_validator_names_the_flavor_that_it_lacks(notebook: Notebook) -> None:
    notebook.run(SCHEMAS)
    error = notebook.cell("%%step clean --check schema\nclean = raw").error
    assert "a schema is a dict such as" in str(error)
    assert "not a DataFrameSchema" in str(error)
