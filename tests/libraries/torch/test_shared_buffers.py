"""Tensors in the memory of other tensors' arrays and of buffers stay in it on reuse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")  # what torch says about itself

TENSOR = "import torch\nt = torch.arange(3.)\n"
BUFFER = "import torch, array\nbuf = bytearray(8)\n"
WRITE = "f[0] = 9.0"

CASES = {
    "of an array of a tensor": ((TENSOR + "n = t.numpy()\nf = torch.from_numpy(n)",), "t, n"),
    "of a part of it": ((TENSOR + "n = t.numpy()\nf = torch.from_numpy(n[1:])",), "t, n"),
    "of an array that is gone": ((TENSOR + "f = torch.from_numpy(t.numpy())",), "t"),
    "of two": (
        (TENSOR + "f = torch.from_numpy(t.numpy()[:2])\ng = torch.from_numpy(t.numpy()[1:])\nh = [f, g]",),
        "t, g, h",
    ),
    "in steps": ((TENSOR, "n = t.numpy()", "f = torch.from_numpy(n)"), "t, n"),
    "in one object": ((TENSOR + "f = torch.from_numpy(t.numpy())\nd = {'f': f, 't': t}",), "t, d"),
    "of a buffer": ((BUFFER + "f = torch.frombuffer(buf, dtype=torch.float32)",), "buf"),
    "of a part of a buffer": (
        (BUFFER + "f = torch.frombuffer(buf, dtype=torch.float32, offset=4)",),
        "buf",
    ),
    "of a buffer in steps": ((BUFFER, "f = torch.frombuffer(buf, dtype=torch.float32)"), "buf"),
    "of a buffer and an array over it": (
        (
            BUFFER
            + "import numpy as np\na = np.frombuffer(buf, 'f4')\nf = torch.frombuffer(buf, dtype=torch.float32)",
        ),
        "buf, a",
    ),
    "of a buffer by its array": (
        (BUFFER + "import numpy as np\na = np.frombuffer(buf, 'f4')\nf = torch.from_numpy(a)",),
        "buf, a",
    ),
    "of a buffer twice": (
        (
            BUFFER
            + "f = torch.frombuffer(buf, dtype=torch.float32)\ng = torch.frombuffer(buf, dtype=torch.int8)",
        ),
        "buf, g",
    ),
    "of a buffer of numbers": (
        (
            "import torch, array\nbuf = array.array('f', [1, 2])\nf = torch.frombuffer(buf, dtype=torch.float32)",
        ),
        "buf",
    ),
    "in an object": (
        (BUFFER + "held = {'buf': buf, 'f': torch.frombuffer(buf, dtype=torch.float32)}", "f = held['f']"),
        "held, buf",
    ),
}


@pytest.mark.parametrize(("steps", "shows"), CASES.values(), ids=CASES)
def test_what_shared_memory_shares_it_on_reuse(
    notebook: Notebook, steps: tuple[str, ...], shows: str
) -> None:
    for text in steps:
        exec(text, plain := globals().setdefault("_plain", {}))
    exec(WRITE, plain)
    expected = repr(eval(f"({shows},)", plain))
    plain.clear()
    for _ in range(2):
        for at, text in enumerate(steps):
            assert notebook.cell(f"%%step s{at}\n{text}").error is None
        notebook.run(f"%%step write\n{WRITE}")
        assert notebook.cell(f"print(repr(({shows},)))").out.rstrip() == expected
        notebook.restart()
    for at, text in enumerate(steps):
        notebook.run(f"%%step s{at}\n{text}")
    notebook.run(WRITE)
    assert notebook.cell(f"print(repr(({shows},)))").out.rstrip() == expected
