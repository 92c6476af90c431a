"""What a pipeline run begins with: the values of plain cells, before steps changed them in place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

CHANGES = {
    "a method": "seen.append(1)",
    "a function": "note(len)\nr = 1",
    "a decorator": "@note\ndef noted(x):\n    return x\nr = 1",
}


@pytest.mark.parametrize("text", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("restarts", [False, True])
def test_a_plain_value_that_a_step_made_in_an_earlier_version_begins_anew(
    notebook: Notebook, text: str, *, restarts: bool
) -> None:
    cells = ["seen = []", "def note(f):\n    seen.append(f.__name__)\n    return f", f"%%step change\n{text}"]
    notebook.run("%%step seen\nseen = []", *cells)
    if restarts:
        notebook.restart()
        notebook.run(*cells)
    for line in ("pass", "%pipeline run", "%pipeline run --rerun"):
        notebook.run(line)
        assert len(notebook.ns["seen"]) == 1
