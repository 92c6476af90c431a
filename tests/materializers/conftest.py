"""Owns what the materializer tests share: a signer of their own, and a trip through a mapped file."""

from __future__ import annotations

import mmap
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from zennb.digests.digest import digest
from zennb.materializers.registry import Dumped, Materializers
from zennb.materializers.signer import Signer

if TYPE_CHECKING:
    from pathlib import Path

    from zennb.materializers.materializer import Buffer

Trip: TypeAlias = Callable[[Any], tuple[Dumped, Any]]


def mapped(path: Path) -> memoryview:
    """Return the file as the local artifact store does: a private copy-on-write map."""
    with path.open("rb") as file:
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))


def written(path: Path, buffers: Any) -> Path:
    with path.open("wb") as file:
        for buffer in buffers:
            file.write(buffer)
    return path


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return Signer(tmp_path / "keys")


@pytest.fixture
def scope() -> dict[str, Any]:
    return {}


@pytest.fixture
def materializers(scope: dict[str, Any], signer: Signer) -> Materializers:
    return Materializers(scope, signer)


@pytest.fixture
def trip(materializers: Materializers, tmp_path: Path) -> Trip:
    """Store a value in a file, load it from a map of the file; return what was dumped and what was loaded."""
    counter = iter(range(1_000_000))

    def travel(value: Any) -> tuple[Dumped, Any]:
        dumped = materializers.dump(value, digest=digest(value), name="value")
        file = written(tmp_path / f"blob{next(counter)}", dumped.buffers)
        assert file.stat().st_size == dumped.size
        again: Buffer = mapped(file)
        return dumped, materializers.load(dumped.materializer, again, name="value")

    return travel
