"""Nothing that merely looks at a module may raise into a cell, or run the module's own code."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.jupyter.conftest import Notebook

pytestmark = pytest.mark.early

_LAZY = """
class Lazy(types.ModuleType):
    def {method}(self, name):
        {body}
held = Lazy('odd_lazy')
"""
_OBJECT = """
class Lazy:
    def __getattr__(self, name): raise KeyError(name)
held = Lazy()
"""

ODD = {
    "a name that is nothing": "held = types.ModuleType('odd'); held.__name__ = None",
    "a name that is a number": "held = types.ModuleType('odd'); held.__name__ = 5",
    "no name": "held = types.ModuleType('odd'); del held.__name__",
    "nothing at all": "held = types.ModuleType('odd'); vars(held).clear()",
    "never made": "held = types.ModuleType.__new__(types.ModuleType)",
    "facts that are numbers": (
        "held = types.ModuleType('odd_lazy')\n"
        "for each in ('__file__', '__path__', '__spec__', '__doc__', '__package__'): setattr(held, each, 7)"
    ),
    "attributes that cannot be imported": _LAZY.format(method="__getattr__", body="raise ImportError(name)"),
    "attributes that raise": _LAZY.format(method="__getattr__", body="raise RuntimeError(name)"),
    "attributes that are noticed": _LAZY.format(
        method="__getattr__", body="print('ASKED', name); return name"
    ),
    "an object": _OBJECT,
    "a function of the module": (
        "held = types.ModuleType('odd_lazy')\n"
        "def _asked(name): raise RuntimeError(name)\nheld.__getattr__ = _asked"
    ),
}


@pytest.fixture(autouse=True)
def few() -> Iterator[None]:
    """Take the modules away that cells put beside the others."""
    yield
    sys.modules.pop("odd_lazy", None)


@pytest.mark.parametrize("code", ODD.values(), ids=ODD)
def test_steps_may_make_hold_and_read_an_odd_module(code: str, notebook: Notebook) -> None:
    cells = (
        "import types, sys",
        f"%%step make\n{code}\nNone",
        "held.part = 1" if "Lazy:" not in code else "pass",
        "%%step read\nis_there = held is not None\nkept = [held]",
        "%%step put\nsys.modules['odd_lazy'] = held",
        "%%step later\nnumber = 1 + 1",
        "def named(): return held",
        "%%step call\nanswer = named() is held",
        "%%step change\nheld.other = 2" if "Lazy:" not in code else "%%step change\nother = 2",
        "import odd_lazy as other_name",
        "%%step other\nname = other_name is held",
    )
    for run in range(2):
        for cell in cells:
            ran = notebook.cell(cell)
            assert ran.error is None, f"{cell}\n{type(ran.error)}\n{ran.out}{ran.err}"
            assert "ASKED" not in ran.out + ran.err or cell.startswith("import odd")
        assert [notebook.ns[name] for name in ("is_there", "number", "answer")] == [True, 2, True]
        assert notebook.cell("%pipeline status").error is None
        sys.modules.pop("odd_lazy", None)
        if not run:
            notebook.restart()


def test_a_module_without_a_name_counts_as_the_notebooks_own(notebook: Notebook) -> None:
    cells = (
        "import types\nodd = types.ModuleType('odd'); odd.__name__ = None; odd.x = 1",
        "%%step s\ny = odd.x",
    )
    notebook.run(*cells)
    notebook.restart()
    notebook.run(cells[0].replace("x = 1", "x = 2"), cells[1])
    assert notebook.ns["y"] == 2
