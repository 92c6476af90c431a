"""Every rule about many files fails once, and names all that break it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conventions.offenders import ROOT, expect_none, label

if TYPE_CHECKING:
    from pathlib import Path


def words(file: Path) -> list[str]:
    """Find fault with every word of a file."""
    return file.read_text().split()


def files(folder: Path, **texts: str) -> list[Path]:
    made = [folder / name for name in texts]
    for file in made:
        file.write_text(texts[file.name])
    return made


def test_every_fault_of_every_file_is_named_in_one_failure(tmp_path: Path) -> None:
    with pytest.raises(pytest.fail.Exception) as failed:
        expect_none(files(tmp_path, one="bad worse", two="", three="worst"), words)
    assert str(failed.value) == "what breaks the rule (3):\none: bad\none: worse\nthree: worst"


def test_files_that_keep_the_rule_pass(tmp_path: Path) -> None:
    expect_none(files(tmp_path, one="", two=""), words)


def test_a_rule_that_looks_at_nothing_fails() -> None:
    with pytest.raises(AssertionError, match="looks at no file"):
        expect_none([], words)


def test_a_file_is_called_by_its_path_in_the_repository() -> None:
    assert label(ROOT / "zennb" / "core" / "__init__.py") == "zennb/core/__init__.py"
