"""Looking for the memory of a value ends, whatever its `base` is."""

from __future__ import annotations

import faulthandler
from collections import UserDict
from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock

import numpy as np
import pytest

from zennb.compat.arrays import file_behind, memory_owner
from zennb.compat.tensors import storage_under
from zennb.digests.memory import memory_parts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.jupyter.conftest import Notebook

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")  # what torch says about itself

TRAIN = """
for _ in range(2):
    opt.zero_grad(); net(torch.ones(1, 2)).sum().backward(); opt.step()
"""


class Endless:
    """Whatever it is asked for is another one."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Endless()


class Own(np.ndarray):
    """An array with a `base` of its own."""

    @property
    def base(self) -> Any:
        return self


class Given(Endless):
    """What an array can be made from."""

    def __init__(self) -> None:
        self.memory = np.arange(3.0)
        self.__array_interface__ = self.memory.__array_interface__


@pytest.fixture(autouse=True)
def ends() -> Iterator[None]:
    """End the process that hangs, and say where."""
    faulthandler.dump_traceback_later(60, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


@pytest.mark.parametrize(
    "value",
    [np.dtype("int64"), MagicMock(), Endless(), np.arange(3).view(Own), np.asarray(Given()), UserDict()],
    ids=lambda value: type(value).__name__,
)
def test_the_memory_of_anything_can_be_asked_for(value: object) -> None:
    assert storage_under(value) is None
    memory_parts(value)
    memory_owner(value)
    if isinstance(value, np.ndarray):
        assert file_behind(value) is None


def test_views_with_strides_of_their_own_lie_in_the_memory_of_a_tensor() -> None:
    tensor = torch.arange(4.0)
    view = np.lib.stride_tricks.as_strided(tensor.numpy(), (2, 2), (4, 4))
    assert storage_under(view).data_ptr() == tensor.data_ptr()
    array = np.arange(4.0)
    assert memory_owner(np.lib.stride_tricks.as_strided(array, (2, 2), (8, 8))) is array
    assert memory_owner(np.frombuffer(memoryview(held := bytearray(8)))) is held


@pytest.mark.parametrize(
    "made",
    ["{'a': np.dtype('int64')}", "pd.DataFrame({'a': [1]}).dtypes", "type('Set', (), {})()", "MagicMock()"],
)
def test_a_model_is_trained_beside_values_whose_base_has_no_end(notebook: Notebook, made: str) -> None:
    notebook.run(
        "import torch, numpy as np, pandas as pd\nfrom unittest.mock import MagicMock",
        f"%%step made\nheld = {made}",
        "held.dtype = np.dtype('int8')" if made.startswith("type") else "pass",
        "%%step net\nnet = torch.nn.Linear(2, 1); opt = torch.optim.SGD(net.parameters(), 0.1)",
        f"%%step train\n{TRAIN}",
    )
    assert notebook.cell("%%step more\nt = torch.ones(2); t.add_(1); print(t)").status == "completed"
