"""Owns the views of messages to services: what was delivered lately, and what is waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zennb.views.links import LINKS, address
from zennb.views.table import Column, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["delivered", "waiting"]


def delivered(found: Sequence[Any]) -> Table:
    """List what was delivered: objects with `type`, `component`, `what` and `sent`."""
    rows = [
        {"component": each.component, "what": each.what, "sent": each.sent, LINKS: _links(each)}
        for each in found
    ]
    columns = (
        Column.of("name", "component", "to"),
        Column.of("prose", "what", "message"),
        Column.of("time", "sent", "delivered"),
    )
    return Table(columns=columns, data=rows, title="delivered lately", empty="nothing was delivered yet")


def waiting(found: Sequence[Any]) -> Table:
    """List what is waiting: objects with `type`, `component`, `payload`, `created`, `attempts` and `problem`."""
    rows = [
        {
            "component": each.component,
            "what": each.payload.get("title") or each.payload.get("step", ""),
            "created": each.created,
            "attempts": each.attempts,
            "problem": each.problem,
            LINKS: _links(each),
        }
        for each in found
    ]
    columns = (
        Column.of("name", "component", "to"),
        Column.of("prose", "what", "message", most=60),
        Column.of("time", "created", "since"),
        Column.of("count", "attempts"),
        Column.of("prose", "problem"),
    )
    return Table(columns=columns, data=rows, title="waiting", empty="nothing is waiting")


def _links(message: Any) -> dict[str, str]:
    return {"component": address("component", message.type, message.component)}
