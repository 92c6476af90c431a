"""Records that somebody else may have changed: the step runs again, and its line says why."""

from __future__ import annotations

import json
import sqlite3
import zlib
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from zennb.materializers.signer import Signer

if TYPE_CHECKING:
    from pathlib import Path

    from tests.jupyter.conftest import Notebook

CELL = "%%step s\nimport decimal\ndecimal.getcontext().prec = 9\nprint('hello')\nx = [1, 2]\nx"


@pytest.fixture(autouse=True)
def signed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the records for those of somebody the user trusts, whose zennb or disk is another one."""
    monkeypatch.setattr(Signer, "accepts", lambda _signer, _step: True)


def forge(notebook: Notebook, home: Path, sql: str, *values: Any) -> None:
    """Change the database of a home while no kernel is running."""
    notebook.set_back()
    notebook.stop()
    with closing(sqlite3.connect(home / "metadata.db")) as database, database:
        database.execute(sql, values)
    notebook.start()


@pytest.mark.parametrize(
    ("sql", "value", "reason"),
    [
        ("UPDATE artifacts SET materializer = ?", "crystal", "is stored by the materializer 'crystal'"),
        ("UPDATE artifacts SET materializer = ?", "../pickle", "is stored by the materializer '../pickle'"),
        (
            "UPDATE step_details SET carried = replace(carried, 'plain', ?)",
            "crystal",
            "no materializer 'crystal'",
        ),
        ("UPDATE steps SET defines = ?", "[1]", ""),
        ("UPDATE artifacts SET summary = ?", "[]", "is not in artifact store"),
        ("UPDATE artifacts SET blob = ?", "../../etc/passwd", "is not in artifact store"),
        ("UPDATE artifacts SET item = ?", "nothing", "is not among what is stored with it"),
    ],
)
def test_a_step_whose_record_cannot_be_used_runs_again(
    notebook: Notebook, tmp_path: Path, sql: str, value: str, reason: str
) -> None:
    notebook.run(CELL)
    forge(notebook, tmp_path / "home", sql, value)
    (ran,) = notebook.run(CELL)
    assert (ran.status, notebook.ns["x"]) == ("completed", [1, 2])
    assert reason in ran.reason
    assert "Traceback" not in ran.out + ran.err


@pytest.mark.parametrize(
    "shown", [{}, [1], [{"kind": "display"}], [{"kind": "stream", "name": "stdout", "text": 7}]]
)
def test_a_step_whose_output_has_another_shape_runs_again(
    notebook: Notebook, tmp_path: Path, shown: Any
) -> None:
    notebook.run(CELL)
    session: Any = notebook.shell.zennb_step
    blob = session.context().store.put([zlib.compress(json.dumps(shown).encode())])
    forge(notebook, tmp_path / "home", "UPDATE steps SET displays = ?", blob)
    (ran,) = notebook.run(CELL)
    assert ran.status == "completed"
    assert "the stored output of a step cannot be read" in ran.reason
    assert "hello" in ran.out


def test_ten_megabytes_in_a_record_are_shown_shortened(notebook: Notebook, tmp_path: Path) -> None:
    notebook.run(CELL, "%pipeline run")
    long = "x" * 10_000_000
    forge(
        notebook,
        tmp_path / "home",
        "UPDATE steps SET reason = ?, unusable_because = ?, cell = ?",
        long,
        long,
        long,
    )
    forge(notebook, tmp_path / "home", "UPDATE artifacts SET type = ?", long)
    forge(
        notebook,
        tmp_path / "home",
        "UPDATE artifacts SET summary = ?",
        json.dumps({"kind": "scalar", "text": long}),
    )
    forge(
        notebook,
        tmp_path / "home",
        "UPDATE steps SET status = 'failed', failure = ?",
        json.dumps({"type": long, "message": long}),
    )
    for line in (
        "%runs",
        "%runs show 1",
        "%artifacts",
        "%artifacts show x",
        "%pipeline status",
        "%pipeline explain s",
    ):
        ran = notebook.cell(line)
        assert sum(len(str(part)) for shown in ran.displays for part in shown["data"].values()) < 1_000_000, (
            line
        )
    (ran,) = notebook.run(CELL)
    assert sum(len(str(part)) for shown in ran.displays for part in shown["data"].values()) < 20_000
