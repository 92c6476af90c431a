"""Owns the command: `python -m benchmarks [CONTEST ...] [--rounds N] [--save FOLDER]`."""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

from benchmarks.contest import Plan
from benchmarks.contests import CONTESTS
from benchmarks.machine import machine
from benchmarks.table import LESS, Line, markdown

__all__ = ["main"]


def main() -> None:
    """Hold the contests, print one table, and save it beside the numbers."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "contests", nargs="*", metavar="CONTEST", help=f"of {', '.join(CONTESTS)}; all by default"
    )
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each; the long ones take fewer")
    parser.add_argument("--save", type=Path, default=Path("build/benchmarks"), help="where the table goes")
    given = parser.parse_args()
    unknown = sorted(set(given.contests) - set(CONTESTS))
    if unknown:
        parser.error(f"no contest {unknown[0]!r}; there are {', '.join(CONTESTS)}")
    began, lines = time.time(), list[Line]()
    for name in given.contests or CONTESTS:
        _say(f"{name}: {CONTESTS[name].__doc__}")
        lines += CONTESTS[name](Plan(rounds=given.rounds, say=_say))
    text = "\n".join([markdown(lines), "", *(f"- {line}" for line in [*LESS, *machine()])])
    _save(given.save, text, lines)
    print(text)
    _say(f"{time.time() - began:.0f} s; saved in {given.save}")


def _save(folder: Path, text: str, lines: list[Line]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "table.md").write_text(text + "\n")
    (folder / "table.json").write_text(json.dumps([asdict(line) for line in lines], indent=1))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
