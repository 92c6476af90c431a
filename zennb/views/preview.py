"""Owns the preview of a value from its stored summary, without loading the value."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from zennb.views.estimator import estimator
from zennb.views.markup import block, box, image, muted, pairs, prose
from zennb.views.table import HTML_PAGE, Column, Table, facts
from zennb.views.text import clean, clean_block, count, cut, listing, plural
from zennb.views.view import View, join, note

__all__ = ["in_a_line", "preview"]

PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml"})
BASE64 = re.compile(r"[A-Za-z0-9+/\s]+={0,2}\s*")
MOST_COLUMNS = 12
_BARS = " ▁▂▃▄▅▆▇█"
_DEEPEST = 64
"""NumPy's arrays have at most so many dimensions."""

Summary = Mapping[str, Any]


def preview(summary: Summary, *, page: int = HTML_PAGE) -> View:
    """Show a summary by its kind; a missing summary or an unknown kind gives an empty view.

    Args:
        summary: what is known of a value.
        page: characters that the page is wide, as HTML.
    """
    kind = str(summary.get("kind", ""))
    if kind == "frame":
        return _frame(summary, page)
    show = KINDS.get(kind)
    return show(summary) if show is not None else View("", "")


def in_a_line(summary: Summary, *, most: int = 48) -> str:
    """Return the summary in a few words: the value of a scalar, the shape of an array ..."""
    describe = LINES.get(str(summary.get("kind", "")))
    return cut(describe(summary), most) if describe is not None else ""


def _items(value: object) -> Sequence[Any]:
    return value if isinstance(value, (list, tuple)) else ()


def _whole(value: object) -> str:
    return count(value) if isinstance(value, int) else clean("" if value is None else value)


def _rows(summary: Summary) -> list[list[str]]:
    return [[str(cell) for cell in _items(row)] for row in _items(summary.get("items"))]


def _shape(summary: Summary) -> str:
    sizes = " × ".join(_whole(each) for each in _items(summary.get("shape")))
    return f"{sizes or 'scalar'} {clean(summary.get('dtype', ''))}".strip()


def _frame_size(summary: Summary) -> str:
    return f"{_whole(summary.get('rows'))} rows × {plural(len(_items(summary.get('columns'))), 'column')}"


def _length(summary: Summary, noun: str) -> str:
    found = summary.get("length")
    return plural(found, noun) if isinstance(found, int) else ""


def _line(sentence: str) -> View:
    return View(sentence, box(f"<div>{prose(sentence)}</div>"))


def _verbatim(summary: Summary) -> View:
    text = clean_block(summary.get("text", ""))
    return View(text, box(block(text)))


def _text(summary: Summary) -> View:
    text = clean_block(summary.get("text", ""))
    full = summary.get("length")
    more = f"… {count(full)} characters in all" if isinstance(full, int) and full > len(text) else ""
    return View(
        f"{text}\n{more}" if more else text, box(block(text) + (f"<div>{muted(more)}</div>" if more else ""))
    )


def _array(summary: Summary) -> View:
    statistics = [
        (title, _digits(summary[title])) for title in ("min", "max", "mean") if summary.get(title) is not None
    ]
    bars = _histogram(_items(summary.get("histogram")))
    numbers = "  ".join([*(f"{title} {value}" for title, value in statistics), *([bars] if bars else [])])
    lead = View(
        "  ".join(part for part in (_shape(summary), numbers) if part),
        box(f"<div>{prose(_shape(summary))} &nbsp;{muted(prose(numbers))}</div>"),
    )
    head = _nested(summary.get("head"))
    seen = [_drawn(summary, _shape(summary))] if summary.get("data") else []
    return join([lead, *seen, *([View(head, box(block(head)))] if head else [])], gap=0)


def _digits(value: object) -> str:
    """Return a number with six digits."""
    return f"{value:.6g}" if isinstance(value, float) else clean(value)


def _histogram(counts: Sequence[Any]) -> str:
    """Return how often values lie in each range, as a line of bars: `▁▃█▅▁`."""
    known = [each for each in counts if isinstance(each, int) and each >= 0]
    most = max(known, default=0)
    return "".join(_BARS[-(-each * (len(_BARS) - 1) // most)] for each in known) if most else ""


def _nested(value: object, depth: int = 0) -> str:
    if not isinstance(value, (list, tuple)):
        return "" if value is None else clean(value)
    if depth > _DEEPEST:
        return "[…]"
    if not any(isinstance(item, (list, tuple)) for item in value):
        return f"[{' '.join(clean(item) for item in value)}]"
    inner = f"\n{' ' * (depth + 1)}".join(_nested(item, depth + 1) for item in value)
    return f"[{inner}]"


def _frame(summary: Summary, page: int = HTML_PAGE) -> View:
    columns = [
        item if isinstance(item, Mapping) else {"name": item} for item in _items(summary.get("columns"))
    ]
    held = max((len(_items(row)) - 1 for row in _items(summary.get("head"))), default=len(columns))
    headings = [
        Column.of("names", "index", "", most=20),
        *(_frame_column(at, each) for at, each in enumerate(columns[:held])),
    ]
    keys = [column.key for column in headings]
    rows = [dict(zip(keys, map(str, _items(row)), strict=False)) for row in _items(summary.get("head"))]
    rows = [*_about_columns(columns[:held]), *rows] if rows else []
    lead = _line(_frame_size(summary))
    table = Table(columns=headings, data=rows, empty="no rows", fixed=True, html_page=page)
    fitting = len(table.fitting()) - 1 if rows else 0
    beyond = _beyond(columns[len(table.fitting_html()) - 1 if rows else 0 :])
    rest = View(_beyond(columns[fitting:]), box(f"<div>{muted(prose(beyond))}</div>") if beyond else "")
    return join([lead, _unhidden(table), rest], gap=0)


def _about_columns(columns: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return the rows above those of a frame: the types of its columns, and how many values they lack."""
    rows = [
        {str(at): clean(found) for at, column in enumerate(columns) if (found := column.get(key))}
        for key in ("dtype", "missing")
    ]
    return [{"index": title, **row} for title, row in zip(("type", "missing"), rows, strict=True) if row]


def _unhidden(table: Table) -> View:
    """Return the table with the columns that fit; a narrow panel does not hide them, but scrolls."""
    fitting = [replace(column, minor=False) for column in table.fitting_html()]
    return View(table.text, replace(table, columns=fitting).html)


def _beyond(columns: Sequence[Mapping[str, Any]]) -> str:
    named = [f"{clean(each.get('name'))} {clean(each.get('dtype', ''))}".strip() for each in columns]
    return f"and {listing(named, most=MOST_COLUMNS)}" if named else ""


def _frame_column(at: int, column: Mapping[str, Any]) -> Column:
    dtype = str(column.get("dtype", ""))
    numeric = dtype.lower().startswith(("int", "uint", "float", "double", "decimal"))
    return Column.of("names", str(at), str(column.get("name", "")), right=numeric, most=20, minor=True)


def _picture(summary: Summary) -> View:
    mime = str(summary.get("mime", ""))
    wide, high = summary.get("width"), summary.get("height")
    size = f" {_whole(wide)} × {_whole(high)}" if wide and high else ""
    caption = f"picture{size} ({clean(mime)})"
    drawn = _drawn(summary, caption)
    return View(caption, drawn.html) if drawn.html else _line(caption)


def _drawn(summary: Summary, caption: str) -> View:
    """Return the picture of a summary; an empty view if it is of an unknown kind."""
    mime, data = str(summary.get("mime", "")), str(summary.get("data", ""))
    if mime not in PICTURES or not BASE64.fullmatch(data):
        return View("", "")
    return View("", box(image(mime, "".join(data.split()), alt=caption)))


def _mapping(summary: Summary) -> View:
    rows = [dict(zip(("key", "type", "value"), row, strict=False)) for row in _rows(summary)]
    return _listed(summary, "item", Column.of("name", "key"), rows)


def _sequence(summary: Summary) -> View:
    rows: list[dict[str, Any]] = [
        {"key": at, **dict(zip(("type", "value"), row, strict=False))}
        for at, row in enumerate(_rows(summary))
    ]
    return _listed(summary, "item", Column.of("count", "key", ""), rows)


def _listed(summary: Summary, noun: str, first: Column, rows: Sequence[Mapping[str, Any]]) -> View:
    lead = _line(_length(summary, noun))
    table = Table(
        columns=(first, Column.of("names", "type", most=20), Column.of("names", "value")), data=rows
    )
    more = isinstance(summary.get("length"), int) and summary["length"] > len(rows)
    rest = note("…") if more and rows else View("", "")
    return join([lead, table, rest] if rows else [lead], gap=0)


def _object(summary: Summary) -> View:
    found = [[str(cell) for cell in _items(pair)] for pair in _items(summary.get("attributes"))]
    known = [(pair[0], pair[1]) for pair in found if len(pair) == 2]
    lead, described = _verbatim(summary), summary.get("estimator")
    if isinstance(described, Mapping):
        # Its parameters are told with it; what it has learned ends in "_".
        lead, known = estimator(described), [pair for pair in known if pair[0].endswith("_")]
    attributes = View(facts(known), box(pairs([(title, prose(value)) for title, value in known])))
    return join([lead, *([attributes] if known else [])], gap=0)


def _first_line(summary: Summary) -> str:
    return clean(str(summary.get("text", "")).strip())


KINDS: Mapping[str, Callable[[Summary], View]] = {
    "scalar": _verbatim,
    "text": _text,
    "array": _array,
    "frame": _frame,
    "picture": _picture,
    "mapping": _mapping,
    "sequence": _sequence,
    "object": _object,
}

LINES: Mapping[str, Callable[[Summary], str]] = {
    "scalar": _first_line,
    "text": _first_line,
    "array": _shape,
    "frame": _frame_size,
    "picture": lambda summary: f"{_whole(summary.get('width'))} × {_whole(summary.get('height'))}",
    "mapping": lambda summary: _length(summary, "item"),
    "sequence": lambda summary: _length(summary, "item"),
    "object": _first_line,
}
