"""Owns the search for secrets inside values, bounded so that large values cost no more than small ones."""

from __future__ import annotations

from itertools import islice
from types import FunctionType
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import (
    attributes_of,
    bases_of,
    class_attributes,
    elements_of,
    is_a,
    module_name,
    plain,
    qualified_name,
    slot_values,
)
from zennb.core.secrets.names import Suspicion, is_secret, suspicion, unambiguous
from zennb.core.secrets.texts import KnownSecrets, has_token

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["holds_known", "holds_secret", "secrets_in"]

_PARTS, _ITEMS, _DEPTH, _LONGEST = 400, 50, 5, 10_000
_WRAPPED = frozenset({"SecretStr", "SecretBytes"})
_GETTER = "get_secret_value"
_FRAMES = frozenset({"pandas", "polars"})
_NAMING = frozenset({"dask"})
"""Packages that call what they name their objects by a token: the hash of a content."""


def holds_secret(name: str, value: object) -> bool:
    """Whether a value is secret by its name, or holds a secret: under a key or attribute that says so, or by its form.

    What is looked at are texts, collections, attributes of objects, and columns of data frames; the first few of each.
    """
    return next(secrets_in(name, value), None) is not None


def secrets_in(name: str, value: object) -> Iterator[str]:
    """Yield the secret texts in a value."""
    if value is None or is_a(value, bool | float):
        return
    left: list[tuple[str, object, int]] = [(name, value, _DEPTH)]
    seen: set[int] = set()
    for _ in range(_PARTS):
        if not left:
            return
        under, part, depth = left.pop()
        if is_a(part, str | bytes | int):
            yield from _of_scalar(under, plain(part))
        elif (wrapped := _unwrapped(part)) is not None:
            yield wrapped
        elif depth and id(part) not in seen:
            seen.add(id(part))
            left += [(key or under, each, depth - 1) for key, each in _parts_of(part)]


def holds_known(value: object, known: KnownSecrets) -> bool:
    """Whether a known secret is in a text of a value, as far as `secrets_in` looks."""
    if known.is_empty:  # as in most notebooks
        return False
    left: list[tuple[object, int]] = [(value, _DEPTH)]
    seen: set[int] = set()
    for _ in range(_PARTS):
        if not left:
            return False
        part, depth = left.pop()
        part = plain(part)
        if is_a(part, bytes):
            part = part[:_LONGEST].decode("latin-1")
        if is_a(part, str):
            if part[:_LONGEST] in known:
                return True
        elif depth and id(part) not in seen:
            seen.add(id(part))
            left += [(each, depth - 1) for _, each in _parts_of(part)]
            if is_a(part, dict):
                left += [(key, 0) for key in islice(dict.keys(part), _PARTS) if is_a(key, str | bytes)]
    return False


def _of_scalar(name: str, value: str | bytes | int) -> Iterator[str]:
    if is_secret(name, value):
        yield value.decode("latin-1") if is_a(value, bytes) else str(value)
    elif is_a(value, str) and 8 <= len(value) <= _LONGEST and has_token(value):
        yield value


def _parts_of(part: object) -> list[tuple[str, object]]:
    try:
        return _inner(part)
    except Exception:  # noqa: BLE001 - the object's own code: a closed file, a lazy mapping
        return []


def _unwrapped(part: object) -> str | None:
    """Return the text in a wrapper of secrets, such as pydantic's; None for anything else."""
    cls = type(part)
    if qualified_name(cls) not in _WRAPPED:
        return None
    getter = next((held[_GETTER] for held in map(class_attributes, bases_of(cls)) if _GETTER in held), None)
    try:
        return None if getter is None else str(getter(part))
    except Exception:  # noqa: BLE001 - its own code
        return None


def _inner(part: object) -> list[tuple[str, object]]:
    """Return the parts of a collection or object, each with its own name; "" where it has that of the whole."""
    if is_a(part, dict):
        pairs = islice(elements_of(part), _PARTS)
        return [(plain(key) if is_a(key, str) else "", each) for key, each in pairs]
    if is_a(part, list | tuple | set | frozenset):
        fields = next(
            (held["_fields"] for held in map(class_attributes, bases_of(type(part))) if "_fields" in held), ()
        )
        names = fields if type(fields) is tuple else ()
        return [
            (names[at] if at < len(names) else "", each)
            for at, each in enumerate(islice(elements_of(part), _ITEMS))
            if not is_a(each, int | float | None)
        ]
    package = module_name(type(part)).partition(".")[0]
    if package in _FRAMES:
        return _columns(part)
    if is_a(part, type | FunctionType) or package in {"builtins", "numpy", "torch"}:
        return []
    held = {**slot_values(part), **attributes_of(part)}
    if package in _NAMING:
        held = {name: each for name, each in held.items() if suspicion(name) is not Suspicion.VALUE_DECIDES}
    return list(islice(held.items(), _PARTS))


def _columns(frame: Any) -> list[tuple[str, object]]:
    """Return the texts in columns whose name leaves no doubt: `token` is often one of language, not of access."""
    names = getattr(frame, "columns", None)
    if names is None:  # a series
        names, frame = [getattr(frame, "name", None)], {getattr(frame, "name", None): frame}
    found = [each for each in names if is_a(each, str) and unambiguous(each)]
    return [(name, each) for name in found for each in islice(frame[name], _ITEMS) if is_a(each, str | bytes)]
