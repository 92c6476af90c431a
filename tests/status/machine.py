"""Owns the machine that edits a notebook at random and compares what the plan says with what a run then does."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.reuse.pair import Kernel
from tests.status.cells import FILES, PLAIN, SLOTS, STEPS

if TYPE_CHECKING:
    from tests.reuse.pair import Warm

__all__ = ["Counts", "Wrong", "play"]

THREADS = (
    "%orchestrator register threads --flavor=threads --workers=2",
    "%stack register side -o threads -a default",
)
CELLS = {**PLAIN, **STEPS}


class Wrong(AssertionError):
    """A run did something else than the plan had said."""


@dataclass(slots=True)
class Counts:
    """What happened over all games."""

    edits: int = 0
    states: Counter[str] = field(default_factory=Counter)
    false_stale: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        share = self.false_stale.total() / max(1, self.states.total())
        return "\n".join(
            [
                f"{self.edits} edits; steps as planned: {dict(self.states)}",
                f"false stale: {self.false_stale.total()} ({share:.3%})",
                *(f"  {number}: {why}" for why, number in self.false_stale.most_common(20)),
            ]
        )


class Game:
    """One notebook in one home, edited and run in kernels that come and go."""

    def __init__(self, warm: Warm, seed: int, counts: Counts) -> None:
        self._random = random.Random(seed)
        self._counts = counts
        self._folder = Path(tempfile.mkdtemp(prefix="zennb-status-"))
        self._kernel = Kernel(warm, self._folder, with_zennb=True)
        self._texts = {slot: variants[0] for slot, variants in CELLS.items()}
        self.story: list[str] = []

    def close(self) -> None:
        """End the kernel, and remove its folder."""
        self._kernel.stop(hard=True)
        shutil.rmtree(self._folder)

    def begin(self) -> None:
        """Write the files, start a kernel, and run every cell."""
        for name, variants in FILES.items():
            if name not in {"out.txt", "made.txt"}:
                self._write(name, variants[0])
        self._kernel.start()
        for slot in SLOTS:
            self._run(slot)

    def turn(self) -> None:
        """Edit something, run some cells, and compare plan and run."""
        pick = self._random.choices(
            [self._edit_cells, self._edit_file, self._run_some, self._restart, self._lose, self._switch],
            [20, 8, 8, 2, 1, 1],
        )[0]
        pick()
        if self._random.random() < 0.2:
            self._run_some()
        self._counts.edits += 1
        self.compare()

    def compare(self) -> None:
        """Raise where a run does not do what the plan says."""
        said = self._kernel.ask("plan", "")
        self.story.append("plan and run")
        done = self._kernel.ask("pipeline", "")
        for name, (state, reason) in said.items():
            became, why = done.get(name, ("absent", ""))
            self._counts.states[state] += 1
            if state == "fresh" and became not in {"cached", "skipped"}:
                raise Wrong(self._told(f"`{name}` was said to be fresh ({reason}); it {became} ({why})"))
            if state == "stale" and became == "cached":
                self._counts.false_stale[f"{name}: {reason} | {why}"] += 1
            if state == "unknown":
                raise Wrong(self._told(f"`{name}` is unknown in a kernel ({reason})"))

    def _told(self, said: str) -> str:
        return "\n".join([*self.story[-60:], said])

    def _edit_cells(self) -> None:
        for slot in self._random.sample(SLOTS, self._random.randint(1, 3)):
            self._texts[slot] = self._random.choice(CELLS[slot])
            if slot in PLAIN or self._random.random() < 0.7:
                self._run(slot)

    def _edit_file(self) -> None:
        name = self._random.choice(list(FILES))
        self._write(name, self._random.choice(FILES[name]))
        if name == "mylib.py":
            self._run("p_imports")
        if name.startswith("pack/"):
            self._run("p_package")

    def _run_some(self) -> None:
        for slot in self._random.sample(SLOTS, self._random.randint(1, 5)):
            self._run(slot)

    def _lose(self) -> None:
        """Delete a file of the artifact store."""
        blobs = sorted(file for file in self._folder.glob("private-home/**/*") if len(file.name) == 64)
        if blobs:
            lost = self._random.choice(blobs)
            self.story.append(f"--- {lost.name[:8]} is gone")
            lost.unlink()

    def _switch(self) -> None:
        """Use another stack: side by side, in threads, or one after the other."""
        for line in (*THREADS, f"%stack set {self._random.choice(['side', 'default'])}"):
            self.story.append(f"[{line}]")
            self._kernel.ask("run", line)

    def _restart(self) -> None:
        self.story.append("restart")
        self._kernel.stop(hard=self._random.random() < 0.5)
        self._kernel.start()
        left_out = set(self._random.sample(SLOTS[9:], self._random.choice([0, 0, 2])))
        for slot in SLOTS:
            if slot not in left_out:
                self._run(slot)

    def _write(self, name: str, text: str) -> None:
        self.story.append(f"--- {name} is now:\n{text}")
        self._kernel.write(name, text)

    def _run(self, slot: str) -> None:
        text = self._texts[slot]
        options, text = text.split("\n", 1) if text.startswith("-") else ("", text)
        head = f"%%step {slot} {options}" if slot in STEPS else f"# {slot}"
        self.story.append(f"[{head}]\n{text}")
        self._kernel.ask("run", f"{head}\n{text}")


def play(warm: Warm, *, edits: int, seed: int = 0, per_game: int = 40) -> Counts:
    """Play games until so many edits are made; return what happened.

    Raises:
        Wrong: a plan was wrong about what its run would do.
    """
    counts, number = Counts(), seed
    while counts.edits < edits:
        game = Game(warm, number, counts)
        try:
            game.begin()
            for _ in range(min(per_game, edits - counts.edits)):
                game.turn()
        except Wrong as wrong:
            raise Wrong(f"game {number}, after {counts.edits} edits:\n{wrong}") from None
        finally:
            game.close()
        number += 1
    return counts
