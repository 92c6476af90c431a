"""Owns the `pandera` data validator: schemas of pandera, given or inferred from the version before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zennb.compat.instances import is_a
from zennb.components.data_validator import CheckResult, DataValidator
from zennb.components.data_validators.columns import row_count
from zennb.components.data_validators.rules import check_of_dict
from zennb.components.data_validators.value_types import words_of
from zennb.core.secrets.names import DOTS, Suspicion, suspicion
from zennb.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from zennb.components.data_validator import Check, Earlier

__all__ = ["INFERRED", "PanderaDataValidator"]

INFERRED = "inferred"
"""The schema that stands for what is inferred from the version before."""

_SHOWN = 5


class PanderaDataValidator(DataValidator):
    """Checks data frames against schemas of pandera."""

    flavor = "pandera"
    description = "checks data frames against schemas of pandera, given or inferred from the version before"

    def check_for(self, schema: object) -> Check:
        """Return the check that a schema describes: a schema or model of pandera, `"inferred"`, or a plain dict.

        Raises:
            UsageError: it is none of them.
        """
        if is_a(schema, dict):
            return check_of_dict(schema)
        if isinstance(schema, str) and schema == INFERRED:
            return _check_inferred
        if is_a(schema, type) and hasattr(schema, "to_schema"):
            schema = schema.to_schema()
        if not (hasattr(schema, "validate") and type(schema).__module__.startswith("pandera.")):
            raise UsageError(
                f"a schema is a DataFrameSchema or DataFrameModel of pandera, the text '{INFERRED}', or a dict, not "
                f"{words_of(schema)}."
            )
        return lambda value, _earlier: _checked(schema, value)


def _check_inferred(value: Any, earlier: Earlier) -> CheckResult:
    before = earlier()
    if before is None:
        return CheckResult(measures=_rows(value))
    import pandera

    schema: Any = pandera.infer_schema(before)
    # Only the columns: an index is mostly a count. And types have to be the same, not only convertible.
    schema.index, schema.coerce = None, False
    return _checked(schema, value)


def _rows(value: object) -> dict[str, float]:
    count = row_count(value)
    return {} if count is None else {"rows": count}


def _checked(schema: Any, value: Any) -> CheckResult:
    from pandera.errors import SchemaError, SchemaErrors

    try:
        schema.validate(value, lazy=True)
    except SchemaErrors as errors:
        cases = errors.failure_cases
        records = cases.to_dicts() if hasattr(cases, "to_dicts") else cases.to_dict("records")
        return CheckResult(failures=tuple(_grouped(records)), measures=_rows(value))
    except SchemaError as error:
        return CheckResult(failures=(" ".join(str(error).split())[:300],), measures=_rows(value))
    except TypeError:  # what pandera raises for values that are no frames
        return CheckResult(failures=(f"{words_of(value)} is not a data frame that the schema is for",))
    columns = getattr(schema, "columns", {})
    rules = [len(each.checks) + 1 for each in columns.values()]
    return CheckResult(passed=sum(rules) + len(getattr(schema, "checks", ())), measures=_rows(value))


def _grouped(records: Iterable[dict[str, Any]]) -> list[str]:
    """Return one phrase for each rule that did not hold, with its rows."""
    found: dict[tuple[str, str], list[str]] = {}
    for record in records:
        column, rule = record.get("column"), str(record.get("check"))
        if rule == "column_in_dataframe":
            found[(f"column '{record.get('failure_case')}'", "is missing")] = []
            continue
        where = f"column '{column}'" if isinstance(column, str) else "the table"
        rows = found.setdefault((where, f"does not hold {rule}"), [])
        index = record.get("index")
        if index is not None and index == index:  # noqa: PLR0124 - pandas has NaN where there is no row
            is_hidden = isinstance(column, str) and suspicion(column) is not Suspicion.NONE
            row = (
                repr(index) if isinstance(index, str) else f"{index:g}" if isinstance(index, float) else index
            )
            rows.append(f"row {row} ({DOTS if is_hidden else _value(record.get('failure_case'))})")
    return [
        f"{where} {what}"
        + (f", {len(rows)} rows: {', '.join(rows[:_SHOWN])}" if rows else "")
        + (", ..." if len(rows) > _SHOWN else "")
        for (where, what), rows in found.items()
    ]


def _value(value: object) -> str:
    plain = value.item() if type(value).__module__ == "numpy" and hasattr(value, "item") else value
    return f"{plain!r:.40}"
