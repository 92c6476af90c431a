"""Owns the handover of a run to the kernel that executes the notebook's cells.

The environment variable `ZENNB_RUN` holds the run. Programs that the notebook starts inherit it, so only the kernel
started by the run's own process uses it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from zennb.core.records.records import Status

if TYPE_CHECKING:
    from zennb.core.records.records import Run
    from zennb.metadata.store import MetadataStore

__all__ = ["VARIABLE", "hand_over", "handed_over", "started_by"]

VARIABLE = "ZENNB_RUN"


def hand_over(run: Run, metadata: MetadataStore) -> dict[str, str]:
    """Return the environment variable for a kernel that is started for this run."""
    return {VARIABLE: json.dumps({"run": run.id, "home": str(metadata.path.parent)})}


def handed_over(metadata: MetadataStore) -> Run | None:
    """Return the run whose kernel this process is, if it still runs and is recorded here."""
    run = started_by(metadata)
    # Windows may put a launcher between the runner and its kernel, so the parent process proves nothing there.
    return run if run is not None and (os.name == "nt" or os.getppid() == run.process) else None


def started_by(metadata: MetadataStore) -> Run | None:
    """Return the run of the notebook that started this process, if it still runs and is recorded here."""
    number = _run_id(metadata)
    run = None if number is None else metadata.run(number)
    return run if run is not None and (run.kind, run.status) == ("notebook", Status.RUNNING) else None


def _run_id(metadata: MetadataStore) -> int | None:
    try:
        # With the home: the number of a run means nothing in another database.
        content = json.loads(os.environ.get(VARIABLE, ""))
        return int(content["run"]) if Path(content["home"]) == metadata.path.parent else None
    except (ValueError, KeyError, TypeError):
        return None
