"""Owns the order that steps need although no value flows between them: through files, random state and settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from zennb.core.records import Step

__all__ = ["ordering"]


def ordering(
    names: Sequence[str], latest: Mapping[str, Step], *, all_of_it: bool = True
) -> dict[str, tuple[str, ...]]:
    """Return step → the steps before it that it must wait for, as far as their latest runs tell.

    A step waits for the last one before it that wrote a file it reads or writes, or that set what it depends on or
    sets; and one that writes or sets waits for those that read what was there before.

    Args:
        names: the steps, in notebook order.
        latest: step name → its latest record; steps that never ran wait for nobody.
        all_of_it: whether to count what only matters when steps run side by side: that a step overwrites what
            another wrote or read.
    """
    writer: dict[str, str] = {}
    readers: dict[str, list[str]] = {}
    found: dict[str, tuple[str, ...]] = {}
    for name in names:
        step = latest.get(name)
        if step is None:
            continue
        before: dict[str, None] = {}
        written = step.brings_about
        for thing in _read(step):
            before.update(dict.fromkeys(_over(thing, writer)))
            if thing not in written:
                readers.setdefault(thing, []).append(name)
        for thing in written:
            if all_of_it:
                before.update(dict.fromkeys([*_over(thing, writer), *readers.pop(thing, ())]))
            writer[thing] = name
        before.pop(name, None)
        if before:
            found[name] = tuple(before)
    return found


def _read(step: Step) -> Iterable[str]:
    return [*step.observed.files, *step.observed.settings]


def _over(thing: str, writer: Mapping[str, str]) -> list[str]:
    """Return who wrote a thing, or something in it when it is a folder, or a folder that it is in."""
    return [
        name for path, name in writer.items() if path == thing or _is_in(path, thing) or _is_in(thing, path)
    ]


def _is_in(path: str, folder: str) -> bool:
    return path.startswith(folder + "/") or (folder == "." and not path.startswith("/"))
