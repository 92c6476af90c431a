"""Owns the search for what a call does beyond giving a value: what it changes, and whether it gives the same each time.

Functions of the user are followed; those of packages count as harmless unless they are known for something else.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import name_of_module, qualified_name
from zennb.compat.python import CachedFunction
from zennb.core.reading.tree import child_nodes
from zennb.digests.function_source import closure_of, function_node
from zennb.digests.immutable import is_immutable
from zennb.digests.known_effects import CHANGING, DATA, DIFFERING, EFFECTIVE, READING, SEEDED
from zennb.packages.origin import module_of, origin, top_level

if TYPE_CHECKING:
    from collections.abc import Callable

    from zennb.digests.function_source import Function

__all__ = [
    "CALLS_GIVEN",
    "DEEPEST",
    "LOCAL",
    "MAKERS",
    "UNKNOWN",
    "CallScope",
    "Method",
    "behind",
    "called",
    "dotted",
    "entered",
    "evaluation",
    "found_in",
    "nodes_run",
    "of_body",
    "of_decorator",
    "of_function",
    "of_method",
    "of_store",
    "of_value",
    "value_of",
]

MAKERS = ("__new__", "__init__", "__post_init__", "__set_name__")

CALLS_GIVEN = "calls what it is given"
DEEPEST = 8
"""Calls that are followed from function to function."""

LOCAL, UNKNOWN = object(), object()


@dataclass(frozen=True, slots=True)
class CallScope:
    """Where a piece of code looks names up.

    Attributes:
        namespace: global variables, and those of enclosing functions.
        local: names that the piece of code binds itself.
        own: what the definitions of the cell bind, which is new each time.
        given: parameters: what they hold is not known here.
        depth: how many calls led here.
        body: returns what the body of a function does, where other rules hold than those of `of_body`.
        within: ids of the code of functions that are being followed just now.
    """

    namespace: Mapping[str, Any]
    local: frozenset[str]
    own: frozenset[str] = frozenset()
    given: frozenset[str] = frozenset()
    depth: int = 0
    body: Callable[[Function, CallScope], str] | None = None
    within: frozenset[int] = frozenset()


def found_in(found: Iterable[str]) -> Iterator[str]:
    """Return what was found: texts that are not empty."""
    return (each for each in found if each)


def evaluation(nodes: Iterable[ast.AST], scope: CallScope) -> Iterator[str]:
    """Yield what the calls in expressions do, without those in the bodies of lambdas."""
    for node in nodes:
        for call in _calls(node):
            yield called(call.func, scope, call)


def _calls(node: ast.AST) -> Iterator[ast.Call]:
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, ast.Lambda | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if isinstance(one, ast.Call):
            yield one
        waiting.extend(child_nodes(one))


def of_decorator(decorator: ast.expr, scope: CallScope) -> str:
    """Return what applying a decorator does; of `register("x")` that is what the function that it returns does."""
    if isinstance(decorator, ast.Call):
        value = value_of(decorator.func, scope)
        if value is partial and decorator.args:
            return called(decorator.args[0], scope, None)
        if isinstance(value, type):  # an instance of it is called
            value = inspect.getattr_static(value, "__call__", None)
        return of_function(value, scope, returned=True)
    return called(decorator, scope, None)


# Calls


def called(callee: ast.expr, scope: CallScope, call: ast.Call | None) -> str:
    """Return what a call does beyond giving a value: "runs `note`, which changes `seen`"; "" for nothing."""
    value = behind(value_of(callee, scope))
    shown = ast.unparse(callee)
    if value is LOCAL:
        return f"calls `{shown}`, which cannot be followed" if _is_gotten(callee, scope) else ""
    if isinstance(value, Method):
        return of_method(value, callee, scope)
    if value is UNKNOWN:
        return f"calls `{shown}`, which cannot be followed"
    name = dotted(callee, value, scope)
    if name.startswith(DIFFERING):
        is_seeded = name.rpartition(".")[2] in SEEDED and call is not None and (call.args or call.keywords)
        return "" if is_seeded else f"calls `{shown}`, which gives something else each time"
    found = of_value(value, scope)
    if shown == "open":  # IPython has one of its own in the notebook
        found = "changes or reads more than it is given"
    return f"calls `{shown}`, which {found}" if found and not found.startswith("calls ") else found


def behind(value: Any) -> Any:
    """Return the function of the user that a wrapper of a library calls: behind `contextmanager`, `lru_cache`."""
    inner = value
    for _ in range(DEEPEST):
        if not isinstance(inner, FunctionType | CachedFunction):
            break
        if isinstance(inner, FunctionType) and origin(str(inner.__globals__.get("__name__"))).is_users:
            return inner
        inner = vars(inner).get("__wrapped__")
    return value


def _is_gotten(callee: ast.expr, scope: CallScope) -> bool:
    """Whether a method belongs to what a function of the user returned, which others may have, too."""
    if not (isinstance(callee, ast.Attribute) and isinstance(callee.value, ast.Call)):
        return False
    maker = value_of(callee.value.func, scope)
    return isinstance(maker, FunctionType) and origin(module_of(maker)).is_users


def of_value(value: Any, scope: CallScope) -> str:
    """Return what calling a value does beyond giving another."""
    if isinstance(value, partial):
        return of_value(value.func, scope)
    if isinstance(value, MethodType):
        return of_value(value.__func__, scope)
    if isinstance(value, FunctionType):
        return of_function(value, scope)
    if isinstance(value, type):
        makers = [inspect.getattr_static(value, name, None) for name in MAKERS]
        makers = [getattr(each, "__func__", each) for each in makers]
        return next(
            found_in(of_function(each, scope) for each in makers if isinstance(each, FunctionType)), ""
        )
    if isinstance(value, BuiltinFunctionType) and value.__name__ in EFFECTIVE:
        return "changes or reads more than it is given"
    call = inspect.getattr_static(type(value), "__call__", None)
    if isinstance(call, FunctionType) and origin(module_of(type(value))).is_users:
        return of_function(call, scope)
    return ""


@dataclass(frozen=True, slots=True)
class Method:
    """A method of a value that is data: the value, what it is called, and the method's name."""

    owner: Any
    root: str
    name: str


def of_method(method: Method, callee: ast.expr, scope: CallScope) -> str:
    """Return what calling a method of a value does."""
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


def value_of(node: ast.expr, scope: CallScope) -> Any:
    """Return what an expression stands for, looked up without running anything."""
    if isinstance(node, ast.Name):
        if node.id in scope.local or node.id in scope.given:
            return LOCAL
        return scope.namespace.get(node.id, getattr(builtins, node.id, UNKNOWN))
    if not isinstance(node, ast.Attribute | ast.Subscript):
        return LOCAL  # nobody else has it: what a call gave, or a literal
    owner = value_of(node.value, scope)
    if owner is LOCAL or owner is UNKNOWN:
        return owner
    name = node.attr if isinstance(node, ast.Attribute) else ""
    if isinstance(owner, Method):  # a part of a value counts as the value
        return Method(owner.owner, owner.root, name)
    if not name:
        return Method(owner, ast.unparse(node.value), name)
    assert isinstance(node, ast.Attribute)
    if isinstance(owner, ModuleType):
        return vars(owner).get(node.attr, LOCAL)  # what a module gives only when it is asked is a package's
    if isinstance(owner, type):
        found = inspect.getattr_static(owner, node.attr, UNKNOWN)
        return getattr(found, "__func__", found)
    return Method(owner, ast.unparse(node.value), node.attr)


def dotted(callee: ast.expr, value: Any, scope: CallScope) -> str:
    """Return the name under which a package offers what is called; "" for the user's own."""
    owner = _asked(value, "__self__")
    home = {"Random": "random", "RandomState": "numpy.random"}.get(type(owner).__name__, "")
    if home:
        return f"{home}.{_asked(value, '__name__')}"
    if isinstance(callee, ast.Attribute):
        place = value_of(callee.value, scope)
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


def of_function(function: Any, scope: CallScope, *, returned: bool = False) -> str:
    """Return what calling a function of the user does beyond giving a value; "" for nothing, and for a package's.

    Args:
        function: the function.
        scope: where it is called.
        returned: whether the function that it returns is called, too.
    """
    found = entered(function, scope)
    if isinstance(found, str):
        return found
    node, inner = found
    return of_body(node, inner, returned=returned) if scope.body is None else scope.body(node, inner)


def entered(function: Any, scope: CallScope) -> tuple[Function, CallScope] | str:
    """Return the definition of a function of the user and where it looks names up; a text where it is not followed.

    That is what calling it does, as far as that is known.
    """
    function = behind(function)
    if not isinstance(function, FunctionType) or not origin(module_of(function)).is_users:
        return ""
    if id(function.__code__) in scope.within:  # it calls itself
        return ""
    if scope.depth >= DEEPEST:
        return "calls too many others to be followed"
    node = function_node(function.__code__)
    if node is None:  # `dataclass` and its like make functions without a source, which only set attributes
        return "" if function.__code__.co_filename.startswith("<") else "cannot be read"
    namespace = {**function.__globals__, **closure_of(function)}
    nothing: frozenset[str] = frozenset()
    within = scope.within | {id(function.__code__)}
    depth = scope.depth + 1
    return node, replace(scope, namespace=namespace, local=nothing, given=nothing, depth=depth, within=within)


def of_body(node: Function, scope: CallScope, *, returned: bool) -> str:
    """Return what the body of a function does; `returned` as in `of_function`."""
    arguments = node.args
    parameters = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    given = {each.arg for each in (*parameters, *filter(None, (arguments.vararg, arguments.kwarg)))}
    body: list[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else list(node.body)
    inside = list(nodes_run(body))
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
            found = of_body(made, within, returned=False)
        else:  # a function from elsewhere, `partial(...)`, or an object that decorates
            found = "" if made is None else of_decorator(made, within)
        if found:
            return found
    return ""


def nodes_run(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Yield the nodes of a function that run when it is called: not the bodies of functions that it defines."""
    waiting = list(body)
    while waiting:
        one = waiting.pop()
        yield one
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
            waiting += [*one.decorator_list, *one.args.defaults]
        elif not isinstance(one, ast.Lambda):
            waiting.extend(child_nodes(one))


def of_store(node: ast.AST, scope: CallScope) -> str:
    """Return what a node sets an attribute or item of, if others can see that."""
    if not isinstance(node, ast.Attribute | ast.Subscript) or isinstance(node.ctx, ast.Load):
        return ""
    root = _root(node)
    if root in scope.given:
        return "" if isinstance(node, ast.Attribute) else f"changes what it is given as `{root}`"
    return "" if root in scope.local or root in scope.own else f"changes `{root}`"


def _of_node(node: ast.AST, scope: CallScope, functions: Mapping[str, Function]) -> str:
    if not isinstance(node, ast.Call):
        return of_store(node, scope)
    callee = node.func
    if isinstance(callee, ast.Name) and callee.id in functions:
        deeper = replace(scope, depth=scope.depth + 1)  # it may call itself
        return of_body(functions[callee.id], deeper, returned=False) if deeper.depth < DEEPEST else ""
    if isinstance(callee, ast.Name) and callee.id in scope.given:
        return f"{CALLS_GIVEN} as `{callee.id}`"
    if isinstance(callee, ast.Attribute) and _root(callee) in scope.given:
        return f"changes what it is given as `{_root(callee)}`" if callee.attr in CHANGING else ""
    found = called(callee, scope, node)
    return found.partition(", which ")[2] or found


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
