"""`model` and `deployment`, as typed."""

from __future__ import annotations

import operator
from functools import partial
from typing import Any

import pytest

from zennb.commands.interface import Interface
from zennb.errors import DeploymentFailed, UnknownName, UsageError

Commands = Any
Record = Any


@pytest.fixture
def registered(command: Commands, record: Record) -> Any:
    """Two versions of `model`, the second registered as `classifier`, with the alias `champion`."""
    for factor in (2, 3):
        record("train", {"model": partial(operator.mul, factor)})
    command(
        "model", "register", "classifier", "--from", "model", "--alias", "champion", "--tag", "stage=test"
    )
    return command


def test_a_home_without_models_says_how_to_register_one(command: Commands) -> None:
    assert "`model register NAME --from ARTIFACT`" in command.text("model", "list")
    assert "`model deploy NAME`" in command.text("deployment")


def test_a_registered_version_stands_for_the_current_artifact(registered: Commands) -> None:
    (found,) = registered.data("model", "list")
    assert (found["name"], found["version"], found["artifact"], found["artifact_version"]) == (
        "classifier",
        1,
        "model",
        2,
    )
    assert found["aliases"] == ["champion"]
    assert "champion (v1)" in registered.text("model", "list")
    assert "functools.partial" in registered.text("model", "show", "classifier@champion")
    assert "model v2" in registered.text("model", "show", "classifier")


def test_registering_again_changes_nothing_and_another_version_is_the_next(registered: Commands) -> None:
    text = registered.text("model", "register", "classifier", "--from", "model")
    assert "is registered already, just so" in text
    registered("model", "register", "classifier", "--from", "model", "--version", "1", "--alias", "champion")
    found = registered.data("model", "show", "classifier")
    assert [(each["version"], each["artifact_version"], each["aliases"]) for each in found] == [
        (2, 1, ["champion"]),
        (1, 2, []),
    ]


def test_aliases_move_and_go(registered: Commands) -> None:
    assert "classifier v1 from now on" in registered.text("model", "alias", "classifier@1", "best")
    assert registered.data("model", "show", "classifier@best")["aliases"] == ["best", "champion"]
    registered("model", "unalias", "classifier", "best")
    registered("model", "unalias", "classifier@champion")
    assert registered.data("model", "show", "classifier@1")["aliases"] == []
    with pytest.raises(UnknownName, match="alias of model 'classifier' called 'champion'"):
        registered("model", "show", "classifier@champion")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("register", "a@b", "--from", "model"), "cannot name a model"),
        (("register", "a", "--from", "model", "--alias", "v2"), "means a version"),
        (("register", "a", "--from", "model", "--alias", "latest"), "means a version"),
        (("register", "a", "--from", "model", "--alias", "two words"), "cannot be an alias"),
        (("register", "", "--from", "model"), "NAME is missing"),
        (("alias", "classifier", "3"), "means a version"),
        (("unalias", "classifier"), "say which alias"),
        (("show", "@champion"), "names no model"),
    ],
)
def test_odd_names_are_refused(registered: Commands, words: tuple[str, ...], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        registered("model", *words)
    assert len(registered.data("model", "list")) == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("register", "a", "--from", "mode"), "did you mean 'model'"),
        (("register", "a", "--from", "model", "--version", "9"), "numbered '9'"),
        (("show", "classifer"), "did you mean 'classifier'"),
        (("show", "classifier@champ"), "did you mean 'champion'"),
        (("show", "classifier@v9"), "numbered '9'"),
        (("deploy", "classifer"), "did you mean 'classifier'"),
        (("delete", "classifier@9"), "numbered '9'"),
        (("tag", "classifier", "--remove", "stag"), "did you mean 'stage'"),
    ],
)
def test_unknown_names_are_named_with_the_nearest(
    registered: Commands, words: tuple[str, ...], says: str
) -> None:
    with pytest.raises(UnknownName, match=says):
        registered("model", *words)


def test_tags_and_notes_change_and_lists_filter_by_them(registered: Commands) -> None:
    registered("model", "tag", "classifier", "owner=ada", "checked", "--note", "as planned")
    (found,) = registered.data("model", "show", "classifier")
    assert (found["tags"], found["note"]) == ({"stage": "test", "owner": "ada", "checked": ""}, "as planned")
    registered("model", "tag", "classifier", "--remove", "stage,checked")
    (found,) = registered.data("model", "show", "classifier")
    assert (found["tags"], found["note"]) == ({"owner": "ada"}, "as planned")
    for tag, count in (("owner", 1), ("owner=ada", 1), ("owner=bo", 0), ("stage", 0)):
        assert len(registered.data("model", "list", "--tag", tag)) == count


def test_the_artifact_of_a_registered_version_counts_as_pinned(registered: Commands) -> None:
    assert registered.data("artifacts", "show", "model", "--version", "2")["pinned"]
    assert not registered.data("artifacts", "show", "model", "--version", "1")["pinned"]
    assert "is registered as classifier v1" in registered.text("artifacts", "unpin", "model", "2")
    registered("model", "delete", "classifier")
    assert not registered.data("artifacts", "show", "model", "--version", "2")["pinned"]


def test_deleting_a_version_keeps_the_artifact_and_the_other_versions(registered: Commands) -> None:
    registered("model", "register", "classifier", "--from", "model", "--version", "1")
    assert "classifier v2 deleted; its artifact stays." in registered.text("model", "delete", "classifier@2")
    assert [each["version"] for each in registered.data("model", "list")] == [1]
    registered("model", "register", "classifier", "--from", "model", "--version", "1")
    assert [each["version"] for each in registered.data("model", "list")] == [3, 1]
    assert "classifier v3, classifier v1 deleted" in registered.text("model", "delete", "classifier")
    assert registered.data("model", "list") == []
    assert registered.data("artifacts", "show", "model")["version"] == 2


def test_a_model_is_deployed_listed_asked_stopped_and_started(registered: Commands) -> None:
    try:
        made = registered("model", "deploy", "classifier@champion")
        assert made.data["state"] == "running"
        assert made.data["command"].startswith(
            f'curl {made.data["url"]}/predict -H "Authorization: Bearer $('
        )
        assert "is deployed already, just so" in registered.text("model", "deploy", "classifier")
        assert "✔ running" in registered.text("deployment", "list")
        assert registered.data("model", "show", "classifier@1")["deployments"] == ["classifier"]
        assert "✘" not in registered.text("deployment", "show", "classifier")
        token = registered.text("deployment", "token", "classifier", interface=Interface.TERMINAL)
        assert len(token) > 30
        assert token not in registered.text("deployment", "show", "classifier")
        with pytest.raises(UsageError, match="no verb 'token'"):
            registered("deployment", "token", "classifier")
        assert "is stopped" in registered.text("deployment", "stop", "classifier")
        assert "was stopped" in registered.text("deployment", "stop", "classifier")
        assert "■ stopped" in registered.text("deployment")
        assert "is started" in registered.text("deployment", "start", "classifier")
        assert "nothing is written yet" in registered.text("deployment", "logs", "classifier")
    finally:
        assert "the model classifier v1 stays" in registered.text("deployment", "delete", "classifier")
    assert registered.data("deployment", "list") == []


def test_what_cannot_be_asked_is_not_deployed(command: Commands, record: Record) -> None:
    record("make", {"rows": [1, 2, 3]})
    command("model", "register", "numbers", "--from", "rows")
    with pytest.raises(DeploymentFailed, match="numbers v1 is a list, which has no method `predict`"):
        command("model", "deploy", "numbers")
    assert command.data("deployment", "list") == []
