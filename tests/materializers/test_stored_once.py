"""Values keep their digest when they are stored and loaded, or only looked at; else what reads them runs once more."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV

from zennb.digests.digest import digest

if TYPE_CHECKING:
    from collections.abc import Callable


def searched() -> Any:
    rows = np.arange(12.0).reshape(6, 2)
    return GridSearchCV(Ridge(), {"alpha": [1, 2]}, cv=2).fit(rows, rows[:, 0])


def chart() -> Any:
    px = pytest.importorskip("plotly.express")
    return px.scatter(x=np.arange(3.0), y=np.arange(3.0))


def data_set() -> Any:
    xarray = pytest.importorskip("xarray")
    return xarray.Dataset({"a": ("t", [1, 2, 3])})


VALUES: dict[str, Callable[[], Any]] = {
    "a search of parameters": searched,
    "a masked array": lambda: np.ma.array([1, 2], mask=[False, True]),
    "a masked array with a fill value": lambda: np.ma.array([1.0, 2.0], mask=[False, True], fill_value=3),
    "masked objects": lambda: np.ma.array([None], mask=[True], dtype=object),
    "a chart": chart,
    "a data set": data_set,
}


@pytest.mark.parametrize("kind", VALUES)
def test_a_value_that_was_stored_once_has_the_same_digest(kind: str) -> None:
    value = VALUES[kind]()
    before = digest(value)
    assert digest(pickle.loads(pickle.dumps(value))) == before
    assert digest(value) == before


def test_what_a_chart_draws_counts() -> None:
    one, other = chart(), chart()
    other.update_layout(title="sales")
    assert digest(one) == digest(chart())
    assert digest(one) != digest(other)
    one.data[0].y = [3, 4, 5]
    assert digest(one) != digest(chart())


def test_the_fill_value_of_a_masked_array_counts() -> None:
    assert digest(np.ma.array([1.0], fill_value=3)) != digest(np.ma.array([1.0], fill_value=4))
