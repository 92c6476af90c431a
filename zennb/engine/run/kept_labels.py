"""Owns `KeptLabels`: labels that people give, kept one by one in the home, and the step that makes a version of them.

Each label is written to a file at once, by the digest of its item: so labels survive the process, and items that were
added or sorted since. The notebook's labeller and that of the terminal share this file.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from zennb.bounded_input import parse_json, read_file
from zennb.components.annotator import LabelTask
from zennb.core.records.records import Status, Step
from zennb.digests.digest import digest_cache, digest_value
from zennb.engine.step.elements import elements_of
from zennb.errors import StepRefused, StoreError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from zennb.core.records.records import Artifact

__all__ = ["KeptLabels", "label_step"]

_LARGEST = 50_000_000


class KeptLabels:
    """The labels of the items of one variable.

    Args:
        home: the home directory.
        notebook: the notebook's name in records.
        target: the name that the labels get.

    Attributes:
        has_changed: whether there may be labels that no version has.
    """

    def __init__(self, home: Path, notebook: str, target: str) -> None:
        name = sha256(f"{notebook}\0{target}".encode("utf-8", "surrogatepass")).hexdigest()[:16]
        self._path, self._target = home / "annotations" / f"{name}.json", target
        self._own: dict[str, str | None] = {}
        self._digests: list[str] = []
        self._choices: list[str] = []
        self.has_changed = True

    def task(
        self,
        name: str,
        value: Any,
        choices: Sequence[str],
        *,
        command: str,
        save: Callable[[], str] = str,
        host: Any = None,
    ) -> LabelTask:
        """Return the task of labelling the items of a value, with the labels until now.

        Args:
            name: the variable.
            value: its value.
            choices: the labels to choose from; empty for those of the last time.
            command: what was typed, for messages: `%annotate`.
            save: makes a version of the labels.
            host: shows widgets.

        Raises:
            UsageError: it is unclear which labels there are, or the value has no items in an order.
        """
        items, kept = _items(value, name), self._read()
        wanted = list(dict.fromkeys(choices)) or kept["choices"]
        if not wanted:
            raise UsageError(f"{command} {name}: give the labels to choose from, such as `--labels cat,dog`.")
        with digest_cache():
            self._digests = [
                digest_value(item, name=f"{name}[{place}]").digest for place, item in enumerate(items)
            ]
        labels = [kept["labels"].get(each) for each in self._digests]
        self._choices = list(dict.fromkeys([*wanted, *(each for each in labels if each is not None)]))
        return LabelTask(
            name=name,
            target=self._target,
            items=items,
            choices=self._choices,
            labels=labels,
            on_put=self._put,
            save=save,
            host=host,
        )

    def labels(self) -> list[str | None]:
        """Return the labels in the order of the items, also those that another process has given meanwhile."""
        known = {**self._read()["labels"], **self._own}
        return [known.get(each) for each in self._digests]

    def _put(self, place: int, label: str | None) -> None:
        self.has_changed = True
        self._own[self._digests[place]] = label
        # Read again: another process may label the same items.
        known = {**self._read()["labels"], **self._own}
        kept = {
            "choices": self._choices,
            "labels": {digest: each for digest, each in known.items() if each is not None},
        }
        path = self._path
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            part = path.with_suffix(".part")
            part.write_text(json.dumps(kept), encoding="utf-8")
            part.replace(path)
        except OSError as error:
            raise StoreError(
                f"the label cannot be kept: {path} cannot be written ({error.strerror})."
            ) from error

    def _read(self) -> dict[str, Any]:
        try:
            found = parse_json(read_file(self._path, limit=_LARGEST), bounded=True)
            labels = {str(key): str(each) for key, each in dict(found["labels"]).items()}
            return {"choices": [str(each) for each in found["choices"]], "labels": labels}
        except FileNotFoundError:
            return {"choices": [], "labels": {}}
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise StoreError(
                f"the labels kept in {self._path} cannot be read ({error}); move the file away to begin anew."
            ) from error


def label_step(
    task: LabelTask, outputs: Mapping[str, Artifact], *, notebook: str, started: float, seconds: float = 0.0
) -> Step:
    """Return the record of the step in which people have labelled the items of a task.

    Args:
        task: the task, with its labels.
        outputs: the labels, stored; empty if they cannot be.
        notebook: the notebook's name in records.
        started: when it began, in seconds since the epoch.
        seconds: how long it took.
    """
    return Step(
        name=f"annotate {task.name}",
        notebook=notebook,
        status=Status.COMPLETED,
        reason=f"{task.done} of {len(task.items)} labelled by hand",
        started=started,
        seconds=seconds,
        outputs=outputs,
        reusable=False,
        unusable_because="people gave the labels",
    )


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
