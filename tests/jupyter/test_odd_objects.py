"""Nothing that merely looks at an object of the user may raise into a cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.jupyter.conftest import Notebook

ODD = {
    "a mapping that cannot be read": (
        "from collections.abc import Mapping\nclass Odd(Mapping):\n    def __getitem__(self, key): raise OSError(key)\n"
        "    def __iter__(self): return iter('ab')\n    def __len__(self): return 2"
    ),
    "slots and attributes that raise": (
        "class Odd:\n    __slots__ = ('a',)\n    def __getattr__(self, name): raise KeyError(name)"
    ),
    "a dictionary of attributes that raises": (
        "class Odd:\n    @property\n    def __dict__(self): raise RuntimeError('no')"
    ),
}


@pytest.mark.parametrize("code", ODD.values(), ids=ODD)
def test_a_step_may_make_and_read_an_odd_object(code: str, notebook: Notebook) -> None:
    notebook.run(
        code, "made = Odd()", "%%step make\nodd = Odd()\ndone = 1", "%%step read\nkind = type(made).__name__"
    )
    assert notebook.ns["kind"] == "Odd"
    assert notebook.ns["done"] == 1


def test_a_step_may_read_an_integer_that_python_does_not_write_out(notebook: Notebook) -> None:
    notebook.run("big = 10**5000", "%%step rest\nrest = big % 7")
    assert notebook.ns["rest"] == 10**5000 % 7


def test_a_step_may_use_a_module_with_an_object_that_answers_by_its_items(
    notebook: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "odd_config.py").write_text(
        "class Dots:\n    def __init__(self, **d): self.__dict__['d'] = d\n"
        "    def __getattr__(self, n): return self.__dict__['d'][n]\ncfg = Dots(a=1)\n"
    )
    notebook.run("import odd_config", "%%step use\nx = odd_config.cfg.a")
    assert notebook.ns["x"] == 1
