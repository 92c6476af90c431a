"""Owns the search for secrets inside values, bounded so that large values cost no more than small ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from zennb.core.secrets.names import is_secret, unambiguous
from zennb.core.secrets.texts import KnownSecrets, has_token

__all__ = ["holds_known", "holds_secret", "secrets_in"]

_PARTS, _ITEMS, _DEPTH, _LONGEST = 400, 50, 5, 10_000
_WRAPPED = frozenset({"SecretStr", "SecretBytes"})
_FRAMES = frozenset({"pandas", "polars"})


def holds_secret(name: str, value: object) -> bool:
    """Whether a value is secret by its name, or holds a secret: under a key or attribute that says so, or by its form.

    What is looked at are texts, collections, attributes of objects, and columns of data frames; the first few of each.
    """
    return next(secrets_in(name, value), None) is not None


def secrets_in(name: str, value: object) -> Iterator[str]:
    """Yield the secret texts in a value."""
    if value is None or isinstance(value, bool | float):
        return
    left: list[tuple[str, object, int]] = [(name, value, _DEPTH)]
    seen: set[int] = set()
    for _ in range(_PARTS):
        if not left:
            return
        under, part, depth = left.pop()
        if isinstance(part, str | bytes | int):
            yield from _of_scalar(under, part)
        elif type(part).__name__ in _WRAPPED and hasattr(part, "get_secret_value"):
            yield str(part.get_secret_value())
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
        if isinstance(part, bytes):
            part = part[:_LONGEST].decode("latin-1")
        if isinstance(part, str):
            if part[:_LONGEST] in known:
                return True
        elif depth and id(part) not in seen:
            seen.add(id(part))
            left += [(each, depth - 1) for _, each in _parts_of(part)]
            if isinstance(part, Mapping):
                left += [(key, 0) for key in islice(part, _PARTS) if isinstance(key, str | bytes)]
    return False


def _of_scalar(name: str, value: str | bytes | int) -> Iterator[str]:
    if is_secret(name, value):
        yield value.decode("latin-1") if isinstance(value, bytes) else str(value)
    elif isinstance(value, str) and 8 <= len(value) <= _LONGEST and has_token(value):
        yield value


def _parts_of(part: object) -> list[tuple[str, object]]:
    try:
        return _inner(part)
    except Exception:  # noqa: BLE001 - the object's own code: a closed file, a lazy mapping
        return []


def _inner(part: object) -> list[tuple[str, object]]:
    """Return the parts of a collection or object, each with its own name; "" where it has that of the whole."""
    if isinstance(part, Mapping):
        return [(key if isinstance(key, str) else "", each) for key, each in islice(part.items(), _PARTS)]
    if isinstance(part, list | tuple | set | frozenset):
        names = getattr(part, "_fields", ())
        return [
            (names[at] if at < len(names) else "", each)
            for at, each in enumerate(islice(part, _ITEMS))
            if not isinstance(each, int | float | None)
        ]
    package = str(type(part).__module__).partition(".")[0]
    if package in _FRAMES:
        return _columns(part)
    if isinstance(part, type) or callable(part) or package in {"builtins", "numpy", "torch"}:
        return []
    names = {**dict.fromkeys(getattr(type(part), "__dataclass_fields__", ())), **_attributes(part)}
    return [(each, _attributes(part).get(each, getattr(part, each, None))) for each in islice(names, _PARTS)]


def _attributes(part: object) -> dict[str, Any]:
    found = getattr(part, "__dict__", None)
    return found if type(found) is dict else {}


def _columns(frame: Any) -> list[tuple[str, object]]:
    """Return the texts in columns whose name leaves no doubt: `token` is often one of language, not of access."""
    names = getattr(frame, "columns", None)
    if names is None:  # a series
        names, frame = [getattr(frame, "name", None)], {getattr(frame, "name", None): frame}
    found = [each for each in names if isinstance(each, str) and unambiguous(each)]
    return [
        (name, each)
        for name in found
        for each in islice(frame[name], _ITEMS)
        if isinstance(each, str | bytes)
    ]
