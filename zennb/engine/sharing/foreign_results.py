"""Owns what is asked of the record of somebody else before its results are reused: trust, and that it fits here."""

from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from zennb.components.content import name_of
from zennb.core.records.observed import ABSENT
from zennb.core.records.passive_output import is_passive
from zennb.engine.step.recording import Recording
from zennb.errors import StoreError
from zennb.materializers.available import may_run_code

if TYPE_CHECKING:
    from collections.abc import Collection

    from zennb.components.component import ArtifactStore
    from zennb.core.records.records import Step
    from zennb.engine.run.unit_of_work import WriteBuffer

__all__ = ["bound_to_its_machine", "needs_trust"]


def _is_outside(path: str) -> bool:
    """Whether a recorded path is not one in the notebook's folder, on whatever system it was recorded."""
    return (
        PurePosixPath(path).is_absolute()
        or bool(PureWindowsPath(path).drive)
        or ".." in PurePosixPath(path).parts
    )


def bound_to_its_machine(step: Step) -> str:
    """Return why the results of a step are not those that its cell would have on another machine; "" when they are.

    Relative paths are those in the notebook's folder, wherever that is. Of an absolute one nobody can tell whether the
    cell would go to the same place here: with `Path.home() / "config.json"` it would not, and that its author has no
    such file says nothing about ours.
    """
    observed = step.observed
    for path in (*observed.files, *observed.written, *observed.restored):
        if _is_outside(path):
            return f"it uses {path}, which is outside the notebook's folder"
    # The values of variables are sealed under the key of whoever ran the step.
    for name, state in observed.environment.items():
        if state != ABSENT:
            return f"it reads environment variable {name}, whose value only its author can compare"
    for name, state in observed.left.items():
        if name.startswith("$") and state != ABSENT:
            return f"it sets environment variable {name[1:]}"
    return ""


def needs_trust(step: Step, store: ArtifactStore | WriteBuffer, *, named: Collection[str]) -> str:
    """Return why the results of a step may be used only if its author is trusted; "" for plain data, arrays and frames.

    Args:
        step: its record.
        store: where what it showed is read.
        named: what its cell names; the record may bind and delete nothing else.

    Raises:
        StoreError: what it showed cannot be read.
    """
    for name, artifact in step.outputs.items():
        if may_run_code(artifact.materializer):
            return f"`{name}` is stored as {artifact.materializer}, which can run code when it is loaded"
    odd = next((name for name in (*step.outputs, *step.deletes, *step.defines) if name not in named), None)
    if odd is not None:
        return f"it binds `{odd}`, which its cell does not name"
    if step.observed.restored:
        return f"it writes {next(iter(step.observed.restored))}"
    if step.carried is not None and step.carried.names:
        return f"it sets {', '.join(step.carried.names)}"
    if step.observed.left:
        return "it changes settings of a library"
    if step.displays:
        content = store.get(step.displays)
        if name_of(content) != step.displays:
            raise StoreError("what it showed is not what was recorded.")
        if not is_passive(Recording.load(content)):
            return "what it showed may hold scripts"
    return ""
