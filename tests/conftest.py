"""What holds for all tests: their order by cost, signals, and that packages installed here change no result."""

from __future__ import annotations

import importlib.metadata
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, settings

from zennb.compat.notebook_libraries import load_quickly

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    import pytest

load_quickly()

# Where the tests run in the background (`nohup`, a shell without job control) these are ignored, and the
# processes that tests start and stop would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


# No test depends on how fast the machine is. Continuous integration tries the same examples each time: what fails there
# is due to the change; new examples are found wherever else the tests run.
settings.register_profile(
    "any machine",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize="CI" in os.environ,
)
settings.load_profile("any machine")

_INSTALLED = frozenset(sys.path)
"""Where packages are found before any test has put some of its own on the path."""

_entry_points: Any = importlib.metadata.entry_points


def _without_installed(**wanted: Any) -> Any:
    """Return entry points without what packages installed here offer zennb.

    Many tests name all flavors or all commands there are. So in this process only zennb itself counts, and the packages
    that a test makes. It has to hold while tests are collected, hence no fixture.
    """
    found = _entry_points(**wanted)
    if not str(wanted.get("group", "")).startswith("zennb."):
        return found
    return importlib.metadata.EntryPoints([point for point in found if not _is_foreign(point)])


def _is_foreign(point: EntryPoint) -> bool:
    package = point.dist
    return package is not None and package.name != "zennb" and str(package.locate_file("")) in _INSTALLED


setattr(importlib.metadata, "entry_points", _without_installed)  # noqa: B010 - its overloads say too much for mypy


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run what is cheap first, then real kernels; on several cores the long ones first, so that none waits at the end.

    What a process with many modules and classes slows down comes before all others.

    The browser comes last always: playwright leaves an event loop running.
    """
    is_shared = hasattr(config, "workerinput") or bool(config.getoption("numprocesses", default=None))
    cost = {"kernel": -1 if is_shared else 1, "browser": 2, "early": -3}

    def place(item: pytest.Item) -> int:
        costs = [cost[mark.name] for mark in item.iter_markers() if mark.name in cost]
        return max(costs, default=0, key=abs)

    items.sort(key=place)
