"""Owns the question which variables share mutable state: such names are read, changed, stored and restored together."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

from zennb.core.origin import Origin, origin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zennb.core.digest import Look

__all__ = ["partners", "share"]

_LIBRARY_KEYS = ({"__module__", "__doc__"}, {"__name__", "__spec__"})
"""What the dictionaries of classes, and of modules, hold."""

_DEPTH = 3  # how far inside an object of a library its parts are looked for


def share(one: Look, other: Look) -> bool:
    """Whether two values share state that a change through one would show in the other.

    Objects that a library itself keeps (constants of a class or module, settings) do not count: every figure
    refers to the same few, and nobody changes them through a figure. Nor do the labels of pandas, which frames
    share freely and never change in place.
    """
    common = one.mutable & other.mutable
    return bool(common) and not _is_harmless(common)


def partners(
    looks: Mapping[str, Look], held: Mapping[str, tuple[Any, Look]], namespace: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the variables that share state with those in `looks`, and are not among them.

    Args:
        looks: name → content of the variables asked about.
        held: other variables that were looked at: name → value and content.
        namespace: all variables; those never looked at count when they are an object inside one asked about.
    """
    found: dict[str, Any] = {}
    inside: set[int] = set().union(*(look.mutable for look in looks.values())) if looks else set()
    if not inside:
        return found
    for name, (value, look) in held.items():
        if (
            name not in looks
            and not inside.isdisjoint(look.mutable)
            and namespace.get(name) is value
            and any(share(look, other) for other in looks.values())
        ):
            found[name] = value
    unseen = {name: value for name, value in namespace.items() if name not in looks and name not in held}
    return found | {n: value for n, value in unseen.items() if id(value) in inside and not n.startswith("_")}


def _is_harmless(ids: frozenset[int]) -> bool:
    """Whether all these objects are labels, or kept by a class, module or settings of a library, or inside such.

    All that Python tracks is walked once; to ask each object who refers to it would walk it as often.
    """
    objects = gc.get_objects()
    labels = {kind for kind in set(map(type, objects)) if _is_label_type(kind)}
    kept = gc.get_referents(*(each for each in objects if type(each) in labels or _is_library(each)))
    owned = [each for each in objects if type(each) in labels and id(each) in ids]
    owned += [each for each in kept if id(each) in ids]
    covered = set(map(id, owned))
    for _ in range(_DEPTH):
        owned = [part for part in gc.get_referents(*owned) if not isinstance(part, type)]
        covered.update(map(id, owned))
    return ids <= covered


def _is_label_type(kind: type) -> bool:
    return any(
        base.__name__ == "Index" and base.__module__.split(".")[0] == "pandas" for base in kind.__mro__
    )


def _is_library(referrer: object) -> bool:
    """Whether it is what a class or module of an installed package holds, or a package's settings."""
    if not isinstance(referrer, dict):
        return False
    if type(referrer) is not dict:
        return origin(type(referrer).__module__) is Origin.PACKAGE and type(referrer).__name__ == "RcParams"
    if not any(keys <= referrer.keys() for keys in _LIBRARY_KEYS):
        return False
    module = referrer.get("__module__", referrer.get("__name__"))
    return isinstance(module, str) and not origin(module).is_users
