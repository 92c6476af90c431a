"""Owns what is said of the machine: enough to understand the numbers, nothing that names it."""

from __future__ import annotations

import os
import platform
import sqlite3
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["machine"]

LIBRARIES = (
    "diskcache", "ipython", "joblib", "marimo", "numpy", "pandas", "pyarrow", "pymandala", "xxhash", "zennb",
)  # fmt: skip


def machine() -> list[str]:
    """Return lines: processor and memory, Python, libraries."""
    return [
        f"{os.cpu_count()} cores ({_processor()}), {_memory()}, {platform.system()}",
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}",
        ", ".join(f"{name} {found}" for name in LIBRARIES if (found := _version(name))),
    ]


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def _memory() -> str:
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 0
    return f"{pages / 2**30:.0f} GiB of memory"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
