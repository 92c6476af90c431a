"""A step that fails: the user's own error, on the cell's own lines, seen by every tool that watches a kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.kernel.conftest import Kernel

pytestmark = pytest.mark.kernel

BAD = "%%step bad\nkept = 1\n\ndef divide(by):\n    return 1 / by\n\ny = divide(0)\nz = 2"
LAST_FRAME = """import sys
_tb = sys.last_traceback
while _tb.tb_next: _tb = _tb.tb_next
_tb.tb_frame.f_code.co_name, _tb.tb_lineno, _tb.tb_frame.f_locals.get("by")"""
THREADS = ("%orchestrator register side --flavor=threads", "%stack register s -o side -a default --set")


@pytest.mark.parametrize("stack", [(), THREADS], ids=["local", "threads"])
def test_the_traceback_is_the_cells_own(kernel: Kernel, stack: tuple[str, ...]) -> None:
    kernel.run(*stack)
    ran = kernel.cell(BAD)
    assert ran.reply["status"] == "error"
    assert ran.error == "ZeroDivisionError: division by zero"
    assert "----> 7 y = divide(0)" in ran.traceback
    assert "----> 5     return 1 / by" in ran.traceback
    assert "zennb" not in ran.traceback
    kinds = [message.type for message in ran.messages]
    assert kinds == ["error", "display_data"], "the status line stands below the error"
    assert ran.status == "failed"
    assert "ZeroDivisionError" not in ran.text, "the error is told once"
    assert kernel.value("'kept' in globals(), 'z' in globals()") == "(False, False)"
    assert kernel.value(LAST_FRAME) == "('divide', 5, 0)", "%debug begins in the user's own code"


def test_a_pipeline_run_ends_with_the_steps_own_error(kernel: Kernel) -> None:
    kernel.run(
        "by = 1",
        "%%step first\na = 1",
        "%%step second\nb = a / by",
        "%%step third\nc = b",
        "%%step other\nd = a",
    )
    ran = kernel.cell("%pipeline run -p by=0")
    assert ran.error == "ZeroDivisionError: division by zero"
    assert "line 2\n----> 2 b = a / by" in ran.traceback, "the line of `%%step` is left out"
    assert "zennb" not in ran.traceback
    tables = [each.facts for each in ran.of("display_data", "update_display_data")]
    table = [each for each in tables if isinstance(each, list)][
        -1
    ]  # behind it are the status lines of the cells above
    states = {line["step"]: line["status"] for line in table}
    assert states == {"first": "cached", "second": "failed", "third": "skipped", "other": "cached"}
    assert kernel.value(LAST_FRAME).startswith("('<module>', 2")


def test_a_failing_cell_stops_the_cells_sent_after_it(kernel: Kernel) -> None:
    first = kernel.send(BAD)
    second = kernel.send("%%step next\nafter = 1")
    assert kernel.follow(first).reply["status"] == "error"
    assert kernel.follow(second).reply["status"] in {"aborted", "error"}
    assert kernel.value("'after' in globals()") == "False"


def test_a_syntax_error_is_pythons_own(kernel: Kernel) -> None:
    ran = kernel.cell("%%step s\nx = 1\ny = = 2")
    assert ran.error.startswith("SyntaxError")
    assert "line 3" in ran.traceback
    assert "zennb" not in ran.traceback


def test_time_above_a_failing_step_leaves_it_failed(kernel: Kernel) -> None:
    ran = kernel.cell("%%time\n%%step s\nx = 1\n1 / 0")
    assert ran.status == "failed"
    assert "ZeroDivisionError" in ran.error
    assert kernel.value("'x' in globals()") == "False"


def test_input_in_a_step_is_refused_where_nobody_can_answer(kernel: Kernel) -> None:
    ran = kernel.cell("%%step ask\nanswer = input('?')")
    assert ran.error.startswith("StdinNotImplementedError")
    assert ran.status == "failed"
    assert kernel.run("%%step ask\nanswer = 'none'")[0].status == "completed"


def test_a_mistake_in_the_step_line_is_one_sentence_and_an_error(kernel: Kernel) -> None:
    ran = kernel.cell("%%step s --rerunn\nx = 1")
    assert ran.reply["status"] == "error"
    assert "--rerun" in ran.traceback
    assert "Traceback" not in ran.traceback
    assert len(ran.traceback.splitlines()) == 1
    assert kernel.value("'x' in globals()") == "False"
