"""Owns the imports, definitions and setting lines of a reused cell that are executed again."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zennb.core.magic_lines.settings import setting_lines
from zennb.dependencies.library_calls import LibraryCall
from zennb.engine.step.library_steps import code_again, statements_again

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import CodeType

    from zennb.core.records.records import Step
    from zennb.engine.step.definition import StepDefinition

__all__ = ["RepeatedDefinitions", "repeated_definitions"]


@dataclass(frozen=True, slots=True)
class RepeatedDefinitions:
    """The imports, definitions and setting lines of a cell that reuse executes again."""

    text: str
    code: CodeType
    has_settings: bool
    evaluates: bool
    """Whether defining runs other code: decorators, default arguments, the bodies of classes."""
    calls: bool
    """Whether calls to libraries are among them."""


def repeated_definitions(definition: StepDefinition, step: Step) -> RepeatedDefinitions | None:
    """Return what the reuse of a recorded step executes again; None for nothing."""
    tree = definition.tree
    settings = setting_lines(tree)
    calls = statements_again(tree, map(LibraryCall.parse, step.observed.calls))
    also = [*settings, *calls]
    again = code_again(tree, step.defines, also=also) if step.defines or also else None
    if not again:
        return None
    module = ast.fix_missing_locations(ast.Module(body=list(again), type_ignores=[]))
    # Under the cell's file name and with its line numbers, so that the functions find their source.
    code = definition.compiled(module, "exec")
    return RepeatedDefinitions(
        ast.unparse(module), code, bool(settings), evaluates=_evaluates(again), calls=bool(calls)
    )


def _evaluates(statements: Iterable[ast.stmt]) -> bool:
    """Whether executing definitions runs code besides them; annotations, constants and names are nothing."""
    for node in statements:
        if isinstance(node, ast.ClassDef):
            return True
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            arguments = [*node.args.defaults, *filter(None, node.args.kw_defaults)]
            if node.decorator_list or not all(map(_is_given, arguments)):
                return True
        elif not isinstance(node, ast.Import | ast.ImportFrom):
            return True
    return False


def _is_given(node: ast.expr) -> bool:
    """Whether a default argument is there without running code: `-3.0`, `(1, None)`, `2 / 3`, a variable."""
    if isinstance(node, ast.Tuple | ast.List):
        return all(map(_is_given, node.elts))
    if isinstance(node, ast.UnaryOp | ast.BinOp):  # of variables they call their methods
        operands = [node.operand] if isinstance(node, ast.UnaryOp) else [node.left, node.right]
        return all(_is_given(each) and not isinstance(each, ast.Name) for each in operands)
    return isinstance(node, ast.Constant | ast.Name)
