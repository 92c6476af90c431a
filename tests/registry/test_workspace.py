from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from zennb.errors import ForeignStore, InUse, UnfitStack, UnknownName
from zennb.registry.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from zennb.registry.changes import Change

PARTS = {"orchestrator": "default", "artifact_store": "default"}


@pytest.fixture
def workspace(workspace: Workspace) -> Workspace:
    """A workspace with stacks `a` and `b` beside the default one."""
    for name in "ab":
        workspace.registry.register_stack(name, PARTS)
    return workspace


@pytest.fixture
def another(workspace: Workspace, home: Path) -> Iterator[Workspace]:
    """The same home in a kernel that was started later."""
    opened = Workspace(home)
    yield opened
    opened.close()


def test_a_new_home_starts_on_the_stack_default(home: Path) -> None:
    workspace = Workspace(home)
    assert workspace.active == "default"
    assert workspace.open().store.name == "default"
    assert (home / "STORE.json").exists()
    workspace.close()
    workspace.close()


@pytest.mark.skipif(sys.platform == "win32", reason="has no umask")
@pytest.mark.parametrize("umask", [0o022, 0o027, 0o077], ids=oct)
def test_a_home_and_its_store_get_the_modes_that_the_umask_leaves(home: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        workspace = Workspace(home)
        workspace.open().store.put([b"x"])
        workspace.close()
    finally:
        os.umask(before)
    for folder in (home, home / "artifacts"):
        assert folder.stat().st_mode & 0o777 == 0o777 & ~umask
    for file in (home / "metadata.db", home / "artifacts" / "cache.db"):
        assert file.stat().st_mode & 0o777 == 0o666 & ~umask & 0o644


def test_what_is_set_holds_here_and_for_kernels_started_later(
    workspace: Workspace, another: Workspace, home: Path
) -> None:
    workspace.set("a")
    assert workspace.active == "a"
    assert workspace.snapshot().name == "a"
    assert another.active == "default"  # a running kernel keeps its stack
    later = Workspace(home)
    assert later.active == "a"
    later.close()


def test_a_stack_is_chosen_for_a_moment(workspace: Workspace) -> None:
    with workspace.using("a") as stack:
        assert stack.name == "a"
        assert workspace.active == "a"
        with workspace.using("b"):
            assert workspace.open().name == "b"
        assert workspace.active == "a"
    assert workspace.active == "default"
    with pytest.raises(ZeroDivisionError), workspace.using("a"):
        _ = 1 / 0
    assert workspace.active == "default"
    assert workspace.registry.default_stack_name() == "default"


def test_a_moment_belongs_to_its_thread(workspace: Workspace) -> None:
    seen: list[str] = []
    with workspace.using("a"):
        thread = threading.Thread(target=lambda: seen.append(workspace.active))
        thread.start()
        thread.join()
    assert seen == ["default"]


def test_what_cannot_be_used_is_refused_and_changes_nothing(workspace: Workspace) -> None:
    workspace.registry.register_component("orchestrator", "far", "far")
    workspace.registry.register_component("artifact_store", "bucket", "bucket")
    workspace.registry.register_stack("cluster", {"orchestrator": "far", "artifact_store": "bucket"})
    spec = workspace.snapshot("cluster")
    unfit = {**spec.components, "artifact_store": workspace.snapshot("default").artifact_store}
    workspace.metadata.put_stack(type(spec)(name="cluster", components=unfit), replace=True)
    with pytest.raises(UnfitStack, match="stack 'cluster' does not fit"):
        workspace.set("cluster")
    with pytest.raises(UnknownName, match="no stack 'defalt'; did you mean 'default'"):
        workspace.set("defalt")
    with (
        pytest.raises(UnknownName, match="no stack 'defalt'; did you mean 'default'"),
        workspace.using("defalt"),
    ):
        pass
    assert workspace.active == workspace.registry.default_stack_name() == "default"


def test_an_active_or_borrowed_stack_is_not_deleted(workspace: Workspace) -> None:
    workspace.set("a")
    with pytest.raises(InUse, match="stack 'a' is active"):
        workspace.registry.delete_stack("a")
    with workspace.using("b"), pytest.raises(InUse, match="stack 'b' is active"):
        workspace.registry.delete_stack("b")
    workspace.registry.delete_stack("b")


def test_a_renamed_active_stack_stays_active(workspace: Workspace) -> None:
    workspace.set("a")
    workspace.registry.rename_stack("a", "c")
    assert workspace.active == "c"
    assert workspace.open().name == "c"


def test_a_stack_that_another_kernel_deleted_is_reported_with_a_way_out(
    workspace: Workspace, another: Workspace
) -> None:
    another.set("a")
    workspace.set("default")
    workspace.registry.delete_stack("a")
    with pytest.raises(UnknownName, match=r"no stack 'a'.*Choose one with `%stack set NAME`"):
        another.open()
    another.set("b")
    assert another.open().name == "b"


def test_an_opened_stack_is_the_same_until_it_changes(workspace: Workspace, another: Workspace) -> None:
    stack = workspace.open("a")
    assert workspace.open("a") is stack
    another.registry.register_component("orchestrator", "four", "threads")
    another.registry.update_stack("a", {"orchestrator": "four"})
    changed = workspace.open("a")
    assert changed is not stack
    assert changed.orchestrator.name == "four"
    assert changed.store is stack.store
    assert stack.orchestrator.name == "default"  # whoever runs on it is not disturbed


def test_changes_are_told_to_those_who_asked(workspace: Workspace) -> None:
    heard: list[Change] = []
    stop = workspace.on_change(heard.append)
    workspace.set("a")
    workspace.set("a")
    workspace.registry.delete_stack("b")
    stop()
    workspace.set("default")
    assert [(change.verb, change.type, change.name) for change in heard] == [
        ("set", "stack", "a"),
        ("delete", "stack", "b"),
    ]


def test_values_kept_in_memory_survive_a_switch_of_stacks(workspace: Workspace) -> None:
    workspace.registry.register_component("artifact_store", "memory", "memory")
    workspace.registry.register_stack("m", {"orchestrator": "default", "artifact_store": "memory"})
    workspace.set("m")
    digest = workspace.open().store.put([b"x"])
    workspace.set("default")
    assert workspace.open("m").store.get(digest) == b"x"


def test_a_home_of_another_program_is_refused_and_leaves_no_thread(home: Path) -> None:
    home.mkdir()
    (home / "metadata.db").write_text("dear diary" * 1000)
    before = threading.active_count()
    with pytest.raises(ForeignStore, match="is not a database"):
        Workspace(home)
    assert threading.active_count() == before


def test_every_process_sees_the_same_home(workspace: Workspace, another: Workspace) -> None:
    assert workspace.identity == another.identity
    assert workspace.home == another.home
