"""What git says of a folder."""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from zennb.engine.run.git import Commit, find_commit

if TYPE_CHECKING:
    from pathlib import Path


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(("git", *who, *words), cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "study.ipynb").write_text("one")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "first")
    return folder


def test_a_clean_folder_has_its_commit(repository: Path) -> None:
    assert find_commit(repository) == Commit(id=git(repository, "rev-parse", "HEAD"), dirty=False)


def test_a_changed_file_makes_it_dirty_and_an_untracked_one_does_not(repository: Path) -> None:
    (repository / "new.csv").write_text("1")
    assert find_commit(repository).dirty is False
    (repository / "study.ipynb").write_text("two")
    assert find_commit(repository).dirty is True
    git(repository, "add", "-A")
    assert find_commit(repository).dirty is True


def test_a_folder_inside_a_repository_counts(repository: Path) -> None:
    inner = repository / "a" / "b"
    inner.mkdir(parents=True)
    assert find_commit(inner).id == git(repository, "rev-parse", "HEAD")


def test_no_repository_gives_nothing(tmp_path: Path) -> None:
    assert find_commit(tmp_path) == Commit(id="", dirty=None)


def test_a_repository_without_a_commit_gives_nothing(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "a").write_text("a")
    git(tmp_path, "add", "-A")
    assert find_commit(tmp_path) == Commit()


def test_a_missing_git_gives_nothing(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repository / "nowhere"))
    assert find_commit(repository) == Commit()


def test_a_git_that_hangs_is_given_up(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "git"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    began = time.monotonic()
    assert find_commit(repository, timeout=0.2) == Commit()
    assert time.monotonic() - began < 10


def test_a_repository_cannot_have_its_own_program_run(repository: Path) -> None:
    hook = repository / "hook.sh"
    hook.write_text(f"#!/bin/sh\ntouch {repository / 'ran'}\n")
    hook.chmod(0o755)
    git(repository, "config", "core.fsmonitor", str(hook))
    assert find_commit(repository).id
    assert not (repository / "ran").exists()
