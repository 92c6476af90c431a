"""Annotations that are kept as text: `typing.get_type_hints` and pydantic look up the names in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

SETUP = """import typing
class Own:
    unit: 'Unit'
    def of(self) -> 'typing.Optional[Unit]': pass
def scale(unit: list['Unit']): pass
def seen(hint): return hint.__args__[0].size if hasattr(hint, '__args__') else hint.size
"""
ASKED = {
    "a class": "seen(typing.get_type_hints(Own)['unit'])",
    "a method": "seen(typing.get_type_hints(Own.of)['return'])",
    "a function": "seen(typing.get_type_hints(scale)['unit'])",
    "of the step": "(_f := make()) and seen(typing.get_type_hints(_f)['unit'])",
}
STEP = "%%step {}\ndef make():\n    def f(unit: 'Unit'): pass\n    return f\nfound = {}"
LATE = "from __future__ import annotations\nimport typing"
OWN = """%%step {}
{}class Part:
    unit: {}
    kind: typing.Literal['found']
found = seen(typing.get_type_hints(Part)['unit'])"""


def test_a_step_depends_on_what_they_name(notebook: Notebook) -> None:
    cells = {
        name.replace(" ", "-"): STEP.format(name.replace(" ", "-"), asked) for name, asked in ASKED.items()
    }
    cells["quoted"] = OWN.format("quoted", "", "'Unit'")
    cells["late"] = OWN.format("late", f"{LATE}\n", "Unit")
    for size in (1, 2, 1):
        notebook.run(SETUP, f"class Unit: size = {size}")
        found, reasons = {}, {}
        for name, cell in cells.items():
            ran = notebook.run(cell)[0]
            found[name], reasons[name] = notebook.ns["found"], (ran.status, ran.reason)
        assert found == dict.fromkeys(cells, size)
        notebook.run("%pipeline run --rerun")
        notebook.restart()
    assert {status for status, _ in reasons.values()} == {"cached"}, reasons


def test_what_a_cell_defines_itself_is_no_input(notebook: Notebook) -> None:
    cell = "%%step s\nclass Node:\n    leaf: 'Leaf'\n    more: 'list[Unknown]'\nclass Leaf: pass\nmade = 1"
    first, again = notebook.run("import typing", cell, cell)[1:]
    assert (first.status, again.status) == ("completed", "cached"), again.reason
