"""Owns the validation of components and stacks: configurations, their normal form, and whether components fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb import plugins
from zennb.core.records.component_types import REQUIRED_TYPES, component_type
from zennb.core.records.records import ComponentSpec
from zennb.core.secrets.names import is_secret
from zennb.core.secrets.texts import has_token
from zennb.errors import InvalidConfiguration, UnfitStack, UsageError, ZennbError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from zennb.components.component import Component
    from zennb.core.records.records import StackSpec

__all__ = ["check_reach", "check_stack", "differences", "made", "normal", "why_unfit"]


def made(spec: ComponentSpec) -> Component:
    """Return the component of `spec`; nothing is opened.

    Raises:
        UnknownName: there is no such flavor.
        MissingExtra: its library is not installed.
        InvalidConfiguration: an option or its value is wrong.
    """
    component: Component = plugins.load(spec.type, spec.flavor).from_config(spec.name, spec.config)
    return component


def normal(spec: ComponentSpec) -> ComponentSpec:
    """Return `spec` as it is recorded: validated, without options that equal the default.

    Raises:
        InvalidConfiguration: as `made`; or an option that is no reference holds a secret, which would be recorded.
        UnknownName, MissingExtra: as `made`.
    """
    component = made(spec)
    config = dict(sorted(component.config_text().items()))
    options = component.options()
    for name, text in config.items():
        if not options[name].secret and (is_secret(name, text) or has_token(text)):
            raise InvalidConfiguration(
                f"The option `{name}` of the flavor '{spec.flavor}' would hold a secret, and options are recorded as "
                "they are typed. Leave it out and set an environment variable that the library reads, or use a flavor "
                "that declares the option as a SecretRef.",
                option=name,
            )
    return ComponentSpec(type=spec.type, name=spec.name, flavor=spec.flavor, config=config)


def differences(before: ComponentSpec, after: ComponentSpec) -> list[str]:
    """Return what differs, option by option: `workers: 4 → 8`; an option that is not set shows as `default`."""
    found = [] if before.flavor == after.flavor else [f"flavor: {before.flavor} → {after.flavor}"]
    for option in sorted({*before.config, *after.config}):
        old, new = (spec.config.get(option, "default") for spec in (before, after))
        if old != new:
            found.append(f"{option}: {old} → {new}")
    return found


def check_stack(stack: StackSpec) -> None:
    """Refuse a stack without a required component, or whose steps could not reach their artifacts.

    Raises:
        UsageError: it has no orchestrator or no artifact store.
        UnfitStack: its orchestrator or its step operator runs steps where its artifact store cannot be reached.
        UnknownName, MissingExtra, InvalidConfiguration: as `made`, of either part.
    """
    missing = [kind for kind in REQUIRED_TYPES if kind not in stack.components]
    if missing:
        raise UsageError(_incomplete(stack.name, missing))
    store = made(stack.artifact_store)
    for kind in ("orchestrator", "step_operator"):
        if kind in stack.components:
            check_reach(stack, made(stack.components[kind]), store, whose=f"its {component_type(kind).title}")


def check_reach(stack: StackSpec, runner: Component, store: Component, *, whose: str) -> None:
    """Refuse to run steps of a stack where its artifact store cannot be reached.

    Args:
        stack: the stack.
        runner: what would run the steps.
        store: the artifact store of the stack.
        whose: what `runner` is to the stack: `its orchestrator`.

    Raises:
        UnfitStack: its workers cannot reach the store.
    """
    if store.visibility < runner.visibility:
        raise UnfitStack(
            f"stack '{stack.name}' does not fit: {whose} '{runner.name}' runs steps "
            f"{runner.visibility.words}, but its artifact store '{store.name}' can be reached only "
            f"{store.visibility.words}; choose another artifact store with `-a`, see `%artifact-store list`."
        )


def why_unfit(stack: StackSpec) -> str:
    """Return why a stack cannot be used, as a sentence; "" when it can."""
    try:
        check_stack(stack)
    except ZennbError as error:
        return error.message
    return ""


def _incomplete(stack: str, missing: Iterable[str]) -> str:
    types = [component_type(kind) for kind in missing]
    named = " and ".join(("an " if kind.title[0] in "aeiou" else "a ") + kind.title for kind in types)
    options = " and ".join(f"`{'-o' if kind.name == 'orchestrator' else '-a'} NAME`" for kind in types)
    lists = " and ".join(f"`%{kind.command} list`" for kind in types)
    return f"stack '{stack}' needs {named}; add {options} (see {lists}), e.g. with the name default."
