"""Owns `NotebookRun`: the record of a headless run, from before its kernel starts until it has ended."""

from __future__ import annotations

import os
import socket
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from zennb.core.records.records import Run, Status
from zennb.core.secrets.texts import mask_json
from zennb.engine.run.ended_run import run_versions
from zennb.engine.run.git import find_commit
from zennb.headless.handover import hand_over, started_by
from zennb.headless.notebook_label import label

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from zennb.registry.workspace import Workspace

__all__ = ["NotebookRun"]


class NotebookRun:
    """The record of a notebook that is run from top to bottom; steps are added to it by the notebook's kernel.

    Attributes:
        run: the record as it was written last.
        status: how the notebook ended; `failed` until the runner sets it.

    Args:
        workspace: of the home that the notebook's kernel uses.
        path: the notebook.
        stack: the stack that its kernel begins with; None for the one that a new kernel has.
        parameters: name → text.
    """

    def __init__(
        self, workspace: Workspace, path: Path, *, stack: str | None, parameters: Mapping[str, str]
    ) -> None:
        self._metadata = workspace.metadata
        begins_with = stack or os.environ.get("ZENNB_STACK") or workspace.registry.default_stack_name()
        commit, outer = find_commit(path.absolute().parent), started_by(self._metadata)
        self.status = Status.FAILED
        self.run = Run(
            kind="notebook",
            notebook=label(path, workspace.home),
            stack=workspace.snapshot(begins_with),
            started=time.time(),
            parameters=mask_json(parameters),
            versions=run_versions({}),
            host=socket.gethostname(),
            process=os.getpid(),
            parent=None if outer is None else outer.id,
            commit=commit.id,
            dirty=commit.dirty,
        )

    @contextmanager
    def recorded(self) -> Iterator[Mapping[str, str]]:
        """Record the run around a block that runs the notebook; gives what its kernel's environment has to say of it.

        Raises:
            UnknownName: there is no such stack.
            StoreError: it cannot be recorded.
        """
        # Before the kernel starts: even a run whose kernel does not start is on record.
        self.run = self._metadata.begin_run(self.run)
        try:
            yield hand_over(self.run, self._metadata)
        except KeyboardInterrupt:
            self.status = Status.INTERRUPTED
            raise
        finally:
            self._end()

    def _end(self) -> None:
        number = self.run.id or 0
        started = self._metadata.children(number)
        steps = self._metadata.steps(number)
        packages: dict[str, str] = {}
        for versions in (
            *(child.versions for child in started),
            *(step.parts.packages for step in steps if step.parts is not None),
        ):
            packages.update(versions)
        states = {step.status for step in steps}.union(*(child.names.values() for child in started))
        is_reuse = self.status is Status.COMPLETED and states == {Status.CACHED}
        self.run = self._metadata.end_run(
            replace(
                self.run,
                status=Status.CACHED if is_reuse else self.status,
                seconds=time.time() - self.run.started,
                versions=run_versions(packages),
            )
        )
