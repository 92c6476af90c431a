"""The notebooks of this repository run unchanged on every stack, with the same artifacts by digest."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.components.artifact_stores.remote.bucket_server import BUCKET, BucketServer, skip_without_s3
from zennb.metadata.store import MetadataStore

if TYPE_CHECKING:
    from collections.abc import Iterator

skip_without_s3()
distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.kernel

ROOT = Path(__file__).parents[2]
PATIENCE = 300.0

STEPS = {
    "quickstart": {"load", "split", "features", "train", "evaluate", "stability", "plot"},
    "stacks": {"flowers", "classifier", "accuracy"},
}
"""Notebook → its steps before it sets another stack."""

ORCHESTRATORS = {
    "local": (),
    "threads": ("--flavor=threads", "--workers=2"),
    "processes": ("--flavor=processes", "--workers=2"),
    "dask": ("--flavor=dask", "--arguments={'n_workers': 1}"),
    "dask and s3": ("--flavor=dask", "--address={}"),
}
"""Stack → how its orchestrator is registered."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a notebook came to on a stack.

    Attributes:
        artifacts: name and digest of each version of each output.
        blobs: the names in artifact stores of what ran on the stack.
        steps: stack, step and status → how often.
    """

    artifacts: set[tuple[str, str]]
    blobs: set[str]
    steps: Counter[tuple[str, str, str]]


class Homes:
    """A home for each notebook on each stack.

    Args:
        folder: where they are.
        bucket: a server with the API of S3.
        scheduler: the address of a Dask cluster.
    """

    def __init__(self, folder: Path, bucket: BucketServer, scheduler: str) -> None:
        self._bucket = bucket
        self._folder, self._scheduler = folder, scheduler
        self._results: dict[str, dict[str, Result]] = {}

    def results(self, stack: str) -> dict[str, Result]:
        """Return notebook → what it comes to on a stack; the notebooks run side by side, once."""
        if stack not in self._results:
            homes = {notebook: self._folder / f"{notebook}-{stack}".replace(" ", "-") for notebook in STEPS}
            for notebook, home in homes.items():
                self._register(stack, notebook, home)
            started = [
                _zennb(home, "run", str(ROOT / "notebooks" / f"{notebook}.ipynb"), "--stack", "here")
                for notebook, home in homes.items()
            ]
            for each in started:
                _ended(each)
            self._results[stack] = {notebook: _result(home) for notebook, home in homes.items()}
        return self._results[stack]

    def objects(self) -> list[str]:
        """Return the names of all objects in the bucket."""
        return self._bucket.keys()

    def _register(self, stack: str, notebook: str, home: Path) -> None:
        options = [each.format(self._scheduler) if "{}" in each else each for each in ORCHESTRATORS[stack]]
        if options:
            _ended(_zennb(home, "orchestrator", "register", "workers", *options))
        if stack.endswith("s3"):
            bucket = [f"--url=s3://{BUCKET}/{notebook}", f"--endpoint={self._bucket.address}"]
            bucket += ["--flavor=s3", f"--cache={home}-copies"]
            _ended(_zennb(home, "artifact-store", "register", "bucket", *bucket))
        parts = [
            "-o",
            "workers" if options else "default",
            "-a",
            "bucket" if stack.endswith("s3") else "default",
        ]
        _ended(_zennb(home, "stack", "register", "here", *parts))


def _zennb(home: Path, *words: str) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "ZENNB_HOME": str(home)}
    env |= {"JUPYTER_DATA_DIR": f"{home}-jupyter", "IPYTHONDIR": f"{home}-ipython"}
    return subprocess.Popen(
        [sys.executable, "-m", "zennb", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=env,
    )


def _ended(process: subprocess.Popen[str]) -> None:
    said, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, said


def _result(home: Path) -> Result:
    store = MetadataStore(home / "metadata.db")
    try:
        runs = [(run.stack.name, store.steps(run.id)) for run in store.runs(limit=100) if run.id is not None]
        outputs = store.artifacts(kind="output", limit=500)
    finally:
        store.close()
    made = [step for stack, steps in runs for step in steps if stack == "here" and step.status == "completed"]
    return Result(
        artifacts={(each.name, each.digest) for each in outputs},
        blobs={blob for step in made for each in step.outputs.values() for blob in each.blobs},
        steps=Counter((stack, step.name, str(step.status)) for stack, steps in runs for step in steps),
    )


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Homes]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.delenv("ZENNB_STACK", raising=False)
        # Each kernel and each worker imports libraries of thousands of files, so their bytecode is kept.
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        bucket = BucketServer()
        bucket.clear()
        with distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0"
        ) as cluster:
            yield Homes(tmp_path_factory.mktemp("homes"), bucket, cluster.scheduler_address)
        bucket.close()


@pytest.mark.parametrize("stack", ORCHESTRATORS)
def test_each_notebook_runs_unchanged_and_comes_to_the_same_artifacts(homes: Homes, stack: str) -> None:
    for notebook, expected in homes.results("local").items():
        found = homes.results(stack)[notebook]
        ran = {name for where, name, status in found.steps if where == "here" and status == "completed"}
        assert ran == STEPS[notebook]
        assert found.artifacts == expected.artifacts
        # Reuse too: what is `cached` on one stack is on each.
        assert found.steps == expected.steps
        if stack.endswith("s3"):
            assert found.blobs <= {key.rpartition("/")[2] for key in homes.objects()}
