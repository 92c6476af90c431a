"""Owns the way from a prepared step to a call that can be performed away from the notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zennb.engine.perform import Call
from zennb.engine.transplant import pack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zennb.core.records import Artifact
    from zennb.engine.prepare import Prepared

__all__ = ["call_of"]


def call_of(prepared: Prepared, inputs: Mapping[str, Artifact], namespace: Mapping[str, Any]) -> Call:
    """Return a step as something that can be performed away from the notebook."""
    values = {name: value for name, value in prepared.values.items() if name not in inputs}
    needed = {need.split(".")[0] for artifact in inputs.values() for need in artifact.needs}
    code, names = b"", {name: namespace[name] for name in needed if name in namespace}
    names.update(prepared.reach.definitions)
    if names:
        try:
            code, names = pack(names, namespace=namespace, data=prepared.reach.data), {}
        except Exception:  # noqa: BLE001 - what cannot be copied is used as it is
            code = b""
    return Call(
        definition=prepared.definition,
        inputs=inputs,
        values=values,
        code=code,
        names=names,
        writes=prepared.reach.writes,
        uses=prepared.uses,
    )
