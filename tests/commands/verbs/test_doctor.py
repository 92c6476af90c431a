"""`zennb doctor`, `zennb doctor --repair` and `%zennb reopen`, as typed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from zennb import api
from zennb.cli import main
from zennb.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from zennb.core.records.records import Step
    from zennb.registry.workspace import Workspace

    Record = Callable[..., Step]
    Commands = Any


@pytest.fixture
def home(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("ZENNB_HOME", str(workspace.home))
    yield workspace.home
    api.close()


def test_of_an_intact_home_it_says_what_is_in_it(
    workspace: Workspace, home: Path, record: Record, capsys: pytest.CaptureFixture[str]
) -> None:
    record("train", {"model": [1, 2]})
    workspace.close()
    assert main(["doctor"]) == 0
    shown = capsys.readouterr().out
    assert f"{home}: 1 run, 1 step, 1 artifact; 0 backups" in shown
    assert "Nothing is wrong." in shown


def test_of_no_home_it_says_that_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ZENNB_HOME", str(tmp_path / "none"))
    assert main(["doctor"]) == 0
    assert "is not there yet; the first step makes it." in capsys.readouterr().out
    assert not (tmp_path / "none").exists()


def test_what_is_wrong_is_listed_and_the_exit_code_is_1(
    workspace: Workspace, home: Path, record: Record, capsys: pytest.CaptureFixture[str]
) -> None:
    record("train", {"model": [1, 2]})
    workspace.close()
    (home / "metadata.db").unlink()
    (home / "artifacts" / "blobs" / "notes.txt").write_text("mine")
    assert main(["doctor"]) == 1
    shown = capsys.readouterr().out
    assert f"missing  {home / 'metadata.db'}: the records are not there" in shown
    assert f"foreign  {home / 'artifacts' / 'blobs' / 'notes.txt'}: it is not a folder of blobs" in shown


def test_of_lost_bytes_it_says_what_brings_them_back(
    workspace: Workspace, home: Path, record: Record, capsys: pytest.CaptureFixture[str]
) -> None:
    record("train", {"model": "x" * 50_000})
    workspace.close()
    (blob,) = (path for path in (home / "artifacts" / "blobs").glob("*/*") if path.stat().st_size > 32_768)
    blob.chmod(0o644)
    blob.write_bytes(b"y" * blob.stat().st_size)
    assert main(["doctor"]) == 1
    shown = capsys.readouterr()
    assert "`zennb doctor --repair` brings back what is intact; nothing is deleted." in shown.out
    assert main(["doctor", "--repair"]) == 0
    shown = capsys.readouterr()
    assert (
        f"damaged blobs of {home / 'artifacts'} that are now in {home / 'artifacts' / 'quarantine'}: 1."
        in shown.out
    )
    assert "come back when their step runs" in shown.out
    assert main(["doctor"]) == 1
    shown = capsys.readouterr()
    assert "--repair" not in shown.out + shown.err
    assert "come back when their step runs; `zennb artifacts forget --yes`" in shown.out


def test_json_has_the_findings_and_the_error(
    workspace: Workspace, home: Path, record: Record, capsys: pytest.CaptureFixture[str]
) -> None:
    record("train", {"model": [1, 2]})
    workspace.close()
    (home / "STORE.json").unlink()
    assert main(["doctor", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["data"]["is_well"] is False
    assert found["data"]["records"] == {"runs": 1, "steps": 1, "artifacts": 1}
    assert [each["kind"] for each in found["data"]["findings"]] == ["missing"]
    assert "`zennb doctor --repair`" in found["error"]["message"]
    assert main(["doctor", "--repair", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["data"]["done"] == [f"{home / 'STORE.json'} was written again."]
    assert "error" not in found
    assert main(["doctor", "--json"]) == 0


def test_blobs_that_belong_to_no_record_are_told_and_are_not_wrong(
    workspace: Workspace, home: Path, record: Record, capsys: pytest.CaptureFixture[str]
) -> None:
    record("train", {"model": [1, 2]})
    workspace.open().store.put([b"left over"])
    workspace.close()
    assert main(["doctor"]) == 0
    assert "unreferenced" in capsys.readouterr().out


def test_a_value_whose_bytes_are_gone_is_named_and_its_loss_is_no_reason_to_fail_a_repair(
    workspace: Workspace, home: Path, record: Record, capsys: pytest.CaptureFixture[str]
) -> None:
    step = record("train", {"model": [1, 2]})
    workspace.open().store.delete(step.outputs["model"].blob)
    workspace.close()
    assert main(["doctor"]) == 1
    assert "bytes of model v1 are in no store; its step runs again" in capsys.readouterr().out
    assert main(["doctor", "--repair"]) == 0


def test_a_home_of_a_newer_zennb_is_left_alone(
    workspace: Workspace, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace.close()
    marker = home / "STORE.json"
    marker.write_text(json.dumps({"format": 99, "uuid": "x"}))
    assert main(["doctor"]) == 1
    assert "it is of a newer zennb" in capsys.readouterr().out
    assert main(["doctor", "--repair"]) == 1
    assert "pip install --upgrade zennb" in capsys.readouterr().err
    assert json.loads(marker.read_text())["format"] == 99


def test_reopening_needs_a_notebook(command: Commands) -> None:
    with pytest.raises(UsageError, match="%load_ext zennb"):
        command("reopen")
