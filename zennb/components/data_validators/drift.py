"""Owns how far a column has drifted from the version before it.

Numbers are compared by the two-sample Kolmogorov-Smirnov statistic, the largest distance between the two empirical
distribution functions (N. Smirnov, "Table for estimating the goodness of fit of empirical distributions", Annals of
Mathematical Statistics 19, 1948). All else is compared by the total variation distance of the frequencies, half the sum
of their differences (Levin, Peres and Wilmer, "Markov Chains and Mixing Times", section 4.1). Both are 0 where nothing
has changed and 1 where the two have nothing in common, need no bins, and do not depend on the scale of the numbers.
Missing values count as a value of their own.
"""

from __future__ import annotations

import numbers
from bisect import bisect_right
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zennb.components.data_validators.columns import DataColumn

__all__ = ["drift"]


def drift(before: DataColumn, now: DataColumn) -> float:
    """Return how far a column has drifted, from 0 to 1; 1 if only one of the two has any values."""
    sizes = len(before.values), len(now.values)
    if not all(sizes):
        return 0.0 if sizes == (0, 0) else 1.0
    held = before.present(), now.present()
    shares = [1 - len(each.values) / size for each, size in zip(held, sizes, strict=True)]
    missing = abs(shares[0] - shares[1])
    old, new = (_plain(each) for each in held)
    if not old or not new:
        return 0.0 if not old and not new else 1.0
    if all(map(_is_number, (*old, *new))):
        return max(missing, _smirnov(old, new))
    return _total_variation(old, new, sizes, missing)


def _plain(column: DataColumn) -> list[Any]:
    return column.values.tolist() if column.numbers is not None else list(column.values)


def _is_number(value: object) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _smirnov(old: Sequence[Any], new: Sequence[Any]) -> float:
    first, second = sorted(old), sorted(new)
    return max(
        abs(bisect_right(first, value) / len(first) - bisect_right(second, value) / len(second))
        for value in {*first, *second}
    )


def _total_variation(old: Sequence[Any], new: Sequence[Any], sizes: tuple[int, int], missing: float) -> float:
    first, second = Counter(map(_key, old)), Counter(map(_key, new))
    differences = (abs(first[key] / sizes[0] - second[key] / sizes[1]) for key in {*first, *second})
    return min(1.0, (sum(differences) + missing) / 2)


def _key(value: object) -> object:
    try:
        hash(value)
    except TypeError:
        return repr(value)
    return value
