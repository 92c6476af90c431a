"""A record is reused only if this user, or somebody they trust, has signed it, whoever else can write to the home."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from zennb.engine.environment.execution_environment import ENVIRONMENT, FILES
from zennb.materializers.signer import Signer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.jupyter.conftest import Notebook, Ran

UNSIGNED = "is not signed by you or by somebody you trust"

FIRST = "%%step first\none = [1, 2, 3]\nprint('shown')"
SECOND = "%%step second\ntwo = {'two': 2}\nprint('other')"
MODEL = "%%step model\nmodel = Model(1)"
OTHER = "%%step other\nother = Model(2)"
CLASS = "class Model:\n    def __init__(self, n): self.n = n"
SETTINGS = "%%step settings\nimport os\nos.environ['ZENNB_TEST_MODE'] = 'fast'\ndone = 1"
STEPS = (FIRST, SECOND, MODEL, OTHER, SETTINGS)


@pytest.fixture(autouse=True)
def variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes away the environment variable that the steps set."""
    monkeypatch.setenv("ZENNB_TEST_MODE", "")
    monkeypatch.delenv("ZENNB_TEST_MODE")


def run(notebook: Notebook) -> list[Ran]:
    notebook.run(CLASS)
    return notebook.run(*STEPS)


def swap_blobs(db: sqlite3.Connection, one: str, other: str) -> None:
    """Let the records of two artifacts name each other's bytes."""
    columns = "blob, materializer, item, size, type"
    rows = [
        db.execute(f"SELECT {columns} FROM artifacts WHERE name = ?", (name,)).fetchone()
        for name in (one, other)
    ]
    for name, row in zip((other, one), rows, strict=True):
        db.execute(
            "UPDATE artifacts SET blob = ?, materializer = ?, item = ?, size = ?, type = ? WHERE name = ?",
            (*row, name),
        )


def swap_outputs(db: sqlite3.Connection) -> None:
    rows = db.execute(
        "SELECT o.step, o.position, o.artifact FROM outputs o JOIN steps s ON s.id = o.step "
        "WHERE s.name IN ('first', 'second') ORDER BY s.name"
    ).fetchall()
    for (step, position, _), (_, _, artifact) in zip(rows, reversed(rows), strict=True):
        db.execute(
            "UPDATE outputs SET artifact = ? WHERE step = ? AND position = ?", (artifact, step, position)
        )


def set_column(name: str, value: object, step: str = "first") -> Callable[[sqlite3.Connection], None]:
    def change(db: sqlite3.Connection) -> None:
        db.execute(f"UPDATE steps SET {name} = ? WHERE name = ?", (value, step))

    return change


def show_the_other(db: sqlite3.Connection) -> None:
    (shown,) = db.execute("SELECT displays FROM steps WHERE name = 'second'").fetchone()
    db.execute("UPDATE steps SET displays = ? WHERE name = 'first'", (shown,))


def move_to_the_key(db: sqlite3.Connection) -> None:
    """Give the record of one step the cache key of another one."""
    key, parts = db.execute("SELECT key, parts FROM steps WHERE name = 'first'").fetchone()
    db.execute("UPDATE steps SET key = '' WHERE name = 'first'")
    db.execute("UPDATE steps SET key = ?, parts = ? WHERE name = 'second'", (key, parts))


def change_details(column: str, value: object) -> Callable[[sqlite3.Connection], None]:
    def change(db: sqlite3.Connection) -> None:
        db.execute(
            f"UPDATE step_details SET {column} = ? WHERE step = (SELECT id FROM steps WHERE name = 'first')",
            (value,),
        )

    return change


def copy_the_seal(db: sqlite3.Connection) -> None:
    """Sign a forged record with the signature of a true one."""
    swap_blobs(db, "one", "two")
    db.execute(
        "UPDATE step_details SET seal = (SELECT seal FROM step_details d JOIN steps s ON s.id = d.step "
        "WHERE s.name = 'second') WHERE step = (SELECT id FROM steps WHERE name = 'first')"
    )


def carry_the_others(db: sqlite3.Connection) -> None:
    (carried,) = db.execute(
        "SELECT carried FROM step_details d JOIN steps s ON s.id = d.step WHERE s.name = 'settings'"
    ).fetchone()
    change_details("carried", carried)(db)


def observe_the_others(db: sqlite3.Connection) -> None:
    (observed,) = db.execute(
        "SELECT observed FROM step_details d JOIN steps s ON s.id = d.step WHERE s.name = 'settings'"
    ).fetchone()
    assert observed is not None
    change_details("observed", observed)(db)


def read_one_more(db: sqlite3.Connection) -> None:
    db.execute(
        "INSERT INTO inputs (step, position, name, artifact) SELECT "
        "(SELECT id FROM steps WHERE name = 'first'), 0, 'two', (SELECT id FROM artifacts WHERE name = 'two')"
    )


FORGERIES: dict[str, Callable[[sqlite3.Connection], None]] = {
    "bytes of another artifact": lambda db: swap_blobs(db, "one", "two"),
    "outputs of another step": swap_outputs,
    "output of another step": show_the_other,
    "key of another step": move_to_the_key,
    "settings of another step": carry_the_others,
    "no signature": change_details("seal", None),
    "an empty signature": change_details("seal", ""),
    "a signature of zeros": change_details("seal", "0" * 64),
    "the signature of another record": copy_the_seal,
    "definitions": set_column("defines", json.dumps(["x"])),
    "deletions": set_column("deletes", json.dumps(["Model"])),
    "another end": set_column("started", 4e9),
    "another name": set_column("name", "renamed"),
    "what it observed": observe_the_others,
    "an input": read_one_more,
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_changed_record_is_not_reused(forgery: str, notebook: Notebook, tmp_path: Path) -> None:
    run(notebook)
    notebook.stop()
    with closing(sqlite3.connect(tmp_path / "home" / "metadata.db")) as db, db:
        FORGERIES[forgery](db)
    notebook.start()
    again = run(notebook)
    ran = {each.status for each in again if UNSIGNED in each.reason or each.reason == "first run"}
    assert ran == {"completed"}, [(each.status, each.reason) for each in again]
    assert notebook.ns["one"] == [1, 2, 3]
    assert notebook.ns["two"] == {"two": 2}
    assert (notebook.ns["model"].n, notebook.ns["other"].n) == (1, 2)
    assert [each.status for each in run(notebook)] == ["cached"] * 5


def test_a_step_that_is_not_reusable_cannot_be_made_so(notebook: Notebook, tmp_path: Path) -> None:
    cell = "%%step first\nimport subprocess\none = subprocess.run(['true']).returncode"
    notebook.run(cell)
    notebook.stop()
    with closing(sqlite3.connect(tmp_path / "home" / "metadata.db")) as db, db:
        db.execute("UPDATE steps SET reusable = 1, unusable_because = ''")
    notebook.start()
    (ran,) = notebook.run(cell)
    assert ran.status == "completed"
    assert UNSIGNED in ran.reason


def test_a_signed_pickle_is_not_loaded_under_another_name(notebook: Notebook, tmp_path: Path) -> None:
    run(notebook)
    notebook.stop()
    with closing(sqlite3.connect(tmp_path / "home" / "metadata.db")) as db, db:
        swap_blobs(db, "model", "other")
    notebook.start()
    notebook.run(CLASS)
    loaded = notebook.cell("import zennb\nfound = zennb.load('model').n")
    assert "found" not in notebook.ns
    assert "not signed by you" in str(loaded.error)


def test_records_of_another_user_are_not_reused_and_status_says_so(
    notebook: Notebook, tmp_path: Path
) -> None:
    run(notebook)
    notebook.stop()
    (key,) = tmp_path.rglob("signing-key")
    key.unlink()
    notebook.start()
    again = run(notebook)
    assert all(each.status == "completed" and UNSIGNED in each.reason for each in again), [
        (each.status, each.reason) for each in again
    ]
    loaded = notebook.cell("import zennb\nfound = zennb.load('model').n")
    assert loaded.error is None
    assert notebook.ns["found"] == 1
    assert [each.status for each in run(notebook)] == ["cached"] * 5


def sign_again(session: Any) -> None:
    """Sign all records as they are now, as somebody could who has the key."""
    workspace = session.workspace
    steps = workspace.metadata.latest_steps(session.notebook)
    with closing(sqlite3.connect(workspace.home / "metadata.db")) as db, db:
        for step in steps:
            seal = workspace.signer.sign_record(step.seal.message)
            db.execute("UPDATE step_details SET seal = ? WHERE step = ?", (seal, step.id))


@pytest.mark.parametrize(
    "changes",
    [
        {FILES: {"{outside}/planted.txt": b"x"}},
        {FILES: {"../planted.txt": b"x"}},
        {FILES: {".planted": b"x"}},
        {FILES: {"json.py": b"x"}},
        {ENVIRONMENT: {"LD_PRELOAD": "/tmp/evil.so"}},
        {ENVIRONMENT: {"PATH": "/tmp/evil"}},
        {"module path": {"added": [(0, "{outside}")]}},
        {"current folder": "{outside}"},
    ],
    ids=str,
)
def test_even_a_signed_record_restores_nothing_that_the_code_does_not_name(
    changes: dict[str, Any], notebook: Notebook, tmp_path: Path
) -> None:
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    outside.mkdir()
    notebook.run(SETTINGS)
    session: Any = notebook.shell.zennb_step
    text = json.dumps(changes, default=lambda each: each.decode()).replace("{outside}", str(outside))
    found = json.loads(text)
    for path, content in found.get(FILES, {}).items():
        found[FILES][path] = content.encode()
    context = session.context()
    carried = context.artifacts.save_changes(found)
    notebook.stop()
    with closing(sqlite3.connect(tmp_path / "home" / "metadata.db")) as db, db:
        (old,) = db.execute("SELECT carried FROM step_details").fetchone()
        new = json.dumps({**json.loads(old), "blob": carried.blob, "materializer": carried.materializer})
        db.execute("UPDATE step_details SET carried = ?", (new,))
    notebook.start()
    sign_again(notebook.shell.zennb_step)
    before = {*outside.iterdir(), *tmp_path.iterdir()}
    (ran,) = notebook.run(SETTINGS)
    assert ran.status == "completed", ran.reason
    assert "its code does not name" in ran.reason
    assert {*outside.iterdir(), *tmp_path.iterdir()} == before


def other_user(tmp_path: Path) -> str:
    """Move the user's key away, so that the next one is somebody else; return the public key of the first."""
    key = Signer().identity
    (own,) = tmp_path.rglob("signing-key")
    own.unlink()
    return key


def test_results_of_somebody_trusted_are_reused_pickles_files_and_settings_included(
    notebook: Notebook, tmp_path: Path
) -> None:
    keep = "%%step keep\nfrom pathlib import Path\n_ = Path('kept.txt').write_text('kept')"
    run(notebook)
    notebook.run(keep)
    notebook.stop()
    (tmp_path / "kept.txt").unlink()
    key = other_user(tmp_path)
    notebook.start()
    Signer().trust(key)
    again = [*run(notebook), *notebook.run(keep)]
    assert [each.status for each in again] == ["cached"] * 6, [each.reason for each in again]
    assert notebook.ns["model"].n == 1
    assert (tmp_path / "kept.txt").read_text() == "kept"
    Signer().distrust(key)
    notebook.restart()
    assert {each.status for each in run(notebook)} == {"completed"}


def test_a_forged_record_of_somebody_trusted_is_not_reused(notebook: Notebook, tmp_path: Path) -> None:
    run(notebook)
    notebook.stop()
    key = other_user(tmp_path)
    with closing(sqlite3.connect(tmp_path / "home" / "metadata.db")) as db, db:
        swap_blobs(db, "one", "two")
    notebook.start()
    Signer().trust(key)
    again = run(notebook)
    assert [each.status for each in again] == ["completed", "completed", "cached", "cached", "cached"]
