"""A library whose import was interrupted is told from one that is whole, and from one that is broken otherwise."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from tests.half_imported import LIBRARY, forget, import_by_half, write_library
from zennb.packages.half_imported import half_imported

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(write_library(tmp_path))
    yield
    forget()


def error_of_use() -> Exception:
    with pytest.raises(Exception) as raised:  # noqa: PT011 - whatever it is
        import_module(f"{LIBRARY}.early").use("wrong")
    return raised.value


def test_a_whole_library_is_none() -> None:
    import_module(LIBRARY)
    assert half_imported(error_of_use(), [LIBRARY]) == ""


def test_a_library_whose_modules_are_forgotten_in_part_is_one() -> None:
    import_by_half()
    assert (LIBRARY in sys.modules, f"{LIBRARY}.early" in sys.modules) == (False, True)
    assert half_imported(ValueError(), [LIBRARY]) == LIBRARY


def test_a_library_whose_modules_were_executed_twice_in_part_is_one() -> None:
    import_by_half()
    import_module(LIBRARY)
    assert half_imported(ValueError()) == ""
    assert half_imported(error_of_use()) == LIBRARY


def test_the_cause_of_an_error_counts() -> None:
    import_by_half()
    error = ValueError()
    error.__cause__ = ImportError("no", name=f"{LIBRARY}.late")
    assert half_imported(error) == LIBRARY
    error.__cause__.__cause__ = error  # a ring is no endless search
    assert half_imported(error) == LIBRARY
