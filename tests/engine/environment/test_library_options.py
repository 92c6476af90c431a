"""Options of libraries: each is read, told apart, and set again as a step left it."""

from __future__ import annotations

import ast
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn

from zennb.core.records.observed import UNTOUCHED
from zennb.engine.environment.library_options import LIBRARY_OPTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KNOWN = {options.name: options for options in LIBRARY_OPTIONS}


@pytest.fixture(autouse=True)
def process() -> Iterator[None]:
    """Begin with every option as its library starts with, and leave them so."""
    with (
        np.printoptions(),
        np.errstate(),
        pd.option_context("display.width", 80),
        mpl.rc_context(),
        sklearn.config_context(),
        pl.Config(),
    ):
        for options in LIBRARY_OPTIONS:
            if change := options.change(options.read(), None):
                options.apply(change)
        yield


DEEDS: dict[str, tuple[Callable[[], object], dict[str, Any]]] = {
    "numpy print options": (
        lambda: np.set_printoptions(precision=3, suppress=True),
        {"precision": 3, "suppress": True},
    ),
    "numpy error handling": (lambda: np.seterr(divide="raise"), {"divide": "raise"}),
    "pandas options": (lambda: pd.set_option("display.max_rows", 7), {"display.max_rows": 7}),
    "matplotlib style": (lambda: mpl.rc("lines", linewidth=4.5), {"lines.linewidth": 4.5}),
    "scikit-learn configuration": (
        lambda: sklearn.set_config(transform_output="pandas"),
        {"transform_output": "pandas"},
    ),
    "polars options": (
        lambda: pl.Config.set_tbl_rows(5),
        {"environment": {"POLARS_FMT_MAX_ROWS": "5"}},
    ),
}


def test_every_library_has_a_test_here() -> None:
    assert set(DEEDS) == set(KNOWN)


@pytest.mark.parametrize("name", KNOWN)
def test_an_option_is_brought_from_one_state_to_the_other(name: str) -> None:
    options, (deed, expected) = KNOWN[name], DEEDS[name]
    before = options.read()
    deed()
    after = options.read()
    change = options.change(before, after)
    assert change == expected
    options.apply(options.change(after, before))
    assert options.read() == before
    options.apply(change)
    assert options.read() == after


@pytest.mark.parametrize("name", KNOWN)
def test_what_a_library_starts_with_is_untouched_and_loading_it_no_change(name: str) -> None:
    options, (deed, expected) = KNOWN[name], DEEDS[name]
    assert options.digest(options.read()) == UNTOUCHED
    assert options.change(None, options.read()) == {}
    deed()
    assert options.digest(options.read()) != UNTOUCHED
    assert options.change(None, options.read()) == expected


@pytest.mark.parametrize("name", KNOWN)
def test_a_library_that_is_not_loaded_has_no_options(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, KNOWN[name].module)
    assert KNOWN[name].read() is None
    monkeypatch.undo()


@pytest.mark.parametrize("option", ["backend", "interactive", "toolbar", "webagg.port"])
def test_where_figures_go_is_no_style(option: str) -> None:
    style = KNOWN["matplotlib style"]
    before = style.read()
    raw: Any = dict  # past the checks of matplotlib, and without a window
    held = raw.__getitem__(mpl.rcParams, option)
    try:
        raw.__setitem__(mpl.rcParams, option, "another")
        assert style.change(before, style.read()) == {}
        assert style.change(None, style.read()) == {}
    finally:
        raw.__setitem__(mpl.rcParams, option, held)


def test_pandas_options_are_those_that_pandas_itself_gives() -> None:
    options = KNOWN["pandas options"]
    found = dict(zip(options.keys(), options.values(), strict=True))
    assert len(found) > 20
    for key in ("display.max_rows", "display.width", "plotting.backend", "compute.use_numexpr"):
        assert found[key] == pd.get_option(key)


def test_options_that_each_thread_has_for_itself_are_marked() -> None:
    assert {name for name, options in KNOWN.items() if options.is_per_context} == {
        "numpy print options",
        "numpy error handling",
        "scikit-learn configuration",
    }
    assert KNOWN["numpy print options"].modules == {"numpy", "pandas"}


def test_in_a_new_process_every_library_is_as_it_starts_with() -> None:
    text = (
        "import matplotlib, numpy, pandas, sklearn\n"
        "from zennb.engine.environment.library_options import LIBRARY_OPTIONS\n"
        "print({o.name: o.change(None, o.read()) for o in LIBRARY_OPTIONS if o.read() is not None})"
    )
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert ast.literal_eval(done.stdout) == {name: {} for name in KNOWN if name != "polars options"}


def test_the_defaults_of_scikit_learn_are_known_without_its_private_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    options = KNOWN["scikit-learn configuration"]
    expected = dict(options.defaults())
    sklearn.set_config(transform_output="pandas")
    monkeypatch.setitem(sys.modules, "sklearn._config", None)
    assert dict(options.defaults()) == expected
