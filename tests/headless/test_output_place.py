"""Where an executed notebook is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.headless.test_execute import make
from zennb.errors import UsageError
from zennb.headless.execute import execute

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("place", ["loop/out.ipynb", "file/out.ipynb", "folder"])
def test_a_place_that_cannot_be_written_is_refused_before_anything_runs(tmp_path: Path, place: str) -> None:
    path = make(tmp_path, "open('ran', 'w').close()")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match=r"cannot be written \(.*\); give another file name"):
        execute(path, out=tmp_path / place)
    assert not (tmp_path / "ran").exists()
