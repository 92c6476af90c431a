"""Tags and notes through handles: the same for runs, artifacts and models, as their commands have them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

import zennb
from zennb import api
from zennb.core.records.records import Run, Status, Step
from zennb.digests.digest import digest_value
from zennb.engine.run.artifact_repository import ArtifactRepository
from zennb.errors import UnknownName, UsageError
from zennb.materializers.signer import Signer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ZENNB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    monkeypatch.delenv("ZENNB_STACK", raising=False)
    for rows in ([1], [2]):
        record(rows)
    zennb.register_model("numbers", "rows")
    yield
    api.close()


def record(rows: list[int]) -> None:
    opened = api.workspace().open()
    run = Run(stack=opened.spec, notebook="study.ipynb", status=Status.COMPLETED, started=time.time())
    repository = ArtifactRepository(store=opened.store, scope={}, signer=Signer())
    made = repository.save({"rows": (rows, digest_value(rows))}).artifacts
    step = Step(
        name="load", notebook="study.ipynb", status=Status.COMPLETED, started=time.time(), outputs=made
    )
    api.workspace().metadata.add(step, run=run)


FIND: dict[str, Callable[[], Any]] = {
    "run": lambda: zennb.runs()[-1],
    "artifact": lambda: zennb.artifacts("rows")[-1],
    "model": lambda: zennb.models("numbers")[0],
}


@pytest.mark.parametrize("find", FIND.values(), ids=list(FIND))
def test_tags_and_notes_are_set_and_taken_away(find: Callable[[], Any]) -> None:
    before = find()
    after = before.tag("good", data="2024").set_note("the first")
    assert type(after) is type(before)
    assert (dict(after.tags), after.note) == ({"good": "", "data": "2024"}, "the first")
    assert "the first" in repr(find())
    assert dict(before.tag("more").tags) == {"good": "", "data": "2024", "more": ""}, "others stay"
    assert dict(before.untag("good", "more").tags) == {"data": "2024"}
    assert before.set_note("").note == ""
    with pytest.raises(UnknownName):
        before.untag("absent")
    with pytest.raises(UsageError):
        before.tag("")
    assert dict(find().tags) == {"data": "2024"}


def test_listings_filter_by_tag() -> None:
    zennb.runs()[0].tag("late")
    zennb.artifacts("rows")[1].tag("good", data="2024")
    assert [run.id for run in zennb.runs(tag="late")] == [2]
    assert len(zennb.runs(where="accuracy > 0.9")) == 0
    assert [each.label for each in zennb.artifacts(tag="good")] == ["rows v1"]
    assert [each.label for each in zennb.artifacts("rows", tag="data=2024", limit=1)] == ["rows v1"]
    assert len(zennb.artifacts("rows", tag="absent")) == 0
    assert list(zennb.runs().to_frame()["tags"]) == [["late"], []]
