"""Owns reading notebook files: their cells, the order of cells, and the message when a file is damaged."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zennb.bounded_input import parse_json, read_file
from zennb.compat.notebook_libraries import load_quickly
from zennb.core.reading.cell_heading import heading
from zennb.errors import BrokenNotebook, UnknownName
from zennb.headless.formats import converted

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["NotebookCell", "document", "notebook_text", "order", "read", "runs", "step_name"]

_LARGEST = 100_000_000
"""Bytes of a file. Jupyter itself is at its limits there, and nearly all of it is saved output."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotebookCell:
    """One cell of a notebook file.

    Attributes:
        id: the cell's id in the file; "" in notebooks older than format 4.5, which have none.
        type: `code`, `markdown` or `raw`.
        source: its text.
        outputs: its saved outputs, as in the file; empty for cells that are not code, and in formats before 4.
    """

    id: str
    type: str
    source: str
    outputs: tuple[dict[str, Any], ...] = ()


def read(path: str | Path) -> tuple[NotebookCell, ...]:
    """Read the cells of a notebook, in file order.

    Reads the JSON itself: importing nbformat takes about a second, and only writing and running need it.

    Raises:
        UnknownName: there is no such file.
        BrokenNotebook: it is no Jupyter notebook, or is written for another language.
    """
    path = Path(path)
    content = _parsed(notebook_text(path), path)
    _refuse_other_languages(path, content)
    try:
        cells = converted(content)
        if _version(content) >= (4, 5):
            _complete_ids(cells)
        return tuple(_cell(cell) for cell in cells)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _damaged(path, error) from None


def order(path: str | Path) -> list[str]:
    """Read the ids of a notebook's code cells, in file order; cells without an id are left out.

    Raises:
        UnknownName: there is no such file.
        BrokenNotebook: it is no Jupyter notebook.
    """
    path = Path(path)
    cells = _parsed(notebook_text(path), path).get("cells", [])
    return [str(cell["id"]) for cell in cells if cell.get("cell_type") == "code" and cell.get("id")]


def document(path: str | Path, content: str | None = None) -> Any:
    """Read a notebook as an nbformat 4 document, ready to be run and written back.

    Older formats are converted. Where the format asks for cell ids and the file has none, or has one twice,
    ids are made from the position, so that reading a file twice gives the same ids.

    Args:
        path: its file.
        content: its text, if it has been read already (`notebook_text`).

    Raises:
        UnknownName: there is no such file.
        BrokenNotebook: it is no Jupyter notebook, or is written for another language.
    """
    path = Path(path)
    text = notebook_text(path) if content is None else content
    _refuse_other_languages(path, _parsed(text, path))
    load_quickly()
    import nbformat
    from nbformat import reader

    try:
        node = reader.reads(text)
        if node.nbformat != nbformat.current_nbformat:
            node = nbformat.convert(node, nbformat.current_nbformat)
        if (node.nbformat, node.nbformat_minor) >= (4, 5):
            _complete_ids(node.cells)
        _refuse_odd_cells(node)
    except Exception as error:  # noqa: BLE001 - nbformat converts whatever the file holds without looking at it
        raise _damaged(path, error) from None
    return node


_DEEPEST = 200


def step_name(source: str) -> str | None:
    """Return the name typed after `%%step` or `#| step:`: "" when none was, None for cells that say neither."""
    found = heading(source)
    return None if found is None or found.is_off else found.name


def runs(cell: Any) -> bool:
    """Return whether a cell of a document is sent to a kernel: code that is not blank."""
    return bool(cell.cell_type == "code" and cell.source.strip())


def _cell(cell: dict[str, Any]) -> NotebookCell:
    return NotebookCell(
        id=str(cell.get("id") or ""),
        type=cell["cell_type"],
        source=cell["source"],
        outputs=tuple(cell.get("outputs") or ()),
    )


def _version(content: dict[str, Any]) -> tuple[int, int]:
    minor = content.get("nbformat_minor")
    return content.get("nbformat", 1), minor if isinstance(minor, int) else 0


def _refuse_odd_cells(node: Any) -> None:
    """Refuse what would be in the way later, while the notebook is running.

    Raises:
        TypeError: something in the notebook is of a wrong type.
        UnicodeEncodeError: code or an id holds half of a surrogate pair.
        RecursionError: something is nested too deeply.
    """
    if not isinstance(node.metadata, dict):
        raise TypeError("its metadata are no object")
    if not isinstance(node.nbformat_minor, int):
        raise TypeError("the number of its format is not a number")
    for position, cell in enumerate(node.cells, start=1):
        if not (isinstance(cell.cell_type, str) and isinstance(cell.get("source"), str)):
            raise TypeError(f"cell {position} has no text")
        if not isinstance(cell.metadata, dict):
            raise TypeError(f"the metadata of cell {position} are no object")
        tags = cell.metadata.get("tags", [])
        if not (isinstance(tags, list) and all(isinstance(tag, str) for tag in tags)):
            raise TypeError(f"the tags of cell {position} are no list of words")
        if not isinstance(cell.get("id", ""), str):
            raise TypeError(f"the id of cell {position} is not text")
        if cell.cell_type == "code":
            f"{cell.source}{cell.get('id', '')}".encode()  # a kernel gets both as UTF-8
    if _is_too_deep(node):
        raise RecursionError


def _is_too_deep(node: Any) -> bool:
    """Whether something is nested deeper than any notebook needs, so that it could not be written when it has run."""
    waiting = [(node, 0)]
    while waiting:
        part, depth = waiting.pop()
        if depth > _DEEPEST:
            return True
        inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        waiting += [(each, depth + 1) for each in inner if isinstance(each, dict | list)]
    return False


def _damaged(path: Path, error: Exception) -> BrokenNotebook:
    why = " ".join(str(error).split())
    if isinstance(error, RecursionError):
        why = "it is nested too deeply"
    return BrokenNotebook(
        f"{path.name} is a damaged notebook: its cells cannot be read ({type(error).__name__}: {why[:200]}). "
        "Open it in JupyterLab to see what is left, or take the last saved version."
    )


def _parsed(text: str, path: Path) -> dict[str, Any]:
    try:
        content: Any = parse_json(text)
    except ValueError as error:
        raise _no_notebook(path, error) from None
    if not _has_cells(content):
        raise BrokenNotebook(
            f"{path.name} is JSON but no Jupyter notebook: it has no list of cells. "
            "Give the path of an .ipynb file that JupyterLab opens."
        )
    if content.get("nbformat", 1) > 4:
        raise BrokenNotebook(
            f"{path.name} is in notebook format {content['nbformat']}; zennb reads formats up to 4. "
            "Save it as format 4 from the program that wrote it, or update zennb."
        )
    if not all(type(level) is int and 0 < level < 10 for level in _levels(content)):
        # Whoever converts the cell writes that many `#`: a gigabyte, if the file says so.
        raise _damaged(path, ValueError("a heading has no level from 1 to 9"))
    parsed: dict[str, Any] = content
    return parsed


def _levels(content: dict[str, Any]) -> Iterator[object]:
    """Yield the levels of headings, which are cells of their own in formats before 4."""
    sheets = content.get("worksheets")
    for sheet in sheets if isinstance(sheets, list) else ():
        cells = _entry(sheet, "cells")
        for cell in cells if isinstance(cells, list) else ():
            if isinstance(cell, dict) and "level" in cell:
                yield cell["level"]


def notebook_text(path: Path) -> str:
    """Return the text of a notebook's file.

    Raises:
        UnknownName: there is no such file.
        BrokenNotebook: it cannot be read.
    """
    try:
        return read_file(path, limit=_LARGEST).decode("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        raise UnknownName("notebook", str(path), _notebooks_beside(path)) from None
    except IsADirectoryError:
        raise BrokenNotebook(f"{path} is a folder. Give the path of one .ipynb file in it.") from None
    except OSError as error:
        advice = (
            "Clear its outputs and save it"
            if error.errno == errno.EFBIG
            else "Give the path of an .ipynb file"
        )
        raise BrokenNotebook(f"{path} cannot be read: {error.strerror}. {advice}, then try again.") from None
    except ValueError as error:
        raise _no_notebook(path, error) from None


def _no_notebook(path: Path, error: ValueError) -> BrokenNotebook:
    return BrokenNotebook(
        f"{path.name} is no Jupyter notebook, or a damaged one: {error}. "
        "Open it in JupyterLab to see what is left, or take the last saved version."
    )


def _notebooks_beside(path: Path) -> list[str]:
    beside = (
        other.name for other in path.parent.glob("*.ipynb") if other.name != path.name
    )  # itself: a dead link
    return sorted(str(path.with_name(name)) for name in beside)


def _has_cells(content: Any) -> bool:
    if not isinstance(content, dict):
        return False
    version = content.get("nbformat", 1)
    if not isinstance(version, int) or version < 1:
        return False
    if "worksheets" in content:  # formats before 4
        return True
    cells = content.get("cells")
    return isinstance(cells, list) and all(isinstance(cell, dict) and "cell_type" in cell for cell in cells)


def _refuse_other_languages(path: Path, content: dict[str, Any]) -> None:
    languages = (
        _entry(_entry(content.get("metadata"), "kernelspec"), "language"),
        _entry(_entry(content.get("metadata"), "language_info"), "name"),
    )
    for language in languages:
        if language and str(language).lower() not in {"python", "python3", "ipython"}:
            raise BrokenNotebook(
                f"{path.name} is written for {str(language)[:40]}; steps are Python. Choose a Python notebook."
            )


def _entry(holder: Any, name: str) -> Any:
    return holder.get(name) if isinstance(holder, dict) else None


def _complete_ids(cells: list[Any]) -> None:
    seen: set[str] = set()
    for position, cell in enumerate(cells, start=1):
        if not cell.get("id") or cell["id"] in seen:
            new_id = f"cell-{position}"
            while new_id in seen:
                new_id += "x"
            cell["id"] = new_id
        seen.add(cell["id"])
