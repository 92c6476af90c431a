"""Owns the cache key of a step: the digest of its parts, and the difference between two sets of parts in words."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from zennb.core.records.records import CacheKeyParts

__all__ = ["FORMAT", "cache_key", "differences"]

FORMAT = "zennb step key 1"
"""Version of the formula. It is part of every key, so a change of the formula never causes a wrong cache hit."""


def cache_key(parts: CacheKeyParts) -> str:
    """Return the sha-256 (hexadecimal) of the parts, written as JSON with sorted keys and no spaces.

    The formula is stated in `docs/hashing.md`; a test pins literal values.
    """
    text = json.dumps(
        [
            FORMAT,
            parts.code,
            list(parts.outputs),
            dict(parts.inputs),
            dict(parts.reached),
            dict(parts.packages),
            dict(parts.options),
        ],
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=True,
    )
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def differences(old: CacheKeyParts, new: CacheKeyParts) -> list[str]:
    """Return the differences between two sets of parts in words, the most important first; empty when equal."""
    found: list[str] = []
    if old.code != new.code:
        found.append("its code changed")
    found += _changes(old.reached, new.reached, _say_code)
    found += _changes(old.inputs, new.inputs, lambda name, how: f"input `{name}` {how}")
    found += _versions(old.packages, new.packages)
    if old.outputs != new.outputs:
        found.append("its declared outputs changed")
    found += _changes(old.options, new.options, lambda name, how: f"option `--{name}` {how}")
    return found


def _say_code(name: str, how: str) -> str:
    kind, _, rest = name.partition(" ")
    return f"{kind} `{rest}` {how}"


def _changes(old: Mapping[str, str], new: Mapping[str, str], say: Callable[[str, str], str]) -> list[str]:
    changed = [say(name, "changed") for name in new if name in old and old[name] != new[name]]
    added = [say(name, "is new") for name in new if name not in old]
    gone = [say(name, "is gone") for name in old if name not in new]
    return changed + added + gone


def _versions(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    moved = [f"{name} {old[name]} → {new[name]}" for name in new if name in old and old[name] != new[name]]
    return moved + [f"{name} {new[name]} is new" for name in new if name not in old]
