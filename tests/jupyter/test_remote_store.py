"""Steps on a stack whose artifact store is elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from zennb.components.artifact_stores.remote.shared_folder import SharedFolder
from zennb.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.jupyter.conftest import Notebook

pytest.importorskip("fsspec")

LARGE = "%%step make\nlarge = list(range(100_000))\nlarge[:3]"
SMALL = "%%step few\nfew = [1, 2, 3]"
SUM = "%%step add\ntotal = sum(large)"


@pytest.fixture
def away(notebook: Notebook, tmp_path: Path) -> Notebook:
    """A notebook on a stack that keeps artifacts in a folder of fsspec, without local copies."""
    notebook.run(
        f"%artifact-store register away --flavor=fsspec --url=file://{tmp_path}/away --cache_size=0 "
        f"--cache={tmp_path}/copies",
        "%stack register far -o default -a away --set",
    )
    return notebook


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """What was asked of the other side: the method, and for how many files."""
    found: list[tuple[str, int]] = []
    for name in ("sizes", "read", "download", "upload", "listed"):
        real = getattr(SharedFolder, name)

        def noted(self: Any, *args: Any, name: str = name, real: Callable[..., Any] = real) -> Any:
            found.append((name, len(args[0]) if args and isinstance(args[0], (list, tuple)) else 1))
            return real(self, *args)

        monkeypatch.setattr(SharedFolder, name, noted)
    return found


def test_steps_are_stored_and_reused_there(away: Notebook) -> None:
    first = away.run(LARGE, SMALL, SUM)
    assert [ran.status for ran in first] == ["completed"] * 3
    away.restart()
    again = away.run(LARGE, SMALL, SUM, "assert (few, total, large[-1]) == ([1, 2, 3], 4999950000, 99999)")
    assert [ran.status for ran in again[:3]] == ["cached"] * 3


def test_reusing_a_step_whose_large_output_nobody_reads_downloads_nothing(
    away: Notebook, calls: list[tuple[str, int]]
) -> None:
    away.run("%%step make\nlarge = list(range(100_000))")
    away.restart()
    calls.clear()
    assert away.run("%%step make\nlarge = list(range(100_000))")[0].status == "cached"
    assert {name for name, _ in calls} == {"sizes"}
    away.run("assert len(large) == 100_000")
    assert "read" in {name for name, _ in calls}


def test_what_was_deleted_there_is_made_again(away: Notebook, tmp_path: Path) -> None:
    away.run(LARGE, SUM)
    blobs = [path for path in (tmp_path / "away").rglob("*") if path.is_file()]
    max(blobs, key=lambda path: path.stat().st_size).unlink()
    away.restart()
    ran = away.run(LARGE, SUM, "assert total == 4999950000")
    assert ran[0].status == "completed"
    assert "not in" in ran[0].reason
    assert ran[1].status == "cached"


def test_a_store_that_may_not_be_written_to_loses_no_result(
    away: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Any, uploads: Any) -> None:
        raise PermissionError("refused by the test")

    monkeypatch.setattr(SharedFolder, "upload", refuse)
    ran = away.cell(LARGE)
    assert ran.error is None
    assert away.ns["large"][-1] == 99_999
    assert "read-only" in str(ran.displays)


def test_a_store_that_fails_is_registered_and_named(notebook: Notebook, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ran = notebook.cell(f"%artifact-store register bad --flavor=fsspec --url=file://{tmp_path}/file/store")
    assert ran.error is None
    assert "does not work yet" in str(ran.result or ran.displays or ran.out)
    assert "bad" in [
        each.name for each in notebook.shell.zennb_step.workspace.registry.components("artifact_store")
    ]


def test_pruning_says_that_such_a_store_cannot_free_space(away: Notebook) -> None:
    away.run(LARGE)
    ran = away.cell("%artifacts prune --to 1kB --yes")
    assert "cannot free space" in str(ran.error or ran.result or ran.displays or ran.out)


def test_a_step_whose_result_is_out_of_reach_says_so_and_computes_nothing_anew(
    away: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    away.run(SMALL)
    away.restart()

    def refuse(self: Any, *_: Any) -> None:
        raise ConnectionRefusedError(111, "Connection refused")

    with monkeypatch.context() as patch:
        for name in ("sizes", "read", "upload"):
            patch.setattr(SharedFolder, name, refuse)
        ran = away.cell(SMALL)
        assert isinstance(ran.error, StoreError)
        assert "cannot reach" in ran.error.message
        assert "few" not in away.ns
    assert away.run(SMALL)[0].status == "cached"
