"""Owns the elements of a variable that a step is mapped over (`--map NAME`): which they are, and how each is named."""

from __future__ import annotations

import reprlib
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import is_a
from zennb.errors import StepRefused
from zennb.materializers.own_texts import runs_own_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zennb.engine.step.definition import StepDefinition

__all__ = ["check_mapped", "element_name", "elements_of", "mapped_value", "short_repr"]

_short = reprlib.Repr()
_short.maxstring = _short.maxother = 40
_short.maxlist = _short.maxtuple = _short.maxdict = 3
_short.maxlevel = 2


def check_mapped(definition: StepDefinition, names: Mapping[str, Any]) -> None:
    """Refuse a mapped step whose elements would have to know of each other.

    Args:
        definition: the step.
        names: what the notebook or an earlier step has under which name.

    Raises:
        StepRefused: it reads a variable that it binds itself, or keeps an output out of the store.
    """
    options, analysis = definition.options, definition.analysis
    if options.no_store:
        raise StepRefused(
            f"step '{definition.name}' has --map, which makes lists of what its elements have stored, so --no-store "
            "cannot be used with it; begin the names of intermediate results with an underscore."
        )
    if options.map in options.ignore:
        raise StepRefused(
            f"step '{definition.name}' has --map {options.map} and --ignore {options.map}, so nothing would tell its "
            "elements from each other; take it out of --ignore."
        )
    public = [name for name in analysis.binds if not name.startswith("_") and name not in analysis.imports]
    for name in public:
        is_read = name in analysis.reads and name not in analysis.doubtful and name in names
        if is_read and name != options.map and name not in analysis.defines:
            raise StepRefused(
                f"step '{definition.name}' has --map and reads `{name}`, which it also binds: each element would begin "
                f"with the same `{name}`, and `{name}` would be a list afterwards. Give the result another name."
            )


def element_name(name: str, number: int) -> str:
    """Return how element `number` of a variable or a step is named in records and messages: `files[3]`."""
    return f"{name}[{number}]"


def mapped_value(value: Any) -> Any:
    """Return what the content of a mapped variable is: of pandas groups, which change when they are used, a list."""
    return list(value) if _is_grouped(value) else value


def elements_of(value: Any, name: str) -> list[Any]:
    """Return the elements of a variable, as a `for` loop over it gives them; of a dict, its items.

    Rows of an array are copies: no element shares memory with another one.

    Raises:
        StepRefused: it is nothing that has elements in an order.
    """
    numpy, pandas = sys.modules.get("numpy"), sys.modules.get("pandas")
    if is_a(value, dict):
        return list(value.items())
    if _is_grouped(value):
        return list(value)
    if numpy is not None and is_a(value, numpy.ndarray) and value.ndim:
        # Iterating over dates or text gives the same scalars as an index does.
        return [each.copy() if is_a(each, numpy.ndarray) else each for each in value]
    if pandas is not None and is_a(value, pandas.DataFrame):
        raise StepRefused(
            f"--map {name}: `{name}` is a data frame, which has rows, columns and groups. Map over what you mean: "
            f"`{name}.groupby(...)`, a list of its columns, or `list({name}.itertuples())`."
        )
    if pandas is not None and is_a(value, pandas.Series | pandas.Index):
        return list(value)
    if type(value).__module__.partition(".")[0] == "polars" and type(value).__name__ == "Series":
        return list(value)
    if is_a(value, Sequence) and not is_a(value, str | bytes | bytearray | memoryview):
        return list(value)
    raise StepRefused(
        f"--map {name}: `{name}` is a {type(value).__name__}, which has no elements in an order. Map over a list, "
        "tuple, dict, range, array, Series, or the groups of `groupby`."
    )


def short_repr(value: Any) -> str:
    """Return a few characters that tell an element from the others."""
    kind = type(value)
    if is_a(value, tuple) and value and kind is tuple:
        return f"({', '.join(short_repr(each) for each in value[:3])}{', ...' if len(value) > 3 else ''})"
    if (shape := getattr(value, "shape", None)) and is_a(shape, tuple):
        return f"{kind.__name__} of {' × '.join(map(str, shape))}"
    if runs_own_text(value):
        return kind.__name__
    try:
        return " ".join(_short.repr(value).split())[:80]
    except Exception:  # noqa: BLE001 - the value's own code
        return kind.__name__


def _is_grouped(value: Any) -> bool:
    return any(
        base.__name__ == "BaseGroupBy" and base.__module__.startswith("pandas.")
        for base in type(value).__mro__
    )
