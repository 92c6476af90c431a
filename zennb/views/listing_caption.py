"""Owns the caption of a page of a listing: its filters, and which part of the total it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.views.text import clean, count, when
from zennb.views.view import View, note

if TYPE_CHECKING:
    from typing import Any

    from zennb.core.records.pages import ArtifactFilter, Page, RunFilter

__all__ = ["artifacts_caption", "runs_caption"]


def runs_caption(which: RunFilter, page: Page[Any], *, before: int = 0, since: str = "") -> View:
    """Describe which runs a page shows: `failed runs on stack 'default', in the last 24 hours: 26–50 of 312`.

    Args:
        which: the filters.
        page: the page.
        before: how many newer ones are on the pages before it.
        since: the time filter in words; by default its start.
    """
    parts = [f"{which.status.value} runs" if which.status is not None else "runs"]
    if which.kind is not None:
        parts.append(f"of kind {clean(which.kind)}")
    if which.stack is not None:
        parts.append(f"on stack '{clean(which.stack)}'")
    if which.notebook is not None:
        parts.append(f"of '{clean(which.notebook)}'")
    if which.tag is not None:
        parts.append(f"tagged '{clean(which.tag)}'")
    if which.where:
        parts.append(f"where {' and '.join(clean(each.text) for each in which.where)}")
    parts += [f"with step '{clean(which.step)}'"] if which.step is not None else []
    parts += [f"that logged '{clean(which.metric)}'"] if which.metric is not None else []
    phrase = " ".join(parts)
    if which.since is not None:
        phrase += f", {clean(since) or f'since {when(which.since)}'}"
    if which.until is not None:
        phrase += f", before {when(which.until)}"
    return _caption(phrase, page, before)


def artifacts_caption(which: ArtifactFilter, page: Page[Any], *, before: int = 0) -> View:
    """Describe which artifacts a page shows: `captured artifacts whose name has 'rate': 1–25 of 40`.

    Args:
        which: the filters.
        page: the page.
        before: how many newer ones are on the pages before it.
    """
    kind = {
        "output": "artifacts put out by steps",
        "captured": "captured artifacts",
        "parameter": "parameters",
    }
    parts = [kind.get(which.kind or "", "artifacts")]
    if which.text:
        parts.append(f"whose name has '{clean(which.text)}'")
    if which.notebook is not None:
        parts.append(f"of '{clean(which.notebook)}'")
    if which.tag is not None:
        parts.append(f"tagged '{clean(which.tag)}'")
    return _caption(" ".join(parts), page, before)


def _caption(what: str, page: Page[Any], before: int) -> View:
    shown = len(page.items)
    if not page.total:
        part = "none"
    elif shown == page.total:
        part = "one" if shown == 1 else f"all {count(shown)}"
    else:
        part = f"{count(before + 1)}–{count(before + shown)} of {count(page.total)}"
    return note(f"{what}: {part}")
