"""Owns the secrets of a step: finding them in what it depends on, and sealing their digests in the cache key.

A digest of a secret could be guessed by trying, so records hold an HMAC under the user's key in its place.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, TypeAlias

from zennb.compat.instances import attributes_of, class_attributes, is_a
from zennb.core.secrets.names import sealed_digest
from zennb.core.secrets.values import holds_secret, secrets_in
from zennb.dependencies.callables import is_users_code
from zennb.digests.function_source import function_body
from zennb.engine.environment.execution_environment import sealed
from zennb.materializers.signer import Signer

if TYPE_CHECKING:
    from zennb.core.records.records import CacheKeyParts
    from zennb.engine.step.definition import StepDefinition

__all__ = ["SEALED", "Seal", "own_seal", "seal_parts", "secret_part"]

Seal: TypeAlias = Callable[[str, str], str]
"""What a value is, and its text → what stands for it in records: equal for equal texts, and revealing nothing."""

SEALED = "secret"
"""What the seal of a secret is of; environment variables are sealed under their own names."""


def own_seal(name: str, value: str) -> str:
    """Seal with the key of this user."""
    return sealed(Signer().seal, name, value)


def secret_part(definition: StepDefinition, seal: Seal = own_seal) -> dict[str, str]:
    """Return the entry of the cache key for the secrets that are written out in a step's code; none as a rule."""
    secrets = definition.secrets
    if not secrets.names:
        return {}
    return {f"secret {', '.join(secrets.names)}": seal(SEALED, secrets.content)}


def seal_parts(
    parts: CacheKeyParts,
    definition: StepDefinition,
    values: Mapping[str, Any],
    namespace: Mapping[str, Any],
    *,
    seal: Seal = own_seal,
) -> tuple[CacheKeyParts, tuple[str, ...]]:
    """Return the parts of a cache key with the digests of secrets sealed, and the secrets.

    Args:
        parts: as digested.
        definition: the step.
        values: input name → value, of inputs that are in memory. Those in the store hold no secrets.
        namespace: the notebook's variables.
        seal: seals a digest.
    """
    found: list[str] = list(definition.secrets.values)
    inputs, reached = dict(parts.inputs), {**parts.reached, **secret_part(definition, seal)}
    for name in parts.inputs.keys() & values.keys():
        if secrets := list(secrets_in(name, values[name])):
            found += secrets
            inputs[name] = sealed_digest(seal(SEALED, parts.inputs[name]))
    for key, digest in parts.reached.items():
        kind, _, path = key.partition(" ")
        if kind in {"function", "class", "constant"} and (
            secrets := list(_in_code(path, _at(path, namespace)))
        ):
            found += secrets
            reached[key] = sealed_digest(seal(SEALED, digest))
    if not found:
        return parts, ()
    return replace(parts, inputs=inputs, reached=reached), tuple(found)


def _at(path: str, namespace: Mapping[str, Any]) -> object:
    """Return what a dotted name of the notebook or of a loaded module stands for; None for nothing."""
    first, *rest = path.split(".")
    if first in namespace:
        return _inside(namespace[first], rest)
    names = path.split(".")
    for end in range(len(names) - 1, 0, -1):
        module = sys.modules.get(".".join(names[:end]))
        if module is not None:
            return _inside(module, names[end:])
    return None


def _inside(value: object, names: Collection[str]) -> object:
    for name in names:
        held = class_attributes(value) if is_a(value, type) else attributes_of(value)
        value = held.get(name)
    return value


def _in_code(path: str, value: object) -> Iterator[str]:
    """Yield the secrets that a function, class or constant holds."""
    # Only of code: other objects may do anything when they are asked.
    if is_a(value, classmethod | staticmethod | MethodType):
        value = value.__func__
    if is_a(value, FunctionType):
        value = vars(value).get("__wrapped__", value)
    if is_a(value, FunctionType):
        # An enumeration has functions of `enum`; to read the whole file of these would take a tenth of a second.
        yield from function_body(value.__code__).secrets if is_users_code(value) else ()
    elif is_a(value, type):
        for name, part in list(class_attributes(value).items()):
            if is_a(part, FunctionType | classmethod | staticmethod):
                yield from _in_code(name, part)
            elif not name.startswith("__") and holds_secret(name, part):
                yield from secrets_in(name, part)
    else:
        yield from secrets_in(path.rpartition(".")[2], value)
