"""The name of a notebook in records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.headless.notebook_label import label

if TYPE_CHECKING:
    from pathlib import Path


def test_inside_the_project_of_the_home_it_is_the_path_there(tmp_path: Path) -> None:
    assert label(tmp_path / "study" / "a.ipynb", tmp_path / ".zennb") == "study/a.ipynb"


def test_elsewhere_it_is_the_path_under_version_control(tmp_path: Path) -> None:
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    assert label(tmp_path / "repo" / "nb" / "a.ipynb", tmp_path / "far" / "home") == "nb/a.ipynb"


def test_else_the_file_name_and_never_a_path_of_the_machine(tmp_path: Path) -> None:
    assert label(tmp_path / "deep" / "a.ipynb", tmp_path / "far" / "home") == "a.ipynb"
    assert label(None, tmp_path) == ""


def test_a_link_that_leads_to_itself_has_a_name(tmp_path: Path) -> None:
    (tmp_path / "loop.ipynb").symlink_to("loop.ipynb")
    (tmp_path / "around").symlink_to("around")
    assert label(tmp_path / "loop.ipynb", tmp_path / "around") == "loop.ipynb"
