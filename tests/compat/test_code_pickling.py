"""Functions and classes that are stored by value come back whether or not cloudpickle tells what it knows."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
from cloudpickle import cloudpickle as internals

from zennb.compat.code_pickling import is_importable, make_class, makers

if TYPE_CHECKING:
    from pathlib import Path

    from tests.jupyter.conftest import Notebook

MODULE = """
from enum import Enum

def make():
    class Local:
        size = 1
        def double(self):
            return 2 * self.size
    class Colour(Enum):
        RED = 1
        @property
        def text(self):
            return self.name.lower()
    return Local(), Colour.RED
"""
MAKES = """%%step makes
import shapes
thing, colour = shapes.make()"""
USES = "%%step uses\nshown = (thing.double(), colour.text)"


class Known:
    """One that a module has."""


@pytest.fixture(params=[False, True], ids=["told", "not told"])
def notebook(
    request: pytest.FixtureRequest, notebook: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Notebook:
    """Cells beside a module, where cloudpickle's table of classes is there under its name, or under no known one."""
    (tmp_path / "shapes.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    if request.param:
        hide_table(monkeypatch)
    return notebook


def hide_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what we ask for under the name be missing; cloudpickle itself goes on using it."""

    class Hidden:
        def __getattr__(self, name: str) -> Any:
            if name == "_DYNAMIC_CLASS_TRACKER_BY_ID":
                raise AttributeError(name)
            return getattr(internals, name)

    monkeypatch.setattr("zennb.compat.code_pickling.internals", Hidden())


def test_local_classes_come_back_with_their_methods_after_a_restart(notebook: Notebook) -> None:
    made, used = notebook.run(MAKES, USES)
    assert (made.status, used.status) == ("completed", "completed")
    notebook.restart()
    sys.modules.pop("shapes", None)
    made, used = notebook.run(MAKES, USES)
    assert (made.status, used.status) == ("cached", "cached")
    notebook.run("seen = (thing.double(), colour.text)")
    assert notebook.ns["seen"] == notebook.ns["shown"] == (2, "red")


def test_a_class_that_is_here_keeps_its_attributes_when_its_objects_are_loaded(notebook: Notebook) -> None:
    notebook.run(MAKES)
    notebook.run("Local = type(thing)\nLocal.size = 5")
    again = notebook.cell("import zennb\nother = zennb.load('thing')\nis_same = type(other) is Local")
    assert again.error is None, again.err
    assert notebook.ns["Local"].size == 5


@pytest.mark.parametrize("is_told", [True, False])
def test_a_class_is_new_once(monkeypatch: pytest.MonkeyPatch, *, is_told: bool) -> None:
    if not is_told:
        hide_table(monkeypatch)
    arguments = (type, "Sample", (Known,), {"__module__": "__main__"}, f"id of a sample {is_told}", None)
    made, is_new = make_class(makers().of_class, arguments)
    again, is_new_again = make_class(makers().of_class, arguments)
    assert (is_new, is_new_again) == (True, False)
    assert again is made


def test_functions_of_modules_are_importable_and_made_ones_are_not() -> None:
    def made() -> None: ...

    functions: list[Any] = [hide_table, made, lambda: None]
    assert [is_importable(function) for function in functions] == [True, False, False]


def test_the_makers_are_those_that_stored_values_name() -> None:
    found = makers()
    named = [found.function, found.of_class, found.of_enumeration, found.fill_class]
    assert [make.__name__ for make in named] == [
        "_make_function",
        "_make_skeleton_class",
        "_make_skeleton_enum",
        "_class_setstate",
    ]


LATER = """%%step makes
def make():
    def late(x: {name}, y: int = 1): return x + y
    return late
late = make()"""


@pytest.mark.skipif(sys.version_info < (3, 14), reason="earlier versions evaluate annotations at once")
def test_a_function_whose_annotations_name_what_is_not_bound_comes_back(notebook: Notebook) -> None:
    cell, uses = LATER.format(name="Later"), "%%step uses\nshown = late(1)"
    assert [each.status for each in notebook.run(cell, uses)] == ["completed", "completed"]
    notebook.restart()
    assert [each.status for each in notebook.run(cell, uses)] == ["cached", "cached"]
    notebook.run("seen = (late(2), late.__annotations__)")
    assert notebook.ns["seen"] == (3, {"x": "Later", "y": "int"})


def test_a_function_that_comes_back_has_its_annotations(notebook: Notebook) -> None:
    cell = LATER.format(name="float")
    notebook.run(cell)
    notebook.restart()
    assert notebook.cell(cell).status == "cached"
    notebook.run("seen = late.__annotations__")
    assert notebook.ns["seen"] == {"x": float, "y": int}
