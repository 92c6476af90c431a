"""Workers of Dask that differ from the notebook's machine, or do not do what they are asked for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from zennb import plugins
from zennb.testing.steps import Bench

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.kernel  # clusters are started

PATIENCE = 60.0


def made(**config: str) -> Any:
    return plugins.load("orchestrator", "dask").from_config("test", config)


def _started(program: str, *words: object) -> subprocess.Popen[bytes]:
    line = [sys.executable, "-m", f"distributed.cli.{program}", "--no-dashboard", *map(str, words)]
    return subprocess.Popen(line, stderr=subprocess.DEVNULL)


@pytest.fixture
def hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Bench, Path]]:
    """A bench, and the notebook's folder, which the worker lacks."""
    (tmp_path / "hidden" / "project").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "hidden" / "project")
    alone = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    try:
        subprocess.run([*alone, "mount", "-t", "tmpfs", "none", tmp_path / "hidden"], check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no process can be given a view of its own of the files")
    scheduler = _started(
        "dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", tmp_path / "at"
    )
    while not (tmp_path / "at").exists():
        time.sleep(0.05)
    hide = (
        f"mount -t tmpfs none {tmp_path / 'hidden'} && exec {sys.executable} -m distributed.cli.dask_worker"
    )
    line = f"{hide} --no-dashboard --no-nanny --nthreads 1 --scheduler-file {tmp_path / 'at'}"
    worker = subprocess.Popen([*alone, "sh", "-c", line], stderr=subprocess.DEVNULL, cwd=tmp_path)
    orchestrator = made(address=json.loads((tmp_path / "at").read_text())["address"])
    bench = Bench(orchestrator, tmp_path / "home")
    try:
        yield bench, tmp_path / "hidden" / "project"
    finally:
        bench.close()
        orchestrator.close()
        for process in (scheduler, worker):
            process.kill()
            process.wait()


def test_a_worker_that_lacks_the_notebooks_folder_runs_steps_and_names_files_that_it_lacks(
    hidden: tuple[Bench, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, folder = hidden
    (folder / "data.csv").write_text("a\n1\n")
    (folder / "log.txt").write_text("first\n")
    assert bench.step("answer = 42").values == {"answer": 42}
    missed = bench.step("text = open('data.csv').read()").error
    assert isinstance(missed, FileNotFoundError)
    assert "`data.csv` exists on the notebook's side only" in missed.__notes__[0]
    assert "--depends-on" in missed.__notes__[0]
    for text, why in [
        ("from pathlib import Path\nfound = Path('data.csv').exists()", "it looks for `data.csv`"),
        ("import glob\nfound = glob.glob('*.csv')", "it lists `.`"),
        ("open('log.txt', 'a').write('more')", "it adds to `log.txt`"),
        ("open('big.bin', 'wb').write(bytes(2_000_000))", "it writes `big.bin`, which stays there"),
        ("open('../up.txt', 'w').write('up')", f"it writes `{folder.parent}/up.txt`, which stays there"),
    ]:
        assert why in str(bench.step(text).error)
    assert bench.step("open('out.txt', 'w').write('made there')").error is None
    assert (folder / "out.txt").read_text() == "made there"
    assert (folder / "log.txt").read_text() == "first\n"
    (folder.parent / "other").mkdir()
    monkeypatch.chdir(folder.parent / "other")
    gone = bench.step("answer = 43")
    assert f"the notebook has gone to the folder {folder.parent / 'other'} (`os.chdir`)" in str(gone.error)
