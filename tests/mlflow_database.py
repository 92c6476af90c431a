"""Owns empty databases of MLflow for tests: one is made, which takes seconds, and the others are copies of it."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from zennb.components.model_registries.mlflow import MlflowModelRegistry

__all__ = ["new_database"]


def new_database(folder: Path) -> str:
    """Return the address of an empty database, `mlflow.db` in a folder."""
    path = folder / "mlflow.db"
    path.write_bytes(_empty())
    return f"sqlite:///{path}"


@cache
def _empty() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"
        made = MlflowModelRegistry.from_config("made", {"uri": f"sqlite:///{path}", "timeout": "300"})
        assert made.versions() == []
        made.close()
        return path.read_bytes()
