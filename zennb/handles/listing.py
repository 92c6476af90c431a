"""Owns `Listing`: the results of a query, as a sequence that displays as a table and converts to a data frame."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from zennb.errors import MissingExtra

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from zennb.views.table import Table

__all__ = ["Listing"]

T = TypeVar("T")

MOMENTS = frozenset({"started", "created"})
"""Columns that hold seconds since the epoch."""


class Listing(Sequence[T], Generic[T]):
    """The results of a query, in order. A slice is a listing again.

    Args:
        found: the results.
        show: returns the table of some of them.
        columns: the columns of a data frame → their values; by default those of the table.
        more: returns the further columns of a result, which others may lack.
    """

    def __init__(
        self,
        found: Sequence[T],
        *,
        show: Callable[[Sequence[T]], Table],
        columns: Mapping[str, Callable[[T], Any]] | None = None,
        more: Callable[[T], Mapping[str, Any]] = lambda _result: {},
    ) -> None:
        self._found, self._show, self._columns, self._more = tuple(found), show, columns, more

    @cached_property
    def _table(self) -> Table:
        return self._show(self._found)

    @overload
    def __getitem__(self, index: int) -> T: ...

    @overload
    def __getitem__(self, index: slice) -> Listing[T]: ...

    def __getitem__(self, index: int | slice) -> T | Listing[T]:
        if isinstance(index, slice):
            return Listing(self._found[index], show=self._show, columns=self._columns, more=self._more)
        return self._found[index]

    def __len__(self) -> int:
        return len(self._found)

    def to_frame(self) -> Any:
        """Return a `pandas.DataFrame` with a row for each result: times as timestamps in UTC, durations in seconds.

        Raises:
            MissingExtra: pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise MissingExtra(
                'to_frame() needs pandas, which is not installed; type: pip install "zennb[frames]"'
            ) from error
        columns = self._columns
        if columns is None:
            rows, names = self._table.rows(), [column.key for column in self._table.columns]
        else:
            rows = [
                {**{name: value(each) for name, value in columns.items()}, **self._more(each)}
                for each in self._found
            ]
            names = list(columns)
        frame = pd.DataFrame(rows, columns=None if rows else names)
        for moment in MOMENTS.intersection(frame.columns):
            frame[moment] = pd.to_datetime(frame[moment], unit="s", utc=True)
        return frame

    def __repr__(self) -> str:
        return self._table.text

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """Return the table as text and HTML for Jupyter."""
        del include, exclude  # always both; the frontend chooses
        return {"text/plain": self._table.text, "text/html": self._table.html}
