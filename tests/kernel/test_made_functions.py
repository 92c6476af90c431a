"""Functions made while a step runs, in a real kernel, whose cells have other names than those of the kernel before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.kernel.conftest import Kernel

pytestmark = pytest.mark.kernel

CELLS = (
    "K = 1\ndef make(n):\n    def div(x):\n        return (n + K) / x\n    return div",
    "%%step t\ntable = {'half': lambda x: x / 2 / K}\nf = make(3)",
    "%%step c\nr = f(1) + table['half'](2)",
)


def test_they_are_found_again_in_the_cells_of_the_new_kernel(kernel: Kernel) -> None:
    kernel.run(*CELLS)
    kernel.restart()
    _, made, used = kernel.run(*CELLS)
    assert (made.status, used.status) == ("cached", "cached"), (made.reason, used.reason)
    kernel.run("K = 5")
    assert kernel.value("f(2), table['half'](10)") == "(4.0, 1.0)"
    failed = kernel.cell("f(0)")
    assert "----> 4" in failed.traceback
    assert "return (n + K) / x" in failed.traceback
