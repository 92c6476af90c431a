"""Owns the display of values in a worker process: a shell there formats them as the notebook's would."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zennb.jupyter.cells.output_capture import OutputCapture
from zennb.jupyter.kernel.frontend import DisplaySettings, KernelFrontend

if TYPE_CHECKING:
    from zennb.engine.environment.settings import Setting

__all__ = ["worker_frontend"]


def worker_frontend() -> tuple[KernelFrontend, tuple[Setting, ...]]:
    """Return a frontend for this process, and the settings of the shell behind it."""
    from IPython.core.displaypub import CapturingDisplayPublisher
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False  # its thread and database are for people who type
    is_new = not InteractiveShell.initialized()
    shell: Any = InteractiveShell.instance(config=config)
    if is_new:  # an engine of ipyparallel is a kernel, whose own publisher takes part in each of its calls
        shell.display_pub = CapturingDisplayPublisher()  # what is displayed goes to the step's recording
    return KernelFrontend(shell, OutputCapture(shell)), (DisplaySettings(shell),)
