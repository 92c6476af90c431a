"""Owns `Table`: rows of plain values with both faces, and the same rows as dicts for JSON and data frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zennb.views.mark import ACTIVE, state_html, state_text
from zennb.views.markup import box, cell, escape, heading, muted, name, prose, strong, table
from zennb.views.text import clean, count, cut, duration, pad, plain, size, when, width

__all__ = ["Column", "Table", "facts"]

NARROWEST = 8
"""Columns shrink no further than this to fit the page."""


def _names(value: Any) -> str:
    items = value if isinstance(value, (list, tuple)) else [] if value is None else [value]
    return ", ".join(name(item) for item in items)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: where its values come from and how they are shown.

    Attributes:
        key: name of the value in a row, and in JSON.
        title: heading; "" leaves the heading empty.
        show: value → text of one line.
        markup: value → HTML; by default the escaped text.
        right: numbers stand at the right.
        heading: its cells name their row.
        least: columns of text it takes at least, so that a live table does not jump.
        most: columns of text it takes at most.
    """

    key: str
    title: str
    show: Callable[[Any], str] = plain
    markup: Callable[[Any], str] = _names
    right: bool = False
    heading: bool = False
    least: int = 0
    most: int = 60

    @classmethod
    def of(cls, kind: str, key: str, title: str | None = None, **more: Any) -> Column:
        """Make a column of a known kind: name, names, active, state, seconds, size, time, count or prose."""
        return cls(**{"key": key, "title": key if title is None else title, **KINDS[kind], **more})


def _active(value: Any) -> str:
    return state_html(ACTIVE.word) if value else ""


def _number(show: Callable[[Any], str]) -> dict[str, Any]:
    return {"show": show, "markup": lambda value: escape(show(value)), "right": True}


KINDS: Mapping[str, Mapping[str, Any]] = {
    "name": {"heading": True, "most": 32},
    "names": {},
    "active": {"show": lambda value: state_text(ACTIVE.word) if value else "", "markup": _active},
    "state": {"show": state_text, "markup": state_html, "most": 16},
    "seconds": _number(duration),
    "size": _number(size),
    "count": _number(count),
    "time": {"show": when, "markup": lambda value: escape(when(value))},
    "prose": {"markup": lambda value: prose(plain(value))},
}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Table:
    """Rows and how to show them; a `View` that also gives its values.

    Attributes:
        columns: in the order shown; a column without any value is not shown.
        data: one mapping per row; may hold more than the columns show (JSON has it all).
        title: a heading; "" for none.
        empty: the sentence shown when there are no rows.
        page: columns of text to fit into.
        fixed: keep empty columns too, so that a live table keeps its shape.
    """

    columns: Sequence[Column]
    data: Sequence[Mapping[str, Any]]
    title: str = ""
    empty: str = "nothing yet"
    page: int = 80
    fixed: bool = False

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows as dicts of JSON values."""
        return [{key: _json(value) for key, value in row.items()} for row in self.data]

    @property
    def text(self) -> str:
        """Aligned columns; long cells end in `…`."""
        if not self.data:
            return "\n".join(part for part in (clean(self.title), clean(self.empty)) if part)
        columns = self._shown()
        cells = [[column.show(row.get(column.key)) for column in columns] for row in self.data]
        widths = self._widths(columns, cells)
        head = [
            pad(clean(column.title), wide, right=column.right)
            for column, wide in zip(columns, widths, strict=True)
        ]
        body = [
            [
                pad(cell, wide, right=column.right)
                for column, wide, cell in zip(columns, widths, line, strict=True)
            ]
            for line in cells
        ]
        rule = "─" * min(self.page, sum(widths) + 2 * (len(widths) - 1))
        lines = ["  ".join(line).rstrip() for line in [head, *body]]
        return "\n".join([*([clean(self.title)] if self.title else []), lines[0], rule, *lines[1:]])

    @property
    def html(self) -> str:
        """A plain table; headings have a scope, numbers stand at the right."""
        title = f"<div>{strong(escape(self.title))}</div>" if self.title else ""
        if not self.data:
            return box(title + muted(escape(self.empty)))
        columns = self._shown()
        head = [heading(escape(column.title), right=column.right) for column in columns]
        return box(title + table(head, ([_cell(column, row) for column in columns] for row in self.data)))

    def _shown(self) -> list[Column]:
        if self.fixed:
            return list(self.columns)
        return [
            column for column in self.columns if any(column.show(row.get(column.key)) for row in self.data)
        ]

    def _widths(self, columns: Sequence[Column], cells: Sequence[Sequence[str]]) -> list[int]:
        titles = [width(clean(column.title)) for column in columns]
        wide = [max(titles[at], *(width(line[at]) for line in cells)) for at in range(len(columns))]
        wide = [max(column.least, min(column.most, each)) for column, each in zip(columns, wide, strict=True)]
        floors = [max(NARROWEST, column.least, titles[at]) for at, column in enumerate(columns)]
        spare = sum(wide) + 2 * (len(wide) - 1) - self.page
        while spare > 0:
            able = [at for at, column in enumerate(columns) if not column.right and wide[at] > floors[at]]
            if not able:
                break
            wide[max(able, key=lambda at: wide[at])] -= 1
            spare -= 1
        return wide

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """Hand Jupyter both faces; the frontend takes the richest it can show."""
        del include, exclude  # the frontend chooses; both faces are always there
        return {"text/plain": self.text, "text/html": self.html}


def _cell(column: Column, row: Mapping[str, Any]) -> str:
    inner = column.markup(row.get(column.key))
    least = f";min-width:{column.least}ch" if column.least else ""
    if column.heading:
        return heading(inner, scope="row", right=column.right, style=least)
    return cell(inner, right=column.right, style=least)


def _json(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, Mapping):
        return {str(key): _json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json(item) for item in value]
    return str(value)


def facts(pairs: Sequence[tuple[str, str]], *, indent: int = 2, page: int = 80) -> str:
    """Return headings and their text, aligned, one per line; those without text are left out.

    Long values go on below, at the same column.
    """
    known = [(clean(title), clean(value)) for title, value in pairs if value]
    wide = max((width(title) for title, _ in known), default=0)
    margin = " " * (indent + wide + 2)
    room = max(20, page - len(margin))
    lines = []
    for title, value in known:
        first, *others = _wrap(value, room)
        lines += [f"{' ' * indent}{pad(title, wide)}  {first}", *(margin + other for other in others)]
    return "\n".join(lines)


def _wrap(value: str, room: int) -> list[str]:
    lines: list[str] = [""]
    for word in value.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if width(longer) <= room:
            lines[-1] = longer
        elif lines[-1]:
            lines.append(cut(word, room))
        else:
            lines[-1] = cut(word, room)
    return lines
