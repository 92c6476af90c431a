"""Exceptions have one digest and one pickle, whether or not dask has put tblib's recipe in the place of their own."""

from __future__ import annotations

import copyreg
import pickle
from typing import TYPE_CHECKING, Any

import pytest

from zennb.digests.digest import digest
from zennb.errors import NotStorable
from zennb.materializers.registry import Materializers
from zennb.materializers.signer import Signer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Odd(Exception):
    def __init__(self, first: int, second: int) -> None:
        super().__init__(f"{first} {second}")


def raised() -> Exception:
    try:
        int("x")
    except ValueError as error:
        return error
    raise AssertionError


def noted() -> ValueError:
    error = ValueError("x")
    error.add_note("n")
    return error


ERRORS: dict[str, Callable[[], Any]] = {
    "plain": lambda: ValueError("x", 1),
    "raised": raised,
    "noted": noted,
    "of the system": lambda: OSError(2, "gone", "file"),
    "group": lambda: ExceptionGroup("g", [ValueError("x"), KeyError(1)]),
    "in a list": lambda: [ValueError("x")],
}


@pytest.fixture
def tblib() -> Iterator[Callable[[], None]]:
    support = pytest.importorskip("tblib.pickling_support")
    before = dict(copyreg.dispatch_table)
    ours = {kind: each for kind, each in before.items() if not each.__module__.startswith("tblib.")}
    copyreg.dispatch_table.clear()
    copyreg.dispatch_table.update(ours)
    yield support.install
    copyreg.dispatch_table.clear()
    copyreg.dispatch_table.update(before)


@pytest.mark.parametrize("make", ERRORS.values(), ids=ERRORS)
def test_the_digest_of_an_exception_is_the_same_once_dask_is_loaded(
    make: Callable[[], Any], tblib: Callable[[], None]
) -> None:
    before = digest(make())
    tblib()
    error = make()
    assert [digest(error), digest(error)] == [before, before]


def test_looking_at_the_attributes_of_an_exception_does_not_change_it() -> None:
    error = ValueError("x")
    before = digest(error)
    assert vars(error) == {}
    assert digest(error) == before


@pytest.mark.parametrize("make", ERRORS.values(), ids=ERRORS)
def test_an_exception_that_was_stored_with_dask_needs_no_tblib(
    make: Callable[[], Any], tblib: Callable[[], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path))
    tblib()
    materializers, error = Materializers({}, Signer()), make()
    stored = materializers.dump_small(error, digest=digest(error), largest=10_000)
    assert b"tblib" in pickle.dumps(error)
    assert b"tblib" not in stored
    assert digest(materializers.load_small(stored)) == digest(error)


def test_an_exception_that_cannot_be_loaded_again_is_refused_with_dask_too(
    tblib: Callable[[], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path))
    tblib()
    error = Odd(1, 2)
    with pytest.raises(NotStorable, match="can be pickled but not loaded again"):
        Materializers({}, Signer()).dump(error, digest=digest(error), name="error")
