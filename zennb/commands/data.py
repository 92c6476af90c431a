"""Owns the conversion of records to plain JSON values, for `--json`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import StrEnum
from typing import Any

from zennb.core.records.records import Artifact, ComponentSpec, StackSpec, Step
from zennb.views.configuration import masked

__all__ = ["artifact_data", "component_data", "plain", "stack_data", "step_brief", "step_data"]

BRIEF = ("id", "run", "name", "notebook", "status", "reason", "started", "seconds")
"""Fields of a step that name it and say how it ended."""


def plain(value: Any) -> Any:
    """Return a record, or a collection of records, as dicts, lists and scalars.

    Components keep their own form (`component_data`), which masks secrets.
    """
    if isinstance(value, ComponentSpec):
        return component_data(value)
    if isinstance(value, StackSpec):
        return stack_data(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, str | int | float | bool | None):
        return value
    if isinstance(value, Iterable):
        return [plain(item) for item in value]
    return str(value)


def component_data(spec: ComponentSpec, **more: Any) -> dict[str, Any]:
    """Return a component: type, name, flavor and configuration, with anything secret masked."""
    config = {option: masked(option, text) for option, text in spec.config.items()}
    return {"type": spec.type, "name": spec.name, "flavor": spec.flavor, "config": config, **more}


def stack_data(spec: StackSpec, **more: Any) -> dict[str, Any]:
    """Return a stack: its name, and its components by type."""
    parts = {kind: component_data(part) for kind, part in spec.components.items()}
    return {"name": spec.name, "components": parts, **more}


def artifact_data(artifact: Artifact, **more: Any) -> dict[str, Any]:
    """Return an artifact with everything recorded about it, its summary included."""
    return {**plain(artifact), **more}


def step_brief(step: Step) -> dict[str, Any]:
    """Return a step's name, place and outcome; its artifacts by name and version only."""
    return {
        **{name: plain(getattr(step, name)) for name in BRIEF},
        "inputs": {name: _named(each) for name, each in step.inputs.items()},
        "outputs": {name: _named(each) for name, each in step.outputs.items()},
    }


def _named(artifact: Artifact) -> dict[str, Any]:
    return {"name": artifact.name, "version": artifact.version}


def step_data(step: Step) -> dict[str, Any]:
    """Return a step; its artifacts by name, version and digest only.

    The provenance of its inputs is left out: it is long, and only the plan of a notebook file reads it. So is its
    signature.
    """
    found: dict[str, Any] = plain(replace(step, provenance={}, seal=None))
    del found["provenance"], found["seal"]
    for side, artifacts in (("inputs", step.inputs), ("outputs", step.outputs)):
        found[side] = {name: {**_named(each), "digest": each.digest} for name, each in artifacts.items()}
    return found
