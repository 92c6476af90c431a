"""Owns edits of plain cells, files and modules that change what a step gets, by ways that reading hardly sees.

They stand in `cases.txt`: `###### NAME`, the cells with `------` between them, `++++++ PATH` and the text of a file
beside them; then `====== then`, and what is there after the edit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["CASES", "Case"]


@dataclass(frozen=True, slots=True)
class Case:
    """A notebook and the same edited: cells before and after, files before, and files that are written then."""

    before: tuple[str, ...]
    after: tuple[str, ...]
    files: Mapping[str, str]
    edited: Mapping[str, str]


def _read(text: str) -> Iterator[tuple[str, Case]]:
    for block in text.split("###### ")[1:]:
        name, _, rest = block.partition("\n")
        before, after = rest.split("====== then\n")
        (cells, files), (then, edited) = _half(before), _half(after)
        yield name, Case(cells, then, files, edited)


def _half(text: str) -> tuple[tuple[str, ...], dict[str, str]]:
    cells, *files = text.split("++++++ ")
    named = (file.partition("\n") for file in files)
    return tuple(re.split(r"\n------\n", cells.rstrip("\n"))), {path: content for path, _, content in named}


CASES: dict[str, Case] = dict(_read(Path(__file__).with_suffix(".txt").read_text(encoding="utf-8")))
