"""Owns the readers of smaller files in a home, and of records in a store that others reach."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from tests.odd_input.mutations import mutate_json
from tests.odd_input.reader import Reader, as_json, lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

__all__ = ["HOME_FILES", "store_rows"]

SECOND = 1_773_063_900.0


def _written(path: Path, read: Callable[[], object]) -> Callable[[bytes], object]:
    """Return what writes the file and has it read."""
    path.parent.mkdir(parents=True, exist_ok=True)

    def write_and_read(content: bytes) -> object:
        path.write_bytes(content)
        return read()

    return write_and_read


def _outbox(folder: Path) -> Reader:
    from zennb.engine.delivery.outbox import Outbox
    from zennb.views.messages import waiting

    outbox = Outbox(folder)
    message = {
        "type": "alerter",
        "component": "team",
        "payload": {"title": "t", "text": "x"},
        "created": SECOND,
        "attempts": 1,
        "problem": "no answer",
    }

    def read() -> None:
        shown = waiting(outbox.pending())
        assert len(shown.text) + len(shown.html) < 2_000_000

    return Reader(_written(outbox.folder / "1.json", read), [message])


def _delivered(folder: Path) -> Reader:
    from zennb.engine.delivery.delivered_log import DeliveredLog
    from zennb.views.messages import delivered

    log = DeliveredLog(folder)

    def read() -> None:
        shown = delivered(log.recent(10))
        assert len(shown.text) + len(shown.html) < 2_000_000

    notes = [{"type": "alerter", "component": "team", "what": f"run {n}", "sent": SECOND} for n in range(3)]
    return Reader(_written(folder / "delivered.log", read), [notes], packed=lines)


def _curves(folder: Path) -> Reader:
    from zennb.core.records.records import Status, Step
    from zennb.engine.background.live_curves import read_curves
    from zennb.engine.background.run_files import RunFiles
    from zennb.views.metrics import metrics

    files = RunFiles(folder, 1)

    def read() -> None:
        found = read_curves(files)
        shown = metrics(
            [Step(name=name, status=Status.RUNNING, metrics=each) for name, each in found.items()]
        )
        assert len(shown.text) + len(shown.html) < 2_000_000

    return Reader(_written(files.curves, read), [{"train": {"loss": [0.5, 2, [[0, 1.0], [1, 0.5]]]}}])


def _labels(folder: Path) -> Reader:
    from zennb.engine.run.kept_labels import KeptLabels

    kept = KeptLabels(folder, "n.ipynb", "labels")
    path = (
        folder / "annotations" / f"{hashlib.sha256(b'n.ipynb' + bytes(1) + b'labels').hexdigest()[:16]}.json"
    )
    items = ["one", "two"]

    def read() -> None:
        task = kept.task("items", items, [], command="%annotate")
        assert len(task.labels) == 2

    from zennb.digests.digest import digest_value

    known = {digest_value(each).digest: "cat" for each in items}
    return Reader(_written(path, read), [{"choices": ["cat", "dog"], "labels": known}])


def _deployment(folder: Path) -> Reader:
    from zennb.components.model_deployers.local import LocalModelDeployer

    deployer = LocalModelDeployer.from_config("default", {})
    deployer.use(folder / "deployments")
    state = {
        "name": "odd",
        "model": "m",
        "version": 1,
        "artifact": "a v1",
        "deployer": "default",
        "host": "127.0.0.1",
        "port": 8000,
        "process": 0,
        "machine": "",
        "started": SECOND,
        "lock": "lock-1",
        "is_stopped": False,
        "folder": "/x",
    }
    return Reader(_written(deployer._files("odd").folder / "deployment.json", deployer.deployments), [state])


class _Files:
    """Shared files with one record."""

    only_trusted = False

    def __init__(self) -> None:
        self.content: dict[str, bytes] = {}

    def listed(self, folder: str, *, most: int) -> list[Any]:
        names = {name.removeprefix(f"{folder}/") for name in self.content if name.startswith(f"{folder}/")}
        return [SimpleNamespace(name=each.partition("/")[0], written=0.0) for each in sorted(names)][:most]

    def read(self, names: Iterable[str], *, most: int) -> dict[str, bytes]:
        return {name: self.content[name] for name in names if name in self.content}


def _shared_record(folder: Path) -> Reader:
    from zennb.core.records.observed import Observed
    from zennb.core.records.records import Artifact, CacheKeyParts, Run, StackSpec, Status, Step
    from zennb.core.records.shared import runs_of
    from zennb.engine.sharing.record_format import opened_record, record_content
    from zennb.materializers.signer import Signer
    from zennb.metadata.steps import NewStep
    from zennb.views.shared_runs import shared_runs, shared_steps

    eve, own = Signer(folder / "eve"), Signer(folder / "own")
    made = Artifact(name="x", digest="a" * 32, blob="b" * 64, materializer="plain", size=3, type="int")
    step = Step(
        name="load",
        status=Status.COMPLETED,
        source="%%step load\nx = 1",
        cache_key="a" * 64,
        parts=CacheKeyParts(code="c"),
        started=SECOND,
        seconds=2.0,
        outputs={"x": made},
        observed=Observed(files={"data.csv": "state"}),
    )
    run = Run(kind="session", notebook="n.ipynb", stack=StackSpec(name="s", components={}), started=SECOND)
    content = record_content(NewStep.of(step, eve.sign_record), run, 12, signer=eve)
    assert content is not None
    body = json.loads(json.loads(content)["body"])

    def sealed(content: bytes) -> bytes:
        text = content.decode("utf-8", "replace").encode()
        found = {
            "format": "zennb shared record 1",
            "signer": eve.identity,
            "signature": eve.sign_shared(text),
            "body": text.decode(),
        }
        return as_json(found)

    def read(content: bytes) -> None:
        found = opened_record(content, signer=own)
        if found is None:
            return
        assert len(found.origin) < 1_000
        own.accepts(found.step)
        for each in runs_of([found], {}):
            shown = shared_runs([each], store="s")
            assert len(shown.text) + len(shown.html) + len(shared_steps(each)) < 2_000_000

    assert opened_record(sealed(as_json(body)), signer=own) is not None
    return Reader(
        read,
        [body],
        lambda value, random: sealed(mutate_json(value, random)),
        lambda value: sealed(as_json(value)),
    )


def store_rows(folder: Path) -> Reader:
    """Make the reader of a store in whose database a row holds anything: column → value."""
    from zennb.components.artifact_stores.local import LocalArtifactStore

    digest = hashlib.sha256(b"content").hexdigest()
    options = {"path": str(folder / "store")}
    opened = LocalArtifactStore.from_config("s", options)
    opened.put([b"content"])
    opened.close()
    with closing(sqlite3.connect(folder / "store" / "cache.db")) as database:
        database.row_factory = sqlite3.Row
        (honest,) = map(dict, database.execute("SELECT * FROM Cache"))

    def read(row: dict[str, Any]) -> None:
        with closing(sqlite3.connect(folder / "store" / "cache.db")) as database, database:
            database.execute("DELETE FROM Cache")
            names, marks = ", ".join(row), ", ".join("?" * len(row))
            try:
                database.execute(f"INSERT INTO Cache ({names}) VALUES ({marks})", tuple(row.values()))
            except (sqlite3.Error, OverflowError):  # SQLite itself takes no such value
                return
        store = LocalArtifactStore.from_config("s", options)
        try:
            list(store.digests())
            list(store.stored())
            store.verify()
            assert bytes(store.get(store.put([b"content"]))) == b"content"
            store.delete(digest)
        finally:
            store.close()

    return Reader(read, [honest])


HOME_FILES: dict[str, Callable[[Path], Reader]] = {
    "outbox": _outbox,
    "delivered messages": _delivered,
    "live curves": _curves,
    "kept labels": _labels,
    "deployment": _deployment,
    "shared record": _shared_record,
}
