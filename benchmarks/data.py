"""Owns the data that every contender makes and consumes."""

from __future__ import annotations

from typing import Any

__all__ = ["FRAME_CODE", "MODEL_CODE", "READ_MODEL", "TRAIN_CODE", "array", "frame", "summed"]

FRAME_CODE = """\
number = np.arange(1_000_000)
table = pd.DataFrame({
    "amount": number * 0.25,
    "ratio": np.sqrt(number),
    "count": number % 977,
    "flag": number % 3 == 0,
    "kind": pd.Categorical.from_codes(number % 5, ["a", "b", "c", "d", "e"]),
    "label": pd.Series(np.array(["north", "east", "south", "west"], dtype=object)[number % 4], dtype="str"),
})
"""
"""1,000,000 rows: floats, ints, bools, categories, strings."""

MODEL_CODE = """
import torch
torch.manual_seed(0)
model = torch.nn.Sequential(*[torch.nn.Linear(2000, 2000) for _ in range(5)])
opt = torch.optim.Adam(model.parameters())
x = torch.ones(8, 2000)
"""
"""A model of 80 MB, with Adam, which keeps twice as much once it is trained."""

TRAIN_CODE = """
opt.zero_grad()
model(x).pow(2).mean().backward()
opt.step()
opt.zero_grad()
"""

READ_MODEL = "sum(float(part.sum()) for part in model.parameters())"


def array(megabytes: int) -> Any:
    """Return a float64 array of that size."""
    import numpy as np

    return np.arange(megabytes * 131_072, dtype=float)


def frame() -> Any:
    """Return the frame."""
    import numpy as np
    import pandas as pd

    names: dict[str, Any] = {"np": np, "pd": pd}
    exec(FRAME_CODE, names)
    return names["table"]


def summed(table: Any) -> float:
    """Read a column of each kind."""
    return float(table["amount"].sum() + table["flag"].sum() + (table["label"] == "east").sum())
