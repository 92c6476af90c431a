"""Switching the stack carries results: what another stack's store has is copied, and nothing is computed again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from zennb import api

if TYPE_CHECKING:
    from pathlib import Path

    from tests.jupyter.conftest import Notebook, Ran

SECOND = (
    "%artifact-store register other --flavor=memory",
    "%stack register second -o default -a other",
    "%stack set second",
)
CELLS = (
    "%%step rows\nimport numpy as np\nbig = np.arange(50_000)\nsmall = {'a': 1}\nprint('made')\nsmall",
    "%%step total\nall_of_it = int(big.sum()) + small['a']",
)
COPIED = "copied from artifact store 'default'"


def text(ran: Ran) -> str:
    return "\n".join(each["data"]["text/plain"] for each in ran.displays)


@pytest.fixture
def switched(notebook: Notebook) -> Notebook:
    notebook.run(*CELLS)
    notebook.run(*SECOND)
    return notebook


def test_results_of_another_stack_are_copied_and_shown(switched: Notebook) -> None:
    rows, total = switched.run(*CELLS)
    assert (rows.status, rows.reason) == ("cached", COPIED)
    assert (total.status, total.reason) == ("cached", COPIED)
    assert "made\n" in rows.out
    assert switched.ns["all_of_it"] == sum(range(50_000)) + 1
    store = api.workspace().open().store
    found = api.workspace().metadata.artifacts()
    assert all(store.has(each.blob) for each in found)
    assert [each.reason for each in switched.run(*CELLS)] != [COPIED, COPIED]


def test_a_pipeline_run_copies_too(switched: Notebook) -> None:
    (ran,) = switched.run("%pipeline run")
    assert text(ran).count("copied from") == 2
    assert switched.ns["all_of_it"] == sum(range(50_000)) + 1


def test_the_plan_says_so_and_copies_nothing(switched: Notebook) -> None:
    (said,) = switched.run("%pipeline status")
    assert text(said).count(COPIED) == 2
    assert list(api.workspace().open().store.digests()) == []


def test_who_asks_for_a_run_gets_one(switched: Notebook) -> None:
    (rows,) = switched.run(CELLS[0].replace("%%step rows", "%%step rows --rerun"))
    assert (rows.status, rows.reason) == ("completed", "asked for with --rerun")


def flip_a_byte(home: Path, name: str) -> None:
    """Change a byte of a large output in the file of the default store."""
    size = next(each.size for each in api.workspace().metadata.artifacts() if each.name == name)
    (file,) = [each for each in home.rglob("*") if each.is_file() and each.stat().st_size == size]
    file.chmod(0o600)
    file.write_bytes(file.read_bytes()[:-1] + b"!")


@pytest.mark.parametrize("cell", ["", "%pipeline run"])
def test_what_turns_out_to_be_damaged_there_is_said_so_and_computed_here(
    switched: Notebook, tmp_path: Path, cell: str
) -> None:
    flip_a_byte(tmp_path / "home", "big")
    assert text(switched.run("%pipeline status")[0]).count(COPIED) == 2, "only reading it can tell"
    damaged = "`big v1` is damaged in artifact store 'default'"
    if cell:
        (ran,) = switched.run(cell)
        assert ("`big v1` is damaged" in text(ran), text(ran).count("copied from")) == (True, 1)
    else:
        rows, total = switched.run(*CELLS)
        assert (rows.status, rows.reason) == ("completed", damaged)
        assert (total.status, total.reason) == ("cached", COPIED)
    (said,) = switched.run("%pipeline status")
    assert (text(said).count("fresh"), COPIED in text(said)) == (2, False)
    assert switched.ns["all_of_it"] == sum(range(50_000)) + 1


def test_what_is_gone_there_is_computed_here(switched: Notebook) -> None:
    default = api.workspace().open("default").store
    for each in api.workspace().metadata.artifacts():
        if each.name == "big":
            default.delete(each.blob)
    rows, total = switched.run(*CELLS)
    assert (rows.status, rows.reason) == ("completed", "`big v1` is not in artifact store 'other'")
    assert (total.status, total.reason) == ("cached", COPIED)


def test_a_store_that_cannot_be_asked_is_passed_over(
    switched: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    from zennb.errors import StoreError

    def away(*_: object) -> bool:
        raise StoreError("it does not answer.")

    for ask in ("has", "present"):
        monkeypatch.setattr(api.workspace().open("default").store, ask, away)
    (rows,) = switched.run(CELLS[0])
    assert (rows.status, switched.ns["small"]) == ("completed", {"a": 1})
