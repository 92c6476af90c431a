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


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run what is cheap first, then real kernels; on several cores the long ones first, so that none waits at the end.

    The browser comes last always: playwright leaves an event loop running.
    """
    is_shared = hasattr(config, "workerinput") or bool(config.getoption("numprocesses", default=None))
    cost = {"kernel": -1 if is_shared else 1, "browser": 2}

    def place(item: pytest.Item) -> int:
        costs = [cost[mark.name] for mark in item.iter_markers() if mark.name in cost]
        return max(costs, default=0, key=abs)

    items.sort(key=place)
