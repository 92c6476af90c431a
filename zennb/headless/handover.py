"""Owns how the runner of a notebook tells its kernel which run the notebook's cells belong to.

The environment variable `ZENNB_RUN` carries it. Programs that the notebook starts inherit that, so only the kernel that
the run's own process has started takes it for itself.
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
    """Return what the environment of a kernel has to say of the run that it is started for."""
    return {VARIABLE: json.dumps({"run": run.id, "home": str(metadata.path.parent)})}


def handed_over(metadata: MetadataStore) -> Run | None:
    """Return the run that this process is the kernel of, when it goes on and is recorded here."""
    run = started_by(metadata)
    # Windows may put a launcher between the runner and its kernel, so parents tell nothing there.
    return run if run is not None and (os.name == "nt" or os.getppid() == run.process) else None


def started_by(metadata: MetadataStore) -> Run | None:
    """Return the run of the notebook from which this process was started, when it goes on and is recorded here."""
    number = _told(metadata)
    run = None if number is None else metadata.run(number)
    return run if run is not None and (run.kind, run.status) == ("notebook", Status.RUNNING) else None


def _told(metadata: MetadataStore) -> int | None:
    try:
        told = json.loads(os.environ.get(VARIABLE, ""))
        return int(told["run"]) if Path(told["home"]) == metadata.path.parent else None
    except (ValueError, KeyError, TypeError):
        return None
