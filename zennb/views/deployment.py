"""Owns the views of deployments: the list, and one with the commands that ask it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.views.links import LINKS, address, version_address
from zennb.views.markup import block, box
from zennb.views.table import Column, Table, card, values
from zennb.views.text import clean, clean_block, count, when
from zennb.views.view import View, join, note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zennb.core.records.models import Deployment

__all__ = ["asking", "deployment", "deployments"]

_NONE = "no deployments yet; serve a registered model with `model deploy NAME`"
_SYMBOLS = {"running": "✔", "dead": "✘", "stopped": "■", "not answering": "✘", "elsewhere": "◌"}


def _state(value: object) -> str:
    word = clean(value)
    return f"{_SYMBOLS.get(word, ' ')} {word}"


def deployments(found: Sequence[Deployment]) -> Table:
    """List deployments: what each serves, where, whether it is alive, and how much it was asked."""
    rows = [
        {
            **values(each, "name", "state", "url", "process", "requests", "started", "deployer"),
            "model": each.label,
            LINKS: {
                "model": version_address(each.artifact),
                "deployer": address("component", "model_deployer", each.deployer),
            },
        }
        for each in found
    ]
    columns = (
        Column.of("name", "name", "deployment"),
        Column(key="state", title="state", show=_state, markup=_state, tight=True),
        Column.of("names", "model"),
        Column.of("names", "url", "address", tight=True),
        Column(key="process", title="pid", show=lambda value: str(value) if value else "", right=True),
        Column.of("count", "requests"),
        Column.of("time", "started", minor=True),
        Column.of("names", "deployer", minor=True),
    )
    return Table(columns=columns, data=rows, empty=_NONE)


def asking(found: Deployment, *, path: str, has_token: bool) -> str:
    """Return the command line that asks a deployment; its token is looked up when it is typed, so nobody reads it."""
    quoted = (
        "'" + found.name.replace("'", "'\\''") + "'"
        if not found.name.replace("_", "a").isalnum()
        else found.name
    )
    token = f'-H "Authorization: Bearer $(zennb deployment token {quoted})" ' if has_token else ""
    return f"curl {found.url}{path} {token}-H 'Content-Type: application/json' -d '{{\"instances\": [[1, 2], [3, 4]]}}'"


def deployment(found: Deployment, *, command: str = "", sentence: str = "") -> View:
    """Show one deployment, and how to ask it.

    Args:
        found: the deployment.
        command: the command line that asks it; "" for none.
        sentence: what was done to it.
    """
    rows = [
        ("state", _state(found.state) + (f": {found.problem}" if found.problem else "")),
        ("model", f"{found.label} (artifact {found.artifact})"),
        ("address", found.url),
        ("listens on", f"{clean(found.host)}: other machines can reach it" if found.is_open else ""),
        ("pid", str(found.process) if found.process else ""),
        ("requests", count(found.requests)),
        ("started", when(found.started)),
        ("deployer", f"{found.deployer} ({found.flavor})"),
    ]
    parts = [note(sentence)] if sentence else []
    parts.append(card("deployment", found.name, rows))
    if command:
        parts.append(View(f"  {clean_block(command)}", box(block(clean_block(command)))))
    return join(parts, gap=0)
