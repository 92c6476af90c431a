"""Attributes that somebody sets on tables and arrays, which their libraries do not store: `df.name = "sales"`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

SETUP = """import warnings
warnings.simplefilter('ignore')
import numpy as np, pandas as pd
class Rows(pd.DataFrame): pass
class Signal(np.ndarray):
    def __array_finalize__(self, other): self.unit = getattr(other, 'unit', None)
class Plain(np.ndarray): pass
"""
MAKES = {
    "a frame": "d = pd.DataFrame({{'a': [1, 2]}})\nd.name = {!r}",
    "a frame of one's own": "d = Rows({{'a': [1, 2]}})\nd.name = {!r}",
    "a series": "d = pd.Series([1, 2])\nd.note = {!r}",
    "an index": "d = pd.Index([1, 2])\nd.note = {!r}",
    "dates": "d = pd.date_range('2020', periods=3)\nd.note = {!r}",
    "a list on a frame": "d = pd.DataFrame({{'a': [1, 2]}})\nd.names = [{!r}]",
    "an array": "d = np.zeros(3).view(Signal)\nd.unit = {!r}",
    "another array": "d = np.zeros((3, 2)).view(Plain)\nd.unit = {!r}",
    "in a list": "d = [pd.DataFrame({{'a': [1, 2]}})]\nd[0].name = {!r}",
    "two names": "d = pd.DataFrame({{'a': [1, 2]}})\nd.name = {!r}\ne = d",
    "shared memory": "d = pd.DataFrame({{'a': [1, 2]}})\nd.name = {!r}\ne = d['a'].values",
}
LOOK = (
    "_d = d[0] if type(d) is list else d\n"
    "seen = [getattr(_d, _n, None) for _n in ('name', 'note', 'names', 'unit')], np.asarray(_d).tolist()"
)


@pytest.mark.parametrize("make", MAKES.values(), ids=MAKES)
def test_a_step_that_reads_them_depends_on_them(notebook: Notebook, make: str) -> None:
    for value in ("one", "other"):
        _, _, look = notebook.run(SETUP, make.format(value), f"%%step look\n{LOOK}")
        assert value in str(notebook.ns["seen"])
        notebook.restart()
    _, _, again = notebook.run(SETUP, make.format("one"), f"%%step look\n{LOOK}")
    assert (look.status, again.status) == ("completed", "cached"), again.reason


@pytest.mark.parametrize("make", MAKES.values(), ids=MAKES)
def test_they_come_back_with_the_table_or_array(notebook: Notebook, make: str) -> None:
    found = []
    for _ in range(2):
        _, made, _ = notebook.run(SETUP, f"%%step make\n{make.format('one')}", LOOK)
        found.append(notebook.ns["seen"])
        notebook.restart()
    assert made.status == "cached", made.reason
    assert found[0] == found[1]
    assert "one" in str(found[1])


def test_accessors_that_were_used_are_no_attributes_of_the_user(notebook: Notebook) -> None:
    make = "d = pd.DataFrame({'a': ['x', 'y']})"
    look = "%%step look\nlength = len(d)"
    _, _, _, first = notebook.run(SETUP, make, "e = d['a']", look)
    _, again = notebook.run("d.plot, d['a'].str, e.str.upper()", look)
    assert (first.status, again.status) == ("completed", "cached"), again.reason
