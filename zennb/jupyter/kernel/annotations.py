"""Owns `Annotations`: labels that people give in this kernel, and their versions as artifacts.

A version is made when the next cell begins, or when the user asks for one.
"""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

from zennb.core.records.records import Status
from zennb.digests.digest import digest_value
from zennb.engine.run.kept_labels import KeptLabels, label_step
from zennb.engine.run.unit_of_work import WriteBuffer
from zennb.errors import StoreError, UnknownName
from zennb.registry.names import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from zennb.components.annotator import Annotator, LabelTask
    from zennb.jupyter.kernel.state import KernelState

__all__ = ["Annotations"]


class Annotations:
    """The labels of one kernel.

    Args:
        session: the kernel's session.
    """

    def __init__(self, session: KernelState) -> None:
        self._session = session
        self._tasks: dict[str, LabelTask] = {}
        self._kept: dict[str, KeptLabels] = {}

    def open(self, name: str, *, labels: Sequence[str], target: str, annotator: str, host: Any) -> Any:
        """Return what a cell displays to label the items of a variable.

        Args:
            name: the variable.
            labels: the labels to choose from; empty for those of the last time.
            target: what the labels are bound to.
            annotator: name of the annotator; "" for that of the stack.
            host: shows widgets.

        Raises:
            UnknownName: there is no such variable or annotator.
            UsageError: it is unclear which labels there are, or the variable has no items in an order.
        """
        session = self._session
        session.load([name] if name in session.lazy_outputs.names else [])
        if name not in session.namespace:
            raise _unknown(name, session.namespace)
        kept = KeptLabels(session.workspace.home, session.notebook, target)
        task = kept.task(
            name,
            session.namespace[name],
            labels,
            command="%annotate",
            save=lambda: self._saved(target),
            host=host,
        )
        self._tasks[target], self._kept[target] = task, kept
        stack = session.workspace.open()
        own = stack.spec.components.get("annotator")
        found = session.workspace.component("annotator", annotator or (own.name if own else DEFAULT), stack)
        self.save()
        return cast("Annotator", found).open(task)

    def save(self, *_event: object) -> None:
        """Bind all labels that have changed, and record a version of them; called when a cell begins."""
        for target in [target for target, kept in self._kept.items() if kept.has_changed]:
            with suppress(StoreError):  # the labels are kept; the next cell tries again
                self._saved(target)

    def _saved(self, target: str) -> str:
        """Bind the labels and record a version of them; return what was done, as a sentence."""
        session, task, kept = self._session, self._tasks[target], self._kept[target]
        if not kept.has_changed:
            return f"`{target}` is saved already."
        task.labels[:] = kept.labels()
        value, started = list(task.labels), time.time()
        context = session.context()
        buffer = WriteBuffer(context.store)
        context = context.with_store(buffer)
        seen = digest_value(value, name=target)
        artifacts = context.artifacts.save({target: (value, seen)}).artifacts
        step = label_step(task, artifacts, notebook=session.notebook, started=started)
        run = session.runs.cell(context, started=started)
        recorded = run.end(step, Status.COMPLETED, buffer)
        kept.has_changed = False
        with session.lock:
            session.namespace[target] = value
            session.lazy_outputs.forget([target])
            if target in recorded.outputs:
                session.variables.bind(target, value, recorded.outputs[target], seen)
        why = f" It is not on record: {recorded.unrecorded}." if recorded.unrecorded else ""
        version = recorded.outputs[target].label if target in recorded.outputs else target
        return f"{version}: {task.done} of {len(task.items)} labelled.{why}"


def _unknown(name: str, namespace: Mapping[str, object]) -> UnknownName:
    """Return the error for a name that is no variable; somebody may have given a folder."""
    known = [
        each for each, value in namespace.items() if each[:1] != "_" and not isinstance(value, ModuleType)
    ]
    shells = {"In", "Out", "get_ipython", "exit", "quit", "open"}
    hint = (
        f"To label the pictures of a folder, bind their paths: `images = sorted(Path({name!r}).iterdir())`."
        if Path(name).is_dir()
        else ""
    )
    return UnknownName("variable", name, [each for each in known if each not in shells], hint=hint)
