"""Owns monkey patches: what a cell sets in modules and classes of packages, such as `np.mean = mine`."""

from __future__ import annotations

import ast
from types import ModuleType
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import is_a, name_of_module, qualified_name
from zennb.core.reading.tree import nodes_in
from zennb.packages.origin import module_of, origin

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["STREAMS", "UNDONE_BY_SHELLS", "Patch", "patched", "patches_in"]

Patch = tuple[str, str]
"""Name of a module and path of the patched attribute: `("numpy", "mean")`, `("pandas", "DataFrame.shout")`."""

STREAMS: tuple[Patch, ...] = (("sys", "stdin"), ("sys", "stdout"), ("sys", "stderr"))
"""What the kernel puts there has no digest, so that it matters whether code has set it back."""

UNDONE_BY_SHELLS: frozenset[Patch] = frozenset({("sys", "excepthook"), ("sys", "displayhook")})
"""What a shell sets before each cell, and sets back after it, whatever the cell has set."""


def patches_in(tree: ast.AST, namespace: Mapping[str, Any]) -> Iterator[Patch]:
    """Yield what code sets in modules and classes that are not the user's, also inside its functions.

    Args:
        tree: the code.
        namespace: the notebook's names, after the code ran.
    """
    for node in nodes_in(tree):
        match node:
            case ast.Attribute(value=holder, attr=name, ctx=ast.Store() | ast.Del()):
                yield from _patch(_resolved(holder, namespace), name)
            case ast.Call(func=ast.Name(id="setattr"), args=[holder, ast.Constant(value=str() as name), *_]):
                yield from _patch(_resolved(holder, namespace), name)


def patched(patch: Patch, modules: Mapping[str, ModuleType]) -> Any:
    """Return the current value of a patched attribute; None when there is none."""
    found: Any = modules.get(patch[0])
    for part in patch[1].split("."):
        # Read from the dictionaries, as `getattr` could run code or import something.
        found = getattr(found, "__dict__", {}).get(part)
    return found


def _patch(holder: Any, name: str) -> Iterator[Patch]:
    if is_a(holder, ModuleType) and not origin(name_of_module(holder)).is_users:
        yield name_of_module(holder), name
    elif is_a(holder, type) and not origin(module_of(holder)).is_users:
        yield module_of(holder), f"{qualified_name(holder)}.{name}"


def _resolved(node: ast.expr, namespace: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.Name):
        return namespace.get(node.id)
    if isinstance(node, ast.Attribute):
        return getattr(_resolved(node.value, namespace), "__dict__", {}).get(node.attr)
    return None
