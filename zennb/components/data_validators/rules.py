"""Owns schemas as plain dicts: which rules there are, and the check that such a schema describes."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import is_a
from zennb.components.data_validator import Check, CheckResult
from zennb.components.data_validators.columns import DataColumn, as_column, as_columns, is_null, row_count
from zennb.components.data_validators.drift import drift
from zennb.components.data_validators.value_types import bound_for, type_named, words_of
from zennb.core.secrets.names import DOTS, Suspicion, suspicion
from zennb.errors import UsageError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable

    from zennb.components.data_validator import Earlier

__all__ = ["RULES", "check_of_dict"]

RULES = ("type", "min", "max", "nulls", "allowed", "unique", "pattern", "drift", "required")
"""What can be asked of a column, or of a value."""

ROWS = "rows"
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class _Schema:
    """A schema that was read: rules by column, those of the value itself under None, and how many rows it may have."""

    columns: Mapping[str | None, Mapping[str, Any]]
    rows: tuple[float | None, float | None] | None = None


def check_of_dict(schema: object) -> Check:
    """Return the check that a schema describes, given as a plain dict.

    `{"age": {"type": "int", "min": 0}, "rows": (100, None)}` is about the columns of a table; `{"type": "float", "max":
    1}` about a value itself, or each element of an array or list.

    Raises:
        UsageError: it is no such schema.
    """
    found = _read(schema)

    def check(value: Any, earlier: Earlier) -> CheckResult:
        return _Checking(found, value, earlier).run()

    return check


# Reading a schema


def _read(schema: object) -> _Schema:
    if not is_a(schema, dict):
        raise UsageError(
            f"a schema is a dict such as {{'age': {{'type': 'int', 'min': 0}}, 'rows': (100, None)}}, not "
            f"{words_of(schema)}."
        )
    given: dict[Any, Any] = dict(schema)  # a copy: the step may change it
    rows = given.pop(ROWS) if ROWS in given and not is_a(given[ROWS], dict) else None
    if not given and rows is None:
        raise UsageError(
            "the schema is empty; name a column with its rules, such as {'age': {'nulls': False}}."
        )
    limits = None if rows is None else _limits(rows)
    if given and not any(is_a(each, dict) for each in given.values()) and given.keys() & set(RULES):
        return _Schema({None: _rules(given, "the schema")}, limits)
    columns: dict[str | None, Mapping[str, Any]] = {}
    for name, rules in given.items():
        if not isinstance(name, str):
            raise UsageError(f"a column is named by a text, not by {words_of(name)} ({name!r:.40}).")
        if not is_a(rules, dict):
            hint = (
                f"; did you mean {{{name!r}: {{'type': {rules!r}}}}}?"
                if isinstance(rules, str | type)
                else "."
            )
            raise UsageError(f"the rules of column '{name}' are a dict, not {words_of(rules)}{hint}")
        columns[name] = _rules(rules, f"column '{name}'")
    return _Schema(columns, limits)


def _rules(given: Mapping[Any, Any], whose: str) -> dict[str, Any]:
    found = {}
    for word, wanted in given.items():
        if word not in RULES:
            close = nearest(str(word), RULES)
            advice = f"did you mean '{close}'?" if close else f"there are: {', '.join(RULES)}, {ROWS}."
            raise UsageError(f"{whose} has no rule '{word}'; {advice}")
        found[word] = _READ[word](wanted, f"`{word}` of {whose}")
    return found


def _flag(wanted: object, whose: str) -> bool:
    if not isinstance(wanted, bool):
        raise UsageError(f"{whose} is True or False, not {words_of(wanted)}.")
    return wanted


def _bound(wanted: object, whose: str) -> object:
    is_text = isinstance(wanted, str)
    if (
        wanted is None
        or isinstance(wanted, bool)
        or is_null(wanted)
        or (is_a(wanted, Collection) and not is_text)
    ):
        raise UsageError(f"{whose} is a number, a date or a text, not {words_of(wanted)}.")
    return wanted


def _allowed(wanted: object, whose: str) -> frozenset[Any] | tuple[Any, ...]:
    if isinstance(wanted, str | bytes | Mapping) or not is_a(wanted, Collection):
        raise UsageError(f"{whose} is a list of values, not {words_of(wanted)}.")
    try:
        return frozenset(wanted)
    except TypeError:
        return tuple(wanted)


def _pattern(wanted: object, whose: str) -> re.Pattern[str]:
    if not isinstance(wanted, str | re.Pattern):
        raise UsageError(f"{whose} is a regular expression, not {words_of(wanted)}.")
    try:
        return re.compile(wanted)
    except re.error as error:
        raise UsageError(f"{whose} is not a regular expression: {error}.") from None


def _share(wanted: object, whose: str) -> float:
    if isinstance(wanted, bool) or not isinstance(wanted, int | float) or not 0 <= wanted <= 1:
        raise UsageError(
            f"{whose} is a number from 0 (the same) to 1 (nothing in common), not {wanted!r:.40}."
        )
    return float(wanted)


def _limits(wanted: object) -> tuple[float | None, float | None]:
    if isinstance(wanted, int) and not isinstance(wanted, bool):
        return wanted, wanted
    if isinstance(wanted, list | tuple) and len(wanted) == 2:
        low, high = wanted
        if all(
            each is None or (isinstance(each, int | float) and not isinstance(each, bool)) for each in wanted
        ):
            return low, high
    raise UsageError(
        f"`rows` is how many rows there are, a number or (least, most) with None for no limit, not {wanted!r:.40}."
    )


_READ: Mapping[str, Callable[[Any, str], Any]] = {
    "type": type_named,
    "min": _bound,
    "max": _bound,
    "nulls": _flag,
    "allowed": _allowed,
    "unique": _flag,
    "pattern": _pattern,
    "drift": _share,
    "required": _flag,
}


# Checking


class _Checking:
    """One check of one value."""

    def __init__(self, schema: _Schema, value: Any, earlier: Earlier) -> None:
        self._schema, self._value, self._earlier = schema, value, earlier
        self._passed = 0
        self._failures: list[str] = []
        self._measures: dict[str, float] = {}

    def run(self) -> CheckResult:
        self._check_rows()
        by_column = {name: rules for name, rules in self._schema.columns.items() if name is not None}
        if by_column:
            self._check_table(by_column)
        elif self._schema.columns:
            earlier = None
            if "drift" in self._schema.columns[None]:
                before = self._earlier()
                earlier = None if before is None else as_column(before)
            self._check_column("", as_column(self._value), self._schema.columns[None], earlier)
        return CheckResult(passed=self._passed, failures=tuple(self._failures), measures=dict(self._measures))

    def _check_rows(self) -> None:
        count, limits = row_count(self._value), self._schema.rows
        if count is not None:
            self._measures["rows"] = count
        if limits is None:
            return
        low, high = limits
        if count is None:
            self._failures.append(f"{words_of(self._value)} has no rows to count")
        elif low is not None and count < low:
            self._failures.append(f"{count:,} rows, at least {low:,} expected")
        elif high is not None and count > high:
            self._failures.append(f"{count:,} rows, at most {high:,} expected")
        else:
            self._passed += 1

    def _check_table(self, by_column: Mapping[str, Mapping[str, Any]]) -> None:
        columns = as_columns(self._value)
        if columns is None and isinstance(self._value, list | tuple) and not self._value:
            columns = {name: DataColumn(values=[]) for name in by_column}  # a list of rows that has none
        if columns is None:
            self._failures.append(f"{words_of(self._value)} has no columns")
            return
        before: Mapping[str, DataColumn] | None = None
        if any("drift" in rules for rules in by_column.values()):
            found = self._earlier()
            before = None if found is None else as_columns(found)
        for name, rules in by_column.items():
            # A check of one of them would pass the others unseen.
            if name in columns and columns[name].copies > 1:
                self._failures.append(f"column '{name}' is there {columns[name].copies} times")
            elif name in columns:
                self._check_column(name, columns[name], rules, (before or {}).get(name))
            elif rules.get("required", True):
                close = nearest(name, columns)
                hint = f", but there is '{close}'" if close else ""
                self._failures.append(f"column '{name}' is missing{hint}")

    def _check_column(
        self, name: str, column: DataColumn, rules: Mapping[str, Any], before: DataColumn | None
    ) -> None:
        whose = f"column '{name}': " if name else ""
        present = column.present()
        total = len(column.values)
        # A list or a date that should be a number is not below or above anything as well.
        is_typed = "type" in rules and present.numbers is None
        strange = set(_of_type(present, rules["type"])[0]) if is_typed else set()
        for word, wanted in rules.items():
            if word == "drift":
                self._check_drift(name, whose, column, wanted, before)
                continue
            if word == "nulls":
                where, bad, what = column, ([] if wanted else column.nulls()), "null"
            elif word in _TESTS:
                where, (bad, what) = present, _TESTS[word](present, wanted)
                bad = [place for place in bad if place not in strange] if word in {"min", "max"} else bad
            else:
                continue
            if not bad:
                self._passed += 1
                continue
            if column.is_single:
                self._failures.append(f"the value {_shown(column.values[0], is_hidden=False)} is {what}")
                continue
            shown = _rows(where, bad, is_hidden=suspicion(name) is not Suspicion.NONE, values=word != "nulls")
            self._failures.append(f"{whose}{len(bad):,} of {total:,} rows {what}: {shown}")

    def _check_drift(
        self, name: str, whose: str, column: DataColumn, wanted: float, before: DataColumn | None
    ) -> None:
        if before is None:
            return  # the first version has nothing to be compared with
        found = drift(before, column)
        self._measures[f"{name} drift".strip()] = found
        if found <= wanted:
            self._passed += 1
        else:
            self._failures.append(
                f"{whose}drift {found:.2g} from the version before, at most {wanted:.2g} allowed"
            )


def _rows(column: DataColumn, places: list[int], *, is_hidden: bool, values: bool) -> str:
    """Return the first rows in words: `row 3 (150), row 17 (999), ...`."""
    shown = []
    for place in places[:_SHOWN]:
        seen = f" ({_shown(column.values[place], is_hidden=is_hidden)})" if values else ""
        shown.append(f"row {column.label(place)}{seen}")
    return ", ".join(shown) + (", ..." if len(places) > _SHOWN else "")


def _shown(value: Any, *, is_hidden: bool) -> str:
    plain = value.item() if type(value).__module__ == "numpy" and hasattr(value, "item") else value
    return DOTS if is_hidden else f"{plain!r:.40}"


def _of_type(column: DataColumn, wanted: Any) -> tuple[list[int], str]:
    if column.numbers is not None:
        kind = column.numbers.dtype.kind
        if wanted.name == "int" and kind == "f" and column.has_gaps:
            # Integers with missing values, as pandas has them by default.
            return column.matching(lambda values: values % 1 != 0), "not of type int"
        bad = [] if wanted.takes_kind(kind) else list(range(len(column.values)))
        return bad, f"not of type {wanted.name}"
    return column.matching(lambda value: not wanted.takes(value)), f"not of type {wanted.name}"


def _below(column: DataColumn, wanted: Any) -> tuple[list[int], str]:
    return _outside(column, wanted, lambda value, bound: value < bound), f"below {wanted}"


def _above(column: DataColumn, wanted: Any) -> tuple[list[int], str]:
    return _outside(column, wanted, lambda value, bound: value > bound), f"above {wanted}"


def _outside(column: DataColumn, wanted: Any, compare: Callable[[Any, Any], Any]) -> list[int]:
    def is_outside(value: Any) -> Any:
        try:
            return compare(value, bound_for(wanted, value))
        except (TypeError, ValueError):  # what cannot be compared is not within the range
            return True

    if column.numbers is not None and isinstance(wanted, str):
        return list(range(len(column.values)))
    return column.matching(is_outside)


def _not_allowed(column: DataColumn, wanted: Collection[Any]) -> tuple[list[int], str]:
    def is_missing(value: Any) -> bool:
        try:
            return value not in wanted
        except TypeError:
            return True

    shown = ", ".join(sorted(map(repr, wanted))[:_SHOWN]) + (", ..." if len(wanted) > _SHOWN else "")
    listed = DataColumn(values=column.values.tolist()) if column.numbers is not None else column
    return listed.matching(is_missing), f"not among {shown}"


def _repeated(column: DataColumn, wanted: bool) -> tuple[list[int], str]:
    seen: set[Any] = set()
    bad = []
    values = column.values.tolist() if column.numbers is not None else column.values
    for place, value in enumerate(values if wanted else ()):
        key = value if getattr(value, "__hash__", None) is not None else repr(value)
        try:
            is_known = key in seen
        except TypeError:  # a tuple with a list in it
            key = repr(value)
            is_known = key in seen
        if is_known:
            bad.append(place)
        seen.add(key)
    return bad, "repeat a value"


def _unlike(column: DataColumn, wanted: re.Pattern[str]) -> tuple[list[int], str]:
    values = column.values
    bad = [
        place
        for place, value in enumerate(values)
        if not isinstance(value, str) or wanted.fullmatch(value) is None
    ]
    return bad, f"not like {wanted.pattern}"


_TESTS: Mapping[str, Callable[[DataColumn, Any], tuple[list[int], str]]] = {
    "type": _of_type,
    "min": _below,
    "max": _above,
    "allowed": _not_allowed,
    "unique": _repeated,
    "pattern": _unlike,
}
