"""`tag` and `note` of runs, artifacts and models: one table of what is typed, for all three."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from zennb.commands.interface import Interface
from zennb.errors import UnknownName, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

Commands = Any
Record = Any

SUBJECTS = ("runs 1", "artifacts rows", "model numbers@latest")


@pytest.fixture
def labelled(command: Commands, record: Record) -> Commands:
    """A run, an artifact and a model, and one more of each."""
    for value in (1, 2):
        record("load", {"rows": [value], "others": [value + 5]})
        command("model", "register", "numbers", "--from", "rows")
    return command


@pytest.fixture(params=SUBJECTS)
def does(labelled: Commands, request: pytest.FixtureRequest) -> Callable[..., Any]:
    noun, which = request.param.split()
    return lambda verb, *words: labelled(noun, verb, which, *words)


def test_tags_are_set_and_taken_away(does: Any) -> None:
    does("tag", "baseline", "data=2024")
    assert does("tag").data["tags"] == {"baseline": "", "data": "2024"}
    assert "has the tags baseline, data=2024." in does("tag").view.text
    does("tag", "data=2025", "--remove", "baseline")
    assert does("tag").data["tags"] == {"data": "2025"}
    assert "has no tags." in does("tag", "--remove", "data").view.text


def test_a_note_is_set_shown_and_taken_away(does: Any) -> None:
    does("tag", "baseline")
    does("note", "twice the rate")
    assert (does("note").data["note"], does("tag").data["tags"]) == ("twice the rate", {"baseline": ""})
    assert "has the note: twice the rate" in does("note").view.text
    assert does("tag", "--note", "another").data["note"] == "another"
    assert does("note", "").data["note"] == ""


def test_show_has_tags_and_note(does: Any) -> None:
    does("tag", "baseline", "data=2024", "--note", "twice the rate")
    words = " ".join(does("show").view.text.split())
    assert "baseline" in words
    assert "data=2024" in words
    assert "twice the rate" in words


@pytest.mark.parametrize("words", [["=x"], [" "], ["a\nb"], ["k" * 101], [f"k={'x' * 1001}"]])
def test_odd_tags_are_refused_and_nothing_changes(does: Any, words: list[str]) -> None:
    does("tag", "baseline")
    with pytest.raises(UsageError):
        does("tag", *words)
    with pytest.raises(UnknownName, match="no tag of "):
        does("tag", "--remove", "absent")
    with pytest.raises(UsageError, match="note is longer"):
        does("note", "x" * 10_001)
    assert does("tag").data["tags"] == {"baseline": ""}


def test_a_secret_in_a_tag_or_a_note_is_not_recorded(does: Any) -> None:
    does("tag", "password=hunter2-8f3a", "--note", "password=hunter2-8f3a and ghp_0123456789abcdefghij")
    shown = f"{does('tag').data}{does('show').view.text}"
    assert "hunter2" not in shown
    assert "ghp_" not in shown


@pytest.mark.parametrize("interface", list(Interface))
@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("runs list --tag good", [1]),
        ("runs list --tag good=yes", []),
        ("runs list --tag data=2024", [2]),
        ("runs list --tag data", [2, 1]),
        ("runs list --tag absent", []),
        ("artifacts list --tag good", [("others", 1), ("rows", 1)]),
        ("artifacts list --tag data=2024", [("rows", 2)]),
        ("artifacts list --tag absent", []),
        ("artifacts list --tag good --kind captured", []),
    ],
)
def test_lists_filter_by_tag(labelled: Commands, interface: Interface, words: str, found: list[Any]) -> None:
    labelled("runs", "tag", "1", "good", "data=2023")
    labelled("runs", "tag", "2", "data=2024")
    labelled("artifacts", "tag", "rows", "--version", "1", "good")
    labelled("artifacts", "tag", "rows", "--version", "2", "data=2024")
    labelled("artifacts", "tag", "others", "--version", "1", "good", "quick")
    listed = labelled(*words.split(), interface=interface)
    key = (
        (lambda each: each["id"])
        if words.startswith("runs")
        else lambda each: (each["name"], each["version"])
    )
    assert [key(each) for each in listed.data] == found
    if found and "good" in words:
        assert "good" in listed.view.text


def test_the_lists_show_tags_and_notes_only_where_there_are_some(labelled: Commands) -> None:
    for noun in ("runs", "artifacts"):
        assert "tags" not in labelled.text(noun, "list")
    labelled("runs", "tag", "1", "good", "--note", "the first one")
    labelled("artifacts", "tag", "rows", "good")
    assert "good" in labelled.text("runs", "list")
    assert "the first one" in labelled("runs", "list").view.html
    assert "good" in labelled.text("artifacts", "list")
    assert "good" in labelled.text("artifacts", "history", "rows")
