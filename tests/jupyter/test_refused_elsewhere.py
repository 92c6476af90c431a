"""Steps that cannot run in another process, beside others that can."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook


def test_a_step_that_cannot_run_there_keeps_no_other_step_from_running(notebook: Notebook) -> None:
    notebook.run(
        "%orchestrator register e --flavor=executor --factory=concurrent.futures.ThreadPoolExecutor",
        "%stack register s -o e -a default --set",
        "import threading\nlock = threading.Lock()",
    )
    refused = notebook.cell("%%step locked --retries 3\nwith lock:\n    a = 1")
    assert str(refused.error) == (
        "step 'locked' cannot run in another process: it reads `lock`, a lock, which cannot be sent there. Make it "
        "inside the step, or run the step on a stack that runs in the kernel."
    )
    notebook.run("%%step free\nb = 2", "del b")
    assert "cannot run in another process" in str(notebook.cell("%pipeline run --rerun").error)
    assert notebook.ns["b"] == 2
