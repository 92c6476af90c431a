"""A log that loses records while no kernel runs: the copies beside the values say that they were there."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from zennb.core.records.records import Status
from zennb.recovery import examination
from zennb.recovery.examination import examine_home
from zennb.registry.workspace import Workspace

if TYPE_CHECKING:
    from tests.recovery.conftest import Home


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """The home was filled long ago."""
    monkeypatch.setattr(examination, "_UNDER_WAY", 0.0)


def found(home: Home) -> list[str]:
    return [each.what for each in examine_home(home.path, signer=home.signer).findings]


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_records_that_were_lost_with_the_log_are_missing(home: Home, share: float) -> None:
    log = home.path / "metadata.db-wal"
    content = log.read_bytes()
    assert found(home) == []
    log.write_bytes(content[: int(share * len(content))])
    for path in home.path.glob("metadata.db-shm"):
        path.unlink()
    said = found(home)
    assert any("not in it, although the copies beside the values are there" in each for each in said), said
    home.repair()
    assert found(home) == []


def test_what_a_kernel_records_at_this_moment_is_not_missing(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examination, "_UNDER_WAY", 3600.0)
    (home.path / "metadata.db-wal").write_bytes(b"")
    assert not any("copies beside" in each for each in found(home))


def test_records_that_were_deleted_on_purpose_are_not_missing(home: Home) -> None:
    with closing(Workspace(home.path)) as opened:
        records = opened.metadata
        runs, latest = records.run_ids(), records.runs()[0]
        step = records.previous("later", "")
        assert step is not None
        # A newer run, which ended before the one that is deleted.
        run = records.begin_run(replace(latest, id=None, started=1.0, status=Status.COMPLETED))
        made = {"e": replace(step.outputs["d"], id=None, name="e", version=0, step=None)}
        records.add(replace(step, id=None, name="early", run=run.id, started=1.0, inputs={}, outputs=made))
        records.deletions.delete(runs)
        assert len(records.space.step_marks()[0]) == 1
    assert not any("copies beside" in each for each in found(home))
    assert not any("written again" in each for each in home.repair().done)
