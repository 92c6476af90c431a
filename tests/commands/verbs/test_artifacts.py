from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from zennb.commands.interface import Interface
from zennb.core.planning.expiry import expired
from zennb.core.records.records import Status
from zennb.errors import UnknownName

Commands = Any
Record = Any


@pytest.fixture
def study(record: Record) -> None:
    """`rows` → `model` → `score`, and a second version of the score."""
    rows = record("load", {"rows": [1, 2, 3]}).outputs
    model = record("train", {"model": {"weight": 2.0}}, inputs=rows).outputs
    record("score", {"score": 0.5}, inputs={**rows, **model})
    record("score", {"score": 0.75}, inputs={**rows, **model})


@pytest.mark.usefixtures("study")
def test_the_latest_version_of_each_artifact_is_listed(command: Commands) -> None:
    found = command.data("artifacts")
    assert [(each["name"], each["version"]) for each in found] == [("score", 2), ("model", 1), ("rows", 1)]
    listed = [line.split()[:2] for line in command.text("artifacts").splitlines()[2:]]
    assert listed == [["score", "score"], ["train", "model"], ["load", "rows"]]
    assert len(command.data("artifacts", "list", "--limit", "1")) == 1
    assert command.data("artifacts", "list", "--kind", "captured") == []


@pytest.mark.usefixtures("study")
def test_an_artifact_shows_who_made_it_and_who_used_it(command: Commands) -> None:
    found = command.data("artifacts", "show", "model")
    assert (found["producer"]["name"], {step["name"] for step in found["consumers"]}) == ("train", {"score"})
    assert "train (run 2)" in command.text("artifacts", "show", "model")


@pytest.mark.usefixtures("study")
def test_a_version_can_be_chosen(command: Commands) -> None:
    assert command("artifacts", "load", "score", "--version=1").value == 0.5
    assert command("artifacts", "load", "score").value == 0.75
    assert command.data("artifacts", "show", "score", "--version", "1")["version"] == 1


@pytest.mark.usefixtures("study")
def test_history_lists_all_versions(command: Commands) -> None:
    assert [each["version"] for each in command.data("artifacts", "history", "score")] == [2, 1]
    assert [each["version"] for each in command.data("artifacts", "history", "score", "--limit=1")] == [2]


@pytest.mark.usefixtures("study")
def test_lineage_reaches_up_and_down(command: Commands) -> None:
    text = command.text("artifacts", "lineage", "model")
    assert text.index("model v1") < text.index("train (run 2)") < text.index("rows v1")
    assert "score" in text
    found = command.data("artifacts", "lineage", "rows")
    assert {step["name"] for steps in found["consumers"].values() for step in steps} == {"train", "score"}


@pytest.mark.usefixtures("study")
def test_the_terminal_shows_a_preview_and_loads_nothing(
    command: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    from zennb import api

    monkeypatch.setattr(api, "load_artifact", None)
    outcome = command("artifacts", "load", "score", interface=Interface.TERMINAL)
    assert (outcome.value, "0.75" in outcome.view.text) == (None, True)


@pytest.mark.usefixtures("study")
@pytest.mark.parametrize("words", ["list", "show model", "history score", "lineage score", "verify"])
def test_json_shows_exactly_the_data(command: Commands, words: str) -> None:
    outcome = command("artifacts", *words.split(), "--json")
    assert json.loads(outcome.view.text)["data"] == json.loads(json.dumps(outcome.data))


@pytest.mark.usefixtures("study")
@pytest.mark.parametrize("verb", ["show", "history", "lineage", "load"])
def test_an_unknown_artifact_is_answered_with_the_nearest(command: Commands, verb: str) -> None:
    with pytest.raises(UnknownName, match="no artifact 'modle'; did you mean 'model'"):
        command("artifacts", verb, "modle")


@pytest.mark.usefixtures("study")
def test_an_unknown_version_is_answered_with_those_that_exist(command: Commands) -> None:
    with pytest.raises(UnknownName, match="no version of 'score' numbered '9'; known: 2, 1"):
        command("artifacts", "show", "score", "--version", "9")


@pytest.mark.usefixtures("study")
def test_a_whole_store_is_said_to_be_whole(command: Commands) -> None:
    outcome = command("artifacts", "verify")
    assert (outcome.code, outcome.data["damaged"]) == (0, [])
    assert "all 4 stored blobs are whole" in outcome.view.text


def test_damage_is_named_and_is_no_success(command: Commands, record: Record, workspace: Any) -> None:
    big = record("load", {"big": "x" * 200_000}).outputs["big"]
    (file,) = [each for each in Path(workspace.home).rglob(f"*{big.blob[4:]}*") if each.is_file()]
    file.chmod(0o600)
    file.write_bytes(b"y" * file.stat().st_size)
    outcome = command("artifacts", "verify")
    assert outcome.code == 1
    assert [(each["artifact"], each["digest"]) for each in outcome.data["damaged"]] == [("big v1", big.blob)]
    assert "1 stored blob damaged or gone" in outcome.view.text


def test_expiring_counts_what_it_touched_and_is_the_same_in_a_terminal(
    command: Commands, record: Record
) -> None:
    first = record("train", {"model": 3}, cache_key="k")
    record("train", {"model": 3}, cache_key="k", status=Status.CACHED, reused=first.id)
    record("other", {"rest": 1}, cache_key="o")
    outcome = command("artifacts", "expire", "model", interface=Interface.TERMINAL)
    assert outcome.data == {"artifact": "model v1", "results": 1, "reuses": 1, "steps": ["train"]}
    assert outcome.view is not None
    assert "Nothing was deleted; the next use runs again." in outcome.view.text
    metadata = command.workspace.metadata
    (step,) = metadata.find("k")
    assert step.expires is not None
    assert expired(step, now=time.time()) == "`model v1` was expired by hand"
    (rest,) = metadata.find("o")
    assert rest.expires is None


def test_expiring_what_is_not_there_names_the_nearest(command: Commands, record: Record) -> None:
    record("train", {"model": 3})
    with pytest.raises(UnknownName, match="did you mean 'model'"):
        command("artifacts", "expire", "modle")
