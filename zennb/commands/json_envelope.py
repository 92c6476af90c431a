"""Owns the JSON object that `--json` returns: the result of a command, or its error. `docs/json.md` describes it.

Its size is bounded: long texts and collections are cut, and `cut` lists where.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from itertools import islice
from math import isfinite
from typing import TYPE_CHECKING, Any

from zennb.commands.data import plain
from zennb.commands.outcome import Cut, Outcome
from zennb.core.secrets.held import HELD
from zennb.errors import UsageError
from zennb.views.markup import block
from zennb.views.view import View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zennb.commands.interface import Interface

__all__ = ["SCHEMA", "answer", "content", "exit_code", "limited", "refusal"]

SCHEMA = 1
"""Incremented when readers of an older object would misread a newer one; new fields alone do not count."""

MOST_TEXT = 4_000
"""Largest length of a text. Longer ones lose their middle, since tracebacks matter at both ends."""

_BESIDE = 10_000
"""Characters beside what is kept of a long text that are looked at for secrets; a private key has half as many."""

MOST_ITEMS = 1_000
"""Largest number of entries in an array or object; the list that is the data itself is bounded by `--limit`."""

MOST_KNOWN = 50
"""Largest number of known names in an error."""

FAILED, MISTYPED, INTERRUPTED = 1, 2, 130


def exit_code(error: BaseException) -> int:
    """Return the exit code of an error: 2 for a typing mistake, 130 for an interrupt, else 1."""
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    return MISTYPED if isinstance(error, UsageError) else FAILED


def limited(found: Sequence[Any], limit: int, *, path: str = "data") -> tuple[list[Any], tuple[Cut, ...]]:
    """Return the first `limit` results, and the cut if there are more.

    Args:
        found: the result of a query for one more than the limit.
        limit: how many to keep.
        path: its place in the JSON object.
    """
    if len(found) <= limit:
        return list(found), ()
    return list(found[:limit]), (Cut(path=path, kept=limit, option="--limit"),)


def answer(outcome: Outcome, *, command: str, interface: Interface) -> Outcome:
    """Return the outcome of a command with its JSON object as the view.

    Args:
        outcome: the outcome; if its exit code is not 0, it carries the error.
        command: its words without the program: `runs list`.
        interface: where it was typed.
    """
    return _shown(outcome, content(outcome, command=command, interface=interface))


def content(outcome: Outcome, *, command: str, interface: Interface) -> dict[str, Any]:
    """Return the JSON object of a command's outcome; arguments as those of `answer`."""
    data = outcome.data
    if data is None and outcome.view is not None:
        data = {"text": outcome.view.text}
    data, cuts = _bounded(data)
    found: dict[str, Any] = {"schema": SCHEMA, "command": command}
    if outcome.error is not None:
        found["error"], more = _error(outcome.error, code=outcome.code, interface=interface)
        cuts += more
    return {**found, "data": data, "cut": [asdict(cut) for cut in (*outcome.cut, *cuts)]}


def refusal(error: BaseException, *, command: str, interface: Interface) -> Outcome:
    """Return the outcome of a command that raised: its JSON object, exit code and error.

    Args:
        error: what it raised.
        command: its words, as far as they name a command.
        interface: where it was typed.
    """
    code = exit_code(error)
    data, cuts = _error(error, code=code, interface=interface)
    found = {"schema": SCHEMA, "command": command, "error": data, "cut": [asdict(cut) for cut in cuts]}
    return _shown(Outcome(view=None, code=code, raised=error), found)


def _shown(outcome: Outcome, found: dict[str, Any]) -> Outcome:
    text = json.dumps(found, indent=2, allow_nan=False)
    return replace(outcome, view=View(text, block(text)), content=found)


def _error(error: BaseException, *, code: int, interface: Interface) -> tuple[dict[str, Any], list[Cut]]:
    """Return an error as data: class, message, exit code, and the attributes that the class documents."""
    message = "interrupted" if isinstance(error, KeyboardInterrupt) and not str(error) else str(error)
    parts = {name: plain(value) for name, value in vars(error).items() if not name.startswith("_")}
    data = {
        "type": type(error).__name__,
        "message": interface.adapt(message),
        "exit_code": code,
        "details": {name: value for name, value in parts.items() if name not in {"message", "run"}},
    }
    cutter = _Cutter(MOST_KNOWN)
    return cutter(data, "error"), cutter.cuts


def _bounded(data: Any) -> tuple[Any, list[Cut]]:
    """Return the data with long values cut, and the cuts; an array that is the data itself is not cut."""
    cutter = _Cutter(MOST_ITEMS)
    if isinstance(data, list):
        return [cutter(each, f"data[{at}]") for at, each in enumerate(data)], cutter.cuts
    return cutter(data, "data"), cutter.cuts


class _Cutter:
    """Cuts long values, and notes where.

    Args:
        most: the number of entries that an array or object keeps.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.cuts: list[Cut] = []

    def __call__(self, value: Any, path: str) -> Any:
        if isinstance(value, str):
            return self._text(value, path)
        if isinstance(value, float):
            return value if isfinite(value) else None  # JSON has no NaN and no infinity
        if isinstance(value, (list, dict)) and len(value) > self._most:
            self.cuts.append(Cut(path=path, kept=self._most, of=len(value)))
        if isinstance(value, list):
            return [self(each, f"{path}[{at}]") for at, each in enumerate(value[: self._most])]
        if isinstance(value, dict):
            return {key: self(each, f"{path}.{key}") for key, each in islice(value.items(), self._most)}
        return value

    def _text(self, text: str, path: str) -> str:
        if len(text) <= MOST_TEXT:
            return HELD.mask(text)
        self.cuts.append(Cut(path=path, kept=MOST_TEXT, of=len(text)))
        # Masked with some of what is left out: no secret may be cut where it begins or ends, and then be shown.
        half, shown = MOST_TEXT // 2, MOST_TEXT // 2 + _BESIDE
        start, end = HELD.mask(text[:shown])[:half], HELD.mask(text[-shown:])[-half:]
        return f"{start}\n... {len(text) - MOST_TEXT:,} characters left out ...\n{end}"
