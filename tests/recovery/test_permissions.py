"""Rights that were taken from the owner of a home: told in one sentence, and given back by one command."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.recovery.conftest import Home

pytestmark = pytest.mark.skipif(os.name != "posix", reason="rights of files are those of POSIX")

OWNER = """
import os, pathlib, sys
home, *closed = sys.argv[1:]
home = pathlib.Path(home)
import zennb.cli, zennb.recovery.repair
from zennb.commands.verbs import artifacts, doctor, runs
from zennb import api
from zennb.metadata.migrations import schema
schema()  # imports what reads it
if os.geteuid() == 0:  # root may do everything
    os.setgid(65534)
    os.setuid(65534)
for name in closed:
    (home / name).chmod(0)
for words in ("runs", "doctor", "doctor --repair", "doctor", "artifacts load b", "artifacts load a"):
    print(words, zennb.cli.main(words.split()), flush=True)
    api.close()
"""


@pytest.fixture
def owned(home: Home) -> Iterator[Path]:
    """The home in a place that a process without privileges can reach, as its own."""
    place = Path(tempfile.mkdtemp())
    shutil.copytree(home.path, place / "home")
    shutil.copytree(home.path.parent / "jupyter", place / "jupyter")
    if os.geteuid() == 0:
        for path in (place, *place.rglob("*")):
            os.chown(path, 65534, 65534)
    yield place
    subprocess.run(["chmod", "-R", "u+rwX", str(place)], check=True)
    shutil.rmtree(place)


@pytest.mark.parametrize(
    "closed",
    [
        ["metadata.db"],
        ["metadata.db", "metadata.db-wal", "metadata.db-shm"],
        ["STORE.json"],
        ["artifacts"],
        ["artifacts/cache.db"],
        ["artifacts/STORE.json", "artifacts/tmp", "artifacts/quarantine"],
        ["artifacts/blobs"],
        ["blob"],
        ["folder of the blob"],
        ["backups"],
        ["."],
    ],
    ids=lambda closed: closed[0],
)
def test_a_repair_opens_what_was_closed_to_its_owner(owned: Path, closed: list[str]) -> None:
    blob = next(
        path for path in (owned / "home" / "artifacts").rglob("blobs/*/*") if path.stat().st_size > 300_000
    )
    inside = {"blob": blob, "folder of the blob": blob.parent}
    names = [str(inside[name].relative_to(owned / "home")) if name in inside else name for name in closed]
    environment = {
        **os.environ,
        "ZENNB_HOME": str(owned / "home"),
        "JUPYTER_DATA_DIR": str(owned / "jupyter"),
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    done = subprocess.run(
        [sys.executable, "-c", OWNER, str(owned / "home"), *names],
        check=False,
        capture_output=True,
        text=True,
        env=environment,
        cwd="/",
    )
    assert "Traceback" not in done.stderr, done.stderr
    codes = [
        line for line in done.stdout.splitlines() if line.startswith(("runs", "doctor", "artifacts load"))
    ]
    codes = [line for line in codes if line[-1].isdigit()]
    assert codes[-4:] == ["doctor --repair 0", "doctor 0", "artifacts load b 0", "artifacts load a 0"], (
        done.stdout
    )
    assert "open again" in done.stdout or closed == ["backups"]
