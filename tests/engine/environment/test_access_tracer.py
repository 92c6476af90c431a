"""What code touches while it runs: files read, made and removed, variables of the environment, programs."""

from __future__ import annotations

import os
import shutil
import sqlite3
import string
import subprocess
import sys
import tempfile
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from zennb.components.artifact_stores.local import LocalArtifactStore
from zennb.core.records.observed import ABSENT
from zennb.engine.environment.access_tracer import AccessTracer
from zennb.engine.environment.files import state
from zennb.engine.environment.own_files import OwnFiles

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setenv("SEEN", "1")
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x").write_text("x")
    return tmp_path


def watched(act: Callable[[], object], **more: Any) -> AccessTracer:
    watch = AccessTracer(**more)
    watch.start()
    try:
        act()
    finally:
        watch.stop()
    return watch


def _read(path: str) -> str:
    return Path(path).read_text()


def _write(path: str, text: str = "new") -> None:
    Path(path).write_text(text)


def _append() -> None:
    with Path("a").open("a") as file:
        file.write("more")


def _connect(path: str) -> None:
    sqlite3.connect(path).close()


def _read_then_write() -> None:
    _read("a")
    _write("a")


def _write_then_read() -> None:
    _write("c")
    _read("c")


def _make_and_fill() -> None:
    Path("out").mkdir()
    _write("out/y")
    list(Path("out").iterdir())
    _read("out/y")


DEEDS: dict[str, tuple[Callable[[], object], set[str], set[str]]] = {
    "nothing": (lambda: None, set(), set()),
    "read": (lambda: _read("a"), {"a"}, set()),
    "read twice": (lambda: (_read("a"), _read("a"), _read("b")), {"a", "b"}, set()),
    "written": (lambda: _write("c"), set(), {"c"}),
    "replaced": (lambda: _write("a"), set(), {"a"}),
    "appended": (_append, {"a"}, {"a"}),
    "read, then written": (_read_then_write, {"a"}, {"a"}),
    "written, then read": (_write_then_read, set(), {"c"}),
    "removed": (lambda: Path("a").unlink(), {"a"}, {"a"}),
    "renamed": (lambda: Path("a").rename("c"), {"a"}, {"a", "c"}),
    "linked": (lambda: os.link("a", "c"), {"a"}, {"c"}),
    "symlinked": (lambda: Path("c").symlink_to("a"), {"a"}, {"c"}),
    "listed": (lambda: os.listdir("data"), {"data"}, set()),  # noqa: PTH208 - what libraries call
    "scanned": (lambda: list(os.scandir()), {"."}, set()),
    "folder made and filled": (_make_and_fill, set(), {"out", "out/y"}),
    "folder there already": (lambda: Path("data").mkdir(exist_ok=True), set(), {"data"}),
    "tree removed": (lambda: shutil.rmtree("data"), {"data"}, {"data"}),
    "database made": (lambda: _connect("new.db"), set(), {"new.db"}),
    "database there": (lambda: _connect("a"), {"a"}, {"a"}),
    "database in memory": (lambda: _connect(":memory:"), set(), set()),
    "system's own": (lambda: _read("/proc/self/status"), set(), set()),
}


@pytest.mark.parametrize(("act", "read", "written"), DEEDS.values(), ids=DEEDS)
def test_files_are_seen_as_they_are_touched(
    act: Callable[[], object], read: set[str], written: set[str]
) -> None:
    watch = watched(act)
    assert set(watch.files()) == read
    assert set(watch.written()) == written


def test_a_file_that_must_be_new_depends_on_there_being_none_yet_unless_it_is_a_passing_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert watched(lambda: Path("c").open("x").close()).files() == {}, (
        "the folder is in that for temporary files"
    )
    monkeypatch.setattr(tempfile, "tempdir", str(folder / "data"))
    watch = watched(lambda: Path("d").open("x").close())
    assert (watch.files(), set(watch.written())) == ({"d": ABSENT}, {"d"})


def test_a_file_counts_as_it_was_first_found() -> None:
    before = state("a")
    watch = watched(_read_then_write)
    assert watch.files() == {"a": before}
    assert watch.written() == {"a": state("a")} != {"a": before}


def test_a_file_that_others_change_while_it_is_read_is_in_no_state() -> None:
    watch = watched(lambda: _read("a"))
    _write("a", "by somebody else")
    assert watch.files() == {"a": "changed while it was read"}


def test_a_file_that_was_looked_for_and_is_not_there_counts_as_absent() -> None:
    def value_digest() -> None:
        with pytest.raises(FileNotFoundError):
            _read("gone")

    assert watched(value_digest).files() == {"gone": ABSENT}


def test_what_was_removed_is_absent_afterwards() -> None:
    assert watched(lambda: Path("a").unlink()).written() == {"a": ABSENT}


def test_paths_are_relative_to_the_folder_where_the_step_began(folder: Path) -> None:
    def act() -> None:
        os.chdir("data")
        _read("x")
        _read(str(folder.parent / "elsewhere"))

    (folder.parent / "elsewhere").write_text("")
    assert set(watched(act).files()) == {"data/x", str(folder.parent / "elsewhere")}


OWN = (
    "STORE.json",
    "annotations/0123456789abcdef.json",
    "artifacts/STORE.json",
    "artifacts/blobs/ab/" + "ab" * 32,
    "artifacts/cache.db-wal",
    "artifacts/quarantine/" + "ab" * 32 + "-1",
    "artifacts/tmp/12-" + "ab" * 16 + ".part",
    "background/run-12.json",
    "backups/metadata-20260102T030405006-01234567.db",
    "damaged/2026-01-02-030405/metadata.db",
    "deployments/local/0123456789abcdef/model.bin",
    "metadata.db-wal",
    "outbox/00001767323045000000-01234567.json",
    "stores/0123456789ab/cache.db",
)
MINE = (
    ".gitignore",
    "alerts.log",
    "annotations/labels.csv",
    "artifacts/blobs.csv",
    "artifacts/blobs/mine.csv",
    "background/sky.png",
    "backups/metadata.db",
    "damaged/list.txt",
    "deployments/site.yaml",
    "outbox/letter.txt",
    "stores/berlin/sales.csv",
)


def test_of_a_home_in_a_project_only_what_zennb_wrote_does_not_count(folder: Path) -> None:
    for path in (*OWN, *MINE):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text("1")

    def act() -> None:
        for path in (*OWN, *MINE):
            _read(path)
        sorted(Path("artifacts").iterdir())

    found = watched(act, ignored=OwnFiles(str(folder))).files()
    assert found.keys() == {*MINE, "artifacts"}
    for name in ("STORE.json", "cache.db-wal"):  # these come and go
        Path("artifacts", name).unlink()
    assert state("artifacts", found["artifacts"]) == found["artifacts"]
    Path("artifacts/new.csv").write_text("")
    assert state("artifacts", found["artifacts"]) != found["artifacts"]


def test_a_store_that_is_made_while_a_step_runs_is_no_file_of_it(folder: Path) -> None:
    """As in the home's first run, when another thread stores what one element of a mapped step has made."""

    def act() -> None:
        thread = threading.Thread(target=store)
        thread.start()
        thread.join()
        Path("home/mine").touch()

    def store() -> None:
        with closing(LocalArtifactStore(path=str(folder / "home" / "artifacts"))) as made:
            made.put([b"x" * 100])
            made.put([b"x" * 1_000_000])

    (folder / "home").mkdir()
    found = watched(act, ignored=OwnFiles(str(folder / "home")))
    assert (found.files(), [*found.written()]) == ({}, ["home/mine"])


def test_nothing_is_seen_before_and_after() -> None:
    watch = AccessTracer()
    _read("a")
    watch.start()
    watch.stop()
    _read("a")
    os.environ.get("SEEN")
    watch.stop()
    assert (watch.files(), watch.environment) == ({}, {})
    assert type(os.environ).__name__ == "_Environ"


def test_a_tracer_that_has_stopped_does_not_come_back_with_one_that_began_inside_it() -> None:
    outer, inner = AccessTracer(), AccessTracer()
    outer.start()
    inner.start()
    outer.stop()
    inner.stop()
    assert type(os.stat).__name__ == "builtin_function_or_method"
    assert type(os.environ).__name__ == "_Environ"


def test_variables_that_the_users_code_reads_are_noted_with_their_value() -> None:
    watch = watched(lambda: (os.environ.get("SEEN"), os.environ.get("NOT_SET"), os.getenv("SEEN")))
    assert watch.environment == {"SEEN": "1", "NOT_SET": None}
    assert not watch.reads_all


def test_variables_that_libraries_read_are_their_own_matter() -> None:
    assert "COLUMNS" not in watched(shutil.get_terminal_size).environment


@pytest.mark.parametrize(
    ("act", "read"),
    [
        (lambda: os.path.expandvars("$SEEN/x"), "SEEN"),
        (lambda: os.path.expanduser("~/x"), "HOME"),  # noqa: PTH111 - the function is the question
        (lambda: Path("~").expanduser(), "HOME"),
        (Path.home, "HOME"),
        (lambda: string.Template("$SEEN").substitute(os.environ), "SEEN"),
        (lambda: "{SEEN}".format_map(os.environ), "SEEN"),
        (lambda: os.environb[b"SEEN"], "SEEN"),
        (lambda: os.getenvb(b"SEEN"), "SEEN"),
        (lambda: os.environb.get(b"NOT_SET"), "NOT_SET"),
    ],
)
def test_variables_that_python_reads_for_the_users_code_are_noted(
    act: Callable[[], object], read: str
) -> None:
    assert read in watched(act).environment


@pytest.mark.parametrize(
    ("address", "read", "written"),
    [
        ("file:a.db", {"a.db"}, {"a.db"}),
        ("file:a.db?mode=ro", {"a.db"}, set()),
        ("file:a.db?immutable=1", {"a.db"}, set()),
        ("file:a.db?mode=rwc&cache=shared", {"a.db"}, {"a.db"}),
        ("file:with%20blank.db?mode=ro#part", {"with blank.db"}, set()),
        ("file://{folder}/a.db?mode=ro", {"a.db"}, set()),
        ("file://localhost{folder}/a.db?mode=ro", {"a.db"}, set()),
        ("file:new.db", set(), {"new.db"}),
        ("file::memory:?cache=shared", set(), set()),
        ("file:other?mode=memory", set(), set()),
    ],
)
def test_a_database_is_read_by_its_address(
    address: str, read: set[str], written: set[str], folder: Path
) -> None:
    for name in ("a.db", "with blank.db"):
        with closing(sqlite3.connect(name)) as made, made:
            made.execute("CREATE TABLE t (x)")
    watch = watched(lambda: sqlite3.connect(address.format(folder=folder), uri=True).close())
    assert set(watch.files()) == read
    assert set(watch.written()) == written


def test_variables_that_were_set_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NEW_ONE", raising=False)

    def act() -> None:
        os.environ["NEW_ONE"] = "2"
        os.environ.get("NEW_ONE")
        del os.environ["SEEN"]

    watch = watched(act)
    monkeypatch.delenv("NEW_ONE")
    assert watch.environment == {}
    assert watch.sets == watch.sets_itself == {"NEW_ONE", "SEEN"}


@pytest.mark.parametrize(
    "act", [lambda: dict(os.environ), lambda: list(os.environ), lambda: os.environ.copy()]
)
def test_going_through_the_whole_environment_is_noted(act: Callable[[], object]) -> None:
    assert watched(act).reads_all


def test_programs_are_named_as_they_were_called() -> None:
    watch = watched(lambda: (subprocess.run(["true", "a"], check=True), os.system("true b")))
    assert watch.programs == ["true a", "true b"]


def test_what_another_program_reads_can_be_noted() -> None:
    watch = AccessTracer()
    watch.read_unseen(["a", "data", "gone"])
    assert set(watch.files()) == {"a", "data", "gone"}
    assert watch.files()["data"].startswith("names ")


def test_two_watches_stay_apart_and_know_of_each_other() -> None:
    def elsewhere(path: str, found: list[AccessTracer]) -> None:
        found.append(watched(lambda: (both.wait(), _read(path), both.wait())))

    both, found = threading.Barrier(2), list[AccessTracer]()
    threads = [threading.Thread(target=elsewhere, args=(path, found)) for path in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(sorted(watch.files()) for watch in found) == [["a"], ["b"]]
    assert [watch.is_alone for watch in found] == [False, False]
    assert watched(lambda: None).is_alone


def test_threads_that_a_step_starts_are_its_own() -> None:
    def act() -> None:
        thread = threading.Thread(target=_read, args=("a",))
        thread.start()
        thread.join()

    assert set(watched(act).files()) == {"a"}


def test_an_import_lists_no_folder_for_the_step(folder: Path) -> None:
    (folder / "a_local_module.py").write_text("x = 1")
    sys.path.insert(0, str(folder))
    try:
        watch = watched(lambda: __import__("a_local_module"))
    finally:
        sys.path.remove(str(folder))
        sys.modules.pop("a_local_module", None)
    assert "." not in watch.files(), "the folder was searched for modules, not listed"
    assert watch.environment == {}
