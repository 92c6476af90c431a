"""What a step left is set again only when this user recorded it, whoever else can write into the store."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from xxhash import xxh3_128_hexdigest

from zennb.engine.environment.execution_environment import FILES
from zennb.engine.step.recording import Recording
from zennb.materializers.plain import PlainData

if TYPE_CHECKING:
    from pathlib import Path

    from tests.jupyter.conftest import Notebook

LARGE = 100_000
"""Bytes that are a file of the store, whose check a writer of the store can forge as well."""

CELL = f"%%step s\nfrom pathlib import Path\n_ = Path('out.txt').write_text('x' * {LARGE})\ndone = 1"


def forge(store: Path, blob: str, content: bytes) -> None:
    """Replace a file of the store by other content, and what its database says about it."""
    file = next(store.rglob(blob))
    file.chmod(0o600)
    file.write_bytes(content)
    with closing(sqlite3.connect(store / "cache.db")) as connection, connection:
        tag = f"file:{len(content)}:{xxh3_128_hexdigest(content)}"
        connection.execute("UPDATE Cache SET tag = ? WHERE key = ?", (tag, blob))


@pytest.mark.parametrize("is_signed", [False, True], ids=["nobody's", "with the seal of the true one"])
def test_files_that_somebody_planted_in_the_store_are_not_written(
    notebook: Notebook, tmp_path: Path, is_signed: bool
) -> None:
    planted = tmp_path / "startup" / "planted.py"
    notebook.run(CELL)
    session: Any = notebook.shell.zennb_step
    (step,) = session.workspace.metadata.latest_steps(session.notebook)
    notebook.stop()
    store = tmp_path / "home" / "artifacts"
    head = next(store.rglob(step.carried.blob)).read_bytes()[:64] if is_signed else b""
    evil = PlainData().dump({FILES: {str(planted): b"1" * LARGE}})
    forge(store, step.carried.blob, head + b"".join(bytes(part) for part in evil))
    notebook.start()
    (tmp_path / "out.txt").unlink()
    (ran,) = notebook.run(CELL)
    assert ran.status == "completed"
    assert ran.reason
    assert not planted.exists()
    assert (tmp_path / "out.txt").stat().st_size == LARGE


def test_output_that_somebody_planted_in_the_store_is_not_shown(notebook: Notebook, tmp_path: Path) -> None:
    cell = "%%step s\nimport random\nprint(random.Random(1).randbytes(100_000).hex()[:150_000])\ndone = 1"
    (ran,) = notebook.run(cell)
    session: Any = notebook.shell.zennb_step
    (step,) = session.workspace.metadata.latest_steps(session.notebook)
    notebook.stop()
    planted = Recording()
    planted.display({"text/html": f"<script>{os.urandom(50_000).hex()}</script>"})
    forge(tmp_path / "home" / "artifacts", step.displays, planted.dump())
    notebook.start()
    (again,) = notebook.run(cell)
    assert again.status == "completed"
    assert again.out == ran.out
    assert not [shown for shown in again.displays if "<script>" in shown["data"].get("text/html", "")]
