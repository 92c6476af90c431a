"""Notebooks in the style of each library's users show with zennb what they show without: cold, reused and edited."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.libraries.comparison import compare, missing_modules, read_script

pytestmark = pytest.mark.kernel

SCRIPTS = sorted((Path(__file__).parent / "notebooks").glob("*.py"))
LEFT_OUT = os.environ.get("ZENNB_LEFT_OUT", "")
"""What `.ci/libraries` could not install."""


@pytest.mark.parametrize(
    "script",
    [pytest.param(script, id=script.stem) for script in SCRIPTS],
)
def test_a_notebook_shows_what_it_shows_without_zennb(
    script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if LEFT_OUT and (missing := missing_modules(script.read_text(encoding="utf-8"))):
        pytest.skip(f"{', '.join(missing)} is not installed")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    monkeypatch.delenv("MPLBACKEND", raising=False)
    found = compare(script)
    print(found)
    assert found.raised == ()
    assert found.original.notes == ()
    assert found.original.silent == ()
    assert found.original.cold.percent == found.original.reused.percent == 100
    assert found.edited.silent == ()
    assert found.edited.reused.percent == 100


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_an_edit_changes_a_notebook(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    original, edited = (read_script(text, edited=each) for each in (False, True))
    assert 6 <= len(original.cells) <= 20
    changed = [one.id for one, other in zip(original.cells, edited.cells, strict=True) if one != other]
    assert len(changed) == 1
