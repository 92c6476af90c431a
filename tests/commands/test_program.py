"""`zennb.run(path)` and `zennb.plan(path)`: notebook files, from programs."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

import zennb
from zennb import api
from zennb.errors import RunFailed, UnknownName, UsageError
from zennb.headless.parameter_values import literal, literal_value

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STUDY = (
    "%load_ext zennb\nk = 1",
    "%%step load\nrows = [k, 2]\nprint('loaded')",
    "%%step total\ntotal = sum(rows)",
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("ZENNB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    monkeypatch.delenv("ZENNB_STACK", raising=False)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    api.close()


def notebook(path: Path, *cells: str) -> Path:
    code: list[dict[str, object]] = [
        {
            "cell_type": "code",
            "id": f"c{at}",
            "source": text,
            "metadata": {},
            "outputs": [],
            "execution_count": None,
        }
        for at, text in enumerate(cells)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": code}))
    return path


@pytest.mark.kernel
def test_a_file_is_run_and_its_run_returned(folder: Path) -> None:
    path = notebook(folder / "study.ipynb", *STUDY)
    run = zennb.run(path, parameters={"k": 5}, out=folder / "done.ipynb")
    assert (run.kind, run.status, run.notebook, run.parameters) == (
        "notebook",
        "completed",
        "study.ipynb",
        {"k": "5"},
    )
    assert run.step("total").outputs["total"].load() == 7
    assert run.log("load") == "loaded"
    assert (folder / "done.ipynb").exists()
    assert zennb.runs()[0] == run
    again = zennb.run(str(path), parameters={"k": 5})
    assert [step.status for step in again.steps] == ["cached", "cached"]
    rerun = zennb.run(path, parameters={"k": 5}, rerun=True)
    assert [(step.status, step.reason) for step in rerun.steps] == [
        ("completed", "asked for with --rerun"),
        ("completed", "asked for with --rerun"),
    ]


@pytest.mark.kernel
def test_a_file_that_fails_raises_with_the_run_at_hand(folder: Path) -> None:
    path = notebook(folder / "study.ipynb", "%load_ext zennb", "%%step divide\nshare = 1 / 0", "after = 1")
    with pytest.raises(
        RunFailed, match=r"study\.ipynb: cell \[2\] \(step `divide`\) failed: ZeroDivisionError"
    ) as caught:
        zennb.run(path)
    error = caught.value
    assert (error.cell, error.step, error.cause) == (2, "divide", "ZeroDivisionError")
    assert "share = 1 / 0" in error.traceback
    assert (error.run.status, error.run.failure.type) == ("failed", "ZeroDivisionError")
    assert zennb.runs()[0] == error.run


@pytest.mark.kernel
def test_four_files_can_be_run_at_once(folder: Path) -> None:
    paths = [notebook(folder / f"study_{number}.ipynb", *STUDY) for number in range(4)]
    found: list[Any] = [None] * 4

    def go(number: int) -> None:
        try:
            found[number] = zennb.run(paths[number], parameters={"k": number})
        except BaseException as error:
            found[number] = error

    threads = [threading.Thread(target=go, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [run.step("total").outputs["total"].load() for run in found] == [2, 3, 4, 5]
    assert [run.notebook for run in found] == [path.name for path in paths]
    assert len({run.id for run in found}) == 4


@pytest.mark.kernel
def test_a_project_with_a_home_of_its_own_keeps_its_runs(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ZENNB_HOME")
    for name in ("here", "there"):
        (folder / name / ".zennb").mkdir(parents=True)
        notebook(folder / name / "study.ipynb", *STUDY)
    here, there = zennb.run("here/study.ipynb"), zennb.run("there/study.ipynb", parameters={"k": 2})
    assert [run.step("total").outputs["total"].load() for run in (here, there)] == [3, 4]
    assert [run.id for run in zennb.runs()] == [here.id] == [1]
    assert zennb.plan("there/study.ipynb").steps[0].status == "completed"


def test_a_plan_of_a_file_runs_nothing(folder: Path) -> None:
    plan = zennb.plan(notebook(folder / "study.ipynb", *STUDY))
    assert (plan.steps[0].name, plan.steps[0].reason) == ("load", "first run")
    assert not plan.is_fresh
    assert "load" in repr(plan)
    assert "study.ipynb" in plan._repr_mimebundle_()["text/html"]
    assert len(zennb.runs()) == 0


def test_mistakes_are_refused_before_a_kernel_starts(folder: Path) -> None:
    path = notebook(folder / "study.ipynb", *STUDY)
    with pytest.raises(UnknownName, match=r"no notebook 'stdy\.ipynb'; did you mean '.*study\.ipynb'"):
        zennb.run("stdy.ipynb")
    with pytest.raises(UnknownName, match="no stack 'fast'"):
        zennb.run(path, stack="fast")
    with pytest.raises(UnknownName, match="no parameter 'depth'"):
        zennb.run(path, parameters={"depth": 3})
    with pytest.raises(UsageError, match="only= is for runs of this kernel's own notebook"):
        zennb.run(path, only="total")
    with pytest.raises(UnknownName, match="no notebook"):
        zennb.plan("gone.ipynb")


def test_elsewhere_the_way_to_a_notebook_is_named() -> None:
    for call in (zennb.run, zennb.plan):
        with pytest.raises(UsageError, match=r"give the path of an \.ipynb file"):
            call()


def test_a_literal_that_no_value_can_have_is_refused_in_one_sentence() -> None:
    with pytest.raises(
        # Python 3.14 says it in more words.
        UsageError,
        match=r"^`\{\[1\]: 2\}` cannot be the value of a parameter: "
        r"(unhashable type: 'list'|cannot use 'list' as a dict key \(unhashable type: 'list'\))\.",
    ):
        literal_value("{[1]: 2}")
    with pytest.raises(UsageError, match="unhashable"):
        literal("{[1]: 2}")
