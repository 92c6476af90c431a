"""`zennb annotate` in a terminal: lines in, labels out, and the same labels and versions as in the notebook."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from zennb import api
from zennb.commands.interface import Interface
from zennb.commands.verbs import annotate
from zennb.errors import UnknownName, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from zennb.commands.outcome import Outcome
    from zennb.registry.workspace import Workspace

Commands = Any
Record = Any

LABEL = ("annotate", "texts", "--labels", "cat,dog,cow")


@pytest.fixture
def typed(command: Commands, record: Record, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Outcome]:
    """Run the command on three texts, with these lines as standard input."""
    record("load", {"texts": ["a cat", "a dog", "a cow"], "rows": [{"age": 31, "name": "Ada"}]})

    def run(text: str, *words: str) -> Any:
        command.said.clear()
        monkeypatch.setattr("sys.stdin", io.StringIO(text))
        return command(*(words or LABEL), interface=Interface.TERMINAL)

    return run


def _labels(workspace: Workspace, name: str = "texts_labels") -> Any:
    return api.load_artifact(workspace, api.find_artifact(workspace, name))


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("cat\n2\ncow\nq\n", ["cat", "dog", "cow"]),
        ("cat\nd\nco\n", ["cat", "dog", "cow"]),
        ("c\nCAT\nfish\n9\nq\ndog\n", ["cat", None, None]),
        ("\ndog\n", [None, "dog", None]),
        ("cat\nb\ndog\n\n", ["dog", None, None]),
        ("cat\nb\n0\n", [None, None, None]),
        ("b\nb\ncat\n", ["cat", None, None]),
        ("\n\n\nb\ndog\n", [None, None, "dog"]),
        ("1\n2\n3\n1\nb\n1\nq\n", ["cat", "dog", "cat"]),
        ("cat", ["cat", None, None]),
        ("", [None, None, None]),
    ],
)
def test_each_line_is_a_label_its_number_its_beginning_or_a_key(
    typed: Any, workspace: Workspace, lines: str, expected: list[str | None]
) -> None:
    done = typed(lines)
    assert _labels(workspace) == expected
    count = sum(each is not None for each in expected)
    assert (done.code, done.data) == (
        0,
        {"target": "texts_labels", "version": 1, "labelled": count, "items": 3},
    )
    assert done.sentence == f"texts_labels v1: {count} of 3 labelled."


def test_a_label_that_is_a_key_is_a_label(typed: Any, workspace: Workspace, command: Commands) -> None:
    typed("q\nb\n0\n:b\n:q\nq\n", "annotate", "texts", "--labels", "b,q,0")
    assert _labels(workspace) == ["q", "b", "0"]
    assert ":b goes back, :q quits" in " ".join(command.said)


def test_it_goes_on_where_it_stopped_and_versions_count_on(
    typed: Any, workspace: Workspace, command: Commands, record: Record
) -> None:
    typed("cat\nq\n")
    record("load", {"texts": ["new", "a dog", "a cat"]})
    done = typed("dog\n", "annotate", "texts")
    assert (_labels(workspace), done.data["version"]) == (["dog", None, "cat"], 2)
    assert "item 0 (1 of 3 items labelled)" in "\n".join(command.said)
    step = workspace.metadata.producer(api.find_artifact(workspace, "texts_labels"))
    assert step is not None
    assert (step.name, step.notebook, step.reason) == (
        "annotate texts",
        "study.ipynb",
        "2 of 3 labelled by hand",
    )
    assert not step.reusable
    run = workspace.metadata.run(step.run or 0)
    assert run is not None
    assert (run.kind, run.status.value) == ("session", "completed")
    assert typed("", "annotate", "texts").data["version"] == 2
    assert workspace.metadata.runs()[0].id == run.id, "nothing was labelled: no run"


def test_an_interrupt_and_a_closed_input_keep_what_is_labelled(
    typed: Any, workspace: Workspace, command: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = iter(["cat\n"])

    def read(_context: object) -> str:
        for line in lines:
            return line
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(annotate, "_read", read)
        done = typed("")
    assert (done.code, _labels(workspace)) == (130, ["cat", None, None])
    closed_file = io.StringIO()
    closed_file.close()
    for closed in (None, closed_file):
        monkeypatch.setattr("sys.stdin", closed)
        assert command(*LABEL, interface=Interface.TERMINAL).data["labelled"] == 1


def test_items_are_shown_as_text(
    typed: Any, command: Commands, record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import numpy as np

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    typed("", "annotate", "rows", "--labels", "a,b")
    assert "  age: 31\n  name: Ada" in "\n".join(command.said)
    picture, drawn = tmp_path / "a.png", np.zeros((1, 3, 4), dtype="uint8")
    record("load", {"long": ["word " * 60, "\x1b[31mred"], "drawn": drawn, "paths": ["no.png", str(picture)]})
    typed("\n\n", "annotate", "long", "--labels", "a,b")
    assert max(map(len, "\n".join(command.said).split("\n"))) <= 100
    assert "\x1b" not in "".join(command.said)
    typed("", "annotate", "drawn", "--labels", "a,b")
    kind, path = (line.strip() for line in command.said[2:4])
    assert kind.startswith("png image, 4 x 3 pixels, ")
    picture.write_bytes(Path(path).read_bytes())
    typed("\n\n", "annotate", "paths", "--labels", "a,b")
    shown = "\n".join(command.said)
    assert "no.png: No such file" in shown
    assert f"pixels, {picture.stat().st_size} B\n  {picture}" in shown


def test_json_leaves_standard_output_to_the_answer(
    typed: Any, command: Commands, capsys: pytest.CaptureFixture[str]
) -> None:
    done = typed("cat\n", *LABEL, "--json")
    assert done.content["data"]["labelled"] == 1
    assert command.said == []
    shown = capsys.readouterr()
    assert "item 1 (1 of 3 items labelled)" in shown.err
    assert shown.out == ""


@pytest.mark.parametrize(
    ("words", "kind", "said"),
    [
        ("annotate missing --labels a", UnknownName, "no artifact 'missing'"),
        ("annotate texts", UsageError, "zennb annotate texts: give the labels to choose from"),
        ("annotate texts --labels a --as 3x", UsageError, "`--as 3x` is no name of a variable"),
        ("annotate five --labels a", UsageError, "`five` is an int, which has no items to label"),
        ("annotate texts --labels a --annotator x", UsageError, "--annotator"),
    ],
)
def test_what_cannot_be_labelled_is_refused(
    typed: Any, record: Record, words: str, kind: type[Exception], said: str
) -> None:
    record("five", {"five": 5})
    with pytest.raises(kind) as error:
        typed("a\n", *words.split())
    assert said in str(error.value)
