"""Owns which names annotations use that are kept as text: quoted ones, and all where annotations are not evaluated.

pydantic, `typing.get_type_hints` and others look these names up when they are asked for the types.
"""

from __future__ import annotations

import ast
from functools import lru_cache
from typing import TYPE_CHECKING

from zennb.core.reading.scopes import last_name
from zennb.core.reading.tree import child_nodes

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["annotated_names", "names_in_annotation"]


def annotated_names(annotation: ast.AST, *, is_text: bool) -> Iterator[tuple[str, ...]]:
    """Yield the dotted uses of names in the text of an annotation, or in texts inside it, as `list["T"]` has one.

    Args:
        annotation: as it stands in the code.
        is_text: whether all of it is kept as text.
    """
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        yield from names_in_annotation(annotation.value)
    elif isinstance(annotation, ast.Subscript) and last_name(annotation.value) == "Literal":
        if is_text:
            yield from annotated_names(annotation.value, is_text=True)
    elif is_text and (chain := _chain(annotation)):
        yield chain
    else:
        for part in child_nodes(annotation):
            yield from annotated_names(part, is_text=is_text)


@lru_cache(maxsize=1024)
def names_in_annotation(text: str) -> tuple[tuple[str, ...], ...]:
    """Return the dotted uses of names in an annotation that is a text; none for what is no code."""
    try:
        parsed = ast.parse(text.strip(), mode="eval").body
        return tuple(annotated_names(parsed, is_text=True))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()


def _chain(node: ast.AST) -> tuple[str, ...]:
    """Return the parts of a name with attributes, `mod.Type`; empty for anything else."""
    if isinstance(node, ast.Name):
        return (node.id,)
    inner = _chain(node.value) if isinstance(node, ast.Attribute) else ()
    return (*inner, node.attr) if inner and isinstance(node, ast.Attribute) else ()
