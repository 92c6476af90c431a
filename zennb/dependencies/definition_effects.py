"""Owns the search for what executing definitions again would repeat, or do differently.

Most definitions only define. But decorators, default arguments and the bodies of classes are evaluated, too, and what
they call may change something, or give another value than it gave the first time.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import name_of_module, qualified_name
from zennb.core.reading.definitions import definitions
from zennb.core.reading.tree import child_nodes, nodes_in
from zennb.dependencies.callables import closure_of
from zennb.dependencies.known_effects import CHANGING, DATA, DIFFERING, EFFECTIVE, READING, SEEDED
from zennb.digests.digest import is_immutable
from zennb.digests.function_source import function_node
from zennb.packages.origin import module_of, origin, top_level

if TYPE_CHECKING:
    from collections.abc import Iterable

    from zennb.digests.function_source import Function

__all__ = ["effects_of_evaluation", "effects_when_defined"]

_MAKERS = ("__new__", "__init__", "__post_init__", "__set_name__")

_CALLS_GIVEN = "calls what it is given"
_DEEPEST = 8
"""Calls that are followed from function to function."""

_LOCAL, _UNKNOWN = object(), object()


def effects_when_defined(tree: ast.Module, names: Iterable[str], namespace: Mapping[str, Any]) -> str:
    """Return why the definitions of a cell cannot be executed again unnoticed: what they do; "" when they only define.

    Args:
        tree: the cell.
        names: what reuse defines again.
        namespace: where it has run.
    """
    statements = definitions(tree, names) or []
    own = frozenset(name for node in statements for name in _bound(node))
    scope = _Scope(namespace=namespace, local=frozenset(), own=own)
    for statement in statements:
        try:
            for name, trouble in _troubles(statement, scope):
                return f"defining `{name}` {trouble}"
        except Exception:  # noqa: BLE001 - a value of the user's may raise whatever it is asked, even for its class
            return f"defining `{next(iter(_bound(statement)), 'it')}` uses a value that cannot be looked at"
    return ""


def effects_of_evaluation(nodes: Iterable[ast.expr], namespace: Mapping[str, Any]) -> str:
    """Return what evaluating expressions does beyond giving values; "" for nothing."""
    return next(_all(_evaluation(nodes, _Scope(namespace=namespace, local=frozenset()))), "")


@dataclass(frozen=True, slots=True)
class _Scope:
    """Where a piece of code looks names up.

    Attributes:
        namespace: global variables, and those of enclosing functions.
        local: names that the piece of code binds itself.
        own: what the definitions of the cell bind, which is new each time.
        given: parameters: what they hold is not known here.
        depth: how many calls led here.
    """

    namespace: Mapping[str, Any]
    local: frozenset[str]
    own: frozenset[str] = frozenset()
    given: frozenset[str] = frozenset()
    depth: int = 0


# Definitions


def _troubles(node: ast.stmt, scope: _Scope) -> Iterator[tuple[str, str]]:
    """Yield name of a definition and what it does beyond defining."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        found = [*_evaluation([*node.decorator_list, *_evaluated(node)], scope)]
        applied = [_applied(each, scope) for each in node.decorator_list]
        if _CALLS_GIVEN in "".join(applied) and not isinstance(node, ast.ClassDef):
            deeper = replace(scope, depth=scope.depth + 1)
            applied = [
                _of_body(node, deeper, returned=False) if _CALLS_GIVEN in each else each for each in applied
            ]
        found += applied
        if isinstance(node, ast.ClassDef):
            found += [_subclassing(each, scope) for each in _evaluated(node)]
            inside = replace(scope, local=scope.local | {name for each in node.body for name in _bound(each)})
            found += [each for statement in node.body for _, each in _troubles(statement, inside)]
        yield from ((node.name, each) for each in found if each)
    elif isinstance(node, ast.If | ast.Try | ast.With | ast.For | ast.While):
        for child in child_nodes(node):
            inner = child.body if isinstance(child, ast.ExceptHandler) else [child]
            for each in inner:
                if isinstance(each, ast.stmt):
                    yield from _troubles(each, scope)
                elif isinstance(each, ast.expr):
                    yield from (("this", found) for found in _all(_evaluation([each], scope)))
    elif not isinstance(node, ast.Import | ast.ImportFrom):
        name = next(iter(_bound(node)), "this")
        changed = [_changed(part, scope) for part in _inside([node])]
        yield from ((name, each) for each in (*changed, *_evaluation([node], scope)) if each)


def _evaluated(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> list[ast.expr]:
    """Return what is evaluated with a definition, besides its decorators."""
    if isinstance(node, ast.ClassDef):
        return [*node.bases, *(each.value for each in node.keywords)]
    return [*node.args.defaults, *(each for each in node.args.kw_defaults if each is not None)]


def _all(found: Iterable[str]) -> Iterator[str]:
    return (each for each in found if each)


def _evaluation(nodes: Iterable[ast.AST], scope: _Scope) -> Iterator[str]:
    """Yield what the calls in expressions do, without those in the bodies of lambdas."""
    for node in nodes:
        for call in _calls(node):
            yield _called(call.func, scope, call)


def _calls(node: ast.AST) -> Iterator[ast.Call]:
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, ast.Lambda | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if isinstance(one, ast.Call):
            yield one
        waiting.extend(child_nodes(one))


def _applied(decorator: ast.expr, scope: _Scope) -> str:
    """Return what applying a decorator does; of `register("x")` that is what the function that it returns does."""
    if isinstance(decorator, ast.Call):
        value = _value(decorator.func, scope)
        if value is partial and decorator.args:
            return _called(decorator.args[0], scope, None)
        if isinstance(value, type):  # an instance of it is called
            value = inspect.getattr_static(value, "__call__", None)
        return _of_function(value, scope, returned=True)
    return _called(decorator, scope, None)


def _subclassing(base: ast.expr, scope: _Scope) -> str:
    """Return what a base or metaclass does when a class is made of it."""
    value = _value(
        base.value if isinstance(base, ast.Subscript) else base, scope
    )  # `Base[int]` is made of `Base`
    if not isinstance(value, type):
        return ""
    maker = value if issubclass(value, type) else type(value)
    hook = getattr(inspect.getattr_static(value, "__init_subclass__", None), "__func__", None)
    return _of_function(hook, scope) or _of_value(maker, scope)


# Calls


def _called(callee: ast.expr, scope: _Scope, call: ast.Call | None) -> str:
    """Return what a call does beyond giving a value: "runs `note`, which changes `seen`"; "" for nothing."""
    value = _value(callee, scope)
    shown = ast.unparse(callee)
    if value is _LOCAL:
        return f"calls `{shown}`, which cannot be followed" if _is_gotten(callee, scope) else ""
    if isinstance(value, _Method):
        return _of_method(value, callee, scope)
    if value is _UNKNOWN:
        return f"calls `{shown}`, which cannot be followed"
    name = _dotted(callee, value, scope)
    if name.startswith(DIFFERING):
        is_seeded = name.rpartition(".")[2] in SEEDED and call is not None and (call.args or call.keywords)
        return "" if is_seeded else f"calls `{shown}`, which gives something else each time"
    found = _of_value(value, scope)
    if shown == "open":  # IPython has one of its own in the notebook
        found = "changes or reads more than it is given"
    return f"calls `{shown}`, which {found}" if found and not found.startswith("calls ") else found


def _is_gotten(callee: ast.expr, scope: _Scope) -> bool:
    """Whether a method belongs to what a function of the user returned, which others may have, too."""
    if not (isinstance(callee, ast.Attribute) and isinstance(callee.value, ast.Call)):
        return False
    maker = _value(callee.value.func, scope)
    return isinstance(maker, FunctionType) and origin(module_of(maker)).is_users


def _of_value(value: Any, scope: _Scope) -> str:
    if isinstance(value, partial):
        return _of_value(value.func, scope)
    if isinstance(value, MethodType):
        return _of_value(value.__func__, scope)
    if isinstance(value, FunctionType):
        return _of_function(value, scope)
    if isinstance(value, type):
        makers = [inspect.getattr_static(value, name, None) for name in _MAKERS]
        makers = [getattr(each, "__func__", each) for each in makers]
        return next(_all(_of_function(each, scope) for each in makers if isinstance(each, FunctionType)), "")
    if isinstance(value, BuiltinFunctionType) and value.__name__ in EFFECTIVE:
        return "changes or reads more than it is given"
    call = inspect.getattr_static(type(value), "__call__", None)
    if isinstance(call, FunctionType) and origin(module_of(type(value))).is_users:
        return _of_function(call, scope)
    return ""


@dataclass(frozen=True, slots=True)
class _Method:
    """A method of a value that is data: the value, what it is called, and the method's name."""

    owner: Any
    root: str
    name: str


def _of_method(method: _Method, callee: ast.expr, scope: _Scope) -> str:
    owner = method.owner
    if method.root.partition(".")[0] in scope.own or isinstance(owner, logging.Logger) or is_immutable(owner):
        return ""
    if not method.name:  # `decorators["x"]`
        return f"calls `{ast.unparse(callee)}`, which cannot be followed"
    if isinstance(owner, Mapping) and method.name in READING:
        return ""
    home = module_of(type(owner))
    is_data = top_level(home) in DATA and not home.startswith("numpy.random")
    if is_data and method.name not in CHANGING and not isinstance(owner, Iterator):
        return ""
    return f"calls `{ast.unparse(callee)}`, which may change `{method.root}`"


def _value(node: ast.expr, scope: _Scope) -> Any:
    """Return what an expression stands for, looked up without running anything."""
    if isinstance(node, ast.Name):
        if node.id in scope.local or node.id in scope.given:
            return _LOCAL
        return scope.namespace.get(node.id, getattr(builtins, node.id, _UNKNOWN))
    if not isinstance(node, ast.Attribute | ast.Subscript):
        return _LOCAL  # nobody else has it: what a call gave, or a literal
    owner = _value(node.value, scope)
    if owner is _LOCAL or owner is _UNKNOWN:
        return owner
    name = node.attr if isinstance(node, ast.Attribute) else ""
    if isinstance(owner, _Method):  # a part of a value counts as the value
        return _Method(owner.owner, owner.root, name)
    if not name:
        return _Method(owner, ast.unparse(node.value), name)
    assert isinstance(node, ast.Attribute)
    if isinstance(owner, ModuleType):
        return vars(owner).get(node.attr, _LOCAL)  # what a module gives only when it is asked is a package's
    if isinstance(owner, type):
        found = inspect.getattr_static(owner, node.attr, _UNKNOWN)
        return getattr(found, "__func__", found)
    return _Method(owner, ast.unparse(node.value), node.attr)


def _dotted(callee: ast.expr, value: Any, scope: _Scope) -> str:
    """Return the name under which a package offers what is called; "" for the user's own."""
    owner = _asked(value, "__self__")
    home = {"Random": "random", "RandomState": "numpy.random"}.get(type(owner).__name__, "")
    if home:
        return f"{home}.{_asked(value, '__name__')}"
    if isinstance(callee, ast.Attribute):
        place = _value(callee.value, scope)
        if isinstance(place, ModuleType):
            return f"{name_of_module(place)}.{callee.attr}"
        if isinstance(place, type):
            return f"{module_of(place)}.{qualified_name(place)}.{callee.attr}"
    return f"{_asked(value, '__module__')}.{_asked(value, '__qualname__')}"


def _asked(value: Any, name: str) -> Any:
    """Return an attribute of any value; its own code may raise what it likes when it is asked."""
    try:
        return getattr(value, name, None)
    except Exception:  # noqa: BLE001 - the value's own code
        return None


# Functions of the user


def _of_function(function: Any, scope: _Scope, *, returned: bool = False) -> str:
    """Return what calling a function of the user does beyond giving a value; "" for nothing, and for a package's.

    Args:
        function: the function.
        scope: where it is called.
        returned: whether the function that it returns is called, too.
    """
    if not isinstance(function, FunctionType) or not origin(module_of(function)).is_users:
        return ""
    if scope.depth >= _DEEPEST:
        return "calls too many others to be followed"
    node = function_node(function.__code__)
    if node is None:  # `dataclass` and its like make functions without a source, which only set attributes
        return "" if function.__code__.co_filename.startswith("<") else "cannot be read"
    namespace = {**function.__globals__, **closure_of(function)}
    inner = _Scope(namespace=namespace, local=frozenset(), own=scope.own, depth=scope.depth + 1)
    return _of_body(node, inner, returned=returned)


def _of_body(node: Function, scope: _Scope, *, returned: bool) -> str:
    arguments = node.args
    parameters = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    given = {each.arg for each in (*parameters, *filter(None, (arguments.vararg, arguments.kwarg)))}
    body: list[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else list(node.body)
    inside = list(_inside(body))
    bound = {each.id for each in inside if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
    functions = {
        each.name: each for each in inside if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    for each in inside:
        if isinstance(each, ast.Global | ast.Nonlocal):
            return f"sets `{each.names[0]}`"
    within = replace(scope, local=scope.local | bound | functions.keys(), given=scope.given | given)
    for each in inside:
        found = _of_node(each, within, functions)
        if found:
            return found
    results = [each.value for each in inside if isinstance(each, ast.Return)] if returned else []
    for result in results:
        made = functions.get(result.id, result) if isinstance(result, ast.Name) else result
        if isinstance(made, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            found = _of_body(made, within, returned=False)
        else:  # a function from elsewhere, `partial(...)`, or an object that decorates
            found = "" if made is None else _applied(made, within)
        if found:
            return found
    return ""


def _inside(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Yield the nodes of a function that run when it is called: not the bodies of functions that it defines."""
    waiting = list(body)
    while waiting:
        one = waiting.pop()
        yield one
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
            waiting += [*one.decorator_list, *one.args.defaults]
        elif not isinstance(one, ast.Lambda):
            waiting.extend(child_nodes(one))


def _changed(node: ast.AST, scope: _Scope) -> str:
    """Return what a node sets an attribute or item of, if others can see that."""
    if not isinstance(node, ast.Attribute | ast.Subscript) or isinstance(node.ctx, ast.Load):
        return ""
    root = _root(node)
    if root in scope.given:
        return "" if isinstance(node, ast.Attribute) else f"changes what it is given as `{root}`"
    return "" if root in scope.local or root in scope.own else f"changes `{root}`"


def _of_node(node: ast.AST, scope: _Scope, functions: Mapping[str, Function]) -> str:
    if not isinstance(node, ast.Call):
        return _changed(node, scope)
    callee = node.func
    if isinstance(callee, ast.Name) and callee.id in functions:
        deeper = replace(scope, depth=scope.depth + 1)  # it may call itself
        return _of_body(functions[callee.id], deeper, returned=False) if deeper.depth < _DEEPEST else ""
    if isinstance(callee, ast.Name) and callee.id in scope.given:
        return f"{_CALLS_GIVEN} as `{callee.id}`"
    if isinstance(callee, ast.Attribute) and _root(callee) in scope.given:
        return f"changes what it is given as `{_root(callee)}`" if callee.attr in CHANGING else ""
    found = _called(callee, scope, node)
    return found.partition(", which ")[2] or found


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _bound(node: ast.stmt) -> list[str]:
    """Return the names that a statement binds."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [each.asname or each.name.partition(".")[0] for each in node.names]
    return [
        each.id for each in nodes_in(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
    ]
