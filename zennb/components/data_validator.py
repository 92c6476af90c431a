"""Owns the interface of data validators: `DataValidator`, and `CheckResult`, what a check found."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from zennb.components.component import Component, Visibility

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Check", "CheckResult", "DataValidator", "Earlier"]

Earlier: TypeAlias = Callable[[], Any]
"""Returns the version before of what is checked; None when there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What a check found.

    Attributes:
        passed: how many rules held.
        failures: one phrase for each rule that did not hold, with the rows: `column 'age': 2 of 9 rows above 120: ...`.
        measures: what was measured: `rows` → 9, `age drift` → 0.02. They are logged as metrics of the step.
    """

    passed: int = 0
    failures: tuple[str, ...] = ()
    measures: Mapping[str, float] = field(default_factory=dict)


Check: TypeAlias = Callable[[Any, Earlier], CheckResult]
"""Checks a value: takes it, and what returns the version before of it."""


class DataValidator(Component):
    """Checks outputs of steps against schemas.

    A check runs where the step runs, so a validator is pickled with the step, and works in any process.

    An implementation guarantees, and `zennb.testing.data_validator.DataValidatorContract` checks: a plain dict means
    the same as with the `local` flavor; a check changes neither the value nor the schema; and whether a value passes
    is decided by the schema alone. Only the schema counts in the cache key of a step, so an option of the validator
    may change how failures are reported, and nothing else.
    """

    type = "data_validator"
    visibility: ClassVar[Visibility] = Visibility.NETWORK

    @abstractmethod
    def check_for(self, schema: object) -> Check:
        """Return the check that a schema describes. It is called before the step runs.

        Raises:
            UsageError: it is no schema; one sentence says what is wrong with it.
        """
