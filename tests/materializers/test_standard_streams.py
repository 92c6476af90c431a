"""Objects that hold a standard stream, as readers of spreadsheets and runners of tests do."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, Any

import pytest

from zennb.digests.digest import digest, digest_value
from zennb.errors import CannotDigest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.materializers.conftest import Trip

NAMES = ["stdout", "stderr"]

KernelStream = type("OutStream", (io.TextIOBase,), {"__module__": "ipykernel.iostream"})


class Log:
    def __init__(self, to: Any) -> None:
        self.to = to


@pytest.mark.parametrize("name", NAMES)
def test_the_stream_of_a_kernel_comes_back_as_that_of_the_process(
    name: str, trip: Trip, monkeypatch: pytest.MonkeyPatch, scope: dict[str, Any]
) -> None:
    scope["Log"] = Log
    monkeypatch.setattr(sys, name, KernelStream())
    log = Log(getattr(sys, name))
    before = digest(log)
    assert id(log.to) not in digest_value(log).mutable  # two logs share nothing because of it
    monkeypatch.setattr(sys, name, KernelStream())  # another kernel
    log.to = getattr(sys, name)
    assert digest(log) == before
    assert trip(log)[1].to is getattr(sys, name)


@pytest.mark.parametrize("name", NAMES)
def test_a_stream_that_python_opened_comes_back(
    name: str, trip: Trip, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = getattr(sys, f"__{name}__")
    assert trip([opened])[1][0] is opened
    monkeypatch.setattr(sys, name, opened)
    elsewhere = trip([opened])[0]
    assert b"__stdout__" not in b"".join(map(bytes, elsewhere.buffers))
    assert trip([opened])[1][0] is opened
    assert digest(sys.__stdout__) != digest(sys.__stderr__)


def test_a_file_in_the_place_of_a_stream_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "log.txt").open("w") as file:
        monkeypatch.setattr(sys, "stdout", file)
        with pytest.raises(CannotDigest, match="an open file"):
            digest(file)


def test_a_stream_of_a_kernel_that_is_not_its_own_any_more_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = KernelStream()
    monkeypatch.setattr(sys, "stdout", KernelStream())
    with pytest.raises(CannotDigest, match="an open file"):
        digest(before)
