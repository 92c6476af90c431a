"""The state of files as a step finds and leaves them, which files count, and writing them again."""

from __future__ import annotations

import os
import stat
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zennb.core.records.observed import ABSENT
from zennb.engine.environment.files import counts, keepable, listing, resolved, shown, signature, state
from zennb.engine.environment.own_files import OwnFiles
from zennb.engine.environment.restore_policy import RestorePolicy
from zennb.engine.environment.restored_files import restore_files
from zennb.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_open_takes_is_an_absolute_path_or_none(folder: Path) -> None:
    for given_path in ("a/../b.txt", b"b.txt", Path("b.txt"), str(folder / "b.txt")):
        assert resolved(given_path) == str(folder / "b.txt")
    assert [resolved(each) for each in (3, None, 1.5, object())] == [""] * 4


def test_a_path_is_recorded_relative_to_the_folder_it_lies_in() -> None:
    assert shown("/data/a/b.csv", "/data") == "a/b.csv"
    assert shown("/data", "/data") == "."
    assert shown("/workshop/b.csv", "/data") == "/workshop/b.csv"
    assert shown("/b.csv", "/") == "b.csv"


IN_PROJECT = [
    "data.csv",
    "local.py",
    "out/model.bin",
    "lib/x.txt",
    "matplotlib-course/a.csv",
    "pymp-1",
    "ipykernel_x/a",
]
MOUNTED = ["/dev/shm/data.npy", "/run/media/ada/disk/data.csv"]


@pytest.mark.parametrize("path", [*IN_PROJECT, *MOUNTED])
def test_files_of_the_user_count(path: str, folder: Path) -> None:
    assert counts(str(folder / path))


FOREIGN = [
    "",
    sysconfig.get_path("stdlib") + "/json/__init__.py",
    sysconfig.get_path("purelib") + "/numpy/data.txt",
    sys.prefix + "/share/x",
    "/proc/self/status",
    "/etc/hosts",
    "/usr/share/zoneinfo/UTC",
    str(Path.home() / ".cache" / "x"),
    str(Path.home() / ".config" / "x"),
    "/data/project/__pycache__/x.pyc",
    "/data/project/x.pyc",
    "/data/project/native.so",
    "/data/project/.zennb/metadata.db",
    str(Path(tempfile.gettempdir()) / "ipykernel_12/345.py"),
    str(Path(tempfile.gettempdir()) / "matplotlib-abc/fontlist.json"),
    "/dev/null",
    "/dev/shm/joblib_memmapping_folder_1/x",
    "/dev/shm/pym-12-abc",
    "/opt/env/lib/python3/site-packages/x.txt",
    "/tmp/joblib_memmapping_folder_1/x",
]


@pytest.mark.parametrize("path", FOREIGN)
def test_files_of_python_packages_tools_and_the_system_do_not_count(path: str) -> None:
    assert not counts(path)


def test_the_state_of_a_file_is_its_content(folder: Path) -> None:
    path = folder / "a.txt"
    assert state(str(path)) == ABSENT
    path.write_text("one")
    one = state("a.txt")
    assert one.startswith("file ")
    os.utime(path, (1, 1))
    assert state(str(path)) == one
    path.write_text("two")
    assert state("a.txt") != one
    assert state(str(folder)) == "folder"
    assert state("/dev/null") == "other"
    assert state("nul\0l") == ABSENT


@given(st.binary(max_size=50), st.binary(max_size=50))
@settings(deadline=None)  # it waits for the disk
def test_two_files_are_in_one_state_when_they_hold_the_same(one: bytes, other: bytes) -> None:
    Path("one").write_bytes(one)
    Path("other").write_bytes(other)
    assert (state("one") == state("other")) is (one == other)


def test_a_change_within_the_clocks_grain_is_seen(folder: Path) -> None:
    path = folder / "a.txt"
    states = set()
    for number in range(20):
        path.write_text(f"{number:02}")
        os.utime(path, ns=(5, 5))  # neither size nor time tells
        states.add(state("a.txt"))
    assert len(states) == 20


def test_a_large_file_counts_to_its_end(folder: Path) -> None:
    path = folder / "large"
    content = bytearray(3 << 20)
    path.write_bytes(content)
    before = state("large")
    content[-1] = 1
    path.write_bytes(content)
    assert state("large") != before


def test_a_file_that_may_not_be_read_has_a_state_of_its_own(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a.txt").write_text("x")

    def refuse(*_file: object) -> str:
        raise PermissionError("not yours")  # root, whom tests may run as, reads everything

    monkeypatch.setattr("zennb.engine.environment.files._content", refuse)
    assert state("a.txt") == "unreadable"


def test_a_signature_tells_a_file_apart_from_one_that_took_its_place(folder: Path) -> None:
    path, other = folder / "a.txt", folder / "b.txt"
    path.write_text("one")
    other.write_text("two")
    before = signature(str(path))
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    assert before == signature(str(path))
    other.replace(path)
    assert signature(str(path)) != before
    assert signature("gone") is None
    assert signature("nul\0l") is None


def test_a_folder_is_the_names_in_it(folder: Path) -> None:
    inside = folder / "data"
    assert listing(str(inside)) == ABSENT
    inside.mkdir()
    empty = listing("data")
    (inside / "a").write_text("one")
    one = listing("data")
    (inside / "a").write_text("two")
    assert listing("data") == one != empty
    for tool in (".ipynb_checkpoints", ".zennb", "__pycache__"):
        (inside / tool).mkdir()
    assert listing("data") == one
    (inside / "b").write_text("")
    assert listing("data") not in {one, empty}


def test_names_that_the_step_itself_made_are_left_out_now_and_when_compared(folder: Path) -> None:
    inside = folder / "data"
    inside.mkdir()
    (inside / "given").write_text("")
    recorded = listing("data", frozenset({"made"}))
    assert state("data", recorded) == recorded
    (inside / "made").write_text("")
    assert state("data", recorded) == recorded
    (inside / "new").write_text("")
    assert state("data", recorded) != recorded


def allowed(folder: Path) -> Callable[[str], bool]:
    """What reuse may write for a step that names no paths."""
    return RestorePolicy(texts=frozenset(), names=frozenset(), folder=str(folder)).allows_file


def test_small_files_are_kept_and_secrets_and_large_ones_are_not(folder: Path) -> None:
    contents = {
        "a.txt": b"a",
        ".env": b"S=1",
        "server.key": b"k",
        "cert.pem": b"c",
        "cert.p12": b"c",
        "cert.pfx": b"c",
        "big": bytes((1 << 20) + 1),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    (folder / "made").mkdir()
    written = {name: state(name) for name in [*contents, "made", "gone"]}
    assert keepable(written, str(folder), allowed(folder)) == {"a.txt": b"a", "made": None}


def test_of_many_files_only_so_much_is_kept(folder: Path) -> None:
    for number in range(10):
        (folder / f"f{number}").write_bytes(bytes(1 << 20))
    kept = keepable({f"f{number}": state(f"f{number}") for number in range(10)}, str(folder), allowed(folder))
    assert len(kept) == 8


def test_a_file_is_kept_from_the_folder_that_paths_started_from(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "a").write_bytes(b"inside")
    assert keepable({"a": "file x"}, str(folder / "sub"), allowed(folder / "sub")) == {"a": b"inside"}


FILES: Mapping[str, bytes | None] = {"out": None, "out/a.txt": b"a", "deep/er/b.bin": b"\0\1", "c": b""}


def test_files_and_folders_are_made_as_they_were(folder: Path) -> None:
    (folder / "c").write_bytes(b"other")
    restore_files(FILES)
    found = {path: None if Path(path).is_dir() else Path(path).read_bytes() for path in FILES}
    assert found == FILES
    assert not list(folder.rglob(".zennb-*"))


def test_what_is_so_already_is_left_alone(folder: Path) -> None:
    restore_files(FILES)
    before = {path: signature(path) for path in FILES}
    restore_files(FILES)
    assert {path: signature(path) for path in FILES} == before
    restore_files({"out/a.txt": b"b"})
    assert Path("out/a.txt").read_bytes() == b"b", "the same size, and other bytes"


def test_a_file_keeps_its_mode_and_a_new_one_gets_the_usual_one(folder: Path) -> None:
    path = folder / "run.sh"
    path.write_text("old")
    path.chmod(0o754)
    before = os.umask(0o027)
    try:
        restore_files({"run.sh": b"new", "fresh": b"x"})
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o754
    assert stat.S_IMODE((folder / "fresh").stat().st_mode) == 0o640


def test_a_file_that_cannot_be_made_is_a_sentence_and_leaves_no_draft(folder: Path) -> None:
    (folder / "taken").mkdir()
    with pytest.raises(StoreError, match="it writes taken, which cannot be written"):
        restore_files({"taken": b"x"})
    (folder / "file").write_text("")
    with pytest.raises(StoreError, match="it writes file/inside, which cannot be written"):
        restore_files({"file/inside": b"x"})
    assert sorted(each.name for each in folder.iterdir()) == ["file", "taken"]


def test_a_file_that_has_another_name_is_not_parted_from_it(folder: Path) -> None:
    (folder / "a").write_text("old")
    (folder / "b").hardlink_to(folder / "a")
    with pytest.raises(StoreError, match=r"^it writes a, which has another name \(a hard link\)\.$"):
        restore_files({"a": b"new"})
    restore_files({"a": b"old"})
    assert (folder / "a").samefile(folder / "b")


def test_a_file_that_the_step_removed_stays_if_it_is_another_one_now(folder: Path) -> None:
    (folder / "a").write_text("mine")
    with pytest.raises(StoreError, match=r"^it removes a, which has changed since\.$"):
        restore_files({"a": state("b")[:-1] + "x"})
    assert (folder / "a").read_text() == "mine"


@pytest.mark.parametrize("path", ["delivered.log", "background/run-1.csv", "outbox/orders.csv"])
def test_a_file_of_the_user_in_a_home_counts(path: str) -> None:
    assert f"/home/{path}" not in OwnFiles("/home")
    assert "/home/background/run-1.jsonl" in OwnFiles("/home")
