"""What holds for all tests: their order by cost, and that signals reach the processes they start."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

# Where the tests run in the background (`nohup`, a shell without job control) these are ignored, and the
# processes that tests start and stop would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run what is cheap first, then real kernels, and the browser last: playwright leaves an event loop running."""
    cost = {"kernel": 1, "browser": 2}
    items.sort(key=lambda item: max((cost.get(mark.name, 0) for mark in item.iter_markers()), default=0))
