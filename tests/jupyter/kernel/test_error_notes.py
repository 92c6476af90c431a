"""What is said below the error of a plain cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.jupyter.background import GATE, ended, opened, said

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook


@pytest.mark.usefixtures("no_run_left")
def test_a_name_that_a_background_run_is_making(notebook: Notebook) -> None:
    notebook.run("import time\nfrom pathlib import Path", f"%%step s --background\n{GATE}y = 1")
    for cell in ("print(y)", "def f():\n    return y\nf()"):
        sentence = "`y` is being made by run 1 in the background; `%runs attach 1` waits for it."
        assert sentence in said(notebook.cell(cell))
    assert said(notebook.cell("print(z)")) == ""
    assert said(notebook.cell("try:\n    y\nexcept NameError:\n    pass")) == ""
    opened()
    assert ended() == "completed"


@pytest.mark.parametrize(
    ("cell", "meant"),
    [
        ("%stak set default", "did you mean `%stack`?"),
        ("%pipline status", "did you mean `%pipeline`?"),
        ("%%stpe train\nx = 1", "did you mean `%%step`?"),
        ("%tiemit 1", ""),  # one of IPython's
        ("%nothing_like_it", ""),
    ],
)
def test_a_magic_that_is_misspelt(notebook: Notebook, cell: str, meant: str) -> None:
    ran = notebook.cell(cell)
    assert "not found" in ran.out + ran.err
    assert said(ran) == meant
