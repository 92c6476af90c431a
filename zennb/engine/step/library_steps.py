"""Owns what a cell called for its effect on libraries: as records for later steps, and what reuse executes again."""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import is_a
from zennb.compat.python import environment_data
from zennb.core.reading.definition_checks import cleared_cache
from zennb.core.reading.definitions import definitions, flattened
from zennb.core.reading.literals import NOT_WRITTEN_OUT, is_immutable_literal, written_out
from zennb.core.reading.source import analyse, normal_digest
from zennb.core.reading.tree import nodes_in
from zennb.core.secrets.literals import split_secrets
from zennb.core.secrets.values import holds_secret
from zennb.dependencies.definition_effects import effects_of_evaluation
from zennb.dependencies.dependencies import resolve_dependencies
from zennb.dependencies.known_calls import concerned
from zennb.dependencies.library_calls import LibraryCall
from zennb.dependencies.library_effects import LibraryEffect, library_effects
from zennb.dependencies.statement_parts import slot_of
from zennb.digests.digest import digest_value
from zennb.digests.stream import text_digest
from zennb.engine.step.sealed_parts import own_seal
from zennb.errors import CannotDigest
from zennb.packages.origin import top_level

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from zennb.dependencies.library_objects import Aliases

__all__ = ["SETS_UP_LOGGING", "CellCalls", "calls_of_cell", "calls_of_step", "code_again", "statements_again"]

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)

SETS_UP_LOGGING = "it sets up logging"
"""What is said of handlers, which would write to a stream that is gone if reuse set them up again."""

_READS = {"time.tzset": b"TZ"}
"""Call → the environment variable that it reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellCalls:
    """What a step called for its effect on libraries.

    Attributes:
        calls: in order.
        trouble: why reuse cannot execute all of them again; "" when it can.
    """

    calls: tuple[LibraryCall, ...] = ()
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """A step that has run, with the arguments of `calls_of_step`."""

    tree: ast.Module
    namespace: Mapping[str, Any]
    defines: Collection[str]
    changed: Collection[str]


def calls_of_cell(
    tree: ast.Module,
    namespace: Mapping[str, Any],
    *,
    aliases: Aliases,
    shows: bool,
    seal: Callable[[str, str], str] = own_seal,
    origin_of: Callable[[str], str] = lambda _name: "",
) -> list[LibraryCall]:
    """Return what a plain cell that has run called for its effect on libraries.

    Args:
        tree: the cell.
        namespace: the notebook's variables.
        aliases: see `library_effects`.
        shows: see `library_effects`.
        seal: what stands for a secret in records.
        origin_of: what is known of a variable whose value has no digest.
    """
    found = library_effects(tree, namespace, aliases=aliases, shows=shows)
    return [_call(each, namespace, seal, origin_of) for each in found]


def calls_of_step(
    tree: ast.Module,
    namespace: Mapping[str, Any],
    *,
    defines: Collection[str],
    changed: Collection[str],
    shows: bool,
    seal: Callable[[str, str], str] = own_seal,
) -> CellCalls:
    """Return what a step that has run called for its effect on libraries.

    Args:
        tree: its code.
        namespace: where it ran.
        defines: imports, functions and classes that it binds.
        changed: its outputs.
        shows: see `library_effects`.
        seal: what stands for a secret in records.
    """
    effects = list(library_effects(tree, namespace, aliases={}, shows=shows))
    if not effects:
        return CellCalls()
    step = _Step(tree=tree, namespace=namespace, defines=defines, changed=changed)
    logs = any(effect.name.startswith("logging.") and not effect.is_set for effect in effects)
    found = ((effect, _trouble(effect, step)) for effect in effects)
    found_trouble = next((f"it {_verb(effect)} `{effect.name}`, {why}" for effect, why in found if why), "")
    trouble = SETS_UP_LOGGING if logs else found_trouble
    calls = [_call(each, namespace, seal, lambda _name: "", again=not trouble) for each in effects]
    return CellCalls(calls=tuple(calls), trouble=trouble)


def _verb(effect: LibraryEffect) -> str:
    return "sets" if effect.is_set else "calls"


def statements_again(tree: ast.Module, calls: Iterable[LibraryCall]) -> list[ast.stmt]:
    """Return the statements of a cell that reuse executes again for calls of its record; definitions are, anyway.

    And those that clear a cache: what is called later would fill it with other results, or find old ones.
    """
    statements = list(flattened(tree.body))
    places = {call.place for call in calls if 0 <= call.place < len(statements)}
    return [
        each for place, each in enumerate(statements) if place in places or cleared_cache(each) is not None
    ]


def _call(
    effect: LibraryEffect,
    namespace: Mapping[str, Any],
    seal: Callable[[str, str], str],
    origin_of: Callable[[str], str],
    *,
    again: bool = False,
) -> LibraryCall:
    shown, secrets = split_secrets([effect.statement])
    analysis = analyse(ast.Module(body=[effect.statement], type_ignores=[]))
    reached = resolve_dependencies(analysis, namespace)
    parts = [effect.name, normal_digest(shown), secrets.content]
    parts += [
        f"{name} {digest}" for name, digest in reached.digests.items() if not name.startswith("module ")
    ]
    is_secret = bool(secrets.content)
    for name, value in reached.data.items():
        is_secret = is_secret or holds_secret(name, value)
        parts.append(f"{name} {_content(name, value, origin_of)}")
    if effect.name in _READS:
        parts.append(str(environment_data().get(_READS[effect.name])))
    digest = text_digest(parts)
    slot = "" if effect.is_inner else slot_of(effect.node)
    package = top_level(effect.name)
    return LibraryCall(
        packages=concerned(package, effect.name, frozenset(n for n in list(sys.modules) if "." not in n)),
        name=effect.name.replace(" ", ""),
        digest=seal("secret", digest) if is_secret else digest,
        slot=text_digest([effect.name, slot])[:16] if slot else "",
        place=effect.place if again else -1,
        classes=frozenset(n for n, value in reached.definitions.items() if is_a(value, type)),
        source="" if is_secret or effect.is_inner else _source(effect),
    )


def _source(effect: LibraryEffect) -> str:
    """Return code that makes the same call in another process; "" where not all of it is written out."""
    node = effect.node
    if not isinstance(node, ast.Call) or not all(part.isidentifier() for part in effect.name.split(".")):
        return ""
    given = [*node.args, *(each.value for each in node.keywords)]
    if any(written_out(each) is NOT_WRITTEN_OUT for each in given) or isinstance(
        effect.statement, _DEFINITIONS
    ):
        return ""
    return ast.unparse(ast.Call(ast.Name(effect.name, ast.Load()), node.args, node.keywords))


def _content(name: str, value: Any, origin_of: Callable[[str], str]) -> str:
    try:
        return digest_value(value, name=name).digest
    except CannotDigest:
        return f"{type(value).__qualname__} {origin_of(name)}"


# What can be executed again


def _trouble(effect: LibraryEffect, step: _Step) -> str:
    """Return why a statement cannot be executed again on reuse; "" when it can."""
    statement = effect.statement
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return "" if statement.name in step.defines else "which reuse does not repeat"
    if effect.is_inner:
        return "in a function, a loop or under a condition, where reuse cannot repeat it"
    is_plain = not any(
        isinstance(each, ast.Await | ast.NamedExpr | ast.Starred) for each in nodes_in(statement)
    )
    if effect.is_set or not is_plain or not isinstance(effect.node, ast.Call):
        return "which reuse does not repeat"
    return _trouble_of_arguments(effect.node, statement, step)


def _trouble_of_arguments(call: ast.Call, statement: ast.stmt, step: _Step) -> str:
    binds = analyse(step.tree).binds
    for name in analyse(ast.Module(body=[statement], type_ignores=[])).reads:
        if name in step.defines:
            continue
        if name in binds and (name.startswith("_") or not _is_constant(name, step.tree)):
            return f"whose argument `{name}` is computed in the step"
        if name not in binds and name in step.changed:
            return f"whose argument `{name}` the step changes"
    given = [*call.args, *(each.value for each in call.keywords)]
    try:
        found = effects_of_evaluation(given, step.namespace)
    except Exception:  # noqa: BLE001 - a value of the user's may raise whatever it is asked
        found = "cannot be looked at"
    return f"whose argument {found}" if found else ""


def _is_constant(name: str, tree: ast.Module) -> bool:
    """Whether the only statement of a cell that binds a name gives it a value that is written out."""
    binders = [
        node
        for node in flattened(tree.body)
        if name in analyse(ast.Module(body=[node], type_ignores=[])).binds
    ]
    return len(binders) == 1 and isinstance(binders[0], ast.Assign) and is_immutable_literal(binders[0].value)


def _as_executed(statement: ast.stmt) -> ast.stmt:
    """Return a statement to be executed again; what it binds is restored from the store."""
    if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call):
        return ast.copy_location(ast.Expr(value=statement.value), statement)
    return statement


def code_again(tree: ast.Module, defines: Collection[str], also: Iterable[ast.stmt]) -> list[ast.stmt]:
    """Return the statements of a cell that reuse executes: its definitions, and others; none if that cannot be done."""
    others = set(also)
    found = definitions(tree, defines, also=others) or []
    return [_as_executed(each) if each in others else each for each in found]
