"""Several processes on one store: together, in each other's way, killed, interrupted, out of room."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from zennb.components.artifact_stores.inspection import SETTINGS
from zennb.errors import StoreBusy

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from zennb.components.artifact_stores.local import LocalArtifactStore

    Runner = Callable[..., subprocess.CompletedProcess[str]]
    Starter = Callable[..., subprocess.Popen[str]]
    Opener = Callable[..., LocalArtifactStore]

PATIENCE = 50.0
"""Less than the minute diskcache would spin, much more than our own deadlines here."""

OPEN = """
import sys
from zennb.components.artifact_stores.local import LocalArtifactStore
store = LocalArtifactStore.from_config("other", {"path": sys.argv[1]})
"""

HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1] + "/cache.db", isolation_level=None)
connection.execute("PRAGMA locking_mode = " + sys.argv[2])
connection.execute("BEGIN IMMEDIATE")
connection.execute("UPDATE Settings SET value = value WHERE key = 'count'")
print("held", flush=True)
sys.stdin.readline()
connection.execute("ROLLBACK")
connection.close()
print("released", flush=True)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


def say(process: subprocess.Popen[str], text: str = "") -> str:
    """Write a line to a process and return the line it answers."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(text + "\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


def hear(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def error_of(call: Callable[..., object], *args: object) -> BaseException | None:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call, *args).exception(PATIENCE)


def test_a_store_held_by_another_process_is_busy_and_says_who(
    root: Path, opener: Opener, start_python: Starter
) -> None:
    store = opener(timeout="0.3")
    digest = store.put([b"before"])
    holder = start_python(HOLD, root, "NORMAL")
    assert hear(holder) == "held"
    error = error_of(store.put, [b"during"])
    assert isinstance(error, StoreBusy)
    assert f"process {holder.pid} (" in str(error)
    assert store.get(digest) == b"before"
    assert store.has(digest)
    assert say(holder) == "released"
    assert store.get(store.put([b"during"])) == b"during"


@pytest.mark.parametrize("mode", ["NORMAL", "EXCLUSIVE"])
def test_opening_a_held_store_ends_at_the_deadline_too(
    root: Path, mode: str, opener: Opener, start_python: Starter
) -> None:
    first = opener()
    first.put([b"before"])
    first.close()
    holder = start_python(HOLD, root, mode)
    assert hear(holder) == "held"
    store = opener(timeout="0.3")
    error = error_of(store.put, [b"during"])
    assert isinstance(error, StoreBusy)
    assert f"process {holder.pid} (" in str(error)
    assert say(holder) == "released"
    holder.wait(PATIENCE)
    assert store.get(store.put([b"during"])) == b"during"


def test_a_commit_that_fails_leaves_no_transaction_behind(
    root: Path, opener: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Where a file system cannot share memory, SQLite has no WAL, and a reader can keep a writer from committing.
    monkeypatch.setitem(SETTINGS, "sqlite_journal_mode", "delete")
    store = opener(timeout="0.3")
    kept = store.put([b"before"])
    with closing(sqlite3.connect(root / "cache.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM Cache").fetchall()
        assert isinstance(error_of(store.put, [b"during"]), StoreBusy)
    assert not opener().has(hashlib.sha256(b"during").hexdigest())
    assert opener().get(store.put([b"after"])) == b"after"
    assert store.get(kept) == b"before"


def test_large_content_meets_a_held_store_with_the_same_sentence_and_leaves_nothing(
    root: Path, opener: Opener, start_python: Starter
) -> None:
    store = opener(timeout="0.3")
    store.put([b"before"])
    holder = start_python(HOLD, root, "NORMAL")
    assert hear(holder) == "held"
    assert isinstance(error_of(store.put, [os.urandom(100_000)]), StoreBusy)
    assert list((root / "tmp").iterdir()) == []
    assert say(holder) == "released"


WRITE = (
    OPEN
    + """
import hashlib, os
print("ready", flush=True)
sys.stdin.readline()
for number in range(60):
    size = 50_000 if number % 3 == 0 else 100
    for seed in (b"shared", sys.argv[2].encode()):
        content = hashlib.sha256(seed + b"%d" % number).digest() * (size // 32)
        digest = store.put([content])
        assert bytes(store.get(digest)) == content
store.close()
print("done", flush=True)
"""
)


def test_processes_write_the_same_and_different_content_at_once(
    root: Path, opener: Opener, start_python: Starter
) -> None:
    writers = [start_python(WRITE, root, number) for number in range(3)]
    assert [hear(writer) for writer in writers] == ["ready"] * 3
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("\n")
        writer.stdin.flush()
    assert [hear(writer) for writer in writers] == ["done"] * 3
    store = opener()
    assert len(list(store.digests())) == 60 * 4
    assert store.verify() == []
    assert list((root / "tmp").iterdir()) == []
    assert list((root / "quarantine").iterdir()) == []


def test_processes_that_make_the_store_at_once_agree(
    root: Path, opener: Opener, start_python: Starter
) -> None:
    code = OPEN + "print(store.put([sys.argv[2].encode()]), flush=True)\nstore.close()\n"
    makers = [start_python(code, root, number) for number in range(4)]
    stored = [hear(maker) for maker in makers]
    assert stored == [hashlib.sha256(b"%d" % number).hexdigest() for number in range(4)]
    store = opener()
    assert sorted(store.digests()) == sorted(stored)
    assert store.notices == []


ANNOUNCE = (
    OPEN
    + """
import os
while True:
    contents = [os.urandom(50), os.urandom(40_000), os.urandom(700)]
    for digest in store.put_all([[content] for content in contents]) + [store.put([os.urandom(60)])]:
        os.write(1, digest.encode() + b"\\n")
"""
)


def test_everything_announced_is_there_after_the_writer_was_killed(
    root: Path, opener: Opener, start_python: Starter
) -> None:
    announced: list[str] = []
    for patience in (1, 3, 4, 9, 14):
        writer = start_python(ANNOUNCE, root)
        announced += [hear(writer) for _ in range(patience)]
        writer.kill()
        assert writer.stdout is not None
        announced += [line.strip() for line in writer.stdout if len(line) == 65]
        store = opener()
        assert all(store.has(digest) for digest in announced)
        assert [hashlib.sha256(store.get(digest)).hexdigest() for digest in announced] == announced
        assert store.verify() == []
        store.close()
    assert len(announced) >= 31


def test_a_writer_killed_while_it_makes_the_store_harms_nobody(
    root: Path, opener: Opener, start_python: Starter
) -> None:
    code = """
    import os, signal, sys
    from zennb.components.artifact_stores import claim, open_rows
    from zennb.components.artifact_stores.store_directory import StoreDirectory
    from zennb.components.artifact_stores.local import LocalArtifactStore
    def killed(*args): os.kill(os.getpid(), signal.SIGKILL)
    owner = {"publish": claim, "write_marker": StoreDirectory, "StrictCache": open_rows}[sys.argv[2]]
    setattr(owner, sys.argv[2], killed)
    LocalArtifactStore.from_config("other", {"path": sys.argv[1]}).put([b"x"])
    """
    for step in ("StrictCache", "publish", "write_marker"):
        assert start_python(code, root, step).wait(PATIENCE) == -9
        store = opener()
        assert store.get(store.put([b"after"])) == b"after"
        store.close()
        shutil.rmtree(root)


BOMBARD = (
    OPEN
    + """
import hashlib, signal
def interrupt(*_): raise KeyboardInterrupt
store.put([b"first"])
signal.signal(signal.SIGALRM, interrupt)
announced, interrupted, number = set(), 0, 0
while number < 400 or interrupted < 50:
    number += 1
    content = hashlib.sha256(b"%d" % number).digest() * (2000 if number % 10 == 0 else 10)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.00002 + (number % 37) * 0.00001)
        announced.add(store.put([content]))
    except KeyboardInterrupt:
        interrupted += 1
    finally:
        while True:
            try:
                signal.setitimer(signal.ITIMER_REAL, 0)
                break
            except KeyboardInterrupt:
                pass
print(interrupted, *announced, flush=True)
sys.stdin.readline()
print(store.put([b"last"]), flush=True)
"""
)


def test_interrupts_at_any_moment_leave_the_store_usable(
    root: Path, opener: Opener, start_python: Starter
) -> None:
    bombarded = start_python(BOMBARD, root)
    interrupted, *announced = hear(bombarded).split()
    assert int(interrupted) >= 50
    store = opener(timeout="5")  # the bombarded process is alive: a transaction it left open would show here
    assert store.get(store.put([b"from another process"])) == b"from another process"
    assert all(store.has(digest) for digest in announced)
    assert store.verify() == []
    assert say(bombarded) == hashlib.sha256(b"last").hexdigest()


def test_an_interrupt_ends_the_waiting_for_a_held_store_at_once(
    root: Path, opener: Opener, start_python: Starter
) -> None:
    opener().put([b"before"])
    holder = start_python(HOLD, root, "NORMAL")
    assert hear(holder) == "held"
    code = (
        OPEN
        + """
import signal
def interrupt(*_): raise KeyboardInterrupt
signal.signal(signal.SIGALRM, interrupt)
store.timeout = 1000.0
signal.setitimer(signal.ITIMER_REAL, 0.2)
try:
    store.put([b"x"])
except KeyboardInterrupt:
    print("interrupted", flush=True)
import os
os._exit(0)
"""
    )
    waiting = start_python(code, root)
    assert hear(waiting) == "interrupted"
    assert say(holder) == "released"


def test_an_interrupted_large_write_leaves_no_file_behind(root: Path, opener: Opener, python: Runner) -> None:
    code = (
        OPEN
        + """
import signal
from zennb.components.artifact_stores import blob_files
def interrupt(*_): raise KeyboardInterrupt
store.put([b"x"])
write = blob_files._write
def slow(descriptor, block):
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    stopped.wait(60)
    write(descriptor, block)
import threading
stopped = threading.Event()
blob_files._write = slow
signal.signal(signal.SIGALRM, interrupt)
try:
    store.put([bytes(20_000_000)])
except KeyboardInterrupt:
    print("interrupted")
stopped.set()
store.close()
"""
    )
    assert python(code, root).stdout.split() == ["interrupted"]
    assert list((root / "tmp").iterdir()) == []
    assert list((root / "blobs").iterdir()) == []
