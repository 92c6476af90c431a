from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from zennb.errors import ForeignStore, StoreBusy, StoreError
from zennb.metadata.connection import Database
from zennb.metadata.store import MetadataStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.metadata.conftest import Make

WRITER = """
import sys
from pathlib import Path
from zennb.core.records.records import Artifact, ComponentSpec, Run, StackSpec, Status, Step
from zennb.metadata.store import MetadataStore

path, who, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
parts = {kind: ComponentSpec(type=kind, name="default", flavor="local") for kind in ("orchestrator", "artifact_store")}
store = MetadataStore(path)
sys.stdout.write("ready\\n")
sys.stdout.flush()
for number in range(count):
    content = f"{who} {number}"
    made = Artifact(name="x", digest=content, blob=content, materializer="plain", size=1, type="int")
    step = Step(name="s", notebook=who, status=Status.COMPLETED, cache_key=content, outputs={"x": made})
    added = store.add(step, run=Run(stack=StackSpec(name="default", components=parts), status=Status.COMPLETED))
    sys.stdout.write(f"{added.outputs['x'].version} {content}\\n")
    sys.stdout.flush()
store.close()
"""


def start_writer(path: Path, who: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(path), who, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.fixture
def hold(path: Path) -> Iterator[Callable[[], sqlite3.Connection]]:
    """Take the write lock of the database on another connection."""
    held: list[sqlite3.Connection] = []

    def take() -> sqlite3.Connection:
        held.append(sqlite3.connect(path, isolation_level=None, check_same_thread=False))
        held[-1].execute("BEGIN IMMEDIATE")
        return held[-1]

    yield take
    for connection in held:
        connection.close()


def test_processes_that_write_at_once_lose_nothing_and_share_no_version(path: Path) -> None:
    writers = [start_writer(path, who, 40) for who in ("one", "two", "three")]
    printed = [writer.communicate(timeout=120)[0].splitlines()[1:] for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0, 0]

    store = MetadataStore(path)
    recorded = {f"{artifact.version} {artifact.digest}" for artifact in store.history("x")}
    runs, steps = store.runs(limit=1000), sum(len(store.steps(run.id or 0)) for run in store.runs(limit=1000))
    store.close()
    assert recorded == {line for lines in printed for line in lines}
    assert sorted(int(line.split()[0]) for line in recorded) == list(range(1, 121))
    assert (len(runs), steps) == (120, 120)


def test_threads_that_write_at_once_lose_nothing_and_share_no_version(
    store: MetadataStore, make: Make
) -> None:
    def write(number: int) -> int:
        return store.add(make.step(outputs={"x": make.artifact("x", str(number))})).outputs["x"].version

    with ThreadPoolExecutor(8) as pool:
        versions = list(pool.map(write, range(80)))
    assert sorted(versions) == list(range(1, 81))


def test_a_process_killed_while_it_writes_leaves_all_that_it_announced(path: Path) -> None:
    for _ in range(3):
        writer = start_writer(path, str(time.monotonic_ns()), 100_000)
        assert writer.stdout is not None
        announced = [writer.stdout.readline() for _ in range(30)][1:]
        writer.send_signal(signal.SIGKILL)
        announced += writer.stdout.read().splitlines(keepends=True)
        writer.stdout.close()
        writer.wait()

        store = MetadataStore(path)
        history = store.history("x", limit=1_000_000)
        announced = [line.strip() for line in announced if line.endswith("\n")]
        assert set(announced) <= {f"{artifact.version} {artifact.digest}" for artifact in history}
        assert [artifact.version for artifact in history] == list(range(len(history), 0, -1))
        store.close()
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()


def test_a_locked_database_is_reported_within_the_deadline(
    path: Path, make: Make, hold: Callable[[], sqlite3.Connection]
) -> None:
    store = MetadataStore(path, deadline=0.3)
    lock = hold()
    with pytest.raises(StoreBusy, match=r"has been locked by .* for 0\.3 s; nothing was changed"):
        store.add(make.step())
    assert store.runs() == []  # reading goes on
    lock.rollback()
    assert store.add(make.step()).id == 1
    store.close()


def test_a_lock_that_ends_before_the_deadline_is_waited_for(
    store: MetadataStore, make: Make, hold: Callable[[], sqlite3.Connection]
) -> None:
    lock = hold()
    timer = threading.Timer(0.2, lock.rollback)
    timer.start()
    assert store.add(make.step()).id == 1
    timer.join()


def test_the_process_that_holds_the_lock_is_named(path: Path, make: Make) -> None:
    store = MetadataStore(path, deadline=0.2)
    code = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None); c.execute('BEGIN IMMEDIATE');"
        "sys.stdout.write('held\\n'); sys.stdout.flush(); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        who = f"process {holder.pid}" if sys.platform == "linux" else "another process"
        with pytest.raises(StoreBusy, match=f"has been locked by {who} for"):
            store.add(make.step())
        holder.communicate("")
    store.close()


def test_a_function_run_atomically_happens_whole_or_not_at_all(store: MetadataStore) -> None:
    def half() -> None:
        store.set_setting("a", "1")
        assert store.setting("a") == "1"
        raise LookupError

    with pytest.raises(LookupError):
        store.atomically(half)
    assert store.setting("a") is None
    store.atomically(lambda: store.set_setting("a", "2"))
    assert store.setting("a") == "2"


def test_an_interrupt_ends_the_waiting_and_not_the_work(store: MetadataStore) -> None:
    def work() -> None:
        store.set_setting("a", "1")
        signal.raise_signal(signal.SIGINT)
        time.sleep(0.2)
        store.set_setting("b", "1")

    with pytest.raises(KeyboardInterrupt):
        store.atomically(work)
    # Asked on the store's thread, after the work: the main thread may have been interrupted before it waited.
    assert store.atomically(lambda: [store.setting(key) for key in "ab"]) == ["1", "1"]


def test_an_interrupted_look_hinders_nobody_and_the_next_one_sees_what_is_new(
    path: Path, store: MetadataStore
) -> None:
    def cut(connection: sqlite3.Connection) -> None:
        connection.execute("SELECT * FROM settings").fetchone()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store._database.read(cut)
    store._database._reader.execute("BEGIN")  # as when the interrupt came at the worst moment
    assert store._database._reader.execute("SELECT count(*) FROM settings").fetchone() == (0,)
    other = MetadataStore(path)
    other.set_setting("a", "1")
    other.close()
    store.set_setting("b", "1")
    assert [store.setting(key) for key in "ab"] == ["1", "1"]


def test_the_traceback_of_an_interrupted_look_does_not_hold_the_records_of_then(store: MetadataStore) -> None:
    """IPython keeps it, and an unfinished query in one of its frames keeps what the connection sees."""

    def cut(connection: sqlite3.Connection) -> None:
        cursor = connection.execute("SELECT * FROM settings")
        cursor.fetchone()
        raise KeyboardInterrupt

    for key in "abc":
        store.set_setting(key, "1")
    with pytest.raises(KeyboardInterrupt) as kept:
        store._database.read(cut)
    store.set_setting("b", "2")
    assert store.setting("b") == "2"
    assert kept.value.__traceback__ is not None


def test_the_main_thread_and_others_read_the_same_and_cannot_write_by_reading(store: MetadataStore) -> None:
    store.set_setting("a", "1")
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(store.setting, "a").result() == store.setting("a") == "1"
    with pytest.raises(StoreError, match="readonly"):
        store._database.read(lambda connection: connection.execute("DELETE FROM settings"))
    assert store.setting("a") == "1"


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_forked_child_opens_the_store_again(store: MetadataStore, make: Make) -> None:
    store.add(make.step())
    child = os.fork()
    if child == 0:
        status = 1
        try:
            store.add(make.step())
            store.close()
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(store.find(make.step().cache_key)) == 2
    assert store.add(make.step()).id == 3


def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path) -> None:
    path.write_text("dear diary" * 500)
    with pytest.raises(ForeignStore, match="is not a database"):
        MetadataStore(path)
    assert path.read_text() == "dear diary" * 500


def test_a_database_of_another_program_is_refused_and_left_alone(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE places (url TEXT)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(ForeignStore, match="of another program"):
        MetadataStore(path)
    assert path.read_bytes() == before


def test_a_damaged_database_is_reported(path: Path, make: Make) -> None:
    store = MetadataStore(path)
    store.add_all([make.step(outputs={"x": make.artifact("x", str(number))}) for number in range(200)])
    store.close()
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(StoreError, match="is damaged"):
        MetadataStore(path)


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE steps",
        "ALTER TABLE steps DROP COLUMN reason",
        "CREATE TRIGGER no BEFORE INSERT ON steps BEGIN SELECT RAISE(ABORT, 'never'); END",
    ],
)
def test_tables_that_are_not_ours_are_damage(path: Path, make: Make, sql: str) -> None:
    store = MetadataStore(path)
    store._database.write(lambda connection: connection.execute(sql))
    with pytest.raises(StoreError, match=r"is damaged .*doctor --repair"):
        store.add(make.step())
    store.close()


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO settings (key, value) VALUES ('a', 'b'), ('a', 'c')",
        "INSERT INTO current (notebook, name, step, artifact) VALUES (1, 'a', 4711, 4711)",
        "SELECT " + "+".join("1" * 3000),
        "SELECT (",
    ],
)
def test_what_sqlite_refuses_for_other_reasons_is_no_damage(path: Path, sql: str) -> None:
    store = MetadataStore(path)
    with pytest.raises(StoreError) as refused:
        store._database.write(lambda connection: connection.execute(sql).fetchall())
    store.close()
    assert "has refused what was asked" in str(refused.value)
    assert "is damaged (" not in str(refused.value)


def test_a_place_that_cannot_be_written_to_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="set ZENNB_HOME to a directory that you can write to"):
        MetadataStore(tmp_path / "file" / "metadata.db")


def test_opening_many_times_leaves_no_thread_behind(path: Path) -> None:
    before = threading.active_count()
    for _ in range(5):
        MetadataStore(path).close()
    assert threading.active_count() == before


def test_the_connection_keeps_what_was_committed(path: Path) -> None:
    database = Database(path)
    wanted = {"journal_mode": "wal", "synchronous": 1, "foreign_keys": 1}
    found = database.write(
        lambda connection: {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in wanted}
    )
    database.close()
    assert found == wanted
