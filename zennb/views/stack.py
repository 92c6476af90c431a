"""Owns the views of stacks: one as a card, many as a table."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from zennb.views.configuration import options
from zennb.views.links import LINKS, address, link
from zennb.views.mark import ACTIVE, GREY, RED, symbol_html
from zennb.views.markup import box, cell, escape, heading, muted, name, prose, strong, table
from zennb.views.table import Column, Table
from zennb.views.text import clean, pad, type_title, width, wrap
from zennb.views.view import View

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from zennb.core.records.records import ComponentSpec, StackSpec

__all__ = ["linked_snapshot", "snapshot", "stack", "stacks"]


def stack(
    spec: StackSpec,
    *,
    active: bool = False,
    unfit: str = "",
    note: str = "",
    links: Mapping[str, str] = MappingProxyType({}),
    places: Mapping[str, str] = MappingProxyType({}),
) -> View:
    """Show one stack as a card: its components with flavor and configuration, and whether it can be used.

    Args:
        spec: the stack as registered.
        active: whether steps run on it now.
        unfit: why it cannot be used, one sentence; "" when its store can be reached from its orchestrator.
        note: something to add, one sentence.
        links: component type → address of the page that shows what it runs.
        places: component type → directory, of those that keep something on this machine; and `home`.
    """
    spec = replace(spec, components={kind: _placed(each, places) for kind, each in spec.components.items()})
    home = f"records in {places['home']}" if "home" in places else ""
    notes = [each for each in (note, home) if each]
    return View(
        _stack_text(spec, active, unfit, notes, links), _stack_html(spec, active, unfit, notes, links)
    )


def _placed(spec: ComponentSpec, places: Mapping[str, str]) -> ComponentSpec:
    where = places.get(spec.type)
    return spec if where is None else replace(spec, config={**spec.config, "path": where})


def _stack_text(
    spec: StackSpec, active: bool, unfit: str, notes: Sequence[str], links: Mapping[str, str]
) -> str:
    lines = [f"stack {clean(spec.name)}{f'  {ACTIVE.symbol} {ACTIVE.word}' if active else ''}"]
    cells = [
        (type_title(each.type), clean(each.name), clean(each.flavor), ", ".join(_configuration(each, links)))
        for each in spec.components.values()
    ]
    wide = [max((width(line[at]) for line in cells), default=0) for at in range(3)]
    margin = 2 + sum(wide) + 2 * len(wide)
    for *named, config in cells:
        first, *others = wrap(config, max(24, 80 - margin))
        lines += [
            f"  {'  '.join(map(pad, named, wide))}  {first}".rstrip(),
            *(" " * margin + each for each in others),
        ]
    lines += [f"  ✘ not usable: {clean(unfit)}"] if unfit else []
    lines += [f"  {clean(note)}" for note in notes]
    return "\n".join(lines)


def _configuration(spec: ComponentSpec, links: Mapping[str, str]) -> list[str]:
    link = links.get(spec.type)
    return [*options(spec.config), *([f"dashboard {clean(link)}"] if link else [])]


def _stack_html(
    spec: StackSpec, active: bool, unfit: str, notes: Sequence[str], links: Mapping[str, str]
) -> str:
    mark = f" &nbsp;{symbol_html(ACTIVE)} {ACTIVE.word}" if active else ""
    titles = ("component", "name", "flavor", "configuration")
    rows = [_row(each, links.get(each.type, "")) for each in spec.components.values()]
    inside = table([heading(muted(title)) for title in titles], rows)
    edge = ACTIVE.colour if active else GREY
    bad = f'<div><span style="color:{RED}">✘&#xFE0E;</span> not usable: {prose(unfit)}</div>' if unfit else ""
    more = "".join(f"<div>{muted(prose(note))}</div>" for note in notes)
    return box(
        f'<div style="border-left:3px solid {edge};padding:2px 0 2px 12px">'
        f"<div>{muted('stack')} {strong(name(spec.name))}{mark}</div>{inside}{bad}{more}</div>"
    )


def _row(spec: ComponentSpec, page: str) -> list[str]:
    found = [escape(option) for option in options(spec.config)]
    if page.startswith(("http://", "https://")):  # nothing else may be followed with a click
        found.append(f'<a href="{escape(page)}" target="_blank" rel="noopener">dashboard</a>')
    elif page:
        found.append(f"dashboard {escape(page)}")
    shown = "<br>".join(found) or muted("defaults")
    title = heading(escape(type_title(spec.type)), scope="row")
    named = link(address("component", spec.type, spec.name), name(spec.name))
    return [title, cell(named), cell(name(spec.flavor)), cell(shown)]


def stacks(specs: Sequence[StackSpec], *, active: str = "") -> Table:
    """List stacks, one column per component type that any of them has; the active one is marked.

    Args:
        specs: what to list.
        active: name of the stack that steps run on.
    """
    types = list(dict.fromkeys(kind for spec in specs for kind in spec.components))
    rows = [
        {
            "active": spec.name == active,
            "name": spec.name,
            **{kind: _component(spec.components.get(kind)) for kind in types},
            LINKS: {
                "name": address("stack", spec.name),
                **{kind: address("component", kind, each.name) for kind, each in spec.components.items()},
            },
        }
        for spec in specs
    ]
    columns = [
        Column.of("active", "active", ""),
        Column.of("name", "name", "stack"),
        *(Column.of("names", kind, type_title(kind)) for kind in types),
    ]
    return Table(columns=columns, data=rows, empty="no stacks yet")


def _component(spec: ComponentSpec | None) -> str | None:
    return None if spec is None else spec.name if spec.name == spec.flavor else f"{spec.name} ({spec.flavor})"


def linked_snapshot(spec: StackSpec) -> str:
    """Return `snapshot` as HTML that leads to the stack and its components."""
    parts = []
    for kind, each in spec.components.items():
        named = link(address("component", kind, each.name), name(each.name))
        parts.append(f"{escape(type_title(kind))} {named} ({name(each.flavor)})")
    return f"{link(address('stack', spec.name), name(spec.name))}: {', '.join(parts)}"


def snapshot(spec: StackSpec) -> str:
    """Return a stack in one line: `default: orchestrator default (local), artifact store default (local)`."""
    parts = [
        f"{type_title(kind)} {clean(each.name)} ({clean(each.flavor)})"
        for kind, each in spec.components.items()
    ]
    return f"{clean(spec.name)}: {', '.join(parts)}"
