"""Owns reading notebook files: their cells, the order of cells, and the message when a file is damaged."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zennb.core.reading.cell_heading import heading
from zennb.errors import BrokenNotebook, UnknownName
from zennb.headless.formats import converted

__all__ = ["NotebookCell", "document", "order", "read", "runs", "step_name"]


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
    content = _parsed(path)
    _refuse_other_languages(path, content)
    try:
        cells = converted(content)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BrokenNotebook(
            f"{path.name} is a damaged notebook: its cells cannot be read ({type(error).__name__}: {error}). "
            "Open it in JupyterLab to see what is left, or take the last saved version."
        ) from None
    if _version(content) >= (4, 5):
        _complete_ids(cells)
    return tuple(_cell(cell) for cell in cells)


def order(path: str | Path) -> list[str]:
    """Read the ids of a notebook's code cells, in file order; cells without an id are left out.

    Raises:
        UnknownName: there is no such file.
        BrokenNotebook: it is no Jupyter notebook.
    """
    cells = _parsed(Path(path)).get("cells", [])
    return [str(cell["id"]) for cell in cells if cell.get("cell_type") == "code" and cell.get("id")]


def document(path: str | Path) -> Any:
    """Read a notebook as an nbformat 4 document, ready to be run and written back.

    Older formats are converted. Where the format asks for cell ids and the file has none, or has one twice,
    ids are made from the position, so that reading a file twice gives the same ids.

    Raises:
        UnknownName: there is no such file.
        BrokenNotebook: it is no Jupyter notebook, or is written for another language.
    """
    path = Path(path)
    _refuse_other_languages(path, _parsed(path))
    import nbformat
    from nbformat import reader

    node = reader.reads(path.read_text(encoding="utf-8"))
    if node.nbformat != nbformat.current_nbformat:
        node = nbformat.convert(node, nbformat.current_nbformat)
    if (node.nbformat, node.nbformat_minor) >= (4, 5):
        _complete_ids(node.cells)
    return node


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
    return content.get("nbformat", 1), content.get("nbformat_minor") or 0


def _parsed(path: Path) -> dict[str, Any]:
    content: Any = _json(path)
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
    parsed: dict[str, Any] = content
    return parsed


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise UnknownName("notebook", str(path), _notebooks_beside(path)) from None
    except IsADirectoryError:
        raise BrokenNotebook(f"{path} is a folder. Give the path of one .ipynb file in it.") from None
    except ValueError as error:
        raise BrokenNotebook(
            f"{path.name} is no Jupyter notebook, or a damaged one: {error}. "
            "Open it in JupyterLab to see what is left, or take the last saved version."
        ) from None


def _notebooks_beside(path: Path) -> list[str]:
    return sorted(str(path.with_name(other.name)) for other in path.parent.glob("*.ipynb"))


def _has_cells(content: Any) -> bool:
    if not isinstance(content, dict) or not isinstance(content.get("nbformat", 1), int):
        return False
    if "worksheets" in content:  # formats before 4
        return True
    cells = content.get("cells")
    return isinstance(cells, list) and all(isinstance(cell, dict) and "cell_type" in cell for cell in cells)


def _refuse_other_languages(path: Path, content: dict[str, Any]) -> None:
    metadata = content.get("metadata") or {}
    languages = (
        (metadata.get("kernelspec") or {}).get("language"),
        (metadata.get("language_info") or {}).get("name"),
    )
    for language in languages:
        if language and str(language).lower() not in {"python", "python3", "ipython"}:
            raise BrokenNotebook(
                f"{path.name} is written for {language}; steps are Python. Choose a Python notebook."
            )


def _complete_ids(cells: list[Any]) -> None:
    seen: set[str] = set()
    for position, cell in enumerate(cells, start=1):
        if not cell.get("id") or cell["id"] in seen:
            new_id = f"cell-{position}"
            while new_id in seen:
                new_id += "x"
            cell["id"] = new_id
        seen.add(cell["id"])
