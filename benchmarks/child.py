"""Owns one process of a contest: one contender does one piece of work, and prints what it measured as JSON."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

__all__ = ["main"]


def main(words: list[str]) -> None:
    """Do `CONTENDER WORK FOLDER name=value ...`."""
    contender, work, folder, *options = words
    given: dict[str, Any] = {}
    for option in options:
        name, _, text = option.partition("=")
        given[name] = int(text) if text.lstrip("-").isdigit() else text
    Path(folder).mkdir(parents=True, exist_ok=True)
    said = sys.stdout
    sys.stdout = sys.stderr  # what the work prints is not a measurement
    found = getattr(import_module(f"benchmarks.contenders.{contender}"), work)(Path(folder), **given)
    print(json.dumps(found), file=said)


if __name__ == "__main__":
    main(sys.argv[1:])
