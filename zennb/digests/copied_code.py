"""Owns what a function does to others than the object that it is called for, while that object is copied."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace
from types import FunctionType
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import bases_of, class_attribute, class_attributes, is_a, qualified_name
from zennb.digests.call_effects import (
    DEEPEST,
    LOCAL,
    MAKERS,
    CallScope,
    Method,
    behind,
    called,
    dotted,
    entered,
    nodes_run,
    of_method,
    value_of,
)
from zennb.digests.code_names import (
    VIEWS,
    Role,
    accessors,
    aliases_in,
    arguments_of,
    bound_by,
    constant_text,
    defaults_kept,
    imported_by,
    kept_places,
    last_name,
    parameters_of,
    runs,
)
from zennb.digests.immutable import is_immutable
from zennb.digests.known_effects import (
    CHANGING,
    FILLING,
    OUTWARD,
    SETTING,
    SHOWING,
    WRITING,
    logs_something,
    opens_to_write,
)
from zennb.packages.origin import module_of, origin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zennb.digests.function_source import Function

__all__ = ["CopiedCode", "code_of", "effects_of_code"]


def effects_of_code(function: FunctionType, role: Role, cls: type | None) -> str:
    """Return what a function does to others than the copy: "changes `LOG`"; "" for nothing.

    Args:
        function: a method, or a function that makes copies.
        role: what its first parameter is.
        cls: the class of the object.
    """
    try:
        return _followed(function, CallScope(namespace={}, local=frozenset(), body=_plain), role, cls)
    except Exception:  # noqa: BLE001 - a value of the user's may raise whatever it is asked
        return "uses a value that cannot be looked at"


def _plain(node: Function, scope: CallScope) -> str:
    """Return what a function does of whose arguments nothing is known."""
    return CopiedCode.of(node, scope).effects()


def _followed(
    function: FunctionType,
    scope: CallScope,
    role: Role,
    cls: type | None,
    fresh: frozenset[str] | None = None,
) -> str:
    code = code_of(function, scope, role, cls, fresh)
    return code if is_a(code, str) else code.effects()


def code_of(
    function: FunctionType,
    scope: CallScope,
    role: Role,
    cls: type | None,
    fresh: frozenset[str] | None = None,
) -> CopiedCode | str:
    """Return the body of a function; a text where it is not followed, as `entered`.

    Args:
        function: the function.
        scope: where it is called.
        role: what its first parameter is.
        cls: the class of the object.
        fresh: parameters that get what nobody else has; all of them where that is not known.
    """
    inside = entered(function, scope)
    if is_a(inside, str):
        return inside
    node, within = inside
    names = parameters_of(node)
    first = names[:1] if cls is not None else []
    holds = dict.fromkeys(first, cls) if role in {Role.LOOKED_AT, Role.NEW} else {}
    classes = dict.fromkeys(first, cls) if role is Role.MAKER else {}
    known = frozenset(names) - defaults_kept(function) if fresh is None else fresh
    if role in {Role.LOOKED_AT, Role.MAKER}:
        known -= frozenset(first)
    return CopiedCode.of(node, within, holds=holds, classes=classes, fresh=known, keeps=role is Role.MAKER)


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiedCode:
    """The body of a function.

    Attributes:
        nodes: what runs when it is called.
        scope: where it looks names up.
        holds: parameter → class that it is an instance of.
        classes: parameter → the class that it is.
        fresh: parameters that hold what nobody else has.
        keeps: whether it may keep what it makes, once for each key.
        aliases: local name → the part of something else that it was bound to.
        functions: functions that it defines.
        results: what it returns.
        callees: ids of the nodes that are called.
        callees: ids of the nodes that are called.
    """

    nodes: tuple[ast.AST, ...]
    scope: CallScope
    holds: Mapping[str, Any] = field(default_factory=dict)
    classes: Mapping[str, Any] = field(default_factory=dict)
    fresh: frozenset[str] = frozenset()
    keeps: bool = False
    aliases: Mapping[str, ast.expr] = field(default_factory=dict)
    functions: Mapping[str, Function] = field(default_factory=dict)
    results: tuple[ast.expr, ...] = ()
    callees: frozenset[int] = frozenset()

    @classmethod
    def of(cls, node: Function, scope: CallScope, **known: Any) -> CopiedCode:
        """Return the body of a function; `known` is what is known of its parameters."""
        body: list[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else list(node.body)
        nodes = tuple(nodes_run(body))
        functions = {
            each.name: each for each in nodes if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        results = (each.value for each in nodes if isinstance(each, ast.Return) and each.value is not None)
        given = [node.body] if isinstance(node, ast.Lambda) else [*results]
        outer = {name for each in nodes if isinstance(each, ast.Global) for name in each.names}
        namespace = {**scope.namespace, **imported_by(nodes)}
        bound = (bound_by(nodes) | functions.keys()) - outer
        scope = replace(
            scope, namespace=namespace, local=scope.local | bound, given=scope.given | {*parameters_of(node)}
        )
        known |= {"aliases": aliases_in(nodes, bound), "functions": functions, "results": tuple(given)}
        known["callees"] = frozenset(id(each.func) for each in nodes if isinstance(each, ast.Call))
        return cls(nodes=nodes, scope=scope, **known)

    def effects(self) -> str:
        """Return the first thing that it does to others; "" for nothing."""
        kept = kept_places(self.nodes) if self.keeps else frozenset()
        for node in self.nodes:
            if isinstance(node, ast.Call):
                found = self._of_call(node)
            elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Attribute):
                shared = self.shared(node.target)  # a list of the class is extended in place
                found = f"changes {shared}" if shared else ""
            elif isinstance(node, ast.Nonlocal):
                found = f"sets `{node.names[0]}`"
            elif isinstance(node, ast.Attribute | ast.Subscript | ast.Name) and id(node) not in kept:
                found = self._of_place(node)
            else:
                continue
            if found:
                return found
        return ""

    # What is set

    def _of_place(self, node: ast.Attribute | ast.Subscript | ast.Name) -> str:
        """Return what setting or reading an attribute, item or variable does."""
        if isinstance(node, ast.Name):
            is_outer = node.id not in self.scope.local | self.scope.given
            return f"sets `{node.id}`" if is_outer and not isinstance(node.ctx, ast.Load) else ""
        if not isinstance(node.ctx, ast.Load) and (shared := self.shared(node.value)):
            return f"changes {shared}"
        return self._of_attribute(node) if isinstance(node, ast.Attribute) else ""

    def _of_attribute(self, node: ast.Attribute) -> str:
        """Return what reading or setting an attribute does by methods of the user, or where its value is called."""
        is_given_on = node.attr in CHANGING and id(node) not in self.callees  # `add = LOG.append`
        if is_given_on and is_a(value_of(node, self.scope), Method) and (shared := self.shared(node.value)):
            return f"changes {shared}"
        if not isinstance(node.value, ast.Name) or self.scope.depth >= DEEPEST:
            return ""
        role = Role.NEW if node.value.id in self.fresh else Role.LOOKED_AT
        for method, cls in accessors(self.holds.get(node.value.id), node):
            if found := _followed(method, self.scope, role if cls else Role.OTHER, cls):
                return f"uses `{ast.unparse(node)}`, which {found}"
        return ""

    def shared(self, node: ast.expr) -> str:
        """Return whose state is changed where a part of this is set, if others than the copy see that."""
        root, path = self._path(node)
        if root == "globals()":
            return "global variables"
        if not root and (maker := self._maker(node)):
            return f"what `{maker}` returns"
        known: Any = self.holds.get(root) or self.classes.get(root)
        if root in self.classes or "__class__" in path:
            names = [each for each in path if each not in {"__class__", "[]", "__dict__"}]
            title = "the class" if known is None else qualified_name(known)
            return f"`{'.'.join([title, *names[:1]])}`"
        if root in self.holds and path and self._is_of_class(known, path[0], root):
            return f"`{qualified_name(known)}.{path[0]}`"
        if root in self.fresh or not root:
            return ""
        if root in self.holds:
            return "the object itself"
        if root in self.scope.given:
            return f"what it is given as `{root}`"
        return "" if root in self.scope.local else f"`{root}`"

    def _is_of_class(self, cls: Any, name: str, root: str) -> bool:
        """Whether all instances share the value of an attribute, and it can be changed."""
        found = None if cls is None else class_attribute(cls, name)
        if found is None or is_immutable(found) or class_attribute(type(found), "__get__") is not None:
            return False
        added = {id(each.target) for each in self.nodes if isinstance(each, ast.AugAssign)}
        return not any(  # unless it sets one of its own
            isinstance(each, ast.Attribute)
            and isinstance(each.ctx, ast.Store)
            and (each.attr, self._path(each.value)) == (name, (root, []))
            and id(each) not in added
            for each in self.nodes
        )

    def _path(self, node: ast.expr) -> tuple[str, list[str]]:
        """Return the name that an expression starts at, "" where it is what a call gave, and the way from there."""
        path: list[str] = []
        met: set[str] = set()
        while True:
            if isinstance(node, ast.Attribute):
                path.append(node.attr)
                node = node.value
            elif isinstance(node, ast.Subscript):
                path.append("[]")
                node = node.value
            elif isinstance(node, ast.NamedExpr):
                node = node.value
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in VIEWS:
                if not node.args:
                    return "globals()" if node.func.id == "globals" else "", []
                path.append(VIEWS[node.func.id])
                node = node.args[0]
            elif isinstance(node, ast.Name) and node.id in self.aliases and node.id not in met:
                met.add(node.id)
                node = self.aliases[node.id]
            else:
                break
        return node.id if isinstance(node, ast.Name) else "", path[::-1]

    def _maker(self, node: ast.expr) -> str:
        """Return the function of the user whose result a part of is meant, and which others may have, too."""
        while isinstance(node, ast.Attribute | ast.Subscript):
            node = node.value
        if isinstance(node, ast.Name) and node.id in self.aliases:
            return self._maker(self.aliases[node.id])
        function = value_of(node.func, self.scope) if isinstance(node, ast.Call) else None
        is_users = is_a(function, FunctionType) and origin(module_of(function)).is_users
        return ast.unparse(node) if is_users else ""

    # What is called

    def _of_call(self, call: ast.Call) -> str:
        callee = call.func
        if isinstance(callee, ast.Name):
            found = self._of_named(callee.id, call)
        else:
            found = self._of_method(callee, call) if isinstance(callee, ast.Attribute) else None
        if found is not None:
            return found
        if last_name(callee) in FILLING and call.args and (shared := self.shared(call.args[0])):
            return f"changes {shared}"
        value = behind(value_of(callee, self.scope))
        if is_a(value, FunctionType) and origin(module_of(value)).is_users:
            found = _followed(value, self.scope, Role.OTHER, None, self._fresh_in(value, call))
            return runs(callee, found)
        if is_a(value, type) and origin(module_of(value)).is_users:
            return runs(callee, self._of_made(value))
        if dotted(callee, value, self.scope).startswith(OUTWARD):
            return f"calls `{ast.unparse(callee)}`, which others can see"
        return called(callee, self.scope, call)

    def _of_named(self, name: str, call: ast.Call) -> str | None:
        """Return what calling a parameter, an own or a builtin function does; None where it is nothing of these."""
        if name in self.functions:
            return self._of_inner(self.functions[name])
        if name in self.classes:
            return self._of_made(self.classes[name])
        if name in self.scope.given or name in SHOWING:
            return ""  # the functions and classes that a recipe hands over are looked at by themselves
        if name == "setattr" and call.args:
            return self._of_place(ast.Attribute(call.args[0], constant_text(call.args[1:2]), ast.Store()))
        if name in {"delattr", "next"} and call.args:
            shared = self.shared(call.args[0])
            return f"changes {shared}" if shared else ""
        if name == "open":
            return "opens a file to write into it" if opens_to_write(call, call.args[1:2]) else ""
        return None

    def _of_inner(self, function: Function) -> str:
        """Return what a function does that is defined inside this one."""
        if self.scope.depth >= DEEPEST:
            return ""
        deeper = replace(self.scope, depth=self.scope.depth + 1)
        fresh = self.fresh | {*parameters_of(function)}
        return CopiedCode.of(function, deeper, holds=self.holds, classes=self.classes, fresh=fresh).effects()

    def _of_method(self, callee: ast.Attribute, call: ast.Call) -> str | None:
        """Return what a method call does to what it belongs to; None where that is not known here."""
        root, path = self._path(callee.value)
        cls: Any = self.holds.get(root) or self.classes.get(root)
        if cls is not None and path in ([], ["__class__"]):
            own = self._of_own(callee.attr, root, cls)
            if own is not None:
                return own
        # `object.__setattr__(self, ...)`, `list.append(REGISTRY, ...)`
        is_unbound = bool(call.args) and is_a(value_of(callee.value, self.scope), type)
        shared = self.shared(call.args[0] if is_unbound else callee.value)
        if callee.attr in CHANGING | SETTING:
            is_kept = self.keeps and callee.attr == "setdefault"
            return f"changes {shared}" if shared and not is_kept else ""
        if callee.attr in WRITING or (callee.attr == "open" and opens_to_write(call, call.args)):
            return f"calls `{ast.unparse(callee)}`, which writes a file"
        value = value_of(callee, self.scope)
        if is_a(value, Method) and logs_something(value.owner, value.name):
            return f"calls `{ast.unparse(callee)}`, which logs something"
        names = [each for each in path if each != "__class__"]
        is_classes = root in self.classes or "__class__" in path
        if names and cls is not None and (is_classes or self._is_of_class(cls, names[0], root)):
            held = class_attribute(cls, names[0])
            is_code = held is None or is_a(held, FunctionType | type)
            return "" if is_code else of_method(Method(held, names[0], callee.attr), callee, self.scope)
        if root not in self.scope.given and value is not LOCAL:
            return None
        return self._of_any(callee, Role.LOOKED_AT if shared else Role.NEW)

    def _of_any(self, callee: ast.Attribute, role: Role) -> str:
        """Return what a call may do where nobody knows the object: what the methods of that name do."""
        for cls in [each for each in self.scope.namespace.values() if is_a(each, type)]:
            method = class_attribute(cls, callee.attr) if origin(module_of(cls)).is_users else None
            if is_a(method, FunctionType) and (found := _followed(method, self.scope, role, cls)):
                return runs(callee, found)
        return ""

    def _of_own(self, name: str, root: str, cls: Any) -> str | None:
        """Return what a method of the object, or of its class, does; None where the user has not written it."""
        held = class_attribute(cls, name)
        function = getattr(held, "__func__", held) if is_a(held, staticmethod | classmethod) else held
        if not is_a(function, FunctionType) or not origin(module_of(function)).is_users:
            return None
        if self.scope.depth >= DEEPEST:
            return ""
        role = Role.NEW if root in self.fresh else Role.LOOKED_AT
        if is_a(held, classmethod):
            role = Role.MAKER
        elif is_a(held, staticmethod) or root in self.classes:
            role = Role.OTHER
        found = _followed(function, self.scope, role, cls)
        return f"calls `{root}.{name}`, which {found}" if found else ""

    def _of_made(self, cls: type) -> str:
        """Return what making an instance of a class of the user does."""
        for base in bases_of(cls):
            for name in MAKERS:
                method = class_attributes(base).get(name)
                function = getattr(method, "__func__", method)
                if is_a(function, FunctionType):
                    role = Role.MAKER if name == "__new__" else Role.NEW
                    if found := _followed(function, self.scope, role, cls):
                        return found
        return ""

    def _fresh_in(self, function: FunctionType, call: ast.Call) -> frozenset[str]:
        """Return the parameters of a function that get what nobody else has."""
        given = arguments_of(function.__code__.co_varnames, call)
        return frozenset(name for name, value in given.items() if not self.shared(value))
