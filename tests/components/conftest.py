from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from zennb.components.artifact_stores.local import LocalArtifactStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]

pytest.register_assert_rewrite("zennb.testing")


@pytest.fixture
def opener(tmp_path: Path) -> Iterator[Callable[..., LocalArtifactStore]]:
    """Open local stores on one directory; close them all afterwards."""
    opened: list[LocalArtifactStore] = []

    def open_store(path: Path = tmp_path / "store", **options: str) -> LocalArtifactStore:
        opened.append(LocalArtifactStore.from_config("test", {"path": str(path), **options}))
        return opened[-1]

    yield open_store
    for store in opened:
        store.close()


@pytest.fixture
def store(opener: Callable[..., LocalArtifactStore]) -> LocalArtifactStore:
    return opener()


@pytest.fixture
def python() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a program text in a new interpreter that finds zennb; its arguments are `sys.argv[1:]`."""

    def run(code: str, *args: object, check: bool = True) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", dedent(code), *map(str, args)],
            capture_output=True,
            text=True,
            timeout=120,
            check=check,
            env=_environment(),
        )

    return run


@pytest.fixture
def start_python() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a program text in a new interpreter and go on; it is killed at the end of the test."""
    started: list[subprocess.Popen[str]] = []

    def start(code: str, *args: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", dedent(code), *map(str, args)]
        started.append(
            subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=_environment()
            )
        )
        return started[-1]

    yield start
    for process in started:
        with process:
            process.kill()


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), *sys.path]))}
