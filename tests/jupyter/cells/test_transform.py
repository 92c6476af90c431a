"""How cells are rewritten before they run."""

from __future__ import annotations

import ast

from zennb.jupyter.cells.transform import copied


def test_a_copy_of_a_cell_leaves_out_what_others_hang_on_nodes_that_all_trees_share() -> None:
    tree = ast.parse("x + y")
    (load,) = {node.ctx for node in ast.walk(tree) if isinstance(node, ast.Name)}
    load.parent = ast.parse("a = 1\n" * 1_000)  # type: ignore[attr-defined]
    try:
        copy = copied(tree)
    finally:
        del load.parent  # type: ignore[attr-defined]
    assert ast.dump(copy, include_attributes=True) == ast.dump(tree, include_attributes=True)
    assert not any(hasattr(node, "parent") for node in ast.walk(copy))


def test_a_copy_of_a_cell_can_be_compiled() -> None:
    tree = ast.parse("for x in a:\n    if x:\n        continue\n    break\nelse:\n    pass\nb = x and not -x")
    assert ast.dump(copied(tree), include_attributes=True) == ast.dump(tree, include_attributes=True)
    compile(copied(tree), "cell", "exec")
