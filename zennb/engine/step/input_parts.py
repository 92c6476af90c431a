"""Owns the search for outputs that are parts of an unchanged input, such as the variables of a loop over a dictionary.

They are not stored, which would store the input once more, as an output: what is stored of the input holds them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zennb.bounded_input import parse_json
from zennb.compat.instances import is_one_of
from zennb.errors import DamagedArtifact

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from zennb.core.records.records import Artifact
    from zennb.digests.digest import ValueDigest

__all__ = ["InputPart", "part_in", "parts_of_inputs"]

_DEPTH = 3
_MANY = 100_000
"""Elements that are searched: in a larger container a part costs more to find than to store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputPart:
    """An output that is a part of an input.

    Attributes:
        value: it.
        digest: its content.
        whole: the input.
        path: the keys that lead to it, each in a list of its own.
    """

    value: Any
    digest: ValueDigest
    whole: str
    path: list[Any]


def parts_of_inputs(
    outputs: Mapping[str, tuple[Any, ValueDigest]], inputs: Mapping[str, Any]
) -> dict[str, InputPart]:
    """Return the outputs that are inside an input, as the very same object.

    Args:
        outputs: output name → value and content.
        inputs: the inputs that the step did not change, by name.
    """
    found: dict[str, InputPart] = {}
    for whole, value in inputs.items():
        wanted: dict[int, list[str]] = {}
        for name, (each, digest) in outputs.items():
            # What nobody can change shares nothing, and is stored by itself.
            if name not in found and each is not value and (digest.mutable or digest.memory):
                wanted.setdefault(id(each), []).append(name)
        if not wanted:
            continue
        for part, path in _parts(value, wanted.keys()):
            for name in wanted.pop(id(part), ()):
                each, digest = outputs[name]
                found[name] = InputPart(value=each, digest=digest, whole=whole, path=path)
            if not wanted:
                break
    return found


def _parts(value: Any, wanted: Collection[int]) -> Iterator[tuple[Any, list[Any]]]:
    """Yield the wanted parts of a container, each with the steps that lead to it, the nearest first."""
    level: list[tuple[Any, list[Any]]] = [(value, [])]
    seen = {id(value)}
    visited = 0
    for _ in range(_DEPTH):
        below: list[tuple[Any, list[Any]]] = []
        for each, path in level:
            for key, part in _elements(each):
                visited += 1
                if visited > _MANY:
                    return
                if id(part) in wanted:
                    yield part, [*path, [key]]
                if is_one_of(part, {dict, list, tuple}) and id(part) not in seen:
                    seen.add(id(part))
                    below.append((part, [*path, [key]]))
        level = below


def _elements(value: Any) -> Iterator[tuple[Any, Any]]:
    if type(value) is dict:
        yield from ((key, part) for key, part in value.items() if is_one_of(key, {int, str}))
    elif is_one_of(value, {list, tuple}):
        yield from enumerate(value)


def part_in(value: Any, artifact: Artifact) -> Any:
    """Return the part of a value that an artifact is; the value itself for one that is no part.

    Raises:
        DamagedArtifact: there is no such part.
    """
    if not artifact.part_of:
        return value
    try:
        for (key,) in parse_json(artifact.item or "[0, []]", bounded=True)[1]:
            if not is_one_of(value, {dict, list, tuple}):
                raise _missing(artifact)
            value = value[key]
    except (LookupError, ValueError, TypeError):  # or the record is odd
        raise _missing(artifact) from None
    return value


def _missing(artifact: Artifact) -> DamagedArtifact:
    return DamagedArtifact(
        f"{artifact.label} is not in `{artifact.part_of}`, which it was a part of; run its step again.",
        digest=artifact.blob,
    )
