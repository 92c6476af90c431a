"""Owns the table of the components of one optional type, as the pages about such components begin."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from zennb.core.records.component_types import component_type
from zennb.views.component import components

if TYPE_CHECKING:
    from zennb.registry.workspace import Workspace
    from zennb.views.table import Table

__all__ = ["components_of"]


def components_of(workspace: Workspace, kind: str) -> Table:
    """Return the registered components of a type; without any, `local` is used, which needs nothing."""
    found = workspace.registry.components(kind)
    title = component_type(kind).title
    table = components(found, active=list(workspace.snapshot().components.values()))
    empty = f"no {title} is registered: the flavor local is used, which needs nothing"
    return replace(table, title=f"{title}s", empty=empty)
