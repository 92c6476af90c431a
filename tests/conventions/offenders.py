"""Owns how a rule about many files fails: once, with a line for each file that breaks it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["ROOT", "expect_none", "label"]

ROOT = Path(__file__).resolve().parents[2]


def label(file: Path) -> str:
    """Return how a file is called in a message: its path inside the repository."""
    return str(file.relative_to(ROOT)) if file.is_relative_to(ROOT) else file.name


def expect_none(files: Iterable[Path], faults: Callable[[Path], Iterable[str]]) -> None:
    """Fail with every fault of every file; nothing is cut short, as long comparisons of pytest's are.

    Args:
        files: the files, or folders, that a rule is about; there has to be at least one.
        faults: what is wrong with one of them, as sentences; none when it keeps the rule.
    """
    checked = list(files)
    assert checked, "the rule looks at no file"
    found = [f"{label(file)}: {fault}" for file in checked for fault in faults(file)]
    if found:
        pytest.fail("\n".join([f"what breaks the rule ({len(found)}):", *found]), pytrace=False)
