"""What SECURITY.md says that somebody can do who writes to a home: so much, and no code of theirs is run."""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.jupyter.planted import unpacked
from tests.jupyter.test_forged_changes import forge
from zennb import api
from zennb.components.artifact_stores.local import LocalArtifactStore
from zennb.materializers.numpy import NumpyArrays
from zennb.materializers.signer import Signer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.jupyter.conftest import Notebook, Ran


def shown(ran: Ran) -> str:
    return f"{ran.out}{ran.displays}"


def change(folder: Path, *statements: str, **values: object) -> None:
    """Write to the database of the home while no kernel has it open."""
    with closing(sqlite3.connect(folder / "home" / "metadata.db")) as db, db:
        for statement in statements:
            assert db.execute(statement, values).rowcount > 0, statement


# What runs code


@pytest.fixture
def lib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A local module that notes when it is imported."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "seclib.py").write_text("import os\nos.makedirs('imported')\nN = 1\ndef f():\n    return N\n")
    yield tmp_path / "imported"
    sys.modules.pop("seclib", None)


def test_the_status_in_a_notebook_runs_no_cell_and_imports_what_a_step_imports(
    notebook: Notebook, tmp_path: Path, lib: Path
) -> None:
    notebook.run("%%step s\nimport seclib\nseclib.os.makedirs('ran')\nn = seclib.f()", "del seclib")
    del sys.modules["seclib"]
    lib.rmdir()
    (tmp_path / "ran").rmdir()
    notebook.run("%pipeline status")
    assert lib.exists()
    assert not (tmp_path / "ran").exists()


def test_code_that_stands_in_a_record_is_not_run(notebook: Notebook, tmp_path: Path) -> None:
    cell = "%%step s\nimport math\ndef f():\n    return 1\nx = f()"
    notebook.run(cell)
    notebook.stop()
    evil = f"%%step s\nimport os; os.mkdir({str(tmp_path / 'ran')!r})\n{cell.partition('s')[2]}"
    change(tmp_path, "UPDATE texts SET text = :evil WHERE id IN (SELECT source FROM steps)", evil=evil)
    notebook.start()
    for line in ("%pipeline status", "%runs show 1", cell, "f()", "%pipeline run"):
        notebook.run(line)
    assert not (tmp_path / "ran").exists()
    assert notebook.ns["f"]() == 1


# What they can do


def test_a_large_file_can_be_replaced_by_other_data_and_only_verify_notices(
    notebook: Notebook, tmp_path: Path
) -> None:
    cell = "%%step s\nimport numpy as np\nlarge = np.arange(50_000)"
    notebook.run(cell)
    (artifact,) = api.workspace().metadata.artifacts()
    notebook.stop()
    evil = b"".join(bytes(part) for part in NumpyArrays().dump(np.zeros(50_000, "i8")))
    forge(tmp_path / "home" / "artifacts", artifact.blob, evil)
    notebook.start()
    (ran,) = notebook.run(cell)
    notebook.run("total = int(large.sum())")
    assert (ran.status, notebook.ns["total"]) == ("cached", 0)
    assert "1 stored blob damaged" in shown(notebook.cell("%artifacts verify"))


def test_a_small_value_cannot_be_replaced(notebook: Notebook, tmp_path: Path) -> None:
    cell = "%%step s\nimport numpy as np\nsmall = np.arange(50)"
    notebook.run(cell)
    (artifact,) = api.workspace().metadata.artifacts()
    notebook.stop()
    evil = b"".join(bytes(part) for part in NumpyArrays().dump(np.zeros(50, "i8")))
    with closing(sqlite3.connect(tmp_path / "home" / "artifacts" / "cache.db")) as db, db:
        db.execute("UPDATE Cache SET value = ? WHERE key = ?", (evil, artifact.blob))
    notebook.start()
    (ran,) = notebook.run(cell)
    notebook.run("total = int(small.sum())")
    assert (ran.status, notebook.ns["total"]) == ("completed", 1225)


@pytest.mark.parametrize("with_older_database", [False, True], ids=["changed", "older"])
def test_what_expired_can_be_brought_back(
    notebook: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, with_older_database: bool
) -> None:
    now = time.time
    database, older = tmp_path / "home" / "metadata.db", tmp_path / "older.db"
    notebook.run("%%step by_hand\na = [1]", "%%step rates --expires 1h\nb = [1]")
    notebook.stop()
    shutil.copy(database, older)
    notebook.start()
    notebook.run("%artifacts expire a")
    notebook.stop()
    shutil.copy(database, tmp_path / "expired.db")
    if not with_older_database:
        monkeypatch.setattr(time, "time", lambda: now() + 3 * 3600)
    cells = ["%%step by_hand\na = [1]", "%%step rates\nb = [1]"]
    notebook.start()
    ran = notebook.run(*cells)
    assert ["expired" in each.reason for each in ran] == [True, not with_older_database]
    notebook.stop()
    shutil.copy(older if with_older_database else tmp_path / "expired.db", database)
    if not with_older_database:
        change(tmp_path, "UPDATE step_details SET expires = NULL WHERE expires IS NOT NULL")
    notebook.start()
    assert [each.status for each in notebook.run(*cells)] == ["cached", "cached"]


def test_lists_show_names_sizes_and_previews_as_they_stand_in_the_home(
    notebook: Notebook, tmp_path: Path
) -> None:
    notebook.run("%%step s\nhonest = [1]")
    notebook.stop()
    change(
        tmp_path,
        "UPDATE artifacts SET name = 'forged', size = 7000000, summary = :summary",
        "UPDATE current SET name = 'forged'",
        summary=json.dumps({"kind": "text", "text": "a forged preview", "length": 1}),
    )
    notebook.start()
    listed, one = notebook.run("%artifacts", "%artifacts show forged")
    assert "7.0 MB" in shown(listed)
    assert "a forged preview" in shown(one)


def test_what_steps_print_and_bind_can_be_read_in_the_store(notebook: Notebook, tmp_path: Path) -> None:
    notebook.run("%%step s\nprint('what it ' + 'printed')\nvalue = ['what it ' + 'bound']")
    notebook.stop()
    stored = b"".join(
        unpacked(path.read_bytes()) for path in (tmp_path / "home" / "artifacts").rglob("*") if path.is_file()
    )
    assert b"what it printed" in stored
    assert b"what it bound" in stored
    notebook.start()


def test_a_stack_can_be_changed_so_that_bytes_go_elsewhere(notebook: Notebook, tmp_path: Path) -> None:
    notebook.run(
        f"%artifact-store register mine --flavor=local --path={tmp_path}/mine",
        "%stack register mine -o default -a mine --set",
    )
    notebook.stop()
    change(
        tmp_path,
        "UPDATE components SET config = :config WHERE name = 'mine'",
        config=json.dumps({"path": f"{tmp_path}/theirs"}),
    )
    notebook.start()
    notebook.run("%%step s\nvalue = [1]")
    (artifact,) = api.workspace().metadata.artifacts()
    notebook.stop()
    theirs = LocalArtifactStore.from_config("theirs", {"path": f"{tmp_path}/theirs"})
    assert theirs.has(artifact.blob)
    theirs.close()
    notebook.start()


def test_key_and_trust_lie_beside_a_home_without_another_place_and_in_no_store(
    notebook: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook.stop()
    monkeypatch.delenv("ZENNB_HOME")
    notebook.start()
    notebook.run("%%step s\nvalue = [1]")
    home = api.workspace().home
    Signer().trust("a" * 64)
    assert home == tmp_path / "jupyter" / "zennb"
    for name in ("signing-key", "trusted"):
        assert list(tmp_path.rglob(name)) == [home / name]
