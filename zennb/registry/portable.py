"""Owns exported stacks: JSON text that contains references instead of secrets."""

from __future__ import annotations

import json
from typing import Any

from zennb.bounded_input import parse_json
from zennb.core.records.component_types import component_type
from zennb.core.records.records import ComponentSpec, StackSpec
from zennb.errors import UsageError

__all__ = ["FORMAT", "read_stack", "write_stack"]

FORMAT = 1


def write_stack(spec: StackSpec) -> str:
    """Return JSON text of a stack and its components."""
    components = {
        kind: {"name": part.name, "flavor": part.flavor, "config": dict(part.config)}
        for kind, part in spec.components.items()
    }
    content = {"zennb_stack": FORMAT, "name": spec.name, "components": components}
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def read_stack(text: str) -> StackSpec:
    """Return the stack that `write_stack` wrote; only its form is checked.

    Raises:
        UsageError: the text is something else, or of a newer format.
        UnknownName: it names a component type that does not exist.
    """
    try:
        content = parse_json(text)
    except ValueError as error:
        raise UsageError(_foreign(f"it is not JSON ({error})")) from error
    found = content.get("zennb_stack") if isinstance(content, dict) else None
    if not isinstance(found, int):
        raise UsageError(_foreign("it has no `zennb_stack`"))
    if found > FORMAT:
        raise UsageError(
            f"the stack was exported by a newer zennb (format {found}, this one reads up to {FORMAT}); "
            "run `pip install --upgrade zennb`."
        )
    components = _field(content, "components", dict)
    parts = {component_type(kind).name: _component(kind, part) for kind, part in components.items()}
    return StackSpec(name=_field(content, "name", str), components=parts)


def _component(kind: str, part: Any) -> ComponentSpec:
    if not isinstance(part, dict):
        raise UsageError(_foreign(f"its `{kind}` is not an object"))
    config = part.get("config", {})
    if not isinstance(config, dict) or not all(isinstance(text, str) for text in config.values()):
        raise UsageError(_foreign(f"the `config` of its `{kind}` does not map options to text"))
    return ComponentSpec(
        type=component_type(kind).name,
        name=_field(part, "name", str),
        flavor=_field(part, "flavor", str),
        config=config,
    )


def _field(content: dict[str, Any], name: str, kind: type) -> Any:
    if not isinstance(content.get(name), kind):
        raise UsageError(_foreign(f"its `{name}` is missing or of the wrong kind"))
    return content[name]


def _foreign(why: str) -> str:
    return f"this is not an exported stack: {why}; make one with `%stack export NAME FILE`."
