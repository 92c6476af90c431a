"""Owns what the code of a cell may do to its own functions and classes: where they are compared, and which may run."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from zennb.core.reading.definitions import definitions, flattened, makes_type
from zennb.core.reading.tree import child_nodes, nodes_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = [
    "are_in_sight",
    "caches_cleared_first",
    "checks",
    "cleared_cache",
    "defined_names",
    "targets_at_the_top",
    "targets_run",
]

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_QUIET = (ast.Import, ast.ImportFrom, ast.Pass)
_WRITTEN = (ast.Constant, ast.Tuple, ast.List, ast.Dict, ast.UnaryOp, ast.unaryop, ast.expr_context)


def checks(tree: ast.Module) -> dict[int, bool]:
    """Return at which statements of a cell its definitions are to be noted (True), or compared with that (False).

    Reuse executes definitions again, but not the code between and after them, which may change what they define:
    `Shape.register(Square)`, `setup(Model)`. What is noted last is compared when the cell has run.
    """
    names = defined_names(tree.body)
    if not names:  # as in most cells
        return {}
    again = {node for name in names for node in definitions(tree, [name]) or ()}
    found: dict[int, bool] = {}
    is_defined = is_noted = False
    for place, node in enumerate(tree.body):
        if node in again:
            is_defined = is_defined or bool(defined_names([node]))
            if is_noted:
                found[place] = is_noted = False
        elif is_defined and not is_noted and not _is_quiet(node):
            found[place] = is_noted = True
    return found


def cleared_cache(node: ast.stmt) -> str | None:
    """Return the function whose cache a statement clears: `fib` of `fib.cache_clear()`; None for any other."""
    call = node.value if isinstance(node, ast.Expr) else None
    if not isinstance(call, ast.Call) or call.args or call.keywords:
        return None
    function = call.func
    is_clear = isinstance(function, ast.Attribute) and function.attr == "cache_clear"
    owner = function.value if is_clear and isinstance(function, ast.Attribute) else None
    return owner.id if isinstance(owner, ast.Name) else None


def caches_cleared_first(tree: ast.Module) -> frozenset[str]:
    """Return the functions whose caches a cell clears before it can call anything."""
    found = set[str]()
    for node in tree.body:
        name = cleared_cache(node)
        is_plain = isinstance(node, _DEFINITIONS) and not node.decorator_list
        if name is None and not (is_plain or _is_quiet(node)):
            break
        found.update(() if name is None else (name,))
    return frozenset(found)


def defined_names(body: Iterable[ast.stmt]) -> frozenset[str]:
    """Return the names that statements bind to functions and classes which they define."""
    return frozenset(_defined(body))


def are_in_sight(tree: ast.Module) -> bool:
    """Whether all definitions of a cell are statements of its own, and none is in the code of a magic."""
    own = set(tree.body)
    return all(node in own or not isinstance(node, _DEFINITIONS) for node in flattened(tree.body))


def targets_run(
    tree: ast.Module, is_plain: Callable[[ast.expr], bool]
) -> list[ast.Attribute | ast.Subscript]:
    """Return the attributes and items that a cell sets, without those in functions that it only defines.

    A function counts as only defined if the code that runs names nothing that the cell defines, and nobody is given
    it: it has plain decorators, and its class no base.

    Args:
        tree: the cell.
        is_plain: says whether a decorator surely does not call what it decorates.
    """
    run = list(_run(tree, is_plain))
    names = {node.id for node in run if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    is_used = bool(names & defined_names(tree.body)) or not are_in_sight(tree)
    return _targets(nodes_in(tree) if is_used else run)


def targets_at_the_top(tree: ast.Module) -> list[ast.Attribute | ast.Subscript]:
    """Return the attributes and items that a cell itself sets, and no function in it."""
    found, waiting = list[ast.AST](), list[ast.AST](tree.body)
    while waiting:
        node = waiting.pop()
        found.append(node)
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting += child_nodes(node)
    return _targets(found)


def _targets(parts: Iterable[ast.AST]) -> list[ast.Attribute | ast.Subscript]:
    return [
        node
        for node in parts
        if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del)
    ]


def _run(node: ast.AST, is_plain: Callable[[ast.expr], bool], *, in_class: bool = False) -> Iterator[ast.AST]:
    """Yield the parts of a syntax tree without the bodies of functions that nothing can call here."""
    for child in child_nodes(node):
        yield child
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            is_given = in_class or not all(map(is_plain, child.decorator_list))
            for part in [child] if is_given else [child.args, *child.decorator_list]:
                yield part
                yield from _run(part, is_plain, in_class=in_class)
        elif isinstance(child, ast.ClassDef):
            yield from _run(
                child, is_plain, in_class=bool(child.bases or child.keywords or child.decorator_list)
            )
        else:
            yield from _run(child, is_plain, in_class=in_class)


def _defined(body: Iterable[ast.stmt]) -> Iterator[str]:
    for node in body:
        if isinstance(node, _DEFINITIONS):
            yield node.name
        elif isinstance(node, ast.Assign):
            if isinstance(node.value, ast.Lambda) or makes_type(node.value):
                yield from (target.id for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.If | ast.Try | ast.With):
            yield from _defined(each for each in child_nodes(node) if isinstance(each, ast.stmt))
            for handler in getattr(node, "handlers", ()):
                yield from _defined(handler.body)


def _is_quiet(node: ast.stmt) -> bool:
    """Whether a statement changes nothing that is defined: an import, a value that is written out."""
    if isinstance(node, ast.Assign):
        is_plain = all(isinstance(target, ast.Name) for target in node.targets)
        return is_plain and all(isinstance(each, _WRITTEN) for each in nodes_in(node.value))
    return isinstance(node, _QUIET) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
