"""Registered models of a damaged home come back with their numbers and aliases."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from zennb import api
from zennb.recovery.registered import register_models_again, registered_in
from zennb.registry.registered_models import register_model, versions
from zennb.registry.workspace import Workspace

if TYPE_CHECKING:
    from zennb.core.records.models import ModelVersion
    from zennb.metadata.labels import Labelled

Home = Any


@pytest.fixture
def registered(home: Home) -> list[ModelVersion]:
    """A home with two versions of a model; the second one is of a step that ran after the backup."""
    opened = Workspace(home.path)
    for name, alias in (("a", "champion"), ("d", "candidate")):
        register_model(opened, "numbers", api.find_artifact(opened, name), alias=alias, note=name)
    found = versions(opened)
    opened.close()
    return found


def models_of(home: Home) -> list[ModelVersion]:
    opened = Workspace(home.path)
    try:
        return versions(opened)
    finally:
        opened.close()


def known(found: list[ModelVersion]) -> list[tuple[object, ...]]:
    return [(each.label, each.aliases, each.artifact, each.digest, each.note) for each in found]


def test_what_is_read_from_a_database_is_registered_again_as_it_was(
    home: Home, registered: list[ModelVersion]
) -> None:
    found = registered_in(home.path / "metadata.db")
    assert known(found.models) == known(registered)
    opened = Workspace(home.path)
    for each in registered:
        opened.metadata.models.delete(each.name, each.version)
    opened.metadata.models.restore(replace(registered[0], version=7, aliases=("champion",)))
    assert register_models_again(opened.metadata, found) == 2
    assert register_models_again(opened.metadata, found) == 0
    assert [(each.version, each.aliases) for each in versions(opened)] == [
        (7, ("champion",)),
        (2, ("candidate",)),
        (1, ()),
    ]
    assert opened.metadata.models.add("numbers", ("a", 1)) == 8
    opened.close()


def test_tags_and_notes_come_back_with_what_they_belong_to(home: Home) -> None:
    opened = Workspace(home.path)
    (run, *_), (artifact, *_) = opened.metadata.runs(), opened.metadata.history("a")
    both: list[tuple[Labelled, int]] = [("run", run.id or 0), ("artifact", artifact.id or 0)]
    for kind, number in both:
        opened.metadata.labels.describe(kind, number, f"a {kind}", {"good": "", "data": "2024"})
    found = registered_in(home.path / "metadata.db")
    for kind, number in both:
        opened.metadata.labels.describe(kind, number, "", {})
    register_models_again(opened.metadata, found)
    for each in (opened.metadata.run(run.id or 0), opened.metadata.artifact("a", artifact.version)):
        assert each is not None
        assert dict(each.tags) == {"good": "", "data": "2024"}
        assert each.note.startswith("a ")
    opened.metadata.labels.describe("run", run.id or 0, "newer", {})
    register_models_again(opened.metadata, found)
    again = opened.metadata.run(run.id or 0)
    assert again is not None
    assert (again.note, dict(again.tags)) == ("newer", {})
    opened.close()


def test_models_come_back_from_a_backup(home: Home, registered: list[ModelVersion]) -> None:
    opened = Workspace(home.path)
    opened.metadata.backups.make()
    opened.close()
    database = home.path / "metadata.db"
    database.write_bytes(b"\\0" * 5000)
    home.repair()
    assert known(models_of(home)) == known(registered)
