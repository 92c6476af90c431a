"""Brings a store to the limits of its machine: no room, no right to write, a fork, the end of the process."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

    from zennb.components.artifact_stores.local import LocalArtifactStore

    Runner = Callable[..., subprocess.CompletedProcess[str]]
    Opener = Callable[..., LocalArtifactStore]

OPEN = """
import sys
from zennb.components.artifact_stores.local import LocalArtifactStore
store = LocalArtifactStore.from_config("other", {"path": sys.argv[1]})
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


FULL = (
    OPEN
    + """
import os, resource
from zennb.errors import StoreError
kept = store.put([b"kept"])
big = store.put([os.urandom(100_000)])
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), hard))
failed = 0
for number in range(200):
    try:
        store.put([os.urandom(int(sys.argv[3]))])
    except StoreError as error:
        failed += "no room left" in str(error)
        break
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
assert failed, "the limit was not felt"
assert store.get(kept) == b"kept"
assert store.has(big)
assert store.get(store.put([b"after"])) == b"after"
assert store.verify() == []
assert os.listdir(store.path + "/tmp") == []
print("fine")
"""
)


@pytest.mark.parametrize(("limit", "size"), [(200_000, 20_000), (1_000_000, 3_000_000)])
def test_a_full_disk_is_said_and_nothing_half_written_stays(
    root: Path, limit: int, size: int, python: Runner
) -> None:
    assert python(FULL, root, limit, size).stdout.split() == ["fine"]


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """A directory that a process without privileges can reach."""
    made = Path(tempfile.mkdtemp())
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


UNPRIVILEGED = (
    OPEN
    + """
import os, tempfile
from zennb.errors import StoreError
with tempfile.TemporaryDirectory() as elsewhere:  # imports what is imported late, while it can be read
    warm = LocalArtifactStore.from_config("warm", {"path": elsewhere + "/store"})
    warm.put([b"x" * 100_000])
    warm.close()
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
for content in (b"x", b"x" * 100_000):
    try:
        store.put([content])
    except StoreError as error:
        print(type(error).__name__, "|", error)
"""
)


@pytest.mark.parametrize("readonly", ["directory", "database", "parent"])
def test_a_store_that_cannot_be_written_to_says_so_in_a_sentence(
    readonly: str, open_to_all: Path, opener: Opener, python: Runner
) -> None:
    root = open_to_all / "store"
    if readonly != "parent":
        store = opener(root)
        store.put([b"before"])
        store.close()
        for path in [root, *root.rglob("*")]:
            path.chmod(0o777 if path.is_dir() else 0o666)
        changed = root if readonly == "directory" else root / "cache.db"
        changed.chmod(changed.stat().st_mode & 0o555)
    else:
        open_to_all.chmod(0o555)
    lines = python(UNPRIVILEGED, root).stdout.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("StoreReadOnly | The artifact store in") for line in lines)
    assert all("cannot be written to" in line for line in lines)


def test_a_forked_child_and_its_parent_both_go_on(root: Path, opener: Opener, python: Runner) -> None:
    code = (
        OPEN
        + """
import os, warnings
warnings.simplefilter("ignore")
digest = store.put([b"before"])
large = store.put([b"x" * 100_000])
rows = store._rows
child = os.fork()
if child == 0:
    assert store.has(digest)
    assert store._rows is not rows, "the child uses the parent's connection and transaction state"
    assert store.get(digest) == b"before"
    assert len(store.get(large)) == 100_000
    store.put([b"child"])
    store.put([b"child" * 100_000])
    store.close()
    os._exit(0)
store.put([b"parent"])
assert os.waitpid(child, 0)[1] == 0
print(len(list(store.digests())), store.verify())
"""
    )
    assert python(code, root).stdout.strip() == "5 []"


def test_the_store_ends_with_the_interpreter_without_being_closed(root: Path, python: Runner) -> None:
    done = python(OPEN + "store.put([b'x']); store.put([b'x' * 100_000]); print('end')", root)
    assert done.stdout.strip() == "end"
    assert done.stderr == ""


def test_opening_again_and_again_grows_no_threads_and_no_file_handles(root: Path, python: Runner) -> None:
    code = (
        OPEN
        + """
import gc, os, threading
def use():
    store.put([b"x"]); store.put([b"x" * 100_000]); store.get(store.put([b"y" * 100_000])); store.close()
    gc.collect()
    return threading.active_count(), len(os.listdir("/proc/self/fd"))
use()
before = use()
for _ in range(20):
    after = use()
print(before == after, before, after)
"""
    )
    assert python(code, root).stdout.startswith("True")


TRUNCATED = (
    OPEN
    + """
import os, pathlib
digest = store.put([os.urandom(1_000_000)])
mapped = memoryview(store.get(digest))
(file,) = pathlib.Path(sys.argv[1]).rglob(digest)
file.chmod(0o600)
os.truncate(file, 0)
print("goes on", flush=True)
bytes(mapped)
print("still there", flush=True)
"""
)


@pytest.mark.skipif(sys.platform == "win32", reason="there a mapped file cannot be truncated")
def test_a_mapped_file_that_somebody_truncates_ends_the_process(root: Path, python: Runner) -> None:
    """A limit that SECURITY.md tells of: the operating system ends who reads what is gone."""
    done = python(TRUNCATED, root, check=False)
    assert done.stdout.split("\n")[0] == "goes on", done.stderr
    assert done.returncode == -signal.SIGBUS
