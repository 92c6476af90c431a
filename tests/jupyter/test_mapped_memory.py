"""Shared memory of processes stays mapped when a step's own variable held it: an array over it can still be read."""

from __future__ import annotations

from multiprocessing.shared_memory import SharedMemory
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

MAPPED = "{} = SharedMemory(create=True, size=80)\na = np.ndarray((10,), buffer={}.buf)\na[:] = 3"


@pytest.mark.parametrize("line", ["%%step s", "%%step s -o a"])
def test_an_array_can_be_read_whose_shared_memory_was_private(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    name = "shm" if "-o" in line else "_shm"
    ended: list[str] = []
    # The original would unmap the array, and Python crash.
    monkeypatch.setattr(SharedMemory, "__del__", lambda self: ended.append(self.name))
    notebook.run("import numpy as np\nfrom multiprocessing.shared_memory import SharedMemory")
    cell = f"{line}\n{MAPPED.format(name, name)}\nprint({name}.name)"
    first = notebook.run(cell)[0].out.strip()
    assert name not in notebook.ns
    assert not ended
    assert notebook.run("print(a.sum())")[0].out == "30.0\n"
    second = notebook.run(cell.replace("= 3", "= 4"))[0].out.strip()
    assert ended == [first]
    for each in (first, second):
        opened = SharedMemory(each)
        opened.close()
        opened.unlink()
