"""A stack whose steps run in other processes, in a real kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.kernel.conftest import Kernel

pytestmark = pytest.mark.kernel

AT_ONCE = 15.0
POOL = (
    "%orchestrator register pool --flavor=processes --workers=1",
    "%stack register side -o pool -a default --set",
)


@pytest.mark.parametrize(
    "wait",
    ["import time\ntime.sleep(60)", "import time\n_end = time.time() + 60\nwhile time.time() < _end: pass"],
)
def test_an_interrupt_stops_the_step_and_the_pool_goes_on(kernel: Kernel, wait: str) -> None:
    kernel.run(*POOL, "xs = [1]")
    ran = kernel.interrupted(f"%%step s\nnew = 1\nprint('started', flush=True)\n{wait}")
    assert ran.seconds < AT_ONCE
    assert ran.status == "interrupted"
    assert kernel.value("'new' in globals()") == "False"
    for number in range(2):
        (again,) = kernel.run(f"%%step t\ntotal = sum([1, {number}])\ntotal")
        assert (again.status, again.result) == ("completed", str(1 + number))


def test_what_a_step_shows_is_seen_while_it_runs_and_in_order(kernel: Kernel) -> None:
    kernel.run(*POOL)
    text = (
        "%%step s\nimport sys, time\nfrom IPython.display import HTML, display\nprint('one', flush=True)\n"
        "display(HTML('<b>two</b>'))\ntime.sleep(2)\nprint('three', file=sys.stderr)\n"
        "h = display('four', display_id='d')\nh.update('five')\n'six'"
    )
    (ran,) = kernel.run(text)
    assert [shown[0] for shown in ran.ended.shown] == [
        "stdout",
        "display_data",
        "stderr",
        "display_data",
        "update_display_data",
        "execute_result",
    ]
    first = next(message.when for message in ran.of("stream") if "one" in message.content["text"])
    last = next(message.when for message in ran.of("execute_result"))
    assert last - first > 1, "as far apart as the step was: shown while it ran, not at its end"
    (again,) = kernel.run(text)
    assert again.status == "cached"
    assert [shown[:2] for shown in again.shown] == [shown[:2] for shown in ran.ended.shown]


def test_a_figure_of_a_step_is_shown_once(kernel: Kernel) -> None:
    kernel.run(*POOL)
    (ran,) = kernel.run(
        "%%step s\nimport matplotlib.pyplot as plt\nfig, ax = plt.subplots()\n_ = ax.plot([1, 2])"
    )
    pictures = [message for message in ran.ended.of("display_data") if "image/png" in message.content["data"]]
    assert len(pictures) == 1


def test_a_traceback_shows_the_cells_own_lines(kernel: Kernel) -> None:
    kernel.run(*POOL, "def check(v):\n    if v:\n        raise ValueError('odd one')")
    ran = kernel.cell("%%step s\nvalue = 3\n\ncheck(value)").ended
    assert ran.error == "ValueError: odd one"
    assert "----> 4 check(value)" in ran.traceback
    assert "raise ValueError('odd one')" in ran.traceback
    assert "zennb" not in ran.traceback.replace("%%step", "")


def test_a_group_of_errors_shows_the_cells_own_lines(kernel: Kernel) -> None:
    kernel.run(*POOL)
    ran = kernel.cell("%%step s\nvalue = 3\nraise ExceptionGroup('odd ones', [ValueError(value)])").ended
    assert "ExceptionGroup: odd ones" in ran.error
    assert "line 3, in <module>" in ran.traceback
    assert "ValueError: 3" in ran.traceback
    assert "zennb" not in ran.traceback
    assert ran.stderr == ""


def test_a_step_that_asks_is_refused_in_words_of_the_user(kernel: Kernel) -> None:
    kernel.run(*POOL)
    ran = kernel.cell("%%step s\nname = input('who? ')")
    assert "it asks with `input()`, and nobody can be asked there. Ask in a plain cell above" in ran.error


def test_a_worker_that_dies_fails_its_step_and_says_so(kernel: Kernel) -> None:
    kernel.run(*POOL)
    ran = kernel.cell("%%step s\nimport os\nos._exit(3)")
    assert ran.status == "failed"
    assert "process" in ran.error


def test_after_a_worker_was_killed_the_next_step_gets_a_new_one(kernel: Kernel) -> None:
    kernel.run(*POOL, "xs = [1, 2]")
    for _ in range(2):
        ran = kernel.cell("%%step s\nimport os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
        assert ran.status == "failed"
        (after,) = kernel.run("%%step t --rerun\ntotal = sum(xs)\ntotal")
        assert (after.status, after.ended.result) == ("completed", "3")


def test_a_secret_is_used_by_a_worker_but_stored_and_replayed_by_nobody(
    kernel: Kernel, tmp_path: Path
) -> None:
    kernel.run(
        *POOL, "api_key = 'c4nary-7f3a9b21'", "def call(password='c4nary-0e8d7c66'):\n    return password"
    )
    cell = "%%step s\nprint(api_key, call())\nn = len(api_key)"
    first, again = kernel.run(cell, cell)
    assert (first.status, first.shown[0]) == ("completed", ("stdout", "c4nary-7f3a9b21 c4nary-0e8d7c66\n"))
    assert (again.status, again.shown[0]) == ("cached", ("stdout", "•••• ••••\n"))
    failed = kernel.cell("%%step f\nraise ValueError(api_key)")
    assert failed.status == "failed"
    refused = kernel.cell("%%step t\ntoken = api_key.upper()")
    assert "`token` is never stored: it looks secret" in refused.error
    assert "begin its name with an underscore" in refused.error
    for path in (tmp_path / "home").rglob("*"):
        assert path.is_dir() or b"c4nary" not in path.read_bytes().lower(), path
