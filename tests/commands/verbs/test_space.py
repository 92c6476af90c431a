"""`artifacts usage`, `prune`, `pin`, `unpin`, `forget` and `runs delete`, as typed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from zennb.commands.interface import Interface
from zennb.errors import InUse, UnknownName, UsageError
from zennb.metadata.processes import hostname

Commands = Any
Record = Any
DAY = 24 * 3600.0


@pytest.fixture
def old(command: Commands, record: Record) -> Any:
    """Two versions of `x` from forty days ago and one from today, all made by kernels that are gone."""
    for number in (1, 2, 3):
        record("make", {"x": [number]}, notebook="study.ipynb")
    home = command.workspace.home
    command.workspace.open().store.close()
    with closing(sqlite3.connect(home / "artifacts" / "cache.db")) as connection, connection:
        connection.execute("UPDATE Cache SET store_time = store_time - ?", (40 * DAY,))

    def set_back(connection: Any) -> None:
        connection.execute("UPDATE runs SET process = 0, host = ?", (hostname(),))
        for table, column in (("runs", "started"), ("steps", "started"), ("artifacts", "created")):
            connection.execute(f"UPDATE {table} SET {column} = {column} - ? WHERE id < 3", (40 * DAY,))

    command.workspace.metadata._database.write(set_back)
    return command


def test_usage_says_what_takes_space(old: Commands) -> None:
    text = old.text("artifacts", "usage")
    assert text.startswith("artifact store 'default': ")
    assert " in 3 blobs; " in text
    assert "only in old versions" in text
    assert "reuse has saved nothing so far" in text
    for title in ("by notebook", "by step", "by stack", "largest", "longest unused", "study.ipynb", "x v3"):
        assert title in text
    found = old.data("artifacts", "usage", "--limit", "1")
    assert (found["stores"][0]["blobs"], len(found["largest"]), found["notebooks"][0]["name"]) == (
        3,
        1,
        "study.ipynb",
    )


def test_a_prune_is_dry_and_names_the_line_that_deletes(old: Commands) -> None:
    text = old.text("artifacts", "prune", "--older", "30d")
    assert "2 blobs, " in text
    assert "would be deleted" in text
    assert "Nothing is deleted yet: %artifacts prune --older 30d --yes does it." in text.replace("`", "")
    typed = old.text("artifacts", "prune", "--keep=1", interface=Interface.TERMINAL)
    assert "zennb artifacts prune --keep 1 --yes" in typed
    assert old.data("artifacts", "prune", "--older", "30d")["count"] == 2


def test_a_prune_deletes_with_yes_and_show_and_history_say_so(old: Commands) -> None:
    found = old.data("artifacts", "prune", "--older", "30d", "--yes")
    assert (found["deleted"], found["count"], [each["labels"] for each in found["blobs"]]) == (
        True,
        2,
        [["x v1"], ["x v2"]],
    )
    shown = old("artifacts", "show", "x", "--version", "1")
    assert "to free space" in shown.view.text
    assert (shown.data["deleted"]["store"], shown.data["pinned"]) == ("default", False)
    assert old.data("artifacts", "show", "x")["deleted"] is None
    assert "deleted 20" in old.text("artifacts", "history", "x")
    assert "nothing to delete" in old.text("artifacts", "prune", "--older", "30d", "--yes")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("", "say what to delete, in one way"),
        ("--older 30d --keep 3", "say what to delete, in one way"),
        ("--older 30", "`--older 30` has no unit"),
        ("--to lots", "'lots' is no size"),
        ("--keep 0", "at least 1"),
    ],
)
def test_a_rule_that_is_none_is_refused_in_a_sentence(command: Commands, words: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        command("artifacts", "prune", *words.split())


def test_a_pinned_version_is_kept_and_marked(old: Commands) -> None:
    assert "`x v1` is pinned" in old.text("artifacts", "pin", "x", "v1")
    assert old.data("artifacts", "pin", "x", "1") == {"artifact": "x v1", "pinned": True}
    assert "never deleted to free space" in old.text("artifacts", "show", "x", "--version", "1")
    assert "pinned" in old.text("artifacts", "history", "x")
    assert "pinned" in old.text("artifacts", "prune", "--older", "30d")
    assert old.data("artifacts", "prune", "--older", "30d", "--yes")["count"] == 1
    assert old.data("artifacts", "unpin", "x", "v1") == {"artifact": "x v1", "pinned": False}
    assert "was not pinned" in old.text("artifacts", "unpin", "x", "v1")
    assert old.data("artifacts", "prune", "--older", "30d", "--yes")["count"] == 1


@pytest.mark.parametrize("verb", ["pin", "unpin"])
def test_a_version_that_is_none_is_refused_in_a_sentence(old: Commands, verb: str) -> None:
    with pytest.raises(UsageError, match="'latest' is no version; type a number, such as 3 or v3"):
        old("artifacts", verb, "x", "latest")
    with pytest.raises(UnknownName, match="no version of 'x' numbered '9'"):
        old("artifacts", verb, "x", "9")


def test_what_lost_its_bytes_is_forgotten_with_yes(old: Commands) -> None:
    old("artifacts", "prune", "--older", "30d", "--yes")
    assert old.data("artifacts", "forget") == {"artifacts": ["x v2", "x v1"], "deleted": False}
    assert "Nothing is deleted yet: `%artifacts forget --yes`".replace("`", "") in old.text(
        "artifacts", "forget"
    ).replace("`", "")
    assert old.data("artifacts", "forget", "x", "--yes")["artifacts"] == ["x v2", "x v1"]
    assert [each["version"] for each in old.data("artifacts", "history", "x")] == [3]
    assert "nothing to forget" in old.text("artifacts", "forget")
    with pytest.raises(UnknownName, match="no artifact 'z'"):
        old("artifacts", "forget", "z")


def test_runs_are_deleted_with_yes_and_their_bytes_become_unreferenced(old: Commands) -> None:
    text = old.text("runs", "delete", "1", "2")
    assert "would delete 2 runs with 2 records of steps and 2 versions" in text
    assert "%runs delete 1 2 --yes" in text
    assert len(old.data("runs", "list")) == 3
    assert old.data("runs", "delete", "--older", "30d")["runs"] == [1, 2]
    done = old.data("runs", "delete", "1", "2", "--yes")
    assert (done["runs"], done["steps"], done["artifacts"], done["deleted"]) == ([1, 2], 2, 2, True)
    assert [each["id"] for each in old.data("runs", "list")] == [3]
    assert old.data("artifacts", "prune", "--unreferenced", "--yes")["count"] == 2


def test_runs_that_cannot_be_deleted_are_refused_in_a_sentence(old: Commands) -> None:
    with pytest.raises(InUse, match="run 3 is the newest one"):
        old("runs", "delete", "3", "--yes")
    with pytest.raises(UnknownName, match="no run '99'"):
        old("runs", "delete", "99")
    for words in (["delete"], ["delete", "1", "--older", "30d"]):
        with pytest.raises(UsageError, match="give either the numbers of runs, or `--older 30d`"):
            old("runs", *words)
