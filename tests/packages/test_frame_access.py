from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.installed_packages import Packages
from zennb.packages.frame_access import looks_into_frames

if TYPE_CHECKING:
    from pathlib import Path

SOURCES = {
    "import sys\ndef find(name): return sys._getframe(1).f_globals[name]": True,
    "import inspect\ndef find(name): return inspect.currentframe().f_back.f_locals[name]": True,
    "import sys\ndef who(): return sys._getframe(1).f_code.co_name": False,
    "def find(name): return name": False,
}


@pytest.mark.parametrize("number", range(len(SOURCES)))
def test_a_package_that_reads_the_variables_of_its_caller_is_told_by_its_source(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, expected = list(SOURCES.items())[number]
    packages = Packages(tmp_path, monkeypatch)
    packages.install(f"frames{number}", {}, **{f"frames{number}": source})
    assert looks_into_frames(f"frames{number}") is expected


@pytest.mark.parametrize("name", ["numpy", "sys", "nobody_has_this", "", "tests"])
def test_others_do_not(name: str) -> None:
    assert not looks_into_frames(name)
