"""An output whose library is imported by half: the library is blamed, and nothing is made anew because of it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import pytest

import zennb
from tests.half_imported import LIBRARY, forget, import_by_half, write_library
from zennb.errors import BrokenLibrary

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.jupyter.conftest import Notebook

SMALL = f"%%step make\nimport {LIBRARY}\nthing = {LIBRARY}.Thing('x')\nprint('made')"
LARGE = SMALL.replace("'x'", "'x' * 300_000")
SHOWN = f"%%step make\nimport {LIBRARY}\nthing = 1\n{LIBRARY}.Thing('x')"
"""What it shows comes back as `_`."""


@pytest.fixture(autouse=True)
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(
        write_library(tmp_path)
    )  # before the notebook, which sets the path back to this
    yield
    forget()


def stored(folder: Path) -> set[Path]:
    return {path for path in (folder / "home").rglob("*") if path.is_file() and "db" not in path.name}


@pytest.mark.parametrize("is_imported_again", [False, True], ids=["not again", "again"])
@pytest.mark.parametrize(
    ("cell", "reader"),
    [(SMALL, SMALL), (LARGE, "len(thing.text)"), (SHOWN, SHOWN)],
    ids=["reused", "read", "shown"],
)
def test_the_library_is_blamed_and_nothing_is_made_anew(
    notebook: Notebook, tmp_path: Path, cell: str, reader: str, is_imported_again: bool
) -> None:
    notebook.run(cell)
    before = stored(tmp_path)
    notebook.restart()
    forget()
    if reader is not cell:
        assert notebook.run(cell)[0].status == "cached"
    import_by_half()
    if is_imported_again:
        import_module(LIBRARY)
    ran = notebook.cell(reader)
    if reader is SHOWN and ran.error is None:
        ran = notebook.cell("_")
    assert isinstance(ran.error, BrokenLibrary), ran
    assert f"{LIBRARY} is imported only by half here" in str(ran.error)
    assert "Restart the kernel" in str(ran.error)
    assert "made" not in ran.out
    if reader is not SHOWN:
        with pytest.raises(BrokenLibrary, match="imported only by half"):
            zennb.load("thing")
    assert stored(tmp_path) == before
    notebook.restart()
    forget()
    (again,) = notebook.run(cell)
    assert again.status == "cached", again.reason
    assert zennb.artifacts("thing")[0].version == 1
