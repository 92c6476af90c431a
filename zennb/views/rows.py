"""Owns tables whose rows are as high as a control, for tables with a control next to each row.

Text never wraps and is cut at the column's end; the cell's title has the full text. The column that names the rows is
for screen readers only, since the controls show the same names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zennb.views.markup import LINE, escape, minor_class, muted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zennb.views.table import Column, Table

__all__ = ["ROW_HEIGHT", "beside"]

ROW_HEIGHT = 26
"""Pixels from one row to the next; the row of headings takes as many."""

_UNSEEN = "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap"
_NAMING = "padding:0;width:0;position:relative;white-space:nowrap"
_CELL = (
    f"height:{ROW_HEIGHT}px;line-height:{ROW_HEIGHT - 1}px;padding:0 14px 0 0;box-sizing:border-box;"
    "white-space:nowrap;overflow:hidden;text-overflow:ellipsis;vertical-align:top"
)


def beside(table: Table, *, caption: str) -> str:
    """Return the table as HTML for a place next to controls; all columns with values are visible but the naming one.

    Args:
        table: what is shown; without rows only the headings are shown.
        caption: what the table holds, for screen readers.
    """
    columns = table.filled()
    head = "".join(_heading(column) for column in columns)
    body = "".join(
        f'<tr style="height:{ROW_HEIGHT}px;background:none">'
        f"{''.join(_cell(column, row) for column in columns)}</tr>"
        for row in table.shown_rows()
    )
    style = (
        "border-collapse:separate;border-spacing:0;border:0;margin:0;table-layout:auto;width:100%;"
        "font-size:13px;font-variant-numeric:tabular-nums"
    )
    return (
        f'<div style="overflow-x:auto;overflow-y:hidden"><table style="{style}">'
        f'<caption style="{_UNSEEN}">{escape(caption)}</caption>'
        f'<thead><tr style="height:{ROW_HEIGHT}px;background:none">{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _heading(column: Column) -> str:
    side = "right" if column.right else "left"
    title = escape(column.title)
    if column.heading:
        return f'<th scope="col" style="{_NAMING}"><span style="{_UNSEEN}">{title}</span></th>'
    style = f"{_CELL};text-align:{side};font-weight:600;border-bottom:1px solid {LINE}"
    return f'<th scope="col"{minor_class(column.minor)} style="{style}">{title}</th>'


def _cell(column: Column, row: Mapping[str, Any]) -> str:
    value = row.get(column.key)
    inner = column.linked(row)
    if column.heading:
        return f'<th scope="row" style="{_NAMING}"><span style="{_UNSEEN}">{inner}</span></th>'
    side = "right" if column.right else "left"
    widest = "" if column.tight or column.right else f";max-width:{min(column.most, 60)}ch"
    text = column.show(value)
    title = f' title="{escape(text)}"' if widest and len(text) > 12 else ""
    empty = "" if column.once else muted("–")
    return f'<td{minor_class(column.minor)} style="{_CELL};text-align:{side}{widest}"{title}>{inner or empty}</td>'
