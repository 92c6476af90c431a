"""Fill a metadata store as years of work would, and time what the dashboard asks of it.

    python benchmarks/full_store.py FOLDER [--runs 10000] [--artifacts 50000]

The store is made once in FOLDER and used again. No bytes are stored: whatever would load an artifact fails here.
"""

from __future__ import annotations

import argparse
import os
import time
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zennb.core.records.pages import ArtifactFilter, RunFilter
from zennb.core.records.records import Artifact, CacheKeyParts, ComponentSpec, Run, StackSpec, Status, Step
from zennb.handles.ancestry import ancestry
from zennb.materializers.signer import Signer
from zennb.metadata.store import MetadataStore
from zennb.views import artifact as artifact_view
from zennb.views import comparison
from zennb.views import run as run_view
from zennb.views.lineage import lineage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["fill", "main"]

NOTEBOOKS, STACKS, PIPELINES = 30, 6, 8
BEGAN = 1_700_000_000.0
HEAD = [[f"row {row}", *(f"{row}.{column}" for column in range(8))] for row in range(6)]
COLUMNS = [{"name": f"column_{n}", "dtype": "float64"} for n in range(8)]
FRAME = {"kind": "frame", "rows": 12_345, "columns": COLUMNS, "head": HEAD}
STATES = [Status.COMPLETED] * 6 + [Status.CACHED] * 3 + [Status.FAILED]


def digest(*parts: object) -> str:
    return sha256(repr(parts).encode()).hexdigest()


def stack(number: int) -> StackSpec:
    kinds = ("orchestrator", "artifact_store")
    parts = {kind: ComponentSpec(type=kind, name=f"{kind}_{number}", flavor="local") for kind in kinds}
    return StackSpec(name=f"stack_{number}", components=parts)


def fill(store: MetadataStore, *, runs: int, artifacts: int) -> None:
    """Record `runs` runs that put out `artifacts` artifacts in all; a tenth of the names have many versions."""
    each, made = max(1, artifacts // runs), 0
    rate = artifact("rate", 0, kind="parameter")
    for first in range(0, runs, 500):
        batch = list(range(first, min(first + 500, runs)))

        def record(batch: list[int] = batch) -> None:
            nonlocal made, rate
            for number in batch:
                steps = list(chain(number, each, rate))
                recorded = store.add_all(steps, run=run(number))
                rate = recorded[0].inputs["rate"]
                made += each

        store.atomically(record)


def chain(number: int, outputs: int, rate: Artifact) -> Iterator[Step]:
    """Give the steps of one run: each makes two or three artifacts and reads the ones before."""
    notebook, left = f"study_{number % NOTEBOOKS}.ipynb", outputs
    before: dict[str, Artifact] = {}
    while left > 0:
        place = outputs - left
        count = min(left, 3 if place else 2)
        names = [name_of(number, place + at) for at in range(count)]
        made = {name: artifact(name, number) for name in names}
        state = STATES[(number + place) % len(STATES)]
        yield Step(
            name=f"step_{place}",
            notebook=notebook,
            status=state,
            reason="first run",
            source=f"# {place} of {number % 50}\n" + "value = compute(value)\n" * 12,
            cache_key=digest("key", number, place),
            parts=CacheKeyParts(
                code=digest(place, number % 50)[:32], packages={"numpy": "2.1", "pandas": "2.2"}
            ),
            started=BEGAN + number * 600 + place,
            seconds=1.5,
            inputs={"rate": rate, **before},
            outputs=made,
        )
        before, left = made, left - count


def name_of(number: int, place: int) -> str:
    """Most names are of one notebook and have many versions; the rest are made once."""
    return f"value_{number % NOTEBOOKS}_{place}" if number % 2 else f"once_{number}_{place}"


def artifact(name: str, number: int, **fields: Any) -> Artifact:
    plain: dict[str, Any] = {
        "digest": digest(name, number)[:32],
        "blob": digest("bytes", name, number),
        "materializer": "arrow_table",
        "size": 120_000,
        "type": "pandas.DataFrame",
        "summary": FRAME,
        "created": BEGAN + number * 600,
    }
    return Artifact(name=name, **{**plain, **fields})


def run(number: int) -> Run:
    return Run(
        kind="pipeline" if number % 3 else "step",
        notebook=f"study_{number % NOTEBOOKS}.ipynb",
        stack=stack(number % STACKS),
        status=STATES[number % len(STATES)],
        started=BEGAN + number * 600,
        seconds=12.0,
        versions={"python": "3.12.1", "zennb": "0.1.0", "numpy": "2.1"},
        host="benchmark",
    )


def timed(what: str, call: Callable[[], Any], *, times: int = 3) -> Any:
    """Call a few times, print the worst (on the clock, and of the processor), return the result."""
    clock, processor, found = 0.0, 0.0, None
    for _ in range(times):
        begun, used = time.perf_counter(), time.process_time()
        found = call()
        clock, processor = max(clock, time.perf_counter() - begun), max(processor, time.process_time() - used)
    print(f"{clock * 1000:8.1f} ms  ({processor * 1000:6.1f} ms of the processor)  {what}")
    return found


def dashboard(home: Path, middle: int) -> None:
    """Time the panel's own pages in a kernel of a full store, whose run `middle` is opened."""
    os.environ["ZENNB_HOME"] = str(home)
    from IPython.core.interactiveshell import InteractiveShell

    from zennb.jupyter.kernel.extension import load, unload

    shell: Any = InteractiveShell.instance()
    load(shell)
    shell.run_cell("%%step load\nnumbers = list(range(100))")
    shell.run_cell("%%step total\ntotal = sum(numbers)")
    open_panel = shell.zennb_hooks.pipeline.panel
    panel = timed("dashboard: made, with the import of ipywidgets", lambda: open_panel("dashboard"), times=1)
    for title, button in panel.pages.buttons.items():
        timed(f"dashboard: page {title}, for the first time", button.click, times=1)
        timed(f"dashboard: page {title}, again", button.click)
    panel.pages.show("Runs")
    timed("dashboard: older runs", panel.runs.rows.older.click)
    timed("dashboard: only failed runs", lambda: panel.runs.status.choose("failed"), times=1)
    timed("dashboard: one run", lambda: panel.open_run(middle))
    timed("dashboard: an artifact that every step reads", lambda: panel.artifacts.open("rate"))
    timed("dashboard: compared with the run before", panel.one_run.before.click)
    panel.artifacts.close()
    panel.pages.show("Artifacts")

    def one_notebook() -> None:
        panel.artifacts.notebook.choose("study_7.ipynb")

    timed("dashboard: artifacts of one notebook", one_notebook, times=1)
    assert panel.message.text == "", panel.message.text
    unload(shell)


def listings(store: MetadataStore) -> None:
    """Time every page."""
    pages = store.listings
    everything = RunFilter()
    first = timed("runs, first page", lambda: pages.runs(everything))
    old = (BEGAN + 30 * 600, 30)
    timed("runs, last page", lambda: pages.runs(everything, after=old))
    rare = RunFilter(stack="stack_1", status=Status.FAILED, notebook="study_7.ipynb", since=BEGAN)
    timed("runs, four filters", lambda: pages.runs(rare))
    timed("stacks and notebooks that have runs", lambda: (pages.stacks(), pages.notebooks()))
    names = timed("artifacts, first page", lambda: pages.artifacts(ArtifactFilter()))
    timed("artifacts, last page", lambda: pages.artifacts(ArtifactFilter(), after=60))
    timed("artifacts, part of a name", lambda: pages.artifacts(ArtifactFilter(text="_77")))
    timed("artifacts, no such name", lambda: pages.artifacts(ArtifactFilter(text="zzz")))
    timed("artifacts, one notebook", lambda: pages.artifacts(ArtifactFilter(notebook="study_7.ipynb")))
    timed("artifacts, one kind", lambda: pages.artifacts(ArtifactFilter(kind="parameter")))
    timed("who made a page of artifacts", lambda: pages.makers(each.step for each in names.items))
    timed("versions of one name", lambda: pages.versions("value_1_0"))
    rate = store.artifact("rate", 1)
    assert rate is not None
    timed("uses of what every step reads", lambda: pages.uses(rate.id or 0))
    timed("runs as a table", lambda: run_view.runs(first.items).html)
    timed("artifacts as a table", lambda: artifact_view.artifacts(names.items).html)
    for label, name in (("a frame in the middle", "value_1_2"), ("what every step reads", "rate")):
        found = store.artifact(name, 1)
        assert found is not None
        around = timed(f"lineage of {label}: the walk", partial(ancestry, store, found))
        timed(
            f"lineage of {label}: the drawing",
            partial(lineage, found, producers=around.producers, consumers=around.consumers),
        )
    latest = first.items[0]
    steps = timed("one run and its steps", lambda: store.steps(latest.id or 0))
    timed("one run as a page", lambda: run_view.run(latest, steps))
    other = first.items[1]
    others = store.steps(other.id or 0)
    timed("two runs compared", lambda: comparison.compare(other, others, latest, steps))


def main() -> None:
    reading = argparse.ArgumentParser(description=__doc__)
    reading.add_argument("folder", type=Path)
    reading.add_argument("--runs", type=int, default=10_000)
    reading.add_argument("--artifacts", type=int, default=50_000)
    given = reading.parse_args()
    path = given.folder / "metadata.db"
    begun, fresh = time.perf_counter(), not path.exists()
    store = MetadataStore(path, sign=Signer().sign_record)
    if fresh:
        fill(store, runs=given.runs, artifacts=given.artifacts)
        print(f"filled in {time.perf_counter() - begun:.1f} s, {path.stat().st_size / 1e6:.0f} MB")
    listings(store)
    store.close()
    dashboard(given.folder, given.runs // 2)


if __name__ == "__main__":
    main()
