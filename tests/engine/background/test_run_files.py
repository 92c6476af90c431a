"""The files of background runs: what is written is read as it comes, and whatever they hold, reading them goes on."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from zennb.core.records.records import Run, StackSpec
from zennb.core.secrets.texts import KnownSecrets
from zennb.engine.background.run_files import OutputLog, RunFiles, RunState, follow

if TYPE_CHECKING:
    from pathlib import Path

STATE = RunState(started=5.0, steps=("a", "b"), keys={"a": "k"})


def run(started: float = 5.0) -> Run:
    return Run(id=3, stack=StackSpec(name="s", components={}), started=started)


def log(home: Path, secrets: KnownSecrets | None = None) -> tuple[RunFiles, OutputLog]:
    files = RunFiles(home, 3)
    return files, OutputLog(files, STATE, secrets or KnownSecrets())


def printed(text: str) -> dict[str, Any]:
    return {"kind": "stream", "name": "stdout", "text": text}


def test_what_is_written_is_read_as_it_comes(tmp_path: Path) -> None:
    files, written = log(tmp_path)
    is_over = threading.Event()
    seen: list[Any] = []

    def pause(_seconds: float) -> None:
        if len(seen) == 1:
            written.step("a", "running")
            written.output("a", printed("two"))
        elif len(seen) == 3:
            is_over.set()

    written.output("a", printed("one"))
    for entry in follow(files, is_over.is_set, pause=pause):
        seen.append(entry)
    written.close()
    assert [entry.get("event", {}).get("text", entry.get("status")) for entry in seen] == [
        "one",
        "running",
        "two",
    ]


def test_what_was_written_before_the_end_is_read(tmp_path: Path) -> None:
    files, written = log(tmp_path)

    def is_over() -> bool:
        written.output("a", printed("last words"))
        written.close()
        return True

    assert [entry["event"]["text"] for entry in follow(files, is_over)] == ["last words"]


def test_the_state_says_what_runs_now(tmp_path: Path) -> None:
    files, written = log(tmp_path)
    written.step("a", "running")
    assert files.state(run()) == RunState(started=5.0, steps=("a", "b"), running=("a",), keys={"a": "k"})
    written.step("a", "completed")
    state = files.state(run())
    assert state is not None
    assert state.running == ()
    assert files.state(run(started=6.0)) is None  # another run that has this number
    written.close()
    files.delete()
    assert files.state(run()) is None
    assert list(follow(files, lambda: True)) == []


def test_secrets_are_masked_in_all_that_is_written(tmp_path: Path) -> None:
    secrets = KnownSecrets()
    secrets.note(["c4nary-7f3a-91"])
    files, written = log(tmp_path, secrets)
    written.output("a", printed("it is c4nary-7f3a-91\n"))
    written.output("a", {"kind": "result", "data": {"text/plain": "'c4nary-7f3a-91'"}, "metadata": {}})
    written.close()
    assert b"c4nary" not in files.output.read_bytes()


def test_endless_output_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zennb.engine.background.run_files.LARGEST", 1000)
    files, written = log(tmp_path)
    for _ in range(100):
        written.output("a", printed("x" * 50))
    written.step("a", "completed")
    written.close()
    entries = list(follow(files, lambda: True))
    assert files.output.stat().st_size < 2500
    assert "the rest is not shown here" in entries[-2]["event"]["text"]
    assert entries[-1]["status"] == "completed"


ODD = (
    b"",
    b"{",
    b"\xff\xfe\n",
    b"[]\n",
    b"3\n",
    b'{"kind": "output"}\n',
    b'{"kind": "output", "step": 1, "event": {}}\n',
    b'{"kind": "output", "step": "a", "event": {"kind": "stream", "name": 1, "text": "x"}}\n',
    b'{"kind": "step", "step": "a", "status": "happy"}\n',
    b'{"kind": "step", "step": "a", "status": "completed", "seconds": 1%b}\n' % (b"0" * 400),
    b"[" * 100_000 + b"\n",
    b'{"kind": "output", "step": "a", "event": {"kind": "str',
)


@pytest.mark.parametrize("content", ODD)
def test_odd_output_is_passed_over(tmp_path: Path, content: bytes) -> None:
    files, written = log(tmp_path)
    written.close()
    good = json.dumps({"kind": "output", "step": "a", "event": printed("good")}).encode()
    files.output.write_bytes(good + b"\n" + content)
    assert [entry["event"]["text"] for entry in follow(files, lambda: True)] == ["good"]


LARGE = b'{"started": 1%b, "steps": [], "running": [], "keys": {}}' % (b"0" * 400)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"started": "x"}', b'{"started": 5.0}', b"\xff", LARGE]
)
def test_an_odd_state_is_none(tmp_path: Path, content: bytes) -> None:
    files, written = log(tmp_path)
    written.close()
    (tmp_path / "background" / "run-3.json").write_bytes(content)
    assert files.state(run()) is None
