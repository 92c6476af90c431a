"""Interrupts: the prompt comes back at once, nothing is bound, and the store stays usable."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.kernel.conftest import Kernel, Ran

pytestmark = pytest.mark.kernel

AT_ONCE = 15.0
"""Seconds; every wait here is for 60 unless interrupted, and test machines can be slow."""

WAITS = {
    "sleep": "import time\ntime.sleep(60)",
    "busy": "import time\n_end = time.time() + 60\nwhile time.time() < _end: pass",
    "await": "import asyncio\nawait asyncio.sleep(60)",
}
STACKS = {
    "local": (),
    "threads": ("%orchestrator register side --flavor=threads", "%stack register s -o side -a default --set"),
}


def check_still_usable(kernel: Kernel, kernels: Callable[[], Kernel]) -> None:
    same = "%%step fine\nimport time\ntotal = sum([1, 2])\ntotal"
    (ran,) = kernel.run(same)
    assert (ran.status, ran.result) == ("completed", "3")
    (other,) = kernels().run(same)
    assert (other.status, other.result) == ("cached", "3")


def check_interrupted(ran: Ran) -> None:
    assert ran.seconds < AT_ONCE
    assert ran.reply["status"] == "error"
    assert ran.reply["ename"] in {"KeyboardInterrupt", "CancelledError"}
    assert "zennb" not in ran.traceback


@pytest.mark.parametrize("stack", STACKS.values(), ids=STACKS)
@pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS)
def test_an_interrupted_step_gives_the_prompt_back(
    kernel: Kernel, kernels: Callable[[], Kernel], stack: tuple[str, ...], wait: str
) -> None:
    kernel.run(*stack, "xs = [1]")
    ran = kernel.interrupted(f"%%step s\nnew = 1\nxs.append(2)\nprint('started')\n{wait}")
    check_interrupted(ran)
    assert ran.status == "interrupted"
    assert kernel.value("'new' in globals(), xs") == "(False, [1])"
    check_still_usable(kernel, kernels)
    (runs,) = kernel.run(
        "import zennb\nmine = zennb.runs()[1]\nmine.kind, mine.status.value, dict(mine.names)"
    )
    assert runs.result == "('session', 'completed', {'s': 'interrupted', 'fine': 'completed'})"


@pytest.mark.parametrize("stack", STACKS.values(), ids=STACKS)
@pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS)
def test_an_interrupted_pipeline_run_gives_the_prompt_back(
    kernel: Kernel, kernels: Callable[[], Kernel], stack: tuple[str, ...], wait: str
) -> None:
    body = "\n".join(f"    {line}" for line in wait.splitlines())
    kernel.run(
        *stack,
        "from pathlib import Path\nslow = Path('slow')",
        "%%step quick\na = 1",
        f"%%step s\nnew = a\nif slow.exists():\n    Path('begun').touch()\n{body}",
        "%%step last\nb = new",
        "slow.touch()",
    )
    sent = kernel.send("%pipeline run --rerun")
    ran = kernel.follow(sent, until=lambda _: (kernel.folder / "begun").exists())
    kernel.interrupt()
    ran = kernel.follow(sent, into=ran)
    check_interrupted(ran)
    table = ran.of("display_data", "update_display_data")[-1]
    assert {line["step"]: line["status"] for line in table.facts} == {
        "quick": "completed",
        "s": "interrupted",
        "last": "skipped",
    }
    kernel.run("slow.unlink()")
    check_still_usable(kernel, kernels)
    (again,) = kernel.run("%pipeline run")
    final = again.of("display_data", "update_display_data")[-1]
    assert {line["step"]: line["status"] for line in final.facts}["s"] in {"cached", "completed"}
