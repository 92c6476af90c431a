"""Owns the parameters of a headless run: parsing their values, and adding the cells that set them."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any

from zennb.core.reading.source import analyse
from zennb.errors import UnknownName, UsageError
from zennb.headless.read import step_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["INJECTED", "inject", "literal", "literal_value", "plain_names"]

INJECTED = "injected-parameters"
"""Tag of a cell that sets parameters, as papermill calls it."""

CELL_MAGIC = re.compile(r"\s*%%\w+[^\n]*\n?")
MAGIC_LINE = re.compile(r"^(?P<indent>\s*)[%!][^\n]*$", re.MULTILINE)
MAGIC_VALUE = re.compile(r"=\s*[%!][^\n]*$", re.MULTILINE)


def literal(text: str) -> str:
    """Return `text` as Python source: itself when it is a literal (`0.1`, `[1, 2]`), else as a string.

    So `-p depth=3` gives the number 3 and `-p name=ridge` the string `'ridge'`; `-p name="'3'"` gives `'3'`.
    """
    stripped = text.strip()
    is_text = literal_value(stripped) is stripped
    return repr(text) if is_text else ast.unparse(ast.parse(stripped, mode="eval"))


def literal_value(text: str) -> Any:
    """Return the value of the Python literal that `text` is, else the text itself.

    Raises:
        UsageError: it has the form of a literal that no value can have: `{[1]: 2}`.
    """
    try:
        return ast.literal_eval(text)
    except TypeError as error:
        raise UsageError(f"`{text}` cannot be the value of a parameter: {error}.") from None
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


def inject(node: Any, parameters: Mapping[str, str], *, path: Path) -> None:
    """Add cells that set `parameters` to a notebook document, tagged `injected-parameters`.

    A parameter is set right after the cell tagged `parameters` when that cell binds the name, as papermill
    does; otherwise after the first cell that binds it, since set any earlier it would be overwritten there.
    In a notebook that papermill or zennb filled in before, it is set after the injected cell that binds it.

    Args:
        node: an nbformat 4 document, changed in place.
        parameters: name → text.
        path: the notebook's path, for messages.

    Raises:
        UnknownName: no cell binds a name as a plain variable.
        UsageError: the name is an output of a step.
    """
    if not parameters:
        return
    binds = [plain_names(cell.source) if cell.cell_type == "code" else () for cell in node.cells]
    after: dict[int, dict[str, str]] = {}
    for name, text in parameters.items():
        after.setdefault(_place(name, node.cells, binds, path=path), {})[name] = text
    for position in sorted(after, reverse=True):
        node.cells.insert(position + 1, _cell(node, after[position]))


def plain_names(source: str) -> tuple[str, ...]:
    """Return the names a cell binds by assignment: no imports, functions or classes; magics are passed over.

    Cell magics are taken to hold Python (`%%step`, `%%time`); a body that does not parse binds nothing.
    """
    body = CELL_MAGIC.sub("", source, count=1) if source.lstrip().startswith("%%") else source
    for text in (body, MAGIC_LINE.sub(r"\g<indent>pass", MAGIC_VALUE.sub("= None", body))):
        try:
            found = analyse(ast.parse(text))
        except (SyntaxError, ValueError):
            continue
        return tuple(name for name in found.binds if name not in found.imports | found.defines)
    return ()


def _place(name: str, cells: list[Any], binds: list[tuple[str, ...]], *, path: Path) -> int:
    binders = [position for position, names in enumerate(binds) if name in names]
    if not binders:
        known = dict.fromkeys(_plain(cells, binds))
        raise UnknownName("parameter", name, known, hint=f"{path.name} sets no such variable.")
    earlier = [position for position in binders if INJECTED in _tags(cells[position])]
    tagged = [position for position in binders if "parameters" in _tags(cells[position])]
    place = earlier[-1] if earlier else (tagged or binders)[0]
    step = step_name(cells[place].source)
    if step is not None:
        raise UsageError(
            f"`{name}` is made by {f'step `{step}`' if step else 'a step'} of {path.name}, so it cannot be a "
            "parameter. Set it in a plain cell that the step reads, and pass that name."
        )
    return place


def _plain(cells: list[Any], binds: list[tuple[str, ...]]) -> Iterator[str]:
    for cell, names in zip(cells, binds, strict=True):
        if step_name(cell.source) is None:
            yield from names


def _tags(cell: Any) -> list[str]:
    return list(cell.get("metadata", {}).get("tags", ()))


def _cell(node: Any, parameters: Mapping[str, str]) -> Any:
    from nbformat import v4

    source = "\n".join(["# Parameters", *(f"{name} = {literal(text)}" for name, text in parameters.items())])
    cell = v4.new_code_cell(source, metadata={"tags": [INJECTED]})
    if (node.nbformat, node.nbformat_minor) < (4, 5):
        del cell["id"]
    else:
        cell["id"] = _free_id(node)
    return cell


def _free_id(node: Any) -> str:
    taken = {cell.get("id") for cell in node.cells}
    names = (INJECTED if count == 1 else f"{INJECTED}-{count}" for count in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)
