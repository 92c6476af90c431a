"""Steps without `%%step` in a real kernel, as a frontend sends them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.kernel.conftest import Kernel

pytestmark = pytest.mark.kernel


def test_a_notebook_without_a_single_magic_is_reused(kernel: Kernel) -> None:
    cells = (
        "%zennb autostep on",
        "import asyncio\nrows = [3, 1, 2]",
        "#| step: order -o ordered\nawait asyncio.sleep(0)\nordered = sorted(rows)\nprint('sorted')\nordered",
        "#| step: off\nplain = 1",
    )
    first = [kernel.cell(text, cell=f"c{number}") for number, text in enumerate(cells)]
    assert [ran.reply["status"] for ran in first] == ["ok"] * 4
    assert [ran.facts["step"] for ran in first[1:3]] == ["rows", "order"]
    assert not first[3].shown
    kernel.restart()
    again = [kernel.cell(text, cell=f"c{number}") for number, text in enumerate(cells)]
    assert [ran.status for ran in again[1:3]] == ["cached", "cached"]
    assert again[2].shown == first[2].shown
    assert kernel.value("In[4]") == repr(cells[2])
    failed = kernel.cell("#| step: bad\nx = 1\n1 / 0")
    assert failed.error == "ZeroDivisionError: division by zero"
    assert "line 3" in failed.traceback
