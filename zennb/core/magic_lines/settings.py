"""Owns which magic lines run again when a step is reused, and which ones prevent reuse."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from zennb.core.magic_lines.effects import Effect
from zennb.core.magic_lines.magics import read_magic
from zennb.core.reading.source import analyse

if TYPE_CHECKING:
    from zennb.core.reading.source import Analysis

__all__ = ["magic_troubles", "setting_lines"]


def setting_lines(tree: ast.Module) -> list[ast.stmt]:
    """Return the magics that change a setting of the process: `%matplotlib inline`, `%precision 3`, `%cd data`.

    Only statements of the cell itself count, not those in functions, branches and loops; and none when a line is
    filled in (`%cd {folder}`) with what the cell itself binds.

    Args:
        tree: the cell, as for `analyse`.
    """
    found = [node for node in tree.body if _is_setting(node)]
    return [] if found and _reads_own(found, tree) else found


def magic_troubles(tree: ast.Module, analysis: Analysis) -> list[str]:
    """Return why the magic and shell lines of a cell prevent its reuse, one phrase each; usually empty."""
    if not analysis.magics:
        return []
    again = {node.lineno for node in setting_lines(tree)}
    unseen = [each.text for each in analysis.magics if each.effect is Effect.UNSEEN]
    inside = [e.text for e in analysis.magics if e.effect is Effect.SETTING and e.line not in again]
    troubles = [f"it runs {_listed(unseen)}, whose effects cannot be seen"] if unseen else []
    if inside:
        troubles.append(f"it sets something with {_listed(inside)}")
    return troubles


def _is_setting(node: ast.stmt) -> bool:
    magic = read_magic(node.value) if isinstance(node, ast.Expr) else None
    return magic is not None and magic.effect is Effect.SETTING


def _reads_own(settings: list[ast.stmt], tree: ast.Module) -> bool:
    reads = analyse(ast.Module(body=settings, type_ignores=[])).reads
    return not set(reads).isdisjoint(analyse(tree).binds)


def _listed(texts: list[str]) -> str:
    shown = [f"`{text}`" for text in dict.fromkeys(text.partition("\n")[0] for text in texts)]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
