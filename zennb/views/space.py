"""Owns the views of space: what takes it, and what a prune deletes or has deleted."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from zennb.views.links import LINKS, address, version_address
from zennb.views.markup import box, prose
from zennb.views.table import Column, Table, values
from zennb.views.text import clean, count, duration, plural, size
from zennb.views.view import View, join, note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zennb.core.records.space import Pruned, PrunedBlob, StoreUsage, Usage, UsageGroup, UsageItem

__all__ = ["groups", "items", "pruned", "pruned_blobs", "store_line", "usage"]

MOST = 10
"""Rows of each table."""

BAR = 12
"""Characters of a bar."""

BLUE = "rgba(76,134,216,.75)"
GREY = "rgba(128,128,128,.22)"


def usage(found: Usage, *, most: int = MOST) -> View:
    """Show what takes space, and what reuse saved; at most so many rows in each list."""
    return join(
        [
            _sentences([*map(store_line, found.stores), _saved_line(found)]),
            groups("by notebook", "notebook", found.notebooks, found.size, most=most),
            groups("by step", "step", found.steps, found.size, most=most),
            groups("by stack", "stack", found.stacks, found.size, most=most),
            items("largest", found.largest),
            items("longest unused", found.oldest),
            note(
                "Bytes that several notebooks, steps or stacks share count for each. `old`: bytes that only "
                "superseded versions use."
            ),
        ]
    )


def store_line(store: StoreUsage) -> str:
    """Describe one store: `artifact store 'default': 1.6 GB in 43 blobs; 1.5 GB only in old versions`."""
    parts = [f"artifact store '{clean(store.store)}': {size(store.size)} in {plural(store.blobs, 'blob')}"]
    if store.limit:
        parts[0] += f", {store.size / store.limit:.0%} of its limit of {size(store.limit)}"
    if store.old:
        parts.append(f"{size(store.old)} only in old versions")
    if store.unreferenced:
        parts.append(f"{size(store.unreferenced)} that no record names")
    return "; ".join(parts)


def _saved_line(found: Usage) -> str:
    if not found.reused:
        return "reuse has saved nothing so far"
    return f"reuse has saved {duration(found.saved)} so far ({plural(found.reused, 'reused step')})"


def groups(title: str, noun: str, found: Sequence[UsageGroup], total: int, *, most: int = MOST) -> Table:
    """List the bytes of notebooks, steps or stacks, with a bar for each one's part of `total`."""
    columns = [
        Column.of("name", "name", noun),
        Column.of("names", "notebook", most=24, minor=True),
        _share(total),
        Column.of("size", "size"),
        Column.of("size", "old", show=_some(size), markup=_some(size)),
        Column.of("seconds", "saved", "saved by reuse", show=_some(duration), markup=_some(duration)),
        Column.of("count", "reused", show=_some(count), markup=_some(count), minor=True),
    ]
    rows = [
        {
            **values(each, "notebook", "size", "old", "saved", "reused"),
            "name": each.name or f"(no {noun})",
            "share": each.size,
            LINKS: {
                "name": _group_address(noun, each),
                "notebook": address("notebook", each.notebook),
            },
        }
        for each in found[:most]
    ]
    more = f" ({most} of {count(len(found))})" if len(found) > most else ""
    return Table(columns=columns, data=rows, title=f"{title}{more}", empty="nothing is stored yet")


def items(title: str, found: Sequence[UsageItem]) -> Table:
    """List blobs."""
    columns = [
        Column.of("name", "name", "stored"),
        Column.of("names", "step", most=24),
        Column.of("names", "notebook", most=24, minor=True),
        _share(max((each.size for each in found), default=0)),
        Column.of("size", "size"),
        Column.of("time", "used", "last used"),
        Column.of("names", "state"),
    ]
    rows = [
        {
            **values(each, "name", "step", "notebook", "size", "used"),
            "share": each.size,
            "state": ", ".join([*(["pinned"] if each.is_pinned else []), *(["old"] if each.is_old else [])]),
            LINKS: {
                "name": version_address(each.first),
                "step": _runs_of(each.step, each.notebook),
                "notebook": address("notebook", each.notebook),
            },
        }
        for each in found
    ]
    return Table(columns=columns, data=rows, title=title, empty="nothing is stored yet")


def pruned(found: Pruned, *, again: str) -> View:
    """Show what a prune deleted, or would delete.

    Args:
        found: the result.
        again: the command that deletes, for one that only showed.
    """
    return join([_sentences(_told(found, again)), pruned_blobs(found)])


def pruned_blobs(found: Pruned) -> Table:
    """List what a prune deletes, the largest first."""
    blobs = found.plan.blobs if found.deleted is None else found.deleted
    columns = [
        Column.of("name", "name", "stored", most=48),
        _share(max((each.size for each in blobs), default=0)),
        Column.of("size", "size"),
        Column.of("time", "used", "last used"),
    ]
    largest = sorted(blobs, key=lambda each: -each.size)[:MOST]
    rows = [
        {
            "name": _named(each),
            "share": each.size,
            **values(each, "size", "used"),
            LINKS: {"name": version_address(each.labels[0]) if each.labels else ""},
        }
        for each in largest
    ]
    more = f"the {MOST} largest of {count(len(blobs))}" if len(blobs) > MOST else ""
    return Table(columns=columns, data=rows, title=more, empty="")


def _told(found: Pruned, again: str) -> list[str]:
    blobs = found.plan.blobs if found.deleted is None else found.deleted
    store, what = (
        f"artifact store '{clean(found.store)}'",
        f"{plural(len(blobs), 'blob')}, {size(found.size)}",
    )
    if not blobs:
        sentence = f"{store}: there is nothing to delete; it holds {size(found.plan.total)}."
    elif found.deleted is None:
        rest = size(found.plan.total - found.size)
        sentence = (
            f"{store}: {what} would be deleted, of {size(found.plan.total)}; {rest} would stay. Nothing is deleted "
            f"yet: `{again}` does it."
        )
    else:
        sentence = (
            f"{store}: {what} deleted. The records stay and say so; steps whose results are gone run again at "
            "their next use."
        )
    spared = [f"{size(amount)} stay: {why}." for why, amount in found.plan.spared.items()]
    if found.later:
        used = "it" if found.later == 1 else "them"
        spared.append(f"{plural(found.later, 'blob')} stayed, since a kernel has used {used} just now.")
    return [sentence, *spared]


def _named(blob: PrunedBlob) -> str:
    if not blob.labels:
        return f"no record names it ({blob.digest[:8]})"
    more = f" and {len(blob.labels) - 2} more" if len(blob.labels) > 2 else ""
    return ", ".join(blob.labels[:2]) + more


def _sentences(sentences: Sequence[str]) -> View:
    html = "".join(f"<div>{prose(each)}</div>" for each in sentences)
    return View("\n".join(map(clean, sentences)), box(html))


def _group_address(noun: str, group: UsageGroup) -> str:
    if noun == "step":
        return _runs_of(group.name, group.notebook)
    return address(noun, group.name) if noun in {"notebook", "stack"} else ""


def _runs_of(step: str, notebook: str) -> str:
    """Return the address of the runs with a step."""
    return address("steps", step, *([notebook] if notebook else []))


def _share(total: int) -> Column:
    return Column(
        key="share",
        title="",
        show=partial(_bar, total=total),
        markup=partial(_bar_html, total=total),
        least=BAR,
        most=BAR,
        minor=True,
    )


def _bar(amount: Any, *, total: int) -> str:
    filled = round(BAR * min(1.0, (amount or 0) / total)) if total else 0
    return "█" * filled + "·" * (BAR - filled)


def _bar_html(amount: Any, *, total: int) -> str:
    """Return a bar; the number beside it says the same to those who do not see it."""
    part = round(100 * min(1.0, (amount or 0) / total)) if total else 0
    style = "display:inline-block;height:9px;vertical-align:middle"
    return (
        f'<span aria-hidden="true" style="{style};width:96px;background:{GREY}">'
        f'<span style="{style};width:{part}%;background:{BLUE};vertical-align:top"></span></span>'
    )


def _some(show: Any) -> Any:
    """Return `show` for numbers above 0, and nothing for 0."""
    return lambda value: show(value) if value else ""
