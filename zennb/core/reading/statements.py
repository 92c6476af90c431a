"""Owns reading statements that bind names: assignments, imports, functions and classes."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from zennb.core.magic_lines.magics import read_magic
from zennb.core.reading.annotations import annotated_names
from zennb.core.reading.control_flow import Paths
from zennb.core.reading.joined_texts import HOLE, joined
from zennb.core.reading.names import type_scope
from zennb.core.reading.scopes import Definition, Function, Kind, Scope
from zennb.core.reading.tree import child_nodes

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Statements"]

_WRAPPERS = frozenset(
    {"property", "staticmethod", "classmethod", "dataclass", "abstractmethod", "cached_property"}
)
_ACCESSORS = frozenset({"setter", "getter", "deleter"})
"""Decorators known to call nothing while they decorate."""


class Statements(Paths, ast.NodeVisitor):
    """Reads every kind of statement."""

    def visit_Expr(self, node: ast.Expr) -> None:
        """An expression; a text that nothing uses is a docstring, which nothing looks names up in."""
        if not isinstance(node.value, ast.Constant):
            self.visit(node.value)
        elif isinstance(node.value.value, str):
            self.cell.docstrings.add(node.value.value)

    def visit_Assign(self, node: ast.Assign) -> None:
        """`a = b = value`."""
        if magic := read_magic(node.value):
            self.magic(node.value, magic, "".join(f"{_text(target)} = " for target in node.targets))
        else:
            self.visit(node.value)
        self.block(node.targets)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        """`a += value`: read, then bound; `a[i] += value` binds nothing."""
        if isinstance(node.target, ast.Name):
            self.load(node.target.id)
        elif isinstance(node.target, ast.Attribute):
            # Read as well: `np.x += 1` uses `np.x`.
            self.visit(ast.Attribute(node.target.value, node.target.attr, ast.Load()))
        else:
            self.visit(node.target)
        if isinstance(node.op, ast.Add) and isinstance(node.value, ast.Constant | ast.JoinedStr):
            self._joins(HOLE + joined(node.value))
        self.visit(node.value)
        if isinstance(node.target, ast.Name):
            self.store(node.target.id)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """`a: T = value`; without a value nothing is bound."""
        if node.value is not None:
            self.visit(node.value)
            self.visit(node.target)
        elif not isinstance(node.target, ast.Name):
            self.visit_all(child_nodes(node.target))
        inside = self.scope is not None and self.scope.kind is Kind.FUNCTION
        # Since Python 3.14 no annotation is evaluated here. They are read all the same: `dataclass` and its like ask
        # for them at once, and a name too many among the reads does no harm.
        if not inside and not self.cell.late_annotations:
            self.visit(node.annotation)
        if not inside:
            self._text_annotations(node, [node.annotation])

    def _text_annotations(self, node: ast.AST, annotations: Sequence[ast.expr | None]) -> None:
        """Read what annotations name that are kept as text: somebody may ask for the types."""
        around, self.scope = self.scope, type_scope(node, self.scope)
        for annotation in filter(None, annotations):
            for chain in annotated_names(annotation, is_text=self.cell.late_annotations):
                self.may_load(chain[0], chain[1:])
        self.scope = around

    def visit_Import(self, node: ast.Import) -> None:
        """`import a.b` binds `a`; `import a.b as c` binds `c`."""
        for alias in node.names:
            path = tuple(alias.name.split("."))
            self.record.modules.add(path)
            self.store(alias.asname or path[0], module=path if alias.asname else path[:1])

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """`from m import a as b`, `from m import *`."""
        for alias in node.names:
            if alias.name == "*":
                self._star(node)
                continue
            path = (*_imported_path(node), alias.name)
            self.record.modules.add(path)
            self.store(alias.asname or alias.name, module=path)

    def _star(self, node: ast.ImportFrom) -> None:
        path = _imported_path(node)
        self.record.modules.add((*path, "*"))
        module = ".".join(path)
        if module not in self.record.stars:
            self.record.stars.append(module)
        for name in self.cell.star(module) if self.cell.star is not None else ():
            self.store(name, module=(*path, name))

    def visit_Assert(self, node: ast.Assert) -> None:
        """`assert test, message`: the message is evaluated on the way out."""
        self.path, fails = self.branch(node.test)
        if node.msg is not None and fails is not None:
            holds, self.path = self.path, fails
            self.visit(node.msg)
            self.path = holds

    def visit_FunctionDef(self, node: Function) -> None:
        """`def`: decorators, defaults and annotations are evaluated here; the body when it is called."""
        self.visit_all([*node.decorator_list, *node.args.defaults, *node.args.kw_defaults])
        self._within_types(node, [] if self.cell.late_annotations else _annotations(node))
        self._text_annotations(node, _annotations(node))
        if self.cell.calls:  # even if nothing calls it: its body may hold magic lines
            self.summary(node, self.scope)
        self._defined(node)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 - named by ast

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """`class`: its body is executed here, its methods when the class is used."""
        self.visit_all(node.decorator_list)
        self._within_types(node, [*node.bases, *node.keywords])
        around = self.scope
        self.scope = Scope.of_class(node, type_scope(node, around))
        self.block(node.body)
        self.scope = around
        if self.path is not None:
            self._defined(node)

    def _defined(self, node: Definition) -> None:
        """Bind a function or class, and treat it as called if other code can call it from here on."""
        self.store(node.name, body=node)
        # A function inside a function has no name that other code could be seen to read; it may be
        # returned and called at once.
        if self.called or not _is_open(self.scope):
            self.may_run(node)
        elif any(_acts(decorator) for decorator in node.decorator_list) or getattr(node, "keywords", None):
            self.expand(node)

    def _within_types(self, node: Any, parts: Sequence[ast.AST | None]) -> None:
        """Visit parts of a definition that see its type parameters, and the bounds of those."""
        around = self.scope
        self.scope = type_scope(node, around)
        for parameter in getattr(node, "type_params", []):
            self.visit_all([getattr(parameter, "bound", None), getattr(parameter, "default_value", None)])
        self.visit_all(parts)
        self.scope = around

    def visit_TypeAlias(self, node: Any) -> None:
        """`type X = ...`: the value is evaluated later, when X is known."""
        self.visit(node.name)
        self._within_types(node, [node.value])


def _imported_path(node: ast.ImportFrom) -> tuple[str, ...]:
    """Return the dotted path of the module in `from m import ...`; a relative one starts with its dots."""
    parts = node.module.split(".") if node.module else []
    if not node.level:
        return tuple(parts)
    return ("." * node.level + (parts[0] if parts else ""), *parts[1:])


def _text(target: ast.expr) -> str:
    if isinstance(target, ast.Tuple):
        return ", ".join(ast.unparse(element) for element in target.elts)
    return ast.unparse(target)


def _annotations(node: Function) -> list[ast.expr | None]:
    arguments = node.args
    single = [one for one in (arguments.vararg, arguments.kwarg) if one is not None]
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *single]
    return [*(argument.annotation for argument in named), node.returns]


def _is_open(scope: Scope | None) -> bool:
    """Say whether a definition in `scope` can be found again by name: in the cell itself or its classes."""
    while scope is not None and scope.kind in {Kind.CLASS, Kind.TYPES}:
        scope = scope.parent
    return scope is None


def _acts(decorator: ast.expr) -> bool:
    """Say whether a decorator may call what it decorates at once."""
    function = decorator.func if isinstance(decorator, ast.Call) else decorator
    if isinstance(function, ast.Attribute):
        return function.attr not in _WRAPPERS | _ACCESSORS
    return not (isinstance(function, ast.Name) and function.id in _WRAPPERS)
