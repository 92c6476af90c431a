"""Owns the views of data validators and of the last checks of outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.views.attempts import error_line
from zennb.views.links import LINKS, address
from zennb.views.table import Column, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zennb.core.records.records import Step

__all__ = ["last_checks"]

_PREFIX = "check/"
_NONE = "no checks yet: %%step clean --check schema checks an output"


def last_checks(found: Sequence[Step]) -> Table:
    """List checks of outputs: how many rules held, how many did not, and what was found.

    Args:
        found: records of steps whose outputs were checked, as they are to be listed.
    """
    rows = [
        {
            "output": output,
            "status": "failed" if failed else "completed",
            "step": step.name,
            "passed": int(passed),
            "failed": int(failed),
            "run": step.run,
            "started": step.started,
            "found": error_line(step.failure) if failed and step.failure is not None else "",
            LINKS: {
                "output": address("artifact", step.outputs[output].id) if output in step.outputs else "",
                "step": address("step", step.run, step.name),
                "run": address("run", step.run),
            },
        }
        for step in found
        for output, passed, failed in _counts(step)
    ]
    columns = (
        Column.of("name", "output"),
        Column.of("state", "status", "state"),
        Column.of("names", "step", most=24),
        Column.of("count", "passed"),
        Column.of("count", "failed", "failed"),
        Column.of("count", "run"),
        Column.of("time", "started", minor=True),
        Column.of("prose", "found"),
    )
    return Table(columns=columns, data=rows, title="last checks", empty=_NONE)


def _counts(step: Step) -> list[tuple[str, float, float]]:
    """Return output, rules that held, and rules that did not, for each check of a step."""
    last = {
        name.removeprefix(_PREFIX): each.last
        for name, each in step.metrics.items()
        if name.startswith(_PREFIX)
    }
    outputs = [name.removesuffix("/passed") for name in last if name.endswith("/passed")]
    return [(output, last[f"{output}/passed"], last.get(f"{output}/failed", 0.0)) for output in outputs]
