"""Which parts of a value pickle writes as they are, without asking us for a recipe."""

from __future__ import annotations

import io
import threading
from types import BuiltinFunctionType, MethodType
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import matplotlib.figure
import matplotlib.lines
import matplotlib.transforms
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from zennb.materializers import pickle
from zennb.materializers.closed_files import file_reduction
from zennb.materializers.ordinary import is_ordinary

if TYPE_CHECKING:
    from tests.materializers.conftest import Trip


class Own:
    pass


class Line(matplotlib.lines.Line2D):
    pass


class Derived(LinearRegression):  # type: ignore[misc] # sklearn ships no types
    pass


ORDINARY = [
    matplotlib.lines.Line2D,
    matplotlib.transforms.Affine2D,
    LinearRegression,
    np.float64,
    np.int8,
    BuiltinFunctionType,
    MethodType,
]
NEED_MORE = [
    Own,
    Line,
    Derived,
    matplotlib.figure.Figure,
    mpl.RcParams,
    np.ndarray,
    np.void,
    np.ma.MaskedArray,
    np.random.RandomState,
    np.ufunc,
    np.datetime64,
    pd.Series,
    pd.Index,
    pd.Timestamp,
    pd.errors.ParserError,
    threading.Thread,
    io.TextIOWrapper,
    memoryview,
    dict,
    type,
    type(lambda: 0),
]


@pytest.mark.parametrize("cls", ORDINARY)
def test_classes_of_packages_written_in_python_need_no_recipe_of_ours(cls: type) -> None:
    assert is_ordinary(cls)


@pytest.mark.parametrize("cls", NEED_MORE)
def test_whatever_may_have_a_recipe_of_ours_is_asked_for(cls: type) -> None:
    assert not is_ordinary(cls)


def test_the_parts_of_a_figure_are_not_asked_one_by_one(trip: Trip, monkeypatch: pytest.MonkeyPatch) -> None:
    figure = matplotlib.figure.Figure()
    figure.subplots().plot([1, 2, 3], label="speed")
    asked: list[object] = []

    def noted(value: Any) -> Any:
        asked.append(value)
        return file_reduction(value)

    monkeypatch.setattr(pickle, "file_reduction", noted)
    again = trip(figure)[1]
    assert again.axes[0].lines[0].get_label() == "speed"
    kinds = {type(each) for each in asked}
    assert matplotlib.figure.Figure in kinds
    assert matplotlib.lines.Line2D not in kinds
