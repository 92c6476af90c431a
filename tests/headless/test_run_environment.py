"""The surroundings that a run of a notebook file will have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.headless.run_environment import RunEnvironment

if TYPE_CHECKING:
    from pathlib import Path


def test_the_working_folder_is_told_as_the_kernel_will_tell_it(tmp_path: Path) -> None:
    (tmp_path / "real" / "sub").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    found = RunEnvironment(folder=tmp_path / "link", sealed=lambda _name, _value: "")
    assert found.folder_at("") == str(tmp_path / "real")
    assert found.folder_at("sub") == str(tmp_path / "real" / "sub")
