"""Owns a past: step records in a metadata store before the contest begins, as after months of use."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

__all__ = ["fill"]

_BATCH = 1000
_NAMES = 200


def fill(home: Path, records: int) -> None:
    """Put a metadata store with so many step records, of the chain's own step names, into a new home."""
    kept = Path(tempfile.gettempdir()) / f"zennb-benchmark-past-{records}.db"
    if not kept.exists():
        making = kept.with_suffix(".making")
        making.unlink(missing_ok=True)
        _make(making, records)
        making.replace(kept)
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(kept, home / "metadata.db")


def _make(path: Path, records: int) -> None:
    from zennb.core.records.records import (
        Artifact,
        CacheKeyParts,
        ComponentSpec,
        Run,
        StackSpec,
        Status,
        Step,
    )
    from zennb.materializers.signer import Signer
    from zennb.metadata.store import MetadataStore

    component = ComponentSpec(type="orchestrator", name="default", flavor="local")
    store = ComponentSpec(type="artifact_store", name="default", flavor="local")
    stack = StackSpec(name="default", components={"orchestrator": component, "artifact_store": store})
    metadata = MetadataStore(path, sign=Signer().sign_record)
    for start in range(0, records, _BATCH):
        run = metadata.begin_run(Run(kind="pipeline", stack=stack, started=1.7e9 + start))
        steps = []
        for number in range(start, min(start + _BATCH, records)):
            at = number % _NAMES
            digest = f"{number:032x}"
            made = Artifact(
                name=f"x{at + 1}", digest=digest, blob=digest * 2, materializer="plain", size=90, type="int"
            )
            steps.append(
                Step(
                    run=run.id,
                    name=f"s{at + 1}",
                    status=Status.COMPLETED,
                    reason="first run",
                    source=f"%%step s{at + 1}\nx{at + 1} = x{at} + 1",
                    cache_key=digest * 2,
                    parts=CacheKeyParts(code=f"{at:032x}", inputs={f"x{at}": digest}),
                    started=1.7e9 + number,
                    seconds=0.001,
                    outputs={f"x{at + 1}": made},
                )
            )
        metadata.add_all(steps)
        metadata.end_run(run)
    metadata.close()
