"""Owns `Annotations`: labels that people give in this kernel, kept one by one, and their versions as artifacts.

Each label is written to a file in the home at once, by the digest of its item: so labels survive the kernel, and items
that were added or sorted since. A version is made when the next cell begins, or when the user asks for one.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

from zennb.bounded_input import parse_json, read_file
from zennb.components.annotator import Annotator, LabelTask
from zennb.core.records.records import Status, Step
from zennb.digests.digest import digest_cache, digest_value
from zennb.engine.run.unit_of_work import WriteBuffer
from zennb.engine.step.elements import elements_of
from zennb.errors import StepRefused, StoreError, UnknownName, UsageError
from zennb.registry.names import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from zennb.jupyter.kernel.state import KernelState

__all__ = ["Annotations"]

_LARGEST = 50_000_000


class Annotations:
    """The labels of one kernel.

    Args:
        session: the kernel's session.
    """

    def __init__(self, session: KernelState) -> None:
        self._session = session
        self._tasks: dict[str, LabelTask] = {}
        self._kept: dict[str, dict[str, Any]] = {}
        self._changed: set[str] = set()

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
        items = _items(session.namespace[name], name)
        kept = self._read(target)
        choices = list(dict.fromkeys(labels)) or kept["choices"]
        if not choices:
            raise UsageError(f"%annotate {name}: give the labels to choose from, such as `--labels cat,dog`.")
        with digest_cache():
            digests = [digest_value(item, name=f"{name}[{place}]").digest for place, item in enumerate(items)]
        known = kept["labels"]
        task = LabelTask(
            name=name,
            target=target,
            items=items,
            choices=list(dict.fromkeys([*choices, *(known[each] for each in digests if each in known)])),
            labels=[known.get(each) for each in digests],
            on_put=lambda place, label: self._put(target, digests[place], label),
            save=lambda: self._saved(target),
            host=host,
        )
        self._tasks[target] = task
        self._kept[target] = {"choices": list(task.choices), "labels": known}
        self._changed.add(target)
        stack = session.workspace.open()
        own = stack.spec.components.get("annotator")
        found = session.workspace.component("annotator", annotator or (own.name if own else DEFAULT), stack)
        self.save()
        return cast("Annotator", found).open(task)

    def save(self, *_event: object) -> None:
        """Bind all labels that have changed, and record a version of them; called when a cell begins."""
        for target in tuple(self._changed):
            with suppress(StoreError):  # the labels are kept; the next cell tries again
                self._saved(target)

    def _put(self, target: str, digest: str, label: str | None) -> None:
        kept = self._kept[target]
        self._changed.add(target)
        if label is None:
            kept["labels"].pop(digest, None)
        else:
            kept["labels"][digest] = label
        path = self._path(target)
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            part = path.with_suffix(".part")
            part.write_text(json.dumps(kept), encoding="utf-8")
            part.replace(path)
        except OSError as error:
            raise StoreError(
                f"the label cannot be kept: {path} cannot be written ({error.strerror})."
            ) from error

    def _saved(self, target: str) -> str:
        """Bind the labels and record a version of them; return what was done, as a sentence."""
        session, task = self._session, self._tasks[target]
        if target not in self._changed:
            return f"`{target}` is saved already."
        value, started = list(task.labels), time.time()
        context = session.context()
        buffer = WriteBuffer(context.store)
        context = context.with_store(buffer)
        seen = digest_value(value, name=target)
        artifacts = context.artifacts.save({target: (value, seen)}).artifacts
        step = Step(
            name=f"annotate {task.name}",
            notebook=session.notebook,
            status=Status.COMPLETED,
            reason=f"{task.done} of {len(task.items)} labelled by hand",
            started=started,
            outputs=artifacts,
            reusable=False,
            unusable_because="people gave the labels",
        )
        run = session.runs.cell(context, started=started)
        recorded = run.end(step, Status.COMPLETED, buffer)
        self._changed.discard(target)
        with session.lock:
            session.namespace[target] = value
            session.lazy_outputs.forget([target])
            if target in recorded.outputs:
                session.variables.bind(target, value, recorded.outputs[target], seen)
        why = f" It is not on record: {recorded.unrecorded}." if recorded.unrecorded else ""
        version = recorded.outputs[target].label if target in recorded.outputs else target
        return f"{version}: {task.done} of {len(task.items)} labelled.{why}"

    # What is kept

    def _path(self, target: str) -> Path:
        name = sha256(f"{self._session.notebook}\0{target}".encode("utf-8", "surrogatepass")).hexdigest()[:16]
        return self._session.workspace.home / "annotations" / f"{name}.json"

    def _read(self, target: str) -> dict[str, Any]:
        try:
            found = parse_json(read_file(self._path(target), limit=_LARGEST), bounded=True)
            labels = {str(key): str(each) for key, each in dict(found["labels"]).items()}
            return {"choices": [str(each) for each in found["choices"]], "labels": labels}
        except FileNotFoundError:
            return {"choices": [], "labels": {}}
        except (OSError, ValueError, TypeError, KeyError) as error:
            path = self._path(target)
            raise StoreError(
                f"the labels kept in {path} cannot be read ({error}); move the file away to begin anew."
            ) from error


def _items(value: Any, name: str) -> list[Any]:
    """Return the items of a variable: the rows of a data frame, else its elements."""
    if type(value).__name__ == "DataFrame":
        rows = value.to_dicts() if hasattr(value, "to_dicts") else value.to_dict("records")
        return list(rows)
    try:
        return elements_of(value, name)
    except StepRefused:
        article = "an" if type(value).__name__[0] in "aeiou" else "a"
        raise UsageError(
            f"`{name}` is {article} {type(value).__name__}, which has no items to label in an order; bind a list of "
            "texts, of pictures or of paths of pictures, or a data frame."
        ) from None


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
