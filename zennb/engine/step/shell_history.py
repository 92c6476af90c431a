"""Owns what a step does with the shell's history of values (`Out`), which is the shell's and no output of a step.

Showing a value adds to it. Stored as an output and bound on reuse, it would no longer be what the shell adds to.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from zennb.digests.digest import digest_value
from zennb.engine.step.outcome import Reason
from zennb.engine.step.shared_state import share
from zennb.errors import CannotDigest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zennb.digests.digest import ValueDigest

__all__ = ["history_changes", "is_shells", "without_history"]

_SHELL = re.compile(r"_+\d*|_i+\d*|_[iod]h|_exit_code|In|Out|exit|quit|get_ipython|open")


def is_shells(name: str) -> bool:
    """Whether a variable is one of IPython's own: its history of displayed values does not count as sharing."""
    return _SHELL.fullmatch(name) is not None


def without_history(
    inputs: Mapping[str, tuple[Any, ValueDigest]], namespace: Mapping[str, Any]
) -> dict[str, tuple[Any, ValueDigest]]:
    """Return the inputs of a step, name → value and content, other than the shell's history of values."""
    return {name: found for name, found in inputs.items() if not _is_history(name, namespace)}


def history_changes(
    inputs: Mapping[str, tuple[Any, ValueDigest]],
    namespace: Mapping[str, Any],
    outputs: Mapping[str, tuple[Any, ValueDigest]],
) -> list[Reason]:
    """Return why a step that read the history must not be reused: it changed what is in there, or shares it.

    Args:
        inputs: input name → value and content before.
        namespace: where its code ran.
        outputs: output name → value and content.
    """
    for name, (value, seen) in inputs.items():
        if not _is_history(name, namespace):
            continue
        earlier = dict(value)
        if earlier and not _is(earlier, seen):
            earlier.popitem()  # what the step has shown was added last
        if not _is(earlier, seen):
            return [Reason(f"it changes `{name}`, the values that cells showed", loses="change")]
        part = next((each for each, (_, digest) in outputs.items() if share(digest, seen)), "")
        if part:
            return [Reason(f"`{part}` is a part of `{name}`", "so reuse would give a copy", loses="result")]
    return []


def _is_history(name: str, namespace: Mapping[str, Any]) -> bool:
    """Whether a variable holds the shell's history, and not something of the user's."""
    value = namespace.get(name)
    return name in {"Out", "_oh"} and type(value) is dict and value is namespace.get("_oh")


def _is(value: object, seen: ValueDigest) -> bool:
    try:
        found: ValueDigest = digest_value(value, name="it")
    except CannotDigest:
        return False
    return found.digest == seen.digest
