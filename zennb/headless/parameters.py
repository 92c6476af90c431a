"""Owns the cells that set the parameters of a headless run: where they stand, and their text."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any

from zennb.core.reading.definitions import flattened
from zennb.core.reading.source import analyse
from zennb.errors import UnknownName, UsageError
from zennb.headless.parameter_values import UNKNOWN, LiteralText, fitted_source
from zennb.headless.read import step_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = [
    "INJECTED",
    "TEXTS",
    "fit",
    "fitting",
    "inject",
    "plain_names",
    "step_trees",
]

INJECTED = "injected-parameters"
"""Tag of a cell that sets parameters, as papermill calls it."""

TEXTS = "zennb_parameters"
"""Metadata of such a cell: the texts whose type only the run shows, which fits them before it executes the cell."""

CELL_MAGIC = re.compile(r"\s*%%\w+[^\n]*\n?")
MAGIC_LINE = re.compile(r"^(?P<indent>\s*)[%!][^\n]*$", re.MULTILINE)
MAGIC_VALUE = re.compile(r"=\s*[%!][^\n]*$", re.MULTILINE)


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
        UsageError: the name is an output of a step, or the text does not fit the value that it replaces.
    """
    for cell in node.cells:
        cell.metadata.pop(TEXTS, None)  # of an earlier run that failed before it came there
    if not parameters:
        return
    binds = [plain_names(cell.source) if cell.cell_type == "code" else () for cell in node.cells]
    after: dict[int, dict[str, str]] = {}
    texts: dict[int, dict[str, Any]] = {}
    for name, text in parameters.items():
        place = _place(name, node.cells, binds, path=path)
        before = _value_before(node.cells[place].source, name)
        after.setdefault(place, {})[name] = fitted_source(name, text, before)
        if before is UNKNOWN:
            texts.setdefault(place, {})[name] = [str(text), isinstance(text, LiteralText)]
    for position in sorted(after, reverse=True):
        node.cells.insert(position + 1, _cell(node, after[position], texts.get(position)))


def fitting(cell: Any) -> dict[str, str]:
    """Return name → expression that gives, in the kernel, the source of a parameter whose type only the run shows."""
    found: dict[str, str] = {}
    for name, (text, is_literal) in cell.metadata.get(TEXTS, {}).items():
        module = f"__import__({fitted_source.__module__!r}, fromlist=['_'])"
        given = f"{module}.LiteralText({text!r})" if is_literal else repr(text)
        found[name] = f"{module}.fitted_source({name!r}, {given}, {name})"
    return found


def fit(cell: Any, sources: Mapping[str, str]) -> None:
    """Write the sources of parameters that the kernel has fitted into the cell that sets them."""
    lines = cell.source.splitlines()
    names = {name: f"{name} = " for name in sources}
    for name, start in names.items():
        lines = [f"{start}{sources[name]}" if line.startswith(start) else line for line in lines]
    cell.source = "\n".join(lines)


def _value_before(source: str, name: str) -> Any:
    """Return the value that a cell gives a name last, if that is a literal and surely stays; else `UNKNOWN`."""
    found: Any = UNKNOWN
    for tree in _trees(source):
        for statement in flattened(tree.body):
            if isinstance(statement, ast.Assign):
                targets, value = statement.targets, statement.value
            elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
                targets, value = [statement.target], statement.value
            else:
                targets, value = [], ast.Constant(None)
            if any(isinstance(target, ast.Name) and target.id == name for target in targets):
                try:
                    found = ast.literal_eval(value)
                except (ValueError, TypeError, MemoryError, RecursionError):
                    found = UNKNOWN
            elif name in analyse(ast.Module(body=[statement], type_ignores=[])).binds:
                found = UNKNOWN
        return found
    return found


def plain_names(source: str) -> tuple[str, ...]:
    """Return the names a cell binds by assignment: no imports, functions or classes; magics are passed over.

    Cell magics are taken to hold Python (`%%step`, `%%time`); a body that does not parse binds nothing.
    """
    for tree in _trees(source):
        found = analyse(tree)
        return tuple(name for name in found.binds if name not in found.imports | found.defines)
    return ()


def step_trees(source: str) -> list[ast.Module]:
    """Return the syntax tree of a cell, or of the body of a step cell; an empty list if it cannot be parsed."""
    return list(_trees(source))


def _trees(source: str) -> Iterator[ast.Module]:
    """Yield the syntax tree of a cell, read as Python or with its magic lines taken out; none if neither parses."""
    body = CELL_MAGIC.sub("", source, count=1) if source.lstrip().startswith("%%") else source
    # As it is first: lines that look like magics may stand inside a string.
    for text in (body, MAGIC_LINE.sub(r"\g<indent>pass", MAGIC_VALUE.sub("= None", body))):
        try:
            yield ast.parse(text)
        except (SyntaxError, ValueError):
            continue
        return


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


def _cell(node: Any, parameters: Mapping[str, str], texts: Mapping[str, Any] | None) -> Any:
    from nbformat import v4

    source = "\n".join(["# Parameters", *(f"{name} = {text}" for name, text in parameters.items())])
    cell = v4.new_code_cell(source, metadata={"tags": [INJECTED], **({TEXTS: texts} if texts else {})})
    if (node.nbformat, node.nbformat_minor) < (4, 5):
        del cell["id"]
    else:
        cell["id"] = _free_id(node)
    return cell


def _free_id(node: Any) -> str:
    taken = {cell.get("id") for cell in node.cells}
    names = (INJECTED if count == 1 else f"{INJECTED}-{count}" for count in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)
