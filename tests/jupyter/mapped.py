"""Helpers of tests of mapped steps."""

from __future__ import annotations

from zennb import api
from zennb.core.records.records import Status

__all__ = ["FRAME", "IMPORTS", "elements_run", "use"]

IMPORTS = (
    "import numpy as np, pandas as pd, polars as pl, random, threading, time, os\nfrom pathlib import Path"
)
FRAME = "frame = pd.DataFrame({'k': list('aba'), 'v': [1, 2, 3]})"


def use(flavor: str) -> list[str]:
    """Return the cells after which steps run on an orchestrator of a flavor."""
    if flavor == "local":
        return []
    return [f"%orchestrator register o --flavor={flavor}", "%stack register s -o o -a default --set"]


def elements_run() -> int:
    """Return how many elements have run so far, in all runs."""
    metadata = api.workspace().metadata
    return sum(
        step.is_element and step.status is Status.COMPLETED
        for run in range(1, 30)
        for step in metadata.steps(run)
    )
