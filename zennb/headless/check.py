"""Owns `check`: running a notebook without steps, with steps, and reused in a new kernel, from the same files."""

from __future__ import annotations

import random
import re
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zennb.core.records.check_findings import CellResult, Check, CheckedCell, judged
from zennb.headless.check_runs import CheckRuns
from zennb.headless.edit_trials import EditTrials
from zennb.headless.instrumented import as_plain, as_steps, first_line, has_code, stays
from zennb.headless.kernel import require_kernel
from zennb.headless.own_lines import has_own_magics, uses_zennb
from zennb.headless.read import document, runs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["check"]

LIMIT = 500.0
"""Megabytes of the notebook's folder that are copied at most."""

_SEEDS = 10_000

_LISTS = re.compile(r"(?m)^\s*%lsmagic\b|\blsmagic\(")

_CHANCES = 6
"""More plain runs at most, while a cell differs in a notebook that draws: `randint(1, 10)` agrees every tenth time."""

_DRAWS = re.compile(
    r"rand|shuffle|sampl|choice|bootstrap|default_rng|uuid|secrets|token_|getpid|\btime\b|\bnow\b|today|hash\(|id\("
)
"""What cells name whose output differs from run to run."""

_WORDS = re.compile(r"\w+")
_BINDS = re.compile(
    r"(?m)^\s*(?:def|class)\s+(\w+)|^\s*([\w, ]+?)\s*[-+*/]?=(?!=)|^\s*for\s+([\w, ]+)\s+in\b"
)


def check(
    path: str | Path,
    *,
    timeout: float | None = None,
    once: bool = False,
    limit: float = LIMIT,
    edits: int = 0,
    seed: int | None = None,
    on_run: Callable[[str], None] | None = None,
) -> Check:
    """Compare the output of a notebook with and without steps: on the first run, reused in a new kernel, and edited.

    No file of the user is changed: the notebook runs in a copy of its folder, with a temporary home.

    Args:
        path: the notebook.
        timeout: seconds that one cell may take; None for no limit.
        once: skip the second run without steps, which finds cells whose output differs each time.
        limit: megabytes of the notebook's folder that are copied at most.
        edits: how many random edits are tried.
        seed: what the edits are chosen by; None for another each time.
        on_run: called with a phrase before each run.

    Raises:
        UnknownName: there is no such notebook.
        BrokenNotebook: the file is no Python notebook.
        StepRefused: its folder is too large to be copied, or a kernel did not start.
        MissingExtra: ipykernel or nbclient is not installed.
        KeyboardInterrupt: the check was interrupted.
    """
    path, began = Path(path), time.perf_counter()
    node = document(path)
    require_kernel()
    _need_ids(node)
    seed = random.randrange(_SEEDS) if seed is None else seed
    with tempfile.TemporaryDirectory(prefix="zennb-check-", ignore_cleanup_errors=True) as place:
        series = CheckRuns(
            path, Path(place).resolve(), timeout=timeout, limit=limit, on_run=on_run, variables=edits > 0
        )
        found = _Runs(series, node, once=once)
        cells = tuple(found.cells())
        if any(_is_suspect(cell) for cell in cells):
            # A plain cell that finds the files of an earlier run may show something else too: `Overwriting notes.txt`.
            found.run_over_files()
            cells = tuple(found.cells())
        runs_left = 0 if once else _CHANCES
        while runs_left and any(cell.is_silent and cell.number in found.chancy for cell in cells):
            runs_left -= 1
            found.run_by_chance(_CHANCES - runs_left)
            cells = tuple(found.cells())
        notes = series.take_notes()
        trials = EditTrials(series, node, cells=cells, plain=found.plain, variables=found.variables)
        tried = trials.run(edits, random.Random(seed)) if edits else ()
    return Check(
        name=path.name,
        cells=cells,
        trials=tried,
        seed=seed,
        notes=notes,
        seconds=time.perf_counter() - began,
    )


class _Runs:
    """The results of the runs that every check makes."""

    def __init__(self, series: CheckRuns, node: Any, *, once: bool) -> None:
        self._series, self._node, self._seed = series, node, 0 if once else 1
        # The first plain run and the cold run use one hash seed, so sets have one order; the other two use another.
        self.plain = series.run("plain", as_plain(node), seed=0)
        self._told = [series.variables]
        # A cell that ended the plain run, and those below it, cannot be compared; running
        # them as steps proves nothing.
        node.cells = [cell for cell in node.cells if not runs(cell) or cell.id in self.plain]
        self._again = None if once else series.run("plain, a second time", as_plain(node), seed=1)
        if not once:
            self._told.append(series.variables)
        self._raised = {
            cell: result.showing.raised for cell, result in self.plain.items() if result.showing.raised
        }
        # Cells that raise stay plain: a failed step restores its variables, a plain cell keeps what it did until then.
        steps = as_steps(node, self._raised)
        self._cold = series.run("as steps", steps, seed=0)
        self._reused = series.run("reused in a new kernel", steps, seed=self._seed, restore=False)
        self._told.append(series.variables)
        self._over: dict[str, CellResult] = {}

    @property
    def variables(self) -> frozenset[str]:
        """The variables that had the same value at the end of all these runs, so that they can be compared."""
        first, *others = self._told
        return frozenset(
            name for name, told in first.items() if all(other.get(name) == told for other in others)
        )

    def run_over_files(self) -> None:
        """Run the notebook without steps again, over the files that such a run left."""
        self._add_run(self._series.run("plain, for its files", as_plain(self._node), seed=0))
        self._over = self._series.run(
            "plain, over those files", as_plain(self._node), seed=self._seed, restore=False
        )

    @property
    def chancy(self) -> frozenset[int]:
        """The numbers of cells that name what may differ from run to run, or what such cells bind."""
        names, found = set[str](), set[int]()
        for number, cell in enumerate(filter(runs, self._node.cells), start=1):
            if _DRAWS.search(cell.source) or not names.isdisjoint(_WORDS.findall(cell.source)):
                found.add(number)
                names.update(
                    name for bound in _BINDS.findall(cell.source) for name in _WORDS.findall(" ".join(bound))
                )
        return frozenset(found)

    def run_by_chance(self, seed: int) -> None:
        """Run the notebook without steps once more: two runs that draw unseeded numbers may agree by chance."""
        self._add_run(
            self._series.run("plain, as cells may differ by chance", as_plain(self._node), seed=seed)
        )

    def _add_run(self, run: dict[str, CellResult]) -> None:
        """Add a run without steps from the original files: what it shows otherwise varies by itself."""
        others = {
            cell: each for cell, each in run.items() if each.showing.text != self.plain[cell].showing.text
        }
        self._again = {**run, **(self._again or {}), **others}

    def cells(self) -> Iterator[CheckedCell]:
        """Yield the findings, from top to bottom."""
        cells = list(filter(runs, self._node.cells))
        uses = uses_zennb(cell.source for cell in cells)
        for number, (cell, is_user) in enumerate(zip(cells, uses, strict=True), start=1):
            if not has_code(cell.source):
                continue
            judge = partial(
                judged,
                number=number,
                code=first_line(cell.source),
                stays=stays(cell.source, raised=self._raised.get(cell.id, "")),
                plain=self.plain[cell.id],
                again=None if self._again is None else self._again.get(cell.id),
                cold=self._cold.get(cell.id),
                reused=self._reused.get(cell.id),
                over=self._over.get(cell.id),
            )
            own = "it uses zennb itself" if has_own_magics(cell.source) else ""
            found = judge(uncompared=own or ("it lists zennb's magics" if _LISTS.search(cell.source) else ""))
            # What zennb returns without steps, no records and no artifacts, is no measure either.
            yield judge(uncompared="it uses what zennb returns") if is_user and found.differs else found


def _is_suspect(cell: CheckedCell) -> bool:
    """Whether a cell that ran in the new kernel, instead of being reused, showed something else there."""
    return cell.reused is False and not cell.cached


def _need_ids(node: Any) -> None:
    """Give ids to the cells of a notebook in an older format, and raise its minor version to one with ids."""
    for position, cell in enumerate(node.cells, start=1):
        cell.setdefault("id", f"cell-{position}")
    node.nbformat_minor = max(node.nbformat_minor, 5)
