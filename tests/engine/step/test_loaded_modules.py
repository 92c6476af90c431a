"""Modules that outputs need are imported as a whole, whatever interrupts that."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from zennb.core.records.records import Artifact
from zennb.engine.step.loaded_modules import import_for

if TYPE_CHECKING:
    from pathlib import Path

INTERRUPTED = "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nsum(range(100_000))\nis_whole = True\n"


def _artifact(*packages: str) -> Artifact:
    return Artifact(
        name="x", digest="d", blob="b", materializer="pickle", size=1, type="t", packages=packages
    )


def test_an_interrupt_waits_until_a_library_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "slow_library.py").write_text(INTERRUPTED)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        import_for([_artifact("slow_library")], ["slow_library"])
    assert sys.modules.pop("slow_library").is_whole


def test_a_module_that_fails_or_is_gone_is_missed_where_it_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_library.py").write_text("raise ValueError")
    monkeypatch.syspath_prepend(tmp_path)
    import_for([_artifact("broken_library", "gone_library")], ["broken_library", "gone_library"])


def test_modules_of_other_packages_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "other_library.py").write_text("raise SystemExit")
    monkeypatch.syspath_prepend(tmp_path)
    import_for([_artifact("numpy")], ["other_library"])
