"""Owns which directory a local artifact store keeps its artifacts in, when it was not given one."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

from zennb.registry.names import DEFAULT

if TYPE_CHECKING:
    from pathlib import Path

    from zennb.core.records.records import ComponentSpec

__all__ = ["located", "place"]


def place(spec: ComponentSpec, home: Path) -> str:
    """Return the directory of a local artifact store; "" for any other component.

    The store of the stack `default` lives in `artifacts/` of the home, each other one in a directory whose
    name is a digest: what users call things never becomes a path.
    """
    if (spec.type, spec.flavor) != ("artifact_store", "local"):
        return ""
    if spec.config.get("path"):
        return spec.config["path"]
    if spec.name == DEFAULT:
        return str(home / "artifacts")
    return str(home / "stores" / sha256(spec.name.encode("utf-8", "surrogatepass")).hexdigest()[:12])


def located(spec: ComponentSpec, home: Path) -> ComponentSpec:
    """Return `spec` with its directory among its options, ready to be opened."""
    directory = place(spec, home)
    return replace(spec, config={**spec.config, "path": directory}) if directory else spec
