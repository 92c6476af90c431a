"""Warnings that Python shows once are shown once, although values are looked at in between."""

from __future__ import annotations

import time
import warnings
from typing import TYPE_CHECKING, Any

import pytest

from zennb.compat.shown_warnings import warnings_remembered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.jupyter.conftest import Notebook

_WARN = compile("import warnings\nwarnings.warn('careful')", "cell", "exec")


@pytest.fixture
def shown() -> Iterator[list[Any]]:
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("default")
        yield found


def test_filters_that_are_set_for_a_moment_make_nothing_forgotten(shown: list[Any]) -> None:
    place: dict[str, Any] = {}
    exec(_WARN, place)
    with warnings_remembered():
        for _ in range(2):
            with warnings_remembered(), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                exec(_WARN, {})
    exec(_WARN, place)
    assert len(shown) == 1


def test_filters_that_stay_are_followed_at_once(shown: list[Any]) -> None:
    place: dict[str, Any] = {}
    exec(_WARN, place)
    with warnings_remembered():
        warnings.simplefilter("always")
    exec(_WARN, place)
    assert len(shown) == 2
    warnings.simplefilter("error")  # and after the block as ever
    with pytest.raises(UserWarning):
        exec(_WARN, place)


def test_looking_at_a_table_shows_no_warning_again(
    notebook: Notebook, shown: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    place: dict[str, Any] = {}  # IPython forgets what code of the notebook has shown
    monkeypatch.setattr(time, "warn", lambda: exec(_WARN, place), raising=False)
    notebook.run(
        "import pandas as pd, time\ndf = pd.DataFrame({'a': [1], 'b': ['x'], 'c': pd.Categorical(['u'])})",
        "%%step one\ntime.warn()",
        "%%step other\nt, n = df, len(df)",
        "%%step two\ntime.warn()",
        "size = df.size",
        "%%step three\ntime.warn()\nn += 1",
    )
    assert [str(each.message) for each in shown] == ["careful"]
