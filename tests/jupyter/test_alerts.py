"""`--notify`: who is told of which step or run, that no alerter fails anything, and that nothing is lost."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from zennb import api
from zennb.components.alerters.local import LocalAlerter
from zennb.engine.delivery.outbox import Outbox
from zennb.errors import UnknownName, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.jupyter.conftest import Notebook, Ran

WORKS, FAILS = "%%step train --notify {}\nmodel = 1", "%%step train --notify {}\n1 / 0"


def _log(tmp_path: Path) -> list[str]:
    """Return the messages in the log file, without time, duration and run."""
    path = tmp_path / "home" / "alerts.log"
    lines = path.read_text().splitlines() if path.exists() else []
    return [re.sub(r"after [\d.]+s|\(run \d+\)", "_", line[20:]) for line in lines]


def _shown(ran: Ran) -> str:
    return "\n".join(str(each["data"].get("text/plain", "")) for each in ran.displays)


def _break(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object) -> None:
        raise ConnectionError("no route to host")

    monkeypatch.setattr(LocalAlerter, "send", fail)


@pytest.mark.parametrize(
    ("rule", "cell", "expected"),
    [
        ("default", WORKS, ["SUCCESS step 'train' completed: _, → model _"]),
        ("default", FAILS, ["FAILURE step 'train' failed: _, ZeroDivisionError: division by zero _"]),
        ("default:success", WORKS, ["SUCCESS step 'train' completed: _, → model _"]),
        ("default:success", FAILS, []),
        ("default:failure", WORKS, []),
        ("default:failure", FAILS, ["FAILURE step 'train' failed: _, ZeroDivisionError: division by zero _"]),
        ("default:1h", WORKS, []),
    ],
)
@pytest.mark.parametrize("flavor", ["local", "threads"])
def test_a_step_tells_of_its_end(
    notebook: Notebook, tmp_path: Path, rule: str, cell: str, expected: list[str], flavor: str
) -> None:
    notebook.run(
        f"%orchestrator register other --flavor={flavor}",
        "%stack register s -o other -a default",
        "%stack set s",
    )
    ran = notebook.cell(cell.format(rule))
    assert _log(tmp_path) == expected
    assert all(line.split(": ")[0].split(" ", 1)[1] in _shown(ran) for line in expected)


def test_a_step_that_is_reused_tells_nothing(notebook: Notebook, tmp_path: Path) -> None:
    notebook.run(WORKS.format("default"), WORKS.format("default"))
    assert len(_log(tmp_path)) == 1


def test_a_step_that_takes_long_tells_so_once(notebook: Notebook, tmp_path: Path) -> None:
    notebook.run("import time", "%%step slow --notify default:0.1s\ntime.sleep(0.5)")
    assert _log(tmp_path) == ["RUNNING step 'slow' is still running: it has been running for 0.1s."]


@pytest.mark.parametrize("flavor", ["local", "threads"])
def test_steps_of_a_pipeline_run_and_the_run_tell_of_their_end(
    notebook: Notebook, tmp_path: Path, flavor: str
) -> None:
    notebook.run(
        f"%orchestrator register other --flavor={flavor}",
        "%stack register s -o other -a default",
        "%stack set s",
        "x = 1",
        "%%step first --notify default:success\na = x",
        "%%step second\nb = a / x",
    )
    (tmp_path / "home" / "alerts.log").unlink()
    notebook.run("x = 2", "%pipeline run --notify default")
    notebook.run("x = 0")
    assert notebook.cell("%pipeline run --notify default").error is not None
    assert _log(tmp_path) == [
        "SUCCESS step 'first' completed: _, → a _",
        "SUCCESS the pipeline completed: _; 2 completed _",
        "SUCCESS step 'first' completed: _, → a _",
        "FAILURE the pipeline failed: _; 1 completed, 1 failed; step 'second': ZeroDivisionError: division by zero _",
    ]


def test_an_interrupted_step_tells_nothing(notebook: Notebook, tmp_path: Path) -> None:
    notebook.cell("%%step train --notify default\nraise KeyboardInterrupt")
    assert _log(tmp_path) == []


def test_a_mapped_step_tells_once(notebook: Notebook, tmp_path: Path) -> None:
    notebook.run("xs = [1, 2]", "%%step train --map xs --notify default\ny = xs")
    assert _log(tmp_path) == ["SUCCESS step 'train' completed: _, → y _"]


def test_an_alerter_that_fails_fails_nothing_and_is_named_once(
    notebook: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        _break(broken)
        first, second = notebook.run(WORKS.format("default"), WORKS.format("default") + "\nmore = 2")
    assert (first.status, second.status) == ("completed", "completed")
    assert "the alert to 'default' was not delivered: no route to host. It is kept" in _shown(first)
    assert "not delivered" not in _shown(second)
    assert len(Outbox(tmp_path / "home").pending()) == 2
    assert "2 messages sent." in _shown(notebook.cell("%zennb sync"))
    assert [line.split(": ")[0] for line in _log(tmp_path)] == ["SUCCESS step 'train' completed"] * 2
    assert "There is nothing to be sent." in _shown(notebook.cell("%zennb sync"))


def test_what_is_kept_can_be_deleted(
    notebook: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _break(monkeypatch)
    notebook.run(WORKS.format("default"))
    said = _shown(notebook.cell("%zennb sync"))
    assert (
        "0 messages sent. 1 message kept: the alerter 'default' did not take the first, no route to host."
        in said
    )
    assert "1 message deleted." in _shown(notebook.cell("%zennb sync --discard"))
    assert Outbox(tmp_path / "home").pending() == []


def test_the_alerter_of_the_stack_and_any_registered_one_can_be_named(
    notebook: Notebook, tmp_path: Path
) -> None:
    notebook.run(
        f"%alerter register team --flavor=local --path={tmp_path / 'team.log'}",
        "%stack register s -o default -a default --alerter=team",
        "%stack set s",
        WORKS.format("team"),
    )
    assert "completed" in (tmp_path / "team.log").read_text()


@pytest.mark.parametrize(
    ("line", "kind", "said"),
    [
        ("%%step train --notify nobody\nran = 1", UnknownName, "no alerter 'nobody'"),
        ("%%step train --notify default:sometimes\nran = 1", UsageError, "there is no event 'sometimes'"),
        ("%%step train --notify default:10\nran = 1", UsageError, "has no unit"),
        ("%%step train --notify :failure\nran = 1", UsageError, "names no alerter"),
        ("%pipeline run --notify default:never", UsageError, "there is no event 'never'"),
        ("%pipeline run --notify nobody", UnknownName, "no alerter 'nobody'"),
    ],
)
def test_a_wrong_name_or_event_is_refused_before_anything_runs(
    notebook: Notebook, line: str, kind: type[Exception], said: str
) -> None:
    notebook.run("%%step other\nx = 1")
    error = notebook.cell(line).error
    assert isinstance(error, kind)
    assert said in str(error)
    assert "ran" not in notebook.ns


def test_a_secret_reaches_no_alert(
    notebook: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _break(monkeypatch)
    notebook.run('api_key = "c4nary-7f3a-9921-zz"')
    notebook.cell("%%step call --notify default\nraise ValueError('bad key ' + api_key)")
    (file,) = (tmp_path / "home" / "outbox").iterdir()
    assert "c4nary" not in file.read_text()
    assert api.workspace().metadata is not None


def test_runs_in_the_background_tell_of_their_end(
    notebook: Notebook, no_run_left: None, tmp_path: Path
) -> None:
    del no_run_left
    notebook.run(
        "%%step first --background --notify default\na = 1",
        "%runs attach 1",
        "%%step second\nb = 2",
        "%pipeline run --rerun --background --notify default:success",
        "%runs attach 3",
    )
    assert [line.split(":")[0] for line in _log(tmp_path)] == [
        "SUCCESS step 'first' completed",
        "SUCCESS step 'first' completed",
        "SUCCESS the pipeline completed",
    ]
