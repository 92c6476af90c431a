"""Owns mutations of files that zennb reads: of their bytes, and of JSON in them. Each is made from a seed."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

__all__ = ["ODD_VALUES", "mutate_bytes", "mutate_json"]

ODD_VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**31,
    2**63 - 1,
    -(2**63),
    10**40,
    0.5,
    float("nan"),
    float("inf"),
    1e308,
    "",
    "a",
    "\x00",
    "\ud800",
    "\u202ea\u2028\x1b[31m",
    "../../etc/passwd",
    "<script>alert(1)</script>",
    "x" * 5_000,
    [],
    [None],
    [[["a"]]],
    {},
    {"a": {"b": []}},
    {"\ud800": 1},
)
_DEEP = "here follows a deeply nested list"
_NUMBERS = (0, 1, 0x7F, 0xFF, 0x7FFFFFFF, 0xFFFFFFFF, 2**62, 2**63 - 1, 2**63, 2**64 - 1)


def mutate_bytes(data: bytes, random: Random, others: Sequence[bytes] = ()) -> bytes:
    """Return bytes with one to four changes.

    Args:
        data: the bytes.
        random: makes the choices.
        others: from which parts may come.
    """
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        at = random.randrange(len(changed) + 1)
        length = random.choice((1, 2, 4, 8, 64, random.randrange(1 + len(changed))))
        match random.randrange(9):
            case 0 if at < len(changed):
                changed[at] ^= 1 << random.randrange(8)
            case 1 if at < len(changed):
                changed[at] = random.randrange(256)
            case 2:
                changed[at : at + random.choice((4, 8))] = random.choice(_NUMBERS).to_bytes(8, "little")
            case 3:
                del changed[at : at + length]
            case 4:
                changed[at:at] = random.randbytes(min(length, 64))
            case 5:
                changed[at:at] = changed[at : at + length]
            case 6:
                del changed[at:]
            case 7:
                other = random.choice([data, *others])
                start = random.randrange(len(other) + 1)
                changed[at : at + length] = other[start : start + length]
            case _:
                changed += random.randbytes(min(length, 64))
    return bytes(changed)


def mutate_json(value: Any, random: Random) -> bytes:
    """Return JSON text of a value, in which one to three parts are something else, or the text itself is damaged."""
    value = copy.deepcopy(value)
    for _ in range(random.choice((1, 1, 2, 3))):
        value = _changed(value, random)
    text = json.dumps(value, ensure_ascii=random.random() < 0.5).encode("utf-8", "surrogatepass")
    depth = random.choice((50, 300, 900, 5_000, 100_000))
    text = text.replace(json.dumps(_DEEP).encode(), b"[" * depth + b"]" * depth)
    return mutate_bytes(text, random) if random.random() < 0.2 else text


def _changed(value: Any, random: Random) -> Any:
    """Return the value with one part changed, at any depth."""
    if not isinstance(value, dict | list) or not value or random.random() < 0.15:
        return _odd(random)
    keys: list[Any] = list(value) if isinstance(value, dict) else list(range(len(value)))
    key = random.choice(keys)
    match random.randrange(8):
        case 0:
            del value[key]
        case 1 if isinstance(value, dict):
            value[random.choice(("", "a", "\x00", str(key) * 2))] = value.pop(key)
        case 1 | 2 if isinstance(value, list):
            value.insert(key, copy.deepcopy(value[random.choice(keys)]))
        case _:
            value[key] = _changed(value[key], random)
    return value


def _odd(random: Random) -> Any:
    return _DEEP if random.random() < 0.02 else copy.deepcopy(random.choice(ODD_VALUES))
