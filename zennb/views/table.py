"""Owns `Table`: rows of plain values as text and HTML, and the same rows as dicts for JSON and data frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile, zip_longest
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from zennb.views.links import LINKS, link
from zennb.views.mark import ACTIVE, state_html, state_text
from zennb.views.markup import box, cell, escape, heading, muted, name, pairs, prose, strong, table
from zennb.views.text import clean, count, duration, pad, plain, size, type_title, when, width, wrap
from zennb.views.view import Displayed, View

if TYPE_CHECKING:
    from zennb.core.records.records import Status

__all__ = ["HTML_PAGE", "Column", "Table", "card", "facts", "values"]

NARROWEST = 8
"""Columns shrink no further than this to fit the page."""

HTML_PAGE = 80
"""Characters that fit a page of 700 pixels."""

WIDE = 150
"""Characters up to which HTML shows minor columns: a table that is wider than its page can be scrolled."""

SENTENCE = 18
"""Least width of prose in HTML, in characters, so that it is not broken word by word."""


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
        right: numbers are aligned to the right.
        heading: its cells are row headings.
        least: columns of text it takes at least, so that a live table does not jump.
        most: columns of text it takes at most.
        tight: never broken into lines, and cut only where it is a heading.
        wrap: broken into lines in a terminal, instead of being cut.
        minor: left out of the text when there is no room; JSON and HTML have it.
        once: left empty where the row above has the same value, and the same in such columns to the left.
    """

    key: str
    title: str
    show: Callable[[Any], str] = plain
    markup: Callable[[Any], str] = _names
    right: bool = False
    heading: bool = False
    least: int = 0
    most: int = 60
    tight: bool = False
    wrap: bool = False
    minor: bool = False
    once: bool = False

    @classmethod
    def of(cls, kind: str, key: str, title: str | None = None, **more: Any) -> Column:
        """Make a column of a known kind: name, names, active, state, seconds, size, time, count, type or prose."""
        return cls(**{"key": key, "title": key if title is None else title, **KINDS[kind], **more})

    def floor(self, natural: int) -> int:
        """Return its least width as text, when its values would take `natural` columns."""
        if self.right or (self.tight and not self.heading):
            return natural
        return max(NARROWEST, self.least, width(clean(self.title)))

    def cut_style(self, wide: int, whole: int, share: float) -> str:
        """Return additional CSS of its cells where they are not broken into lines, but cut at a number of characters.

        Args:
            wide: that number.
            whole: the characters of a row of the table.
            share: the part of what a page is wider than that, by which they are cut later.
        """
        if self.right or self.tight or (self.least and self.least == self.most):
            return self.style if not self.right else ""
        least = f";min-width:{min(self.least, wide)}ch" if self.least else ""
        # `ch` is the width of a digit, and letters are wider: short words need room for two more.
        most = f"max-width:max({wide + 2}ch,calc({wide}ch + (70vw - {whole}ch)*{share:.2f}))"
        return f"{least};{most};overflow:hidden;text-overflow:ellipsis;white-space:nowrap"

    def linked(self, row: Mapping[str, Any]) -> str:
        """Return the HTML of a row's value; where the row has its address, a link."""
        value, target = row.get(self.key), row.get(LINKS, {}).get(self.key)
        if isinstance(target, (list, tuple)):
            parts = (link(each, self.markup([part])) for part, each in zip(value or (), target, strict=True))
            return ", ".join(parts)
        return link(target or "", self.markup(value))

    @property
    def style(self) -> str:
        """Additional CSS of its cells; a column with an exact width keeps it, whatever it contains."""
        if self.least and self.least == self.most:
            exact = f";width:{self.least}ch;min-width:{self.least}ch;max-width:{self.least}ch"
            return f"{exact};overflow:hidden;text-overflow:ellipsis;white-space:nowrap"
        narrowest = self.least or (SENTENCE if self.wrap else 0)
        least = f";min-width:{narrowest}ch" if narrowest else ""
        return f"{least};white-space:nowrap" if self.tight else least


def _escaped(show: Callable[[Any], str], **more: Any) -> dict[str, Any]:
    return {"show": show, "markup": lambda value: escape(show(value)), **more}


KINDS: Mapping[str, Mapping[str, Any]] = {
    "name": {"heading": True, "most": 32, "tight": True},
    "names": {},
    "active": {
        "show": lambda value: state_text(ACTIVE.word) if value else "",
        "markup": lambda value: state_html(ACTIVE.word) if value else "",
        "tight": True,
    },
    "state": {"show": state_text, "markup": state_html, "least": 13, "most": 16, "tight": True},
    "seconds": _escaped(duration, right=True),
    "size": _escaped(size, right=True),
    "count": _escaped(count, right=True),
    "time": _escaped(when, least=16, tight=True),
    "type": _escaped(type_title, most=24, tight=True),
    "prose": {"markup": lambda value: prose(plain(value)), "most": 200, "wrap": True},
}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Table(Displayed):
    """Rows and how to show them; a `View` that also gives its values.

    Attributes:
        columns: in the order shown; a column without any value is not shown.
        data: one mapping per row; may hold more than the columns show (JSON has it all, less the links).
        title: a heading; "" for none.
        empty: the sentence shown when there are no rows.
        page: columns of text to fit into.
        html_page: the same for HTML, which can be scrolled.
        fixed: show empty columns too, so that a live table keeps its layout.
    """

    columns: Sequence[Column]
    data: Sequence[Mapping[str, Any]]
    title: str = ""
    empty: str = "nothing yet"
    page: int = 80
    html_page: int = WIDE
    fixed: bool = False

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows as dicts of JSON values."""
        return [{key: _json(value) for key, value in row.items() if key != LINKS} for row in self.data]

    @property
    def text(self) -> str:
        """Aligned columns; long cells end in `…`."""
        if not self.data:
            return "\n".join(part for part in (clean(self.title), clean(self.empty)) if part)
        columns = self.fitting()
        widths = self._widths(columns, self.page)
        head = [
            pad(clean(column.title), wide, right=column.right)
            for column, wide in zip(columns, widths, strict=True)
        ]
        rule = "─" * (sum(widths) + 2 * (len(widths) - 1))
        body = [line for row in self.shown_rows() for line in _lines(columns, widths, row)]
        title = [clean(self.title)] if self.title else []
        return "\n".join([*title, "  ".join(head).rstrip(), rule, *body])

    @property
    def html(self) -> str:
        """A plain table; headings have a scope, numbers are aligned to the right."""
        title = f"<div>{strong(escape(self.title))}</div>" if self.title else ""
        if not self.data:
            return box(title + muted(escape(self.empty)))
        columns = self.fitting_html()
        widths = self._widths(columns, HTML_PAGE)
        whole = sum(widths) + 2 * (len(widths) - 1)
        lacking = [self._natural(column) - wide for column, wide in zip(columns, widths, strict=True)]
        # Sentences are broken into lines where that makes the table fit a page of 700 pixels, and nowhere else: a table
        # that has to be scrolled anyway is read more easily with a line for each row.
        breaks = whole <= HTML_PAGE
        head = [heading(escape(column.title), right=column.right, minor=column.minor) for column in columns]
        styled = [
            (
                column,
                column.style
                if breaks and column.wrap
                else column.cut_style(wide, whole, lacks / max(1, sum(lacking))),
            )
            for column, wide, lacks in zip(columns, widths, lacking, strict=True)
        ]
        rows = ([_cell(column, row, style) for column, style in styled] for row in self.shown_rows())
        return box(title + table(head, rows))

    def shown_rows(self) -> Sequence[Mapping[str, Any]]:
        """Return the rows as they are shown: values of `once` columns that the row above has are left out."""
        once = [column.key for column in self.columns if column.once]
        if not once:
            return self.data
        found, above = [], None
        for row in self.data:
            same = list(takewhile(lambda key: above is not None and row.get(key) == above.get(key), once))  # noqa: B023
            found.append({key: value for key, value in row.items() if key not in same})
            above = row
        return found

    def filled(self) -> list[Column]:
        """Return the columns that have a value in some row; all of them where the table is fixed or has no rows."""
        if self.fixed or not self.data:
            return list(self.columns)
        return [
            column for column in self.columns if any(column.show(row.get(column.key)) for row in self.data)
        ]

    def _natural(self, column: Column) -> int:
        if column.least >= column.most:  # an exact width
            return max(column.least, width(clean(column.title)))
        longest = max(width(column.show(row.get(column.key))) for row in self.data)
        return max(column.least, width(clean(column.title)), min(column.most, longest))

    def fitting(self) -> list[Column]:
        """Return the columns of the text: on a narrow page the minor ones are dropped, from the right."""
        return self._fitting(self.page)

    def fitting_html(self) -> list[Column]:
        """Return the columns of the HTML."""
        return self._fitting(self.html_page)

    def _fitting(self, page: int) -> list[Column]:
        columns = self.filled()
        for column in reversed([each for each in columns if each.minor]):
            if sum(map(self._natural, columns)) + 2 * (len(columns) - 1) > page:
                columns.remove(column)
        return columns

    def _widths(self, columns: Sequence[Column], page: int) -> list[int]:
        wide = [self._natural(column) for column in columns]
        floors = [column.floor(natural) for column, natural in zip(columns, wide, strict=True)]
        for _ in range(sum(wide) + 2 * (len(wide) - 1) - page):
            able = [at for at in range(len(columns)) if wide[at] > floors[at]]
            if not able:
                break
            # The widest column gives up one character at a time, so that columns end up about equally wide.
            wide[max(able, key=lambda at: wide[at])] -= 1
        return wide


def _lines(columns: Sequence[Column], widths: Sequence[int], row: Mapping[str, Any]) -> list[str]:
    cells = []
    for column, wide in zip(columns, widths, strict=True):
        shown = column.show(row.get(column.key))
        cells.append(wrap(shown, wide) if column.wrap else [shown])
    lines = [
        [
            pad(part, wide, right=column.right)
            for column, wide, part in zip(columns, widths, parts, strict=True)
        ]
        for parts in zip_longest(*cells, fillvalue="")
    ]
    return ["  ".join(line).rstrip() for line in lines]


def _cell(column: Column, row: Mapping[str, Any], style: str) -> str:
    inner = column.linked(row)
    if column.heading:
        return heading(inner, scope="row", right=column.right, style=style)
    text = column.show(row.get(column.key)) if "ellipsis" in style else ""
    whole = text if len(text) > NARROWEST else ""
    return cell(inner, right=column.right, style=style, title=whole, minor=column.minor)


def values(record: object, *fields: str) -> dict[str, Any]:
    """Return fields of a record as values of a row."""
    return {field: getattr(record, field) for field in fields}


def _json(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, Mapping):
        return {str(key): _json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json(item) for item in value]
    return str(value)


def facts(rows: Sequence[tuple[str, str]], *, indent: int = 2, page: int = 80) -> str:
    """Return headings and their text, aligned, one per line; those without text are left out.

    Long values continue on the next line, at the same column.
    """
    known = [(clean(title), clean(value)) for title, value in rows if value]
    wide = max((width(title) for title, _ in known), default=0)
    margin = " " * (indent + wide + 2)
    room = max(20, page - len(margin))
    lines = []
    for title, value in known:
        first, *others = wrap(value, room)
        lines += [f"{' ' * indent}{pad(title, wide)}  {first}", *(margin + other for other in others)]
    return "\n".join(lines)


def card(
    noun: str,
    label: str,
    rows: Sequence[tuple[str, str]],
    *,
    state: Status | None = None,
    markup: Mapping[str, str] = MappingProxyType({}),
) -> View:
    """Show one record: what it is, with its facts below.

    Args:
        noun: what kind of thing it is.
        label: its name.
        rows: titles and their text; those without text are left out.
        state: its state, shown beside the name.
        markup: title → HTML of its value, where that is more than the escaped text.
    """
    head = f"{clean(noun)} {clean(label)}{f'  {state_text(state)}' if state else ''}"
    title = f"{muted(escape(noun))} {strong(name(label))}{f' &nbsp;{state_html(state)}' if state else ''}"
    shown = [(title, markup.get(title) or (name(value) if value else "")) for title, value in rows]
    text = "\n".join(part for part in (head, facts(rows)) if part)
    return View(text, box(f"<div>{title}</div>{pairs(shown)}"))
