"""Owns conditions on runs, as typed: `accuracy > 0.9 and depth = 3`, on what a run logged and its parameters."""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zennb.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["RunCondition", "parse_where", "text_as_number"]

_CONDITION = re.compile(r"\s*(?P<name>[^<>=!]+?)\s*(?P<sign><=|>=|==|!=|<|>|=)\s*(?P<value>[^<>=!]+?)\s*")
_AND = re.compile(r"\s+and(?:\s+|$)", re.IGNORECASE)
_SIGNS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
}


@dataclass(frozen=True, slots=True)
class RunCondition:
    """One condition.

    Attributes:
        name: a metric, `accuracy` or that of one step, `train.accuracy`; or a parameter.
        sign: how it is compared: `>`.
        value: with what.
    """

    name: str
    sign: str
    value: str

    @property
    def text(self) -> str:
        """The condition as typed: `accuracy > 0.9`."""
        return f"{self.name} {self.sign} {self.value}"

    def holds(self, values: Iterable[float | str]) -> bool:
        """Whether it holds for one of the values that go under its name.

        Numbers are compared as such; texts only for being equal or not.
        """
        wanted = text_as_number(self.value)
        return any(self._holds(each, wanted) for each in values)

    def _holds(self, value: float | str, wanted: float | str) -> bool:
        if isinstance(value, str) or isinstance(wanted, str):
            return self.sign in {"=", "==", "!="} and _SIGNS[self.sign](str(value), str(wanted))
        return _SIGNS[self.sign](value, wanted)


def parse_where(text: str | None) -> tuple[RunCondition, ...]:
    """Return the conditions in a text, which are joined by `and`; none for None.

    Raises:
        UsageError: a part is no condition.
    """
    parts = _AND.split(text) if text is not None else []
    return tuple(map(_condition, parts))


def _condition(text: str) -> RunCondition:
    found = _CONDITION.fullmatch(text)
    if found is None:
        raise UsageError(
            f"'{text.strip()}' is no condition; write the name of a metric or parameter, one of < <= > >= = !=, and a "
            'value: "accuracy > 0.9 and depth = 3".'
        )
    return RunCondition(found["name"], found["sign"], found["value"].strip("\"'"))


def text_as_number(text: str) -> float | str:
    """Return the number that a text stands for; else the text, without the quotes around it."""
    try:
        return float(text)
    except ValueError:
        return text.strip("\"'")
