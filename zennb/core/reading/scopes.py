"""Owns the scopes of code: which names are local to a function, class body or comprehension."""

from __future__ import annotations

import ast
from enum import Enum
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING

from zennb.core.reading.tree import child_nodes, nodes_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "Definition",
    "Function",
    "Kind",
    "Scope",
    "bound_in",
    "definitions_in",
    "last_name",
    "mangled",
    "target_names",
]

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_numbers = count()


class Kind(Enum):
    """What opens a scope. The cell itself has no `Scope` object; it is represented by None."""

    FUNCTION = "function"
    CLASS = "class"
    COMPREHENSION = "comprehension"
    TYPES = "type parameters"


class Scope:
    """One scope below the cell.

    Args:
        kind: what opened it.
        parent: the scope around it; None is the cell.
        names: names that are its own wherever they stand in it (a class owns a name only once it is bound).
        declared: names it declares `global`.
        owner: name of the innermost class around, for the mangling of `__private` names.

    Attributes:
        modules: own name → dotted paths that import statements may have bound it to.
        bodies: (classes) own name → the methods and classes last defined under it.
        key: what marks the names of this scope in `BindingState.inner`.
    """

    __slots__ = ("bodies", "declared", "key", "kind", "modules", "names", "owner", "parent")

    def __init__(
        self,
        kind: Kind,
        parent: Scope | None,
        names: Iterable[str] = (),
        *,
        declared: Iterable[str] = (),
        owner: str | None = None,
    ) -> None:
        self.kind, self.parent = kind, parent
        self.owner: str | None = owner if owner is not None or parent is None else parent.owner
        self.names = frozenset(mangled(name, self.owner) for name in names)
        self.declared = frozenset(mangled(name, self.owner) for name in declared)
        self.modules: dict[str, set[tuple[str, ...]]] = {}
        self.bodies: dict[str, list[Definition]] = {}
        self.key = f"{next(_numbers)}\0"

    @classmethod
    def of_function(cls, node: Function | ast.Lambda, parent: Scope | None) -> Scope:
        """Return the scope of a function's or lambda's body."""
        names = {argument.arg for argument in _arguments(node.args)}
        found, declared, foreign = _bound_in_body(node)
        # `super()` without arguments reads the variable `__class__`, which Python makes for methods.
        if parent is not None and parent.owner is not None:
            names.add("__class__")
        return cls(Kind.FUNCTION, parent, (names | found) - declared - foreign, declared=declared)

    @classmethod
    def of_class(cls, node: ast.ClassDef, parent: Scope | None) -> Scope:
        """Return the scope of a class body."""
        _, declared, _ = _bound_in_body(node)
        return cls(Kind.CLASS, parent, declared=declared, owner=node.name)

    def find(self, name: str, inner: set[str]) -> Scope | None:
        """Return the scope whose name this is when read from here; None when it is the cell's.

        Args:
            name: the name, mangled.
            inner: names that class bodies have surely bound so far (`BindingState.inner`).
        """
        scope: Scope | None = self
        direct = True
        while scope is not None:
            if scope.kind is Kind.CLASS:
                # Names of a class body are seen by the body itself, but not by the functions in it.
                if direct and name in scope.declared:
                    return None
                if direct and scope.key + name in inner:
                    return scope
            elif name in scope.declared:
                return None
            elif name in scope.names:
                return scope
            direct = direct and scope.kind is Kind.TYPES
            scope = scope.parent
        return None

    def home(self, name: str) -> Scope | None:
        """Return the scope in which binding `name` here binds it; None when that is the cell."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.declared:
                return None
            if scope.kind in {Kind.CLASS, Kind.FUNCTION} or name in scope.names:
                return scope
            scope = scope.parent
        return None


def mangled(name: str, owner: str | None) -> str:
    """Return `name` as Python stores it inside class `owner`: `__x` becomes `_Owner__x`."""
    if owner is None or not name.startswith("__") or name.endswith("__") or "." in name:
        return name
    return f"_{owner.lstrip('_')}{name}" if owner.strip("_") else name


@lru_cache(maxsize=512)
def _bound_in_body(node: Definition | ast.Lambda) -> tuple[set[str], set[str], set[str]]:
    """Return the same as `bound_in` of a body, which is looked through once: a cell is read in several ways."""
    return bound_in(node.body if isinstance(node.body, list) else [node.body])


def bound_in(nodes: Iterable[ast.AST]) -> tuple[set[str], set[str], set[str]]:
    """Return the names that `nodes` bind in their own scope, declare global, and declare nonlocal."""
    bound: set[str] = set()
    declared: set[str] = set()
    foreign: set[str] = set()
    stack: list[tuple[ast.AST, bool]] = [(node, False) for node in nodes]
    while stack:
        node, inside = stack.pop()
        if isinstance(node, ast.NamedExpr):
            # A walrus inside a comprehension binds in the scope around it.
            bound.add(node.target.id)
        elif isinstance(node, ast.Global):
            declared.update(node.names)
        elif isinstance(node, ast.Nonlocal):
            foreign.update(node.names)
        elif not inside:
            bound.update(_bound_by(node))
        inside = inside or isinstance(node, _COMPREHENSIONS)
        stack.extend((child, inside) for child in _same_scope(node))
    return bound, declared, foreign


def _bound_by(node: ast.AST) -> Iterator[str]:
    """Yield the names that this one node binds (or deletes, which makes them local just as well)."""
    if isinstance(node, ast.Name):
        if not isinstance(node.ctx, ast.Load):
            yield node.id
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Import | ast.ImportFrom):
        for alias in node.names:
            yield alias.asname or alias.name.partition(".")[0]
    elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar):
        if node.name is not None:
            yield node.name
    elif isinstance(node, ast.MatchMapping) and node.rest is not None:
        yield node.rest


def _same_scope(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the children of `node` that are evaluated in the same scope as `node`."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        yield from node.decorator_list
        yield from _defaults(node.args)
    elif isinstance(node, ast.Lambda):
        yield from _defaults(node.args)
    elif isinstance(node, ast.ClassDef):
        yield from node.decorator_list
        yield from node.bases
        yield from node.keywords
    else:
        yield from child_nodes(node)


def _defaults(arguments: ast.arguments) -> Iterator[ast.expr]:
    yield from arguments.defaults
    yield from (default for default in arguments.kw_defaults if default is not None)


def _arguments(arguments: ast.arguments) -> Iterator[ast.arg]:
    yield from arguments.posonlyargs
    yield from arguments.args
    yield from arguments.kwonlyargs
    yield from (one for one in (arguments.vararg, arguments.kwarg) if one is not None)


def last_name(node: ast.expr) -> str:
    """Return `c` of `a.b.c`, and a name alone as it is; "" for any other expression."""
    return str(getattr(node, "id", "") or getattr(node, "attr", ""))


def target_names(targets: Iterable[ast.expr]) -> set[str]:
    """Return the names that assigning to `targets` binds."""
    return {
        node.id
        for target in targets
        for node in nodes_in(target)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


def definitions_in(statements: Iterable[ast.AST]) -> dict[str, list[Definition]]:
    """Return what `statements` define in their own scope, in any branch: name → functions and classes."""
    found: dict[str, list[Definition]] = {}
    stack = list(statements)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.setdefault(node.name, []).append(node)
        elif not isinstance(node, ast.expr):
            stack.extend(child for child in child_nodes(node) if not isinstance(child, ast.expr))
    return found
