"""Runs in the background outlive the kernel that started them, however it ends."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.kernel.conftest import Kernel

pytestmark = pytest.mark.kernel

GATE = "from pathlib import Path\nimport time\nwhile not Path('gate').exists():\n    time.sleep(0.02)\n"
PLAIN = "import numpy as np\nrate = 2\ndef scaled(x):\n    return x * rate"
CELL = f"%%step train --background\nprint('begun')\n{GATE}print('done')\nmodel = scaled(np.arange(3))\nmodel"
PROCESS = "import zennb\nzennb.runs(kind='pipeline')[0].process"


@pytest.fixture(autouse=True)
def none_left(kernel: Kernel) -> Iterator[None]:
    """End the runs that a failed test has left."""
    yield
    listed = "import zennb\nprint(*(run.process for run in zennb.runs(kind='pipeline', status='running')))"
    if not kernel.manager.is_alive():
        kernel.restart()
    for process in kernel.run(listed)[0].stdout.split():
        os.kill(int(process), signal.SIGKILL)


@pytest.mark.parametrize("how", ["killed", "restarted"])
def test_a_run_goes_on_without_its_kernel_and_is_cached_in_the_next(kernel: Kernel, how: str) -> None:
    kernel.run(PLAIN)
    (started,) = kernel.run(CELL)
    assert started.status == "running"
    if how == "killed":
        kernel.kill()
    kernel.restart()
    (listed,) = kernel.run("%runs list")
    assert "running" in listed.text
    assert "◌ train" in listed.text
    (kernel.folder / "gate").touch()
    (attached,) = kernel.run("%runs attach 1")
    assert "begun\ndone\n" in attached.stdout.replace("\n\n", "\n")
    assert "array([0, 2, 4])" in attached.text
    assert kernel.value("model.tolist()") == "[0, 2, 4]"
    kernel.restart()
    kernel.run(PLAIN)
    (again,) = kernel.run(CELL)
    assert (again.status, again.stdout, again.result) == ("cached", "begun\ndone\n", "array([0, 2, 4])")


def test_the_kernel_is_free_and_an_interrupt_does_not_reach_the_run(kernel: Kernel) -> None:
    kernel.run(PLAIN, CELL)
    ran = kernel.interrupted("print('started')\nimport time\ntime.sleep(60)")
    assert "KeyboardInterrupt" in ran.error
    detached = kernel.interrupted("%runs attach 1", when="begun")
    assert detached.reply["status"] == "ok"
    assert "goes on in the background" in detached.text
    (kernel.folder / "gate").touch()
    kernel.run("%runs attach 1")
    (bound,) = kernel.run("print(model.tolist())")
    assert bound.stdout == "[0, 2, 4]\n"


@pytest.mark.skipif(sys.platform != "linux", reason="how processes end is looked up in /proc")
def test_a_killed_run_is_interrupted_and_a_stopped_one_leaves_no_process(kernel: Kernel) -> None:
    kernel.run(PLAIN, CELL)
    os.kill(int(kernel.value(PROCESS)), signal.SIGKILL)
    ended = "import time, zennb\nwhile zennb.runs()[0].status == 'running':\n    time.sleep(0.05)"
    kernel.run(ended)
    assert "interrupted" in kernel.run("%runs list")[0].text
    # A step that no interrupt ends is ended with its process.
    stubborn = "import time\nwhile True:\n    try:\n        time.sleep(60)\n    except KeyboardInterrupt:\n        pass"
    kernel.run("import zennb.engine.background.process as process\nprocess.GRACE = 1.0")
    kernel.run(f"%%step stubborn --background\n{stubborn}")
    process = int(kernel.value(PROCESS))
    (stopped,) = kernel.run("%runs stop 2")
    assert "interrupted" in stopped.text
    deadline = time.monotonic() + 20
    while Path(f"/proc/{process}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_figures_are_shown_as_in_the_notebook(kernel: Kernel) -> None:
    pytest.importorskip("matplotlib")
    body = "import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nax.plot([1, 2])\n"
    kernel.run("%matplotlib inline", f"%%step plot --background\n{body}")
    (attached,) = kernel.run("%runs attach 1")
    assert any("image/png" in m.content["data"] for m in attached.of("display_data"))
    (again,) = kernel.run(f"%%step plot --background\n{body}")
    assert again.status == "cached"
    assert any("image/png" in m.content["data"] for m in again.of("display_data"))
