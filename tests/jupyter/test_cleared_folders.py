"""A step that removes a folder and makes it again leaves in it what it made, and nothing of other runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

CLEAR = {
    "rmtree": "shutil.rmtree('out', ignore_errors=True)",
    "rmtree of a path": "shutil.rmtree(Path('out')) if Path('out').exists() else None",
}


@pytest.mark.parametrize("folder", ["out", "out/sub"])
@pytest.mark.parametrize("kind", CLEAR)
def test_what_an_edit_left_is_gone_when_the_edit_is_taken_back(
    notebook: Notebook, kind: str, folder: str
) -> None:
    step = (
        f"%%step fill\n{CLEAR[kind]}\nos.makedirs({folder!r})\n"
        f"for n in range(k):\n    Path({folder!r}, f'{{n}}.txt').write_text(str(k))"
    )
    for k in (2, 3, 2):
        notebook.run("import os, shutil\nfrom pathlib import Path", f"k = {k}", step)
        assert sorted(each.name for each in Path(folder).iterdir()) == [f"{n}.txt" for n in range(k)]


def test_a_folder_that_is_as_the_step_left_it_is_reused(notebook: Notebook) -> None:
    step = (
        "%%step fill\nshutil.rmtree('out', ignore_errors=True)\nos.makedirs('out')\n"
        "Path('out/a.txt').write_text('a')\ny = 1"
    )
    notebook.run("import os, shutil\nfrom pathlib import Path", step)
    notebook.restart()
    (again,) = notebook.run("import os, shutil\nfrom pathlib import Path", step)[1:]
    assert "● fill  cached" in again.displays[-1]["data"]["text/plain"]
    Path("out/b.txt").write_text("of somebody else")
    (third,) = notebook.run(step)
    assert "✔ fill  completed" in third.displays[-1]["data"]["text/plain"]
    assert [each.name for each in Path("out").iterdir()] == ["a.txt"]
