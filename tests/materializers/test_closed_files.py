"""What `with open(...) as file` leaves behind: stored and brought back as closed as it is; open files are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from zennb.digests.digest import digest
from zennb.errors import CannotDigest, NotStorable

if TYPE_CHECKING:
    from pathlib import Path

    from tests.materializers.conftest import Trip
    from zennb.materializers.registry import Materializers


@pytest.mark.parametrize("mode", ["w", "r", "a", "x", "r+", "wb", "rb", "ab", "rb+"])
def test_a_closed_file_comes_back_as_closed(mode: str, trip: Trip, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    if "x" not in mode:
        path.write_text("one")
    with path.open(mode) as file:
        pass
    path.unlink()
    _, again = trip(file)
    assert (repr(again), again.closed, again.name) == (repr(file), True, file.name)
    assert digest(again) == digest(file)
    assert not path.exists()
    with pytest.raises(ValueError, match=r"closed|read"):
        again.read()


def test_name_and_mode_are_the_content(tmp_path: Path) -> None:
    def closed(name: str, mode: str) -> str:
        with (tmp_path / name).open(mode) as file:
            pass
        return digest(file)

    assert closed("a", "w") == closed("a", "w")
    assert len({closed("a", "w"), closed("a", "r"), closed("a", "rb"), closed("b", "w")}) == 4


def test_an_open_file_is_still_refused(materializers: Materializers, tmp_path: Path) -> None:
    with (tmp_path / "a").open("w") as file:
        with pytest.raises(CannotDigest, match="an open file"):
            digest(file)
        with pytest.raises(NotStorable, match="an open file"):
            materializers.dump([file], digest="", name="files")
