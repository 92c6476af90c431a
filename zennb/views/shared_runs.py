"""Owns the view of runs that people share in an artifact store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.core.records.shared import SHOWN_DIGITS
from zennb.views.run import MOST_NAMES, folded
from zennb.views.table import Column, Table
from zennb.views.text import clean

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from zennb.core.records.shared import SharedRun

__all__ = ["shared_runs", "shared_steps"]


def shared_runs(found: Sequence[SharedRun], *, store: str, page: int = 80) -> Table:
    """List what people ran, as given.

    Args:
        found: the runs.
        store: name of the artifact store, for an empty list.
        page: columns of text that the list may take.
    """
    columns = (
        Column.of("name", "author", most=20),
        Column.of("count", "run", show=lambda value: "" if value is None else str(value)),
        Column.of("names", "steps", most=44, wrap=True),
        Column.of("names", "notebook", most=28),
        Column.of("seconds", "computed"),
        Column.of("time", "started"),
        Column.of("names", "trusted"),
        Column.of("names", "signer", tight=True),
        Column.of("names", "host", "machine", minor=True),
        Column.of("names", "stack", most=20, minor=True),
        Column.of("names", "kind", minor=True),
    )
    rows = [_row(each) for each in found]
    return Table(columns=columns, data=rows, empty=f"nobody has shared a run in '{clean(store)}'", page=page)


def shared_steps(run: SharedRun) -> str:
    """Say what one run did: `run 12 of ada on lab-3: load, train`."""
    number = "a run" if run.run is None else f"run {run.run}"
    return f"{number} of {run.author} on {run.host}: {folded(run.steps, most=40)}"


def _row(run: SharedRun) -> dict[str, Any]:
    return {
        "author": run.author,
        "run": run.run,
        "steps": folded(run.steps, most=MOST_NAMES),
        "notebook": run.notebook,
        "computed": run.computed or None,
        "started": run.started,
        "trusted": run.trusted,
        "signer": run.signer[:SHOWN_DIGITS],
        "host": run.host,
        "stack": run.stack,
        "kind": run.kind,
    }
