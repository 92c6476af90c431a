"""Long cells of magics: what was parsed is not parsed again for each of them."""

from __future__ import annotations

import ast

import pytest

from zennb.core.magic_lines.magics import parse_python

CELLS = {
    "between": "!ls\nx = 1\n%time y = 2\nz = !ls\nfoo?",
    "in a block": "if x:\n    !ls\n    %time y = 2\nelse:\n    z = 3\n!ls",
    "before a block": "!ls\nfor each in x:\n    print(each)\n    %matplotlib inline",
    "beside text that looks like them": '!ls\ntext = """\n!no shell\n%no magic\n"""\n%time 1',
    "beside an operator": "!ls\nx = (a\n% b)\n!ls",
    "none": "x = 1\ny = 2",
    "no Python": "!ls\nx = = 1",
    "half a block": "if x:\n!ls",
    "half an expression": "x = (1,\n%time 2",
}


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_statements_keep_their_lines(cell: str) -> None:
    found = parse_python(cell)
    again = parse_python(f"\n\n{cell}")
    assert (found is None) == (again is None)
    if found is None or again is None:
        assert cell in {CELLS["no Python"], CELLS["half a block"], CELLS["half an expression"]}
        return
    assert [ast.unparse(node) for node in found] == [ast.unparse(node) for node in again]
    assert [node.lineno + 2 for node in found] == [node.lineno for node in again]
    firsts = [line for line in cell.split("\n") if line and not line[0].isspace()]
    assert found[0].lineno == 1
    assert len(found) <= len(firsts)


def test_hundreds_of_magics_are_parsed_once_each(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[int] = []
    real = ast.parse

    def counted(text: str) -> ast.Module:
        tree = real(text)
        parsed.append(len(tree.body))
        return tree

    monkeypatch.setattr("zennb.core.magic_lines.magics.ast.parse", counted)
    assert len(parse_python("!ls\n" * 300) or ()) == 300
    assert sum(parsed) < 3 * 300
