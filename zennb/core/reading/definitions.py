"""Owns the statements that redefine the imports, functions and classes of a cell when it is reused."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from zennb.core.magic_lines.magics import parse_python, read_magic
from zennb.core.reading.names import CellScope
from zennb.core.reading.scopes import definitions_in, last_name
from zennb.core.reading.statements import Statements
from zennb.core.reading.tree import nodes_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["definitions", "flattened", "is_future", "makes_type"]

_TYPE_MAKERS = frozenset(
    {
        "Enum",
        "Flag",
        "IntEnum",
        "IntFlag",
        "NamedTuple",
        "NewType",
        "ParamSpec",
        "StrEnum",
        "TypeVar",
        "TypedDict",
    }
    | {"make_dataclass", "namedtuple", "new_class"}
)


@dataclass(slots=True)
class _Statement:
    """One statement of the cell: what executing it binds and reads, and whether that only defines."""

    node: ast.stmt
    binds: frozenset[str]
    reads: frozenset[str]
    defines: bool


@dataclass(frozen=True, slots=True)
class _Statements:
    """The statements of a cell, one by one, and the names that its functions declare `global`."""

    statements: list[_Statement]
    globals: frozenset[str]


_read_before: WeakKeyDictionary[ast.Module, _Statements] = WeakKeyDictionary()


def _statements(tree: ast.Module) -> _Statements:
    """Return the statements of a cell. They are cached, because each output of the cell asks for them."""
    found = _read_before.get(tree)
    if found is None:
        found = _read_before[tree] = _Statements(
            [_read(node) for node in flattened(tree.body)],
            frozenset(name for node in nodes_in(tree) if isinstance(node, ast.Global) for name in node.names),
        )
    return found


def definitions(
    tree: ast.Module, names: Iterable[str], *, also: Iterable[ast.stmt] = ()
) -> list[ast.stmt] | None:
    """Return the statements to run again on reuse, so that `names` are bound as the cell bound them.

    These are imports, `def`, `class`, lambdas, aliases (`g = f`, `T = m.T`) and named tuples, in order, with what they
    need of each other and of constants, with constants set on them (`f.unit = "m"`) and with every `from
    __future__ import`. They are to be executed where the cell would run, before its other outputs are bound
    there: what they read besides is the notebook's.

    Args:
        tree: the cell, as for `analyse`.
        names: names the cell binds to modules, functions or classes.
        also: other statements of the cell to be executed again in their place.

    Returns:
        The statements, or None when that cannot be done without running other work: one of `names` was last
        bound by a call (`f = make(3)`), in a loop, under a computed condition, or a definition needs a value
        that was computed before it.
    """
    wanted, others = frozenset(names), set(also)
    if not wanted and not others:  # as of most cells
        return [node for node in flattened(tree.body) if is_future(node)]
    found = _statements(tree)
    # A function may rebind the name whenever it is called, so no statement of the cell says what it holds.
    if wanted & found.globals:
        return None
    statements = found.statements
    chosen: set[int] = set()
    for name in wanted:
        if not _choose(name, len(statements), statements, chosen):
            return None
    if not _choose_settings(statements, chosen, wanted):
        return None
    bound = frozenset(name for number in chosen for name in statements[number].binds)
    result: list[ast.stmt] = []
    for number, statement in enumerate(statements):
        if number in chosen or statement.node in others or is_future(statement.node):
            result.append(statement.node)
        # Deleted where the cell deletes it: statements below may bind the name again, or must not see it.
        elif isinstance(statement.node, ast.Delete):
            gone = [t for t in statement.node.targets if isinstance(t, ast.Name) and t.id in bound]
            result += [ast.copy_location(ast.Delete(targets=list(gone)), statement.node)] if gone else []
    return result


def _choose(name: str, before: int, statements: list[_Statement], chosen: set[int]) -> bool:
    """Choose the statements that bind `name` before statement `before`, and what they need; False when one computes."""
    binders = [number for number in range(before) if name in statements[number].binds]
    binders = binders or [n for n in range(before) if "*" in statements[n].binds]
    # The last binding decides. Earlier ones run again too, because the last may build on them (`f = cached(f)`).
    if not binders or not statements[binders[-1]].defines:
        return False
    for number in binders:
        if not statements[number].defines or number in chosen:
            continue
        chosen.add(number)
        if not _choose_needs(number, statements, chosen):
            return False
    return True


def _choose_needs(number: int, statements: list[_Statement], chosen: set[int]) -> bool:
    """Choose the earlier statements that statement `number` depends on; False when one of them computes."""
    for read in statements[number].reads:
        earlier = any(not statement.binds.isdisjoint((read, "*")) for statement in statements[:number])
        # What no earlier statement of the cell binds is the notebook's, which has it already.
        if earlier and not _choose(read, number, statements, chosen):
            return False
    return True


def _choose_settings(statements: list[_Statement], chosen: set[int], wanted: frozenset[str]) -> bool:
    """Choose the statements that set attributes and items of `wanted`: `f.unit = "m"`, `plt.rcParams["x"] = 1`."""
    for number, statement in enumerate(statements):
        node = statement.node
        if not isinstance(node, ast.Assign) or not {_root(target) for target in node.targets} & wanted:
            continue
        if number in chosen or any(isinstance(target, ast.Name) for target in node.targets):
            continue
        if not (_is_definition(node.value) or _is_literal(node.value)):
            if all(_is_imported(_root(target), number, statements) for target in node.targets):
                continue  # a library setting, which is not part of the module that the name refers to
            return False
        chosen.add(number)
        if not _choose_needs(number, statements, chosen):
            return False
    return True


def _is_imported(name: str, before: int, statements: list[_Statement]) -> bool:
    binders = [each.node for each in statements[:before] if name in each.binds]
    return bool(binders) and isinstance(binders[-1], ast.Import | ast.ImportFrom)


def _read(node: ast.stmt) -> _Statement:
    # Of each statement by itself, and without calls: what counts here is what executing the
    # `def` needs, not its body.
    cell = CellScope(calls=False, definitions=definitions_in([node]))
    reader = Statements(cell)
    reader.visit(node)
    record = reader.record
    binds = frozenset(record.binds) | ({"*"} if record.stars else set())
    return _Statement(node, binds, frozenset(record.reads), _defines(node))


def flattened(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield statements; of `%time`, `%%time`, `%%capture` and their like those that they run."""
    for node in body:
        magic = read_magic(node.value) if isinstance(node, ast.Expr) else None
        runs_here = magic is not None and magic.leaks and not magic.binds
        inner = parse_python(magic.code) if magic and runs_here and magic.code is not None else None
        yield from [node] if inner is None else flattened(inner)


def _defines(node: ast.stmt) -> bool:
    """Whether a statement only defines things, so that it can run again."""
    match node:
        case ast.Import() | ast.ImportFrom() | ast.Pass():
            return True
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return True
        case ast.Assign():
            return all(_is_plain(target) for target in node.targets) and _is_definition(node.value)
        case ast.AnnAssign():
            return node.value is None or (_is_plain(node.target) and _is_definition(node.value))
        case ast.Expr():
            return isinstance(node.value, ast.Constant)
        case ast.If():
            return _is_simple_test(node.test) and _all_define([*node.body, *node.orelse])
        case ast.Try():
            handled = [statement for handler in node.handlers for statement in handler.body]
            return _all_define([*node.body, *handled, *node.orelse, *node.finalbody])
        case ast.With():
            return all(map(_is_suppressor, node.items)) and all(
                _defines(each) or _is_filter(each) for each in node.body
            )
        case _:
            return type(node).__name__ == "TypeAlias"


def _all_define(statements: Iterable[ast.stmt]) -> bool:
    return all(_defines(statement) for statement in statements)


def _is_plain(target: ast.expr) -> bool:
    """Say whether a target is a name, or names."""
    if isinstance(target, ast.Tuple | ast.List):
        return all(_is_plain(element) for element in target.elts)
    return isinstance(target, ast.Name)


def _is_definition(value: ast.expr) -> bool:
    """Whether a value is a lambda, an alias, a constant, or a tuple of these."""
    if isinstance(value, ast.Tuple):
        return all(_is_definition(element) for element in value.elts)
    return isinstance(value, ast.Lambda) or _is_alias(value) or _is_constant(value) or makes_type(value)


def makes_type(value: ast.expr) -> bool:
    """Say whether a value is a class or type that a call makes of what is written out: `namedtuple("P", "x y")`."""
    if not isinstance(value, ast.Call):
        return False
    arguments = [*value.args, *(keyword.value for keyword in value.keywords)]
    if not all(map(_is_written, arguments)):
        return False
    name = last_name(value.func)
    # `type(x)` only asks; with three arguments it makes a class.
    return name in _TYPE_MAKERS or (name == "type" and len(value.args) == 3)


def _is_written(value: ast.expr) -> bool:
    """Say whether a value is written out, of constants, names and types: `{"a": int, "b": list[str] | None}`."""
    parts = (
        ast.Constant
        | ast.Tuple
        | ast.List
        | ast.Dict
        | ast.UnaryOp
        | ast.Name
        | ast.Attribute
        | ast.Subscript
    )
    marks = ast.expr_context | ast.unaryop | ast.BitOr
    return all(
        isinstance(node, parts | marks) or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr))
        for node in nodes_in(value)
    )


def _is_alias(value: ast.expr) -> bool:
    while isinstance(value, ast.Attribute):
        value = value.value
    return isinstance(value, ast.Name)


def _is_constant(value: ast.expr) -> bool:
    match value:
        case ast.Constant():
            return True
        case ast.Tuple():
            return all(_is_constant(element) for element in value.elts)
        case ast.UnaryOp():
            return _is_constant(value.operand)
        case _:
            return False


def _is_literal(value: ast.expr) -> bool:
    """Say whether a value is written out: constants, and lists and dicts of them."""
    elements = [node for node in nodes_in(value) if not isinstance(node, ast.expr_context | ast.unaryop)]
    return all(
        isinstance(node, ast.Constant | ast.Tuple | ast.List | ast.Dict | ast.UnaryOp) for node in elements
    )


def _is_simple_test(test: ast.expr) -> bool:
    """Say whether a condition calls nothing: `TYPE_CHECKING`, `sys.version_info >= (3, 12)`."""
    parts = ast.Name | ast.Attribute | ast.Constant | ast.Compare | ast.BoolOp | ast.UnaryOp | ast.Tuple
    marks = ast.Subscript | ast.Slice | ast.expr_context | ast.cmpop | ast.boolop | ast.unaryop
    return all(isinstance(node, parts | marks) for node in nodes_in(test))


def _is_suppressor(item: ast.withitem) -> bool:
    """Say whether a context only suppresses errors or warnings."""
    manager = item.context_expr
    if not isinstance(manager, ast.Call) or item.optional_vars is not None:
        return False
    given = [*manager.args, *(keyword.value for keyword in manager.keywords)]
    return last_name(manager.func) in {"suppress", "catch_warnings"} and all(
        _is_alias(each) or _is_constant(each) for each in given
    )


def _is_filter(node: ast.stmt) -> bool:
    """Say whether a statement says which warnings to ignore, as within `catch_warnings()`."""
    call = node.value if isinstance(node, ast.Expr) else None
    if not isinstance(call, ast.Call) or last_name(call.func) not in {"simplefilter", "filterwarnings"}:
        return False
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    return all(_is_alias(each) or _is_constant(each) for each in given)


def _root(target: ast.expr) -> str:
    """Return the name that `name.a[0].b` starts at."""
    while isinstance(target, ast.Attribute | ast.Subscript | ast.Starred):
        target = target.value
    return target.id if isinstance(target, ast.Name) else ""


def is_future(node: ast.stmt) -> bool:
    """Whether a statement is `from __future__ import ...`."""
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"
