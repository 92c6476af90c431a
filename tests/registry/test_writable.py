"""A directory that cannot be written is refused when a store is registered, not when a step has run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from zennb.errors import InvalidConfiguration
from zennb.registry.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path


def test_a_store_that_cannot_be_written_is_refused_with_what_to_type(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    workspace = Workspace(tmp_path / "home")
    try:
        for path in (str(tmp_path / "file" / "store"), "/proc/nothing"):
            with pytest.raises(InvalidConfiguration) as refused:
                workspace.registry.register_component("artifact_store", "bad", "local", {"path": path})
            message = str(refused.value)
            assert "artifact store 'bad' was not registered" in message
            assert path in message
            assert "%artifact-store register bad --flavor=local --path=DIRECTORY" in message
        assert [each.name for each in workspace.registry.components("artifact_store")] == ["default"]
    finally:
        workspace.close()


def test_asking_leaves_nothing_behind(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "home")
    try:
        there = tmp_path / "there"
        there.mkdir()
        for path in (tmp_path / "new" / "deep", there):
            workspace.registry.register_component("artifact_store", path.name, "local", {"path": str(path)})
        assert not (tmp_path / "new").exists()
        assert list(there.iterdir()) == []
    finally:
        workspace.close()
