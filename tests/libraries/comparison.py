"""Owns the comparison of a notebook written as a percent script: plain, as steps, reused, and after one edit.

A script is a notebook whose cells begin with `# %%`. A line that ends with `# edit: CODE` is the line without that
comment in the notebook, and `CODE` in the edited notebook.
"""

from __future__ import annotations

import ast
import re
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbformat import v4

from zennb.core.records.check_findings import Check, judged
from zennb.headless.check import LIMIT
from zennb.headless.check_runs import CheckRuns
from zennb.headless.instrumented import as_plain, as_steps, first_line, stays
from zennb.views.check import check as report

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zennb.core.records.check_findings import CellResult

__all__ = ["Comparison", "compare", "missing_modules", "read_script"]

CELL = re.compile(r"^# %%.*\n", re.MULTILINE)
EDIT = re.compile(r"^(?P<indent> *)(?P<before>.*?) *# edit: (?P<after>.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What the runs of one notebook showed.

    Attributes:
        original: the notebook as a step in each cell, cold and reused in a new kernel.
        edited: the edited notebook, with the records of the original.
        raised: the cells that raise in plain kernels, which a notebook here must not have.
        reran: the numbers of the cells that ran again after the edit.
    """

    original: Check
    edited: Check
    raised: tuple[str, ...]
    reran: tuple[int, ...]

    def __str__(self) -> str:
        return f"{report(self.original).text}\n\nAfter the edit:\n\n{report(self.edited).text}"


def read_script(text: str, *, edited: bool) -> Any:
    """Return a percent script as a notebook."""
    changed = EDIT.sub(r"\g<indent>\g<after>" if edited else r"\g<indent>\g<before>", text)
    cells = [cell.strip("\n") for cell in CELL.split(changed)[1:]]
    node = v4.new_notebook(cells=[v4.new_code_cell(cell) for cell in cells])
    for number, cell in enumerate(node.cells, start=1):
        cell.id = f"cell-{number}"  # the same in both notebooks
    return node


def missing_modules(text: str) -> list[str]:
    """Return the top-level modules that a script imports and that are not installed."""
    tree = ast.parse(re.sub(r"^([%!])", r"#\1", text, flags=re.MULTILINE))
    imported = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
        )
    }
    return sorted(name for name in imported if find_spec(name) is None)


def compare(script: Path) -> Comparison:
    """Run a script in five kernels: plain, edited and plain, as steps, reused, edited with these records."""
    text = script.read_text(encoding="utf-8")
    original, edited = (read_script(text, edited=each) for each in (False, True))
    path = script.with_suffix(".ipynb")
    with tempfile.TemporaryDirectory(prefix="zennb-libraries-", ignore_cleanup_errors=True) as place:
        series = CheckRuns(path, Path(place).resolve(), timeout=120, limit=LIMIT, on_run=None)
        plain = series.run("plain", as_plain(original), seed=0)
        plain_edited = series.run("edited, plain", as_plain(edited), seed=0)
        cold = series.run("as steps", as_steps(original, {}), seed=0)
        # Another hash seed, so that nothing depends on the order of sets; and the files that the runs before left.
        reused = series.run("reused in a new kernel", as_steps(original, {}), seed=1, restore=False)
        ran = series.run("edited", as_steps(edited, {}), seed=0, restore=False)
        notes = series.take_notes()
    return Comparison(
        original=_checked(original, plain, cold=cold, reused=reused, name=path.name, notes=notes),
        edited=_checked(edited, plain_edited, cold={}, reused=ran, name=path.name, notes=notes),
        raised=tuple(
            f"{cell}: {result.showing.raised}"
            for run in (plain, plain_edited)
            for cell, result in run.items()
            if result.showing.raised
        ),
        reran=tuple(
            number
            for number, cell in enumerate(edited.cells, start=1)
            if cell.id in ran and ran[cell.id].status != "cached"
        ),
    )


def _checked(
    node: Any,
    plain: Mapping[str, CellResult],
    *,
    cold: Mapping[str, CellResult],
    reused: Mapping[str, CellResult],
    name: str,
    notes: tuple[str, ...],
) -> Check:
    cells = [
        judged(
            number=number,
            code=first_line(cell.source),
            stays=stays(cell.source, raised=""),
            plain=plain[cell.id],
            again=None,
            cold=cold.get(cell.id),
            reused=reused.get(cell.id),
        )
        for number, cell in enumerate(node.cells, start=1)
        if cell.id in plain
    ]
    return Check(name=name, cells=tuple(cells), notes=notes)
