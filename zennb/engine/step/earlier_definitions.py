"""Owns `earlier_definitions`: classes and functions that were defined anew after something got hold of them."""

from __future__ import annotations

import sys
from types import FunctionType
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import is_a, qualified_name
from zennb.dependencies.callables import are_alike
from zennb.materializers.definitions import find
from zennb.packages.origin import module_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zennb.digests.digest import ValueDigest

__all__ = ["earlier_definitions"]


def earlier_definitions(
    value_digests: Mapping[str, ValueDigest], definitions: Mapping[str, Any], namespace: Mapping[str, Any]
) -> dict[str, bool]:
    """Return classes and functions in inputs and code (`old = Model`) that were redefined since, even identically.

    `isinstance(model, Model)` is False then, while a value from the store would be of the new class. The value says
    whether it matters which one is called: for functions that are alike it does not.
    """
    found: dict[str, bool] = {}
    things = [*(code for seen in value_digests.values() for code in seen.code), *definitions.values()]
    for thing in {id(thing): thing for thing in things}.values():
        if not is_a(thing, type | FunctionType):
            continue
        name, module = qualified_name(thing) if is_a(thing, type) else thing.__qualname__, module_of(thing)
        if "<" not in name:
            today = find(namespace if module == "__main__" else vars(sys.modules.get(module, sys)), name)
            if is_a(today, type | FunctionType) and today is not thing:
                kind = "class" if is_a(thing, type) else "function"
                what = f"earlier {kind} {name}"
                same = is_a(thing, FunctionType) and is_a(today, FunctionType) and are_alike(thing, today)
                found[what] = found.get(what, False) or not same
    return found
