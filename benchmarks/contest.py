"""Owns a contest: contenders in processes of their own, one after another in turn, round after round."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Entry", "Job", "Plan", "Result", "hold", "python"]

Numbers = dict[str, float]
PATIENCE = 4.0  # seconds until two processes that start together have both loaded what they need
ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, kw_only=True)
class Job:
    """One piece of work for one contender.

    Attributes:
        contender: module in `benchmarks.contenders`.
        work: function in it.
        options: what it is given, as text.
        phases: processes one after another in one folder; their numbers are called `phase.name`.
    """

    contender: str
    work: str
    options: dict[str, object] = field(default_factory=dict)
    phases: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What one job came to.

    Attributes:
        numbers: name → median over the rounds.
        rounds: how often it ran.
        failed: why it could not run; "" when it could.
    """

    numbers: Numbers = field(default_factory=dict)
    rounds: int = 0
    failed: str = ""


Result = dict[str, Entry]
"""Contender → what it came to."""


def python() -> dict[str, str]:
    """Return the environment of a contender: this tree's code, and nothing of the user's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ZENNB", "JUPYTER"))}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "", "NO_COLOR": "1"}


def hold(jobs: dict[str, Job], *, rounds: int, say: object = None) -> Result:
    """Let every job run `rounds` times, in turn, and return the medians."""
    found: dict[str, list[Numbers]] = {label: [] for label in jobs}
    failed: dict[str, str] = {}
    for number in range(rounds):
        order = list(jobs) if number % 2 == 0 else list(reversed(jobs))
        for label in order:
            if label in failed:
                continue
            try:
                found[label].append(_once(jobs[label]))
            except subprocess.CalledProcessError as error:
                failed[label] = _last_line(error.stderr)
            if callable(say):
                say(
                    f"  round {number + 1} of {rounds}: {label} {_brief(found[label], failed.get(label, ''))}"
                )
    return {
        label: Entry(numbers=_medians(found[label]), rounds=len(found[label]), failed=failed.get(label, ""))
        for label in jobs
    }


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How thoroughly to measure.

    Attributes:
        rounds: rounds of a contest; long ones take fewer.
        say: told how it goes.
    """

    rounds: int
    say: Callable[[str], None]

    def hold(self, jobs: dict[str, Job], *, most: int = 99) -> Result:
        """Hold a contest of `most` rounds at most."""
        return hold(jobs, rounds=min(self.rounds, most), say=self.say)


def _once(job: Job) -> Numbers:
    os.sync()  # what the contender before has left for the disk to do, it is not to do for this one
    folder = Path(tempfile.mkdtemp(prefix="zennb-benchmark-", dir=os.environ.get("BENCH_FOLDER") or None))
    try:
        if job.work == "side_by_side":
            return _side_by_side(job, folder)
        if not job.phases:
            return _child(job, folder, {})
        numbers: Numbers = {}
        for phase in job.phases:
            for name, value in _child(job, folder, {"phase": phase}).items():
                numbers[f"{phase}.{name}"] = value
        return numbers
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _words(job: Job, work: str, folder: Path, more: dict[str, object]) -> list[str]:
    given = {**job.options, **more}
    options = [f"{name}={value}" for name, value in given.items()]
    return [sys.executable, "-m", "benchmarks.child", job.contender, work, str(folder), *options]


def _child(job: Job, folder: Path, more: dict[str, object]) -> Numbers:
    done = subprocess.run(
        _words(job, job.work, folder, more),
        capture_output=True, text=True, check=True, env=_env(folder), cwd=ROOT,
    )  # fmt: skip
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _env(folder: Path) -> dict[str, str]:
    """Return the environment with a home of its own: no profile, no key and no history of the user's."""
    home = folder / "user"
    home.mkdir(parents=True, exist_ok=True)
    return {**python(), "HOME": str(home), "IPYTHONDIR": str(home / "ipython"), "JUPYTER_DATA_DIR": str(home)}


def _side_by_side(job: Job, folder: Path) -> Numbers:
    """Run one process alone, then two at the same moment on one store."""
    alone = _child(
        Job(contender=job.contender, work="kernels", options=job.options), folder / "alone", {"name": "a"}
    )
    both = folder / "both"
    env, at = _env(both), time.time() + PATIENCE
    started = [
        subprocess.Popen(
            _words(job, "kernels", both, {"name": name, "at": at}),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env, cwd=ROOT,
        )
        for name in ("a", "b")
    ]  # fmt: skip
    found = []
    for process in started:
        said, wrong = process.communicate()
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, process.args, said, wrong)
        found.append(json.loads(said.splitlines()[-1]))
    return {
        "alone": alone["seconds"],
        "both": statistics.mean(each["seconds"] for each in found),
    }


def _medians(found: list[Numbers]) -> Numbers:
    names = dict.fromkeys(name for each in found for name in each)
    return {name: statistics.median([each[name] for each in found if name in each]) for name in names}


def _last_line(text: str) -> str:
    lines = [line for line in (text or "").splitlines() if line.strip()]
    return lines[-1][:200] if lines else "it ended without a word"


def _brief(found: list[Numbers], failed: str) -> str:
    if failed:
        return f"failed: {failed}"
    return ", ".join(f"{name} {value:.4g}" for name, value in (found[-1] if found else {}).items())
