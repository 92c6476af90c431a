"""Attributes that their own pickle recipes leave out: `df.name = "sales"`, those of a class derived from `Counter`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from zennb.digests.added_attributes import added_attributes

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

SETUP = """import collections, datetime, decimal, warnings
warnings.simplefilter('ignore')
import numpy as np, pandas as pd, polars as pl
class Rows(pd.DataFrame):
    @property
    def total(self): return self._total
    @total.setter
    def total(self, value): self.__dict__['_total'] = value
class Keeper:
    def __set_name__(self, owner, name): self.name = name
    def __get__(self, value, owner=None): return value.__dict__.get(self.name)
    def __set__(self, value, part): value.__dict__[self.name] = part
class Kept(pd.DataFrame):
    unit = Keeper()
class Signal(np.ndarray):
    def __array_finalize__(self, other): self.unit = getattr(other, 'unit', None)
class Plain(np.ndarray): pass
class Slots(np.ndarray):
    __slots__ = ('unit',)
class Numbers(collections.Counter):
    __slots__ = ('unit',)
class Words(collections.Counter):
    def __init__(self, *given): super().__init__(*given); self.note = None
class Lists(collections.defaultdict): pass
class Day(datetime.date): pass
class Amount(decimal.Decimal): pass
def rows(): return pd.DataFrame({'a': [1, 2]})
"""
MAKES = {
    "a frame": "d = rows()\nd.name = {!r}",
    "a private one": "d = rows()\nd._unit = {!r}",
    "in the place of a method": "d = rows()\nd.__dict__['head'] = {!r}",
    "a frame of one's own": "d = Rows({{'a': [1, 2]}})\nd.name = {!r}",
    "behind a property": "d = Rows({{'a': [1, 2]}})\nd.total = {!r}",
    "behind a descriptor": "d = Kept({{'a': [1, 2]}})\nd.unit = {!r}",
    "a series": "d = pd.Series([1, 2])\nd.note = {!r}",
    "an index": "d = pd.Index([1, 2])\nd.note = {!r}",
    "dates": "d = pd.date_range('2020', periods=3)\nd.note = {!r}",
    "categories": "d = pd.Categorical(['x', 'y'])\nd.note = {!r}",
    "nullable numbers": "d = pd.array([1, None])\nd.note = {!r}",
    "a list on a frame": "d = rows()\nd.names = [{!r}]",
    "an array": "d = np.zeros(3).view(Signal)\nd.unit = {!r}",
    "another array": "d = np.zeros((3, 2)).view(Plain)\nd.unit = {!r}",
    "a slot": "d = np.zeros(3).view(Slots)\nd.unit = {!r}",
    "a masked array": "d = np.ma.array([1, 2], mask=[False, True])\nd.unit = {!r}",
    "a record array": "d = np.rec.array([(1, 2.0)], dtype=[('a', int), ('b', float)])\nd.__dict__['unit'] = {!r}",
    "a matrix": "d = np.matrix([[1, 2]])\nd.unit = {!r}",
    "polars": "d = pl.DataFrame({{'a': [1, 2]}})\nd.note = {!r}",
    "a series of polars": "d = pl.Series([1, 2])\nd.note = {!r}",
    "a counter": "d = Words('aab')\nd.note = {!r}",
    "a slot of a counter": "d = Numbers('aab')\nd.unit = {!r}",
    "a dictionary with defaults": "d = Lists(list)\nd['x'].append(1)\nd.note = {!r}",
    "a date": "d = Day(2020, 1, 1)\nd.note = {!r}",
    "a decimal": "d = Amount('1.5')\nd.note = {!r}",
    "in a list": "d = [rows()]\nd[0].name = {!r}",
    "two names": "d = rows()\nd.name = {!r}\ne = d",
    "shared memory": "d = rows()\nd.name = {!r}\ne = d['a'].values",
}
NAMES = ("name", "note", "names", "unit", "total", "_unit", "head")
LOOK = (
    "_d = d[0] if type(d) is list else d\n"
    f"seen = str([getattr(_d, _n, None) for _n in {NAMES}]), str(np.asarray(_d).tolist())"
)


def kinds(value: str) -> dict[str, str]:
    """Return kind → the cell that makes one with an attribute of this value."""
    return {kind: make.format(value) for kind, make in MAKES.items()}


def step(kind: str) -> str:
    """Return the name of the step of a kind."""
    return kind.replace(" ", "-").replace("'", "")


def test_a_step_that_reads_them_depends_on_them(notebook: Notebook) -> None:
    for value in ("one", "other", "one"):
        notebook.run(SETUP)
        found, reasons = {}, {}
        for kind, make in kinds(value).items():
            look = notebook.run(make, f"%%step {step(kind)}\n{LOOK}")[1]
            found[kind] = value in notebook.ns["seen"][0]
            reasons[kind] = look.status, look.reason
        assert [kind for kind, is_found in found.items() if not is_found] == []
        notebook.restart()
    assert {kind: reason for kind, (status, reason) in reasons.items() if status != "cached"} == {}


def test_they_come_back_with_the_table_or_array(notebook: Notebook) -> None:
    found: list[dict[str, object]] = []
    for _ in range(2):
        notebook.run(SETUP)
        seen: dict[str, object] = {}
        for kind, make in kinds("one").items():
            made = notebook.run(f"%%step {step(kind)}\n{make}", LOOK)[0]
            seen[kind] = notebook.ns["seen"]
            assert not found or made.status == "cached", f"{kind}: {made.reason}"
        found.append(seen)
        notebook.restart()
    assert found[0] == found[1]
    assert [kind for kind, each in found[1].items() if "one" not in str(each)] == []


def test_accessors_that_were_used_are_no_attributes_of_the_user(notebook: Notebook) -> None:
    make = "d = pd.DataFrame({'a': ['x', 'y']})"
    look = "%%step look\nlength = len(d)"
    _, _, _, first = notebook.run(SETUP, make, "e = d['a']", look)
    _, again = notebook.run("d.plot, d['a'].str, e.str.upper()", look)
    assert (first.status, again.status) == ("completed", "cached"), again.reason


def test_declarations_that_loading_copies_are_no_attributes_that_somebody_added() -> None:
    """Frames that pandas 2 has loaded from a pickle hold those of their class."""
    frame = pd.DataFrame({"x": [1]})
    vars(frame)["_metadata"] = list[str]()  # as it is there
    assert added_attributes(frame) == {}
    vars(frame)["_metadata"] = ["source"]
    assert added_attributes(frame) == {"_metadata": ["source"]}
