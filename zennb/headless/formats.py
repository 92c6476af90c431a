"""Owns the conversion of notebook formats 1 to 4: from the JSON of any to a list of cells as in format 4."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["converted"]


def converted(content: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the cells of a notebook's JSON with `cell_type` and `source` as in format 4.

    Does what nbformat's conversion does, as far as reading cells needs it; outputs of formats before 4 are dropped.

    Args:
        content: the parsed file; its format is 4 or older.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: the cells do not have the shape their format asks for.
    """
    version = content.get("nbformat", 1)
    if version >= 4:
        return [_current(cell) for cell in content["cells"]]
    if version == 1:
        return [_first(cell) for cell in content["cells"]]
    return [_older(cell) for sheet in content["worksheets"] for cell in sheet["cells"]]


def _current(cell: dict[str, Any]) -> dict[str, Any]:
    return {
        **cell,
        "source": _joined(cell.get("source", "")),
        "outputs": [_output(each) for each in cell.get("outputs") or ()],
    }


def _older(cell: dict[str, Any]) -> dict[str, Any]:
    """Return a cell of format 2 or 3: code was `input`, and headings were cells of their own."""
    kind = cell["cell_type"]
    if kind == "code":
        return {**cell, "source": _lines(cell.get("input", "")), "outputs": []}
    text = _lines(cell.get("source", ""))
    if kind == "heading":
        text = f"{'#' * int(cell.get('level', 1))} {' '.join(text.splitlines())}"
    return {**cell, "cell_type": "raw" if kind == "raw" else "markdown", "source": text}


def _first(cell: dict[str, Any]) -> dict[str, Any]:
    if cell["cell_type"] == "code":
        return {"cell_type": "code", "source": _joined(cell.get("code") or "")}
    return {"cell_type": "markdown", "source": _joined(cell.get("text") or "")}


def _output(output: dict[str, Any]) -> dict[str, Any]:
    joined = dict(output)
    if "text" in joined:
        joined["text"] = _joined(joined["text"])
    if isinstance(joined.get("data"), dict):
        joined["data"] = {kind: _data(kind, value) for kind, value in joined["data"].items()}
    return joined


def _data(kind: str, value: Any) -> Any:
    is_json = kind == "application/json" or kind.endswith("+json")
    return value if is_json or not isinstance(value, list) else _joined(value)


def _joined(text: str | Iterable[str]) -> str:
    """Return a text that a file may hold as a list of lines."""
    return text if isinstance(text, str) else "".join(text)


def _lines(text: str | list[str]) -> str:
    """Return the text of a cell before format 4, whose lines were written with or without their line ends."""
    if isinstance(text, str) or (text and text[0].endswith(("\n", "\r"))):
        return _joined(text)
    return "\n".join(text)
