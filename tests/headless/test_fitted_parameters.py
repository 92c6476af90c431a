"""Parameters that replace computed values: the run reads them as the type that the value then has."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbformat import v4

from zennb.core.records.records import Status
from zennb.headless.execute import Execution, execute

pytestmark = pytest.mark.kernel


def executed(*cells: str, parameters: dict[str, str]) -> Execution:
    node = v4.new_notebook(cells=[v4.new_code_cell(source) for source in cells])
    nbformat.write(node, "study.ipynb")
    return execute("study.ipynb", parameters=parameters, out="done.ipynb")


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZENNB_HOME", str(tmp_path / "home"))


def test_a_computed_value_gives_its_type_when_it_is_there() -> None:
    done = executed(
        "import datetime, os, pathlib\nflag = bool(1)\nverbose = not False\nunset = os.environ.get('X') is None",
        "first, rate = True, float(2)\nif True:\n    inner = False\nempty = None\nname = str('a')",
        "day = datetime.date(2024, 1, 1)\nhome = pathlib.Path('a')",
        "print((flag, verbose, unset, first, rate, inner, empty, name, str(day), home.name))",
        parameters={
            **dict.fromkeys(("flag", "verbose", "unset", "first", "empty", "name"), "false"),
            "inner": "yes",
            "rate": "1",
            "day": "2026-01-31",
            "home": "3",
        },
    )
    assert done.status is Status.COMPLETED
    cells = nbformat.read("done.ipynb", as_version=4).cells
    assert (
        cells[-1].outputs[0].text
        == str((False, False, False, False, 1.0, True, False, "false", "2026-01-31", "3")) + "\n"
    )
    assert "flag = False" in cells[1].source
    assert "day = day.__class__.fromisoformat('2026-01-31')" in cells[5].source
    assert not any("zennb_parameters" in cell.metadata for cell in cells)


def test_what_does_not_fit_a_computed_value_ends_the_run_with_one_sentence() -> None:
    done = executed("n = len('abc')", "open('ran', 'w')", parameters={"n": "abc"})
    assert done.status is Status.FAILED
    (failure,) = done.failures
    assert failure.message == "parameter 'n' is a number (3 in the notebook), and 'abc' is not."
    assert not failure.traceback
    assert not Path("ran").exists()


def test_a_value_that_cannot_be_looked_at_ends_the_run_and_is_not_replaced() -> None:
    text = (
        "import enum\nclass Colour(enum.Enum):\n    RED = 1\n    def __repr__(self):\n        return 1 / 0\n"
        "colour = Colour.RED\nif not colour:\n    unbound = 1"
    )
    done = executed(
        text, "open('ran', 'w').write(str(unbound))", parameters={"colour": "RED", "unbound": "3"}
    )
    assert done.status is Status.COMPLETED
    assert Path("ran").read_text() == "3"
    done = executed(text, "open('ran', 'w')", parameters={"colour": "blue"})
    assert done.status is Status.FAILED
    (failure,) = done.failures
    assert failure.message == (
        "parameter 'colour' cannot be compared with its value in the notebook (ZeroDivisionError: division by zero)."
    )
    assert Path("ran").read_text() == "3"
