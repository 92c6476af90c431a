"""Owns random edits of a notebook file, and the proof that its status says what a run then does."""

from __future__ import annotations

import json
import os
import random
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.connection import Listener
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.file_status.notebook import CELLS, ENVIRONMENT, FILES
from zennb.commands.file_pipeline import NotebookFile
from zennb.core.planning.run_plan import Freshness
from zennb.registry.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.reuse.pair import Warm
    from zennb.core.planning.run_plan import RunPlan

__all__ = ["Counts", "Project", "notebook"]


@dataclass
class Counts:
    """What status said, and what the run then did."""

    edits: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    false_fresh: list[str] = field(default_factory=list)
    false_stale: list[str] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)

    @property
    def answered(self) -> int:
        return sum(self.answers.values())

    def share(self, answer: str) -> float:
        return self.answers[answer] / max(1, self.answered)

    def __str__(self) -> str:
        lines = [f"{self.edits} edits, {self.answered} answers: {dict(self.answers)}"]
        lines += [f"false fresh: {len(self.false_fresh)}, false stale: {len(self.false_stale)}"]
        lines += [f"unknown {self.share('unknown'):.2%}"]
        lines += [f"  {n}: {why}" for why, n in self.unknown.most_common(25)]
        return "\n".join([*lines, *self.false_fresh[:5], *self.false_stale[:10]])


class Project:
    """A folder with a notebook, the files beside it, and a home of its own.

    Args:
        warm: the process that kernels are forked from.
        seed: of the random edits.
    """

    def __init__(self, warm: Warm, seed: int = 0) -> None:
        self._warm, self._random = warm, random.Random(seed)
        self.root = Path(tempfile.mkdtemp(prefix="zennb-file-"))
        self.folder = self.root / "project"
        self.folder.mkdir()
        self.path = self.folder / "study.ipynb"
        self.home = self.root / "project" / ".zennb"
        self._times = iter(range(1_000_000_000, 2_000_000_000, 1000))
        self.cells = {slot: variants[0] for slot, variants in CELLS.items()}
        self.environment: dict[str, str | None] = {}
        self.story: list[str] = []
        for name, texts in FILES.items():
            self.write(name, texts[0])
        self.save()

    def close(self) -> None:
        """Remove it all."""
        shutil.rmtree(self.root)

    def write(self, name: str, text: str) -> None:
        """Write a file; each version gets a time of its own."""
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text)
        stamp = next(self._times)
        os.utime(self.folder / name, (stamp, stamp))

    def sources(self) -> list[str]:
        """Return the cells that are there, in order."""
        return _marked(self.cells)

    def save(self) -> None:
        """Write the notebook."""
        self.path.write_text(notebook(self.sources()))

    def edit(self) -> None:
        """Change something at random."""
        kind = self._random.choices(["cell", "file", "environment", "hand"], [8, 3, 1, 2])[0]
        if kind == "cell":
            slot = self._random.choice(list(CELLS))
            self.cells[slot] = self._random.choice(CELLS[slot])
            self.story.append(f"[{slot}] {self.cells[slot]!r}")
            self.save()
        elif kind == "file":
            name = self._random.choice(list(FILES))
            text = self._random.choice(FILES[name])
            self.write(name, text)
            self.story.append(f"{name}: {text!r}")
        elif kind == "environment":
            name = self._random.choice(list(ENVIRONMENT))
            self.environment[name] = self._random.choice(ENVIRONMENT[name])
            self.story.append(f"{name}={self.environment[name]}")
        else:
            self.by_hand()

    def by_hand(self) -> None:
        """Run cells in a kernel as somebody who plays with them does: most in order, some again, some edited."""
        cells = self.sources()
        chosen: list[str] = []
        for source in cells:
            chosen += [source] * self._random.choices([0, 1, 2], [1, 12, 1])[0]
            if self._random.random() < 0.1:
                chosen.append(self._random.choice(cells))
        self.story.append("by hand: " + " | ".join(text.split("\n")[0] for text in chosen))
        self.run(chosen, by_hand=True)

    def run(self, sources: Iterable[str], *, by_hand: bool = False, named: bool = True) -> dict[str, str]:
        """Run cells in a new kernel; return step → how it ended. Unless by hand, the first error ends it.

        Args:
            sources: the cells.
            by_hand: whether errors are gone over.
            named: whether the kernel knows the notebook; papermill does not tell.
        """
        address = str(self.root / "socket")
        environment = {
            "ZENNB_HOME": str(self.home),
            "IPYTHONDIR": str(self.root / "ipython"),
            "JUPYTER_DATA_DIR": str(self.root / "jupyter"),
            **({"ZENNB_NOTEBOOK": str(self.path)} if named else {}),
            **{name: value for name, value in self.environment.items() if value is not None},
        }
        found: dict[str, str] = {}
        with Listener(address, "AF_UNIX") as listener:
            self._warm.fork(
                {
                    "with_zennb": True,
                    "folder": str(self.folder),
                    "address": address,
                    "environment": environment,
                    "seeded": False,
                }
            )
            door = listener.accept()
        assert door.recv() == "ready"
        try:
            for source in sources:
                door.send(("run", source))
                ran: dict[str, Any] = door.recv()
                if ran["facts"]:
                    found[ran["facts"]["step"]] = ran["facts"]["status"]
                if ran["error"] and not by_hand:
                    break
            door.send(("stop", ""))
        finally:
            door.close()
        return found

    def status(self) -> Mapping[str, tuple[Freshness, str]]:
        """Return what the file's status says of each step."""
        return {step.name: (step.state, step.reason) for step in self.planned().steps}

    def planned(self) -> RunPlan:
        """Return what the file's status knows."""
        kept = {name: os.environ.get(name) for name in (*ENVIRONMENT, "JUPYTER_DATA_DIR")}
        _set({**self.environment, "JUPYTER_DATA_DIR": str(self.root / "jupyter")})
        workspace = Workspace(self.home)
        try:
            return NotebookFile(self.path).state(workspace)
        finally:
            workspace.close()
            _set(kept)

    def compare(self, counts: Counts) -> None:
        """Ask for the status, run the notebook, and count where the two differ."""
        said = self.status()
        did = self.run(self.sources())
        counts.edits += 1
        for step, ended in did.items():
            state, reason = said[step]
            counts.answers[state.value] += 1
            told = f"{step} {state.value} ({reason}), but {ended}\n    " + "\n    ".join(self.story[-8:])
            if state is Freshness.FRESH and ended != "cached":
                counts.false_fresh.append(told)
            elif state is Freshness.STALE and ended == "cached":
                counts.false_stale.append(told)
            elif state is Freshness.UNKNOWN:
                counts.unknown[f"{step}: {reason} -> {ended}"] += 1


def _marked(cells: Mapping[str, str]) -> list[str]:
    """Return cells as texts, steps with their first line."""
    return [
        f"%%step {slot[1:]}\n{text}" if slot.startswith("%") else text for slot, text in cells.items() if text
    ]


def notebook(sources: Iterable[str]) -> str:
    """Return a notebook file of these code cells."""
    cells: list[dict[str, object]] = [
        {
            "cell_type": "code",
            "id": f"c{number}",
            "source": source,
            "metadata": {},
            "outputs": [],
            "execution_count": None,
        }
        for number, source in enumerate(sources)
    ]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells})


def _set(environment: Mapping[str, str | None]) -> None:
    for name, value in environment.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
