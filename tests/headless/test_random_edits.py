from __future__ import annotations

from random import Random

import pytest

from zennb.headless.random_edits import choose, edits


def changes(source: str, seed: int = 0) -> list[tuple[str, str, str]]:
    return [(edit.kind, edit.before, edit.after) for edit in edits("c", source, Random(seed))]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("x = 1", [("constant", "1", "2")]),
        ("x = 0.5", [("constant", "0.5", "0.625")]),
        ("x = True", [("constant", "True", "False")]),
        ("print('all is well')", [("constant", "'all is well'", "'all is well again'")]),
        ("open('data.csv'); frame['column']", []),
        ("x = None; y = ...", []),
        ("def f(x):\n    '''A docstring here.'''\n    return x + y", [("function", "+", "-")]),
        ("f = lambda x: x - 1", [("function", "-", "+"), ("function", "1", "2")]),
        ("x = a + b", []),
        ("big = 2 ** 30 << 4", [("constant", "2", "1")]),
        ("%matplotlib inline\nü = 'ä'; x = 1  # ö", [("constant", "1", "2")]),
        ("%timeit -n 10 f(1)", []),
        ("!head -n 3 x", []),
        ("f'{1} {2}'", []),
        ("this is no Python 1", []),
        ("x = (1 +\n     b)", [("constant", "1", "2")]),
    ],
)
def test_each_place_has_one_edit(source: str, found: list[tuple[str, str, str]]) -> None:
    assert [(kind, before) for kind, before, _ in changes(source)] == [
        (kind, before) for kind, before, _ in found
    ]
    after = {change for seed in range(20) for change in changes(source, seed)}
    assert set(found) <= after


def test_only_the_place_changes_and_the_line_that_makes_a_step_stays() -> None:
    (edit,) = edits("c", "%%step a -o x\n# one\nx = f(é, 1)  # 1", Random(0))
    assert edit.source == "%%step a -o x\n# one\nx = f(é, 2)  # 1"
    assert (edit.cell, edit.line) == ("c", 3)


def test_the_same_seed_chooses_the_same_edits_and_none_twice() -> None:
    cells = {"a": "x = 1\ny = 2.0", "b": "def f(n):\n    return n * 3", "c": "import math"}

    def chosen(seed: int) -> list[tuple[str, str]]:
        random, tried = Random(seed), set[tuple[str, str]]()
        found = []
        while (edit := choose(cells, random, tried=tried)) is not None:
            found.append((edit.cell, edit.source))
        return found

    assert chosen(1) == chosen(1)
    assert len(set(chosen(1))) == len(chosen(1)) >= 3
    assert any(chosen(1) != chosen(seed) for seed in range(2, 9))
