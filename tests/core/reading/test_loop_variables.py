"""Loop variables are what only loops of a cell bind, in the cell's own scope."""

from __future__ import annotations

import ast

import pytest

from zennb.core.reading.loop_variables import loop_variables

CELLS = {
    "for n in rows:\n    total = n": {"n"},
    "for k, (v, *rest) in rows:\n    pass\nfor k in more:\n    pass": {"k", "v", "rest"},
    "if ready:\n    for n in rows:\n        for m in n:\n            pass": {"n", "m"},
    "async for n in rows:\n    pass": {"n"},
    "n = 0\nfor n in rows:\n    pass": set(),
    "for n in rows:\n    n += 1": set(),
    "for n in rows:\n    with open(n) as n:\n        pass": set(),
    "for n in rows:\n    pass\nimport n.m": set(),
    "for n in rows:\n    def n(): pass": set(),
    "for n in rows:\n    match n:\n        case [m, *n]: pass": set(),
    "def f():\n    for n in rows:\n        pass\nxs = [n for n in rows]": set(),
    "def f():\n    n = 1\nfor n in rows:\n    pass": {"n"},
    "for box.n in rows:\n    pass": set(),
}


@pytest.mark.parametrize("text", CELLS)
def test_only_loops_bind_them(text: str) -> None:
    assert loop_variables(ast.parse(text)) == CELLS[text]
