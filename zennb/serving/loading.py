"""Owns loading the model of a deployment in a process of its own, as `zennb.load` would in the notebook."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from zennb.engine.remote.namespace_pickling import unpack
from zennb.errors import MissingArtifact
from zennb.handles.stored_values import load_value
from zennb.lifecycle.payload import unpack_payload
from zennb.materializers.signer import Signer
from zennb.registry.workspace import Workspace

__all__ = ["load_model"]


def load_model(content: bytes) -> Any:
    """Return the model of a payload.

    Raises:
        UntrustedArtifact: this user has not sealed the payload, or loading the artifact could run code of others.
        MissingArtifact, DamagedArtifact, MissingDefinition: as `zennb.load`.
    """
    payload = unpack_payload(content, Signer())
    sys.path.extend(each for each in payload.path if each not in sys.path)
    # A notebook's names, apart from those of the program that serves it.
    sys.modules["__main__"] = notebook = ModuleType("__main__")
    scope = vars(notebook)
    if payload.definitions:
        unpack(payload.definitions, scope)
    workspace = Workspace(Path(payload.home), stack=payload.stack)
    try:
        artifact = workspace.metadata.artifact(payload.artifact, payload.version)
        if artifact is None or artifact.digest != payload.digest:
            raise MissingArtifact(
                f"{payload.artifact} v{payload.version} is not on record in {payload.home} any more.",
                digest=payload.digest,
            )
        return load_value(workspace, artifact, scope)
    finally:
        workspace.close()
