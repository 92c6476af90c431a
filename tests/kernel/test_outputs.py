"""What a step shows: live while it runs, and again, in the same order, when it is reused in a new kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.kernel.conftest import Kernel, Ran

pytestmark = pytest.mark.kernel


def twice(kernel: Kernel, *cells: str) -> tuple[list[Ran], list[Ran]]:
    """Run cells, restart, and run them again."""
    first = kernel.run(*cells)
    kernel.restart()
    return first, kernel.run(*cells)


def test_what_a_step_prints_arrives_while_it_runs(kernel: Kernel) -> None:
    sent = kernel.send(
        "%%step s\nimport time\nprint('begun')\nwhile not go.exists(): time.sleep(0.02)\nx = 1"
    )
    ran = kernel.follow(sent)
    assert "NameError" in ran.error  # `go` is not there yet: the step begins only when it is
    kernel.run("from pathlib import Path\ngo = Path('go')")
    sent = kernel.send(
        "%%step s\nimport time\nprint('begun')\nwhile not go.exists(): time.sleep(0.02)\nx = 1"
    )
    ran = kernel.follow(sent, until=lambda ran: "begun" in ran.stdout)
    assert ran.reply == {}, "the step ended before its output was seen"
    (kernel.folder / "go").touch()
    ran = kernel.follow(sent, into=ran)
    assert ran.status == "completed"


MIXED = """%%step mixed
import sys
from IPython.display import HTML, clear_output, display
print("gone")
clear_output()
print("one")
print("two", file=sys.stderr)
print("three", flush=True)
display(HTML("<b>four</b>"))
print("five", file=sys.stderr, flush=True)
display({"text/plain": "six", "application/json": {"n": 6}}, raw=True)
sys.stdout.write("seven, no newline")
handle = display("eight", display_id=True)
handle.update("nine")
for n in range(3): print(f"\\r{n} of 3", end="", file=sys.stderr)
del handle
{"ten": 10}"""


def test_a_reused_step_shows_the_same_in_the_same_order(kernel: Kernel) -> None:
    (first,), (again,) = twice(kernel, MIXED)
    assert (first.status, again.status) == ("completed", "cached")
    kinds = [shown[0] for shown in again.shown]
    assert kinds == [
        "stdout",
        "clear_output",
        "stdout",
        "stderr",
        "stdout",
        "display_data",
        "stderr",
        "display_data",
        "stdout",
        "display_data",
        "update_display_data",
        "stderr",
        "execute_result",
    ]
    assert per_stream(again) == per_stream(first)
    assert rich(again) == rich(first)
    assert again.result == "{'ten': 10}"
    assert again.stderr.endswith("\r0 of 3\r1 of 3\r2 of 3")


def per_stream(ran: Ran) -> tuple[str, str]:
    return ran.stdout, ran.stderr


def rich(ran: Ran) -> list[tuple[Any, ...]]:
    """All but streams: between the two streams a kernel keeps no order while a cell runs."""
    return [shown for shown in ran.shown if shown[0] not in {"stdout", "stderr"}]


def test_a_plot_is_shown_again_byte_for_byte(kernel: Kernel) -> None:
    plot = "%%step plot\nprint('before')\nfig, ax = plt.subplots()\nax.plot([1, 3, 2])\nprint('after')\nplt.show()"
    closing = "%%step closing\nother, axes = plt.subplots()\n_ = axes.plot([3, 1])"
    first, again = twice(kernel, "%matplotlib inline\nimport matplotlib.pyplot as plt", plot, closing)
    for before, after in zip(first[1:], again[1:], strict=True):
        assert (before.status, after.status) == ("completed", "cached"), after.reason
        assert after.shown == before.shown
        (picture,) = after.of("display_data")[:1]
        assert picture.content["data"]["image/png"].startswith("iVBOR")


def test_tables_and_rich_values_are_shown_again(kernel: Kernel) -> None:
    cell = "%%step table\nimport pandas as pd\nframe = pd.DataFrame({'a': [1, 2], 'b': ['x', None]})\nframe"
    (first,), (again,) = twice(kernel, cell)
    assert again.status == "cached"
    assert again.shown == first.ended.shown
    assert "<table" in again.of("execute_result")[0].content["data"]["text/html"]


def test_what_threads_and_loggers_write_belongs_to_the_step(kernel: Kernel) -> None:
    cells = (
        """import logging, sys, threading
logging.basicConfig(stream=sys.stderr, level="INFO", format="%(levelname)s %(message)s", force=True)""",
        """%%step s
_t = threading.Thread(target=print, args=("from a thread",))
_t.start()
_t.join()
logging.getLogger("study").info("halfway")
x = 1""",
    )
    (_, first), (_, again) = twice(kernel, *cells)
    assert (first.status, again.status) == ("completed", "cached")
    assert (
        (again.stdout, again.stderr) == (first.stdout, first.stderr) == ("from a thread\n", "INFO halfway\n")
    )


def test_five_megabytes_of_output_come_back_whole(kernel: Kernel) -> None:
    cell = "%%step loud\nfor n in range(50_000): print(f'{n:06d}', 'x' * 92)\ndone = True"
    (first,), (again,) = twice(kernel, cell)
    assert len(first.ended.stdout) == 5_000_000
    assert again.status == "cached"
    assert again.stdout == first.ended.stdout


def test_top_level_await_works_and_is_reused(kernel: Kernel) -> None:
    cell = (
        "%%step fetch\nimport asyncio\nasync def get(n):\n    await asyncio.sleep(0.01)\n    return n * 2\n"
    )
    cell += "values = await asyncio.gather(*[get(n) for n in range(3)])\nprint('fetched')\nvalues"
    (first,), (again,) = twice(kernel, cell)
    assert (first.status, again.status) == ("completed", "cached")
    assert again.shown == first.shown == [("stdout", "fetched\n"), first.shown[1]]
    assert kernel.value("values") == again.result == "[0, 2, 4]"


def test_what_an_awaiting_step_prints_off_the_main_thread_is_kept(kernel: Kernel) -> None:
    kernel.run("%orchestrator register side --flavor=threads", "%stack register s -o side -a default --set")
    cell = (
        "%%step fetch\nimport asyncio\nprint('before')\nn = await asyncio.sleep(0.01, 7)\nprint('after')\nn"
    )
    (first,), (again,) = twice(kernel, cell)
    assert (first.status, again.status) == ("completed", "cached")
    assert (first.stdout, first.result) == ("before\nafter\n", "7")
    assert (again.stdout, again.result) == ("before\nafter\n", "7")


def test_capture_above_a_step_captures_the_same_when_it_is_reused(kernel: Kernel) -> None:
    cell = "%%capture taken\n%%step s\nfrom IPython.display import HTML, display\nprint('text')\n"
    cell += "display(HTML('<i>rich</i>'))\nx = 5\nx + 1"
    look = "taken.stdout, [sorted(each.data) for each in taken.outputs]"
    (first, seen), (again, seen_again) = twice(kernel, cell, look)
    assert (first.status, again.status) == ("completed", "cached")
    assert seen.result == seen_again.result
    assert "'text\\n', [['text/html', 'text/plain'], ['text/plain']]" in seen.result
    assert (first.stdout, first.result) == ("", "")
    assert (again.stdout, again.result) == ("", "")
    (plain,) = kernel.run(cell.partition("\n")[2])
    assert (plain.status, plain.stdout, plain.result) == ("cached", "text\n", "6")


def test_time_stands_above_a_step_and_inside_it(kernel: Kernel) -> None:
    (above,) = kernel.run("%%time\n%%step s\nx = sum(range(1000))")
    assert above.status == "completed"
    assert "Wall time" in above.stdout
    assert kernel.value("x") == "499500"
    (inside,) = kernel.run("%%step t\n%time y = sum(range(10))\ny")
    assert (inside.status, inside.result) == ("completed", "45")
    assert "Wall time" in inside.stdout
    below = kernel.cell("%%step u\n%%time\nz = 1")
    assert below.reply["status"] == "error"
    assert "`%%time` stands below %%step" in below.traceback
    assert "first line" in below.traceback


def test_a_hostile_name_is_text_everywhere(kernel: Kernel) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    first, again = kernel.run(*[f'%%step "{hostile}"\nq = 1\nq'] * 2)
    assert first.facts["step"] == hostile
    shown = kernel.run("%pipeline show", "%pipeline run", "%runs", "%pipeline status", "%artifacts lineage q")
    for ran in (first, again, *shown):
        assert "<img src=x" not in ran.html
    assert "&lt;img src=x onerror=alert(1)&gt;" in again.html


def test_a_step_of_settings_and_imports_is_reused_and_sets_them_again(kernel: Kernel) -> None:
    lines = (
        "%matplotlib inline",
        "import matplotlib.pyplot as plt",
        "%config InlineBackend.figure_format = 'svg'",
    )
    setup = "\n".join(["%%step setup", *lines])
    plot = "%%step plot --rerun\nfig, ax = plt.subplots()\n_ = ax.plot([1, 3, 2])"
    first, again = twice(kernel, setup, plot)
    assert (first[0].status, again[0].status) == ("completed", "cached")
    assert again[0].shown == first[0].shown
    for ran in (first[1], again[1]):
        assert ran.status == "completed"
        assert "image/svg+xml" in ran.of("display_data")[0].content["data"]
