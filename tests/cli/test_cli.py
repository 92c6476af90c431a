from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from zennb import api, cli
from zennb.commands import dispatch
from zennb.metadata.store import MetadataStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("ZENNB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    monkeypatch.delenv("ZENNB_STACK", raising=False)
    monkeypatch.chdir(tmp_path)
    yield tmp_path / "home"
    api.close()


def zennb(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "zennb", *words], capture_output=True, text=True, timeout=120, check=False
    )


def test_what_was_asked_for_goes_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["stack", "list", "--json"]) == 0
    out, err = capsys.readouterr()
    assert ([stack["name"] for stack in json.loads(out)["data"]], err) == (["default"], "")


def test_a_typing_mistake_is_one_sentence_and_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["stack", "lst"]) == 2
    assert capsys.readouterr() == ("", "zennb stack lst: no verb 'lst'; did you mean 'list'?\n")


def test_a_refusal_is_one_sentence_and_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["stack", "set", "defalt"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "no stack 'defalt'; did you mean 'default'? List them with `zennb stack list`.\n"


@pytest.mark.parametrize("words", [[], ["--help"], ["help"], ["-h"]])
def test_help_is_no_mistake(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(words) == 0
    assert "zennb stack set my_stack" in capsys.readouterr().out


@pytest.mark.parametrize("word", ["version", "--version", "-V"])
def test_the_version_is_shown_without_a_home(
    word: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([word]) == 0
    assert capsys.readouterr().out.startswith("zennb ")
    assert not home.exists()


def test_the_words_after_the_program_are_taken_by_default(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["zennb", "stack", "list"])
    assert cli.main() == 0
    assert "default (local)" in capsys.readouterr().out


def test_a_stack_that_was_set_is_the_default_of_the_next_process(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["stack", "copy", "default", "mine"]) == 0
    assert cli.main(["stack", "set", "mine"]) == 0
    api.close()
    capsys.readouterr()
    assert cli.main(["stack"]) == 0
    assert capsys.readouterr().out.startswith("stack mine  ● active")


def test_init_makes_a_home_here_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("ZENNB_HOME")
    for _ in range(2):
        assert cli.main(["init"]) == 0
    assert cli.main(["init", "sub/project"]) == 0
    assert (tmp_path / ".zennb" / ".gitignore").exists()
    assert str(tmp_path / "sub" / "project" / ".zennb") in capsys.readouterr().out


def test_an_interrupt_is_one_line_and_exit_code_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(dispatch, "run", interrupted)
    assert cli.main(["stack"]) == 130
    assert capsys.readouterr() == ("", "interrupted\n")


def test_characters_the_terminal_cannot_show_are_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "zennb", "stack"],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        check=True,
    )
    assert done.stdout.startswith(b"stack default  ? active")


def test_a_reader_that_has_read_enough_is_no_trouble() -> None:
    command = f"{sys.executable} -m zennb stack list --json | head -c 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("{", "")


def test_a_closed_reader_is_no_trouble() -> None:
    program = (
        "import os, subprocess, sys\n"
        "r, w = os.pipe(); os.close(r)\n"
        "done = subprocess.run([sys.executable, '-m', 'zennb', '--help'], stdout=w, stderr=subprocess.PIPE)\n"
        "sys.exit(repr(done.stderr) if done.stderr else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


HEAVY = (
    "IPython",
    "ipywidgets",
    "nbformat",
    "nbclient",
    "jupyter_client",
    "pandas",
    "numpy",
    "pyarrow",
    "diskcache",
)


@pytest.mark.parametrize(
    ("words", "more"),
    [
        (["stack", "list"], ()),
        (["runs", "list", "--json"], ()),
        (["pipeline", "status", "study.ipynb"], ("importlib.metadata", "zennb.commands.verbs.stack")),
        (["pipeline", "status", "study.ipynb", "--json"], ("zennb.headless.execute",)),
    ],
)
def test_a_listing_loads_nothing_heavy(words: list[str], more: tuple[str, ...], tmp_path: Path) -> None:
    notebook(tmp_path / "study.ipynb", "%load_ext zennb", "%%step load\nrows = [1]")
    program = (
        f"import sys; from zennb.cli import main; code = main({words!r}); "
        f"sys.exit(code or ' '.join(name for name in {(*HEAVY, *more)!r} if name in sys.modules) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("words", "code", "kind"),
    [("stack lst", 2, "UsageError"), ("stack set defalt", 1, "UnknownName"), ("nothing", 2, "UsageError")],
)
def test_under_json_what_went_wrong_is_one_object_on_standard_output(
    words: str, code: int, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([*words.split(), "--json"]) == code
    out, err = capsys.readouterr()
    error = json.loads(out)["error"]
    assert (error["type"], error["exit_code"], err) == (kind, code, "")


def test_a_defect_of_ours_is_an_object_too_with_its_traceback_on_standard_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(MetadataStore, "runs", lambda *_, **__: 1 / 0)
    assert cli.main(["runs", "--json"]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["error"]["type"] == "ZeroDivisionError"
    assert "Traceback" in err


def test_a_damaged_home_is_named_without_traceback(home: Path) -> None:
    home.mkdir()
    (home / "STORE.json").write_text("nothing of ours")
    done = zennb("stack")
    assert (done.returncode, done.stdout) == (1, "")
    assert "STORE.json is not what zennb wrote" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.kernel
def test_a_notebook_is_run_and_told_step_by_step(tmp_path: Path) -> None:
    notebook(
        tmp_path / "study.ipynb",
        "%load_ext zennb\nk = 1",
        "%%step load\nrows = [k, 2]",
        "%%step total\ntotal = sum(rows)",
    )
    first, again = zennb("run", "study.ipynb", "-o", "done.ipynb"), zennb("run", "study.ipynb", "-p", "k=1")
    assert (first.returncode, first.stderr) == (0, "")
    assert "[2/3] ✔ load  completed" in first.stdout
    assert "3 of 3 cells run; 2 steps (2 completed); written to done.ipynb" in first.stdout
    assert "2 steps (2 cached)" in again.stdout
    shown = zennb("pipeline", "status", "study.ipynb", "--json")
    steps = json.loads(shown.stdout)["data"]["steps"]
    assert [(step["name"], step["status"], step["state"]) for step in steps] == [
        ("load", "cached", "fresh"),
        ("total", "cached", "fresh"),
    ]


@pytest.mark.kernel
def test_a_failing_cell_is_named_with_its_step_and_exit_code_1(tmp_path: Path) -> None:
    notebook(tmp_path / "study.ipynb", "%load_ext zennb", "%%step divide\nshare = 1 / 0", "after = 1")
    done = zennb("run", "study.ipynb")
    assert done.returncode == 1
    assert "cell [2] (step `divide`) failed: ZeroDivisionError: division by zero" in done.stdout
    assert "share = 1 / 0" in done.stdout


@pytest.mark.kernel
def test_a_run_under_json_is_one_object_whatever_the_notebook_writes(tmp_path: Path) -> None:
    past = "import os, sys, atexit; os.write(1, b'raw'); atexit.register(os.write, 1, b'late')"
    loud = f"%load_ext zennb\n{past}\nos.system('echo shell'); print('x', file=sys.__stdout__)"
    notebook(tmp_path / "study.ipynb", loud, "%%step total\ntotal = 1", "%%step divide\nshare = 1 / 0")
    done = zennb("run", "study.ipynb", "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["error"]["exit_code"], found["command"]) == (1, 1, "run")
    assert (found["error"]["details"]["cell"], found["error"]["details"]["step"]) == (3, "divide")
    assert [step["status"] for step in found["data"]["steps"]] == ["completed", "failed"]
    missing = zennb("run", "gone.ipynb", "--json")
    assert (missing.returncode, missing.stderr) == (1, "")
    assert json.loads(missing.stdout)["error"]["type"] == "UnknownName"


@pytest.mark.kernel
def test_a_secret_parameter_is_in_no_record_and_the_run_says_where_it_still_stands(tmp_path: Path) -> None:
    notebook(
        tmp_path / "study.ipynb",
        "%load_ext zennb\npassword = 'none'",
        "%%step login\nn = len(password)",
        "%%step refuse\nraise ValueError('refused: ' + password)",
    )
    words = ("run", "study.ipynb", "-p", "password=c4nary-7f3a9b21", "-o", "done.ipynb")
    said = "the value of `password` is masked in records, but still stands in your shell's history and in done.ipynb"
    plain, again, data = zennb(*words), zennb(*words), zennb(*words, "--json")
    assert said in plain.stdout
    assert "ValueError: refused: ••••" in plain.stdout
    assert "● login  cached" in again.stdout
    for done in (
        plain,
        again,
        data,
        *(zennb(*each) for each in (("runs", "--json"), ("runs", "show", "1", "--json"))),
    ):
        assert "c4nary" not in done.stdout + done.stderr
    assert json.loads(data.stdout)["error"]["details"]["cell"] == 4
    for path in (tmp_path / "home").rglob("*"):
        assert path.is_dir() or b"c4nary" not in path.read_bytes(), path
    assert (tmp_path / "home" / "metadata.db").exists()


@pytest.mark.kernel
def test_a_refused_magic_fails_the_run(tmp_path: Path) -> None:
    notebook(tmp_path / "study.ipynb", "%load_ext zennb", "%stack set nothing", "after = 1")
    done = zennb("run", "study.ipynb")
    assert done.returncode == 1
    assert "cell [2] failed: UnknownName: no stack 'nothing'" in done.stdout


@pytest.mark.kernel
def test_ctrl_c_ends_a_run_with_exit_code_130(tmp_path: Path) -> None:
    notebook(tmp_path / "study.ipynb", "open('started', 'w').close()\nimport time\ntime.sleep(100)")
    running = subprocess.Popen(
        [sys.executable, "-m", "zennb", "run", "study.ipynb"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for _ in range(600):
        if (tmp_path / "started").exists():
            break
        time.sleep(0.1)
    running.send_signal(signal.SIGINT)
    out, _ = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "interrupted" in out


def notebook(path: Path, *cells: str) -> None:
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
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": code}))
