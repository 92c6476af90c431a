"""Owns what one can see of background runs: which they are, how far they have come, and their output as it comes."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from zennb.bounded_input import open_file
from zennb.core.records.records import Status
from zennb.core.secrets.texts import mask_text
from zennb.engine.background.process import stop
from zennb.engine.background.run_files import RunFiles, follow
from zennb.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from zennb.core.records.records import Run
    from zennb.engine.background.run_files import Entry
    from zennb.registry.workspace import Workspace

__all__ = ["attach", "forget_output", "is_background", "last_words", "stop_run", "with_progress"]

_MOST_WORDS = 4000
"""Bytes of what a process wrote past its steps that are shown."""


def is_background(workspace: Workspace, run: Run) -> bool:
    """Whether a run was started in the background, and its output is still there."""
    return _files(workspace, run).state(run) is not None


def with_progress(workspace: Workspace, runs: Iterable[Run]) -> list[Run]:
    """Return runs; those in the background that go on also name the steps that run now, and those that will."""
    return [run if run.status.is_final else _with_progress(workspace, run) for run in runs]


def _with_progress(workspace: Workspace, run: Run) -> Run:
    state = _files(workspace, run).state(run)
    if state is None:
        return run
    ahead = {
        name: Status.RUNNING.value if name in state.running else "waiting"
        for name in state.steps
        if name not in run.names
    }
    return replace(run, names={**run.names, **ahead})


def attach(workspace: Workspace, run: Run) -> Iterator[Entry]:
    """Yield the output of a background run from its beginning, until it has ended.

    Raises:
        UsageError: it is none, and still runs; where it runs, its output is shown already.
    """
    if not is_background(workspace, run):
        if run.status.is_final:
            return iter(())
        raise UsageError(
            f"run {run.id} was not started with --background: its output is shown where it was started."
        )

    def is_over() -> bool:
        now = workspace.metadata.run(run.id or 0)
        return now is None or now.status.is_final

    return follow(_files(workspace, run), is_over)


def last_words(workspace: Workspace, run: Run) -> str:
    """Return the end of what the process of a run that did not end well wrote past its steps, as a crash does."""
    if run.status.is_good or not is_background(workspace, run):
        return ""
    try:
        with open_file(_files(workspace, run).streams) as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - _MOST_WORDS))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return mask_text(text)


def stop_run(workspace: Workspace, run: Run) -> Run:
    """Stop a background run, and return its record; one that has ended is left as it is.

    Raises:
        UsageError: it is no background run, or runs on another machine.
    """
    if run.status.is_final:
        return run
    if not is_background(workspace, run):
        raise UsageError(
            f"run {run.id} was not started with --background; interrupt the cell or the program that runs it."
        )
    return stop(workspace.metadata, run)


def forget_output(workspace: Workspace, runs: Iterable[int]) -> None:
    """Delete what runs whose records were deleted have shown."""
    for number in runs:
        RunFiles(workspace.home, number).delete()


def _files(workspace: Workspace, run: Run) -> RunFiles:
    return RunFiles(workspace.home, run.id or 0)
