"""Owns the parameters of a headless run: parsing their values, and adding the cells that set them."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any

from zennb.core.reading.definitions import flattened
from zennb.core.reading.source import analyse
from zennb.errors import UnknownName, UsageError
from zennb.headless.read import step_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = [
    "INJECTED",
    "UNKNOWN",
    "LiteralText",
    "fitted_value",
    "inject",
    "literal",
    "literal_value",
    "plain_names",
    "step_trees",
]

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


class LiteralText(str):
    """Text that Python code gave for a value: it counts as a literal, whatever value it replaces."""

    __slots__ = ()


UNKNOWN = object()
"""Stands for the value of a variable that nobody knows before the notebook runs."""

_YES, _NO = frozenset({"true", "yes", "on", "1"}), frozenset({"false", "no", "off", "0"})
_KINDS: dict[type, tuple[tuple[type, ...], str]] = {
    int: ((int, float), "a number"),
    float: ((int, float), "a number"),
    complex: ((int, float, complex), "a number"),
    list: ((list, tuple), "a list"),
    tuple: ((list, tuple), "a tuple"),
    dict: ((dict,), "a dict"),
    set: ((set,), "a set"),
    bytes: ((bytes,), "bytes"),
}
"""Type of the value before → types of literals that may replace it, and what to call them."""


def fitted_value(name: str, text: str, before: Any = UNKNOWN) -> Any:
    """Return the value of a parameter, read as the type of the value that it replaces.

    `-p flag=false` replaces True by False, `-p name=3` a text by the text `'3'`, and `-p depth=3` a number by 3. An
    integer may become a float, a list may be given as a tuple, and anything may become `None`. Where the value before
    is not known, or None, the text counts as a literal if it is one.

    Args:
        name: the parameter, for messages.
        text: as typed.
        before: the value that it replaces.

    Raises:
        UsageError: the text is no value of that type.
    """
    found = literal_value(text.strip())
    if found is None or before is UNKNOWN or before is None or isinstance(text, LiteralText):
        return text if isinstance(found, str) and found == text.strip() else found
    kind = type(before)
    if kind is bool:
        word = text.strip().lower()
        if word in _YES | _NO:
            return word in _YES
        raise UsageError(f"parameter '{name}' is true or false, and {text!r} is neither.")
    if kind is str:
        return found if isinstance(found, str) and text.strip()[:1] in {"'", '"'} else text
    if kind not in _KINDS:
        return text if isinstance(found, str) and found == text.strip() else found
    types, what = _KINDS[kind]
    if type(found) not in types:
        raise UsageError(f"parameter '{name}' is {what} ({before!r} in the notebook), and {text!r} is not.")
    return kind(found) if kind in {list, tuple} else found


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
    if not parameters:
        return
    binds = [plain_names(cell.source) if cell.cell_type == "code" else () for cell in node.cells]
    after: dict[int, dict[str, str]] = {}
    for name, text in parameters.items():
        place = _place(name, node.cells, binds, path=path)
        value = fitted_value(name, text, _value_before(node.cells[place].source, name))
        after.setdefault(place, {})[name] = _source(text, value)
    for position in sorted(after, reverse=True):
        node.cells.insert(position + 1, _cell(node, after[position]))


def _source(text: str, value: Any) -> str:
    """Return the Python source of a value that `fitted_value` read from a text."""
    found = literal_value(text.strip())
    if isinstance(value, str | bool) and type(found) is not type(value):
        return repr(value)
    source = literal(text)  # not `repr`: that of infinity is a name
    if type(found) is type(value) or isinstance(value, str):
        return source
    return f"[*{source}]" if isinstance(value, list) else f"(*{source},)"


def _value_before(source: str, name: str) -> Any:
    """Return the value that a cell gives a name last, if that is a literal; else `UNKNOWN`."""
    found: Any = UNKNOWN
    for tree in _trees(source):
        for statement in flattened(tree.body):
            if isinstance(statement, ast.Assign):
                targets, value = statement.targets, statement.value
            elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
                targets, value = [statement.target], statement.value
            else:
                continue
            if any(isinstance(target, ast.Name) and target.id == name for target in targets):
                try:
                    found = ast.literal_eval(value)
                except (ValueError, TypeError, MemoryError, RecursionError):
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


def _cell(node: Any, parameters: Mapping[str, str]) -> Any:
    from nbformat import v4

    source = "\n".join(["# Parameters", *(f"{name} = {text}" for name, text in parameters.items())])
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
