"""Records in which everything that users name has one name, for views that must not be fooled by it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from zennb.core.planning.run_plan import Edge, Freshness, PlannedStep, RunPlan
from zennb.core.records.metrics import Metric
from zennb.core.records.models import Deployment, ModelVersion
from zennb.core.records.records import (
    Artifact,
    Attempt,
    CacheKeyParts,
    ComponentSpec,
    Failure,
    Run,
    StackSpec,
    Status,
    Step,
)
from zennb.core.records.shared import SharedRun
from zennb.core.records.space import (
    Pruned,
    PrunedBlob,
    PrunePlan,
    StoreUsage,
    Usage,
    UsageGroup,
    UsageItem,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


def artifact_named(n: str, number: int, kind: str = "object", **more: object) -> Artifact:
    summary: Mapping[str, object] = {
        "kind": kind,
        "text": n,
        "length": 9000,
        "shape": [2, n],
        "dtype": n,
        "min": n,
        "max": n,
        "head": [[n, n], [n, n]],
        "rows": 2,
        "columns": [{"name": n, "dtype": n}] * 14,
        "mime": n,
        "data": n,
        "width": n,
        "height": n,
        "items": [[n, n, n], [n, n, n]],
        "attributes": [[n, n]],
    }
    made = Artifact(
        id=number,
        name=n,
        version=1,
        digest=n,
        blob=n,
        materializer=n,
        size=12,
        type=n,
        summary=summary,
        needs=(n,),
    )
    return replace(made, step=number, created=1.0, **more)  # type: ignore[arg-type]  # tests pass field values


def stack_named(n: str) -> StackSpec:
    first = ComponentSpec(type="orchestrator", name=n, flavor=n, config={n: n, "password": n})
    return StackSpec(name=n, components={"orchestrator": first, n: ComponentSpec(type=n, name=n, flavor=n)})


def step_named(n: str, status: Status = Status.COMPLETED, number: int = 1) -> Step:
    return Step(
        id=number,
        run=number,
        name=n,
        notebook=n,
        status=status,
        reason=n,
        source=n,
        cache_key=n,
        parts=CacheKeyParts(
            code=n, inputs={n: n + str(number)}, packages={n: n + str(number)}, reached={n: str(number)}
        ),
        started=1.0,
        seconds=0.1,
        inputs={n: artifact_named(n, 1, kind="scalar")},
        outputs={n: artifact_named(n, 2)},
        defines=(n,),
        deletes=(n,),
        reusable=False,
        unusable_because=n,
        failure=Failure(type=n, message=n, traceback=n) if status is Status.FAILED else None,
        attempts=(Attempt(started=1.0, seconds=0.1, failure=Failure(type=n, message=n, traceback=n)),),
    )


def run_named(n: str, number: int = 1, status: Status = Status.FAILED) -> Run:
    return Run(
        id=number,
        kind=n,
        notebook=n,
        stack=stack_named(n),
        status=status,
        started=1.0,
        parameters={n: n + str(number)},
        versions={n: n + str(number)},
        host=n,
        steps={n: 2},
        names={n: "failed", n + "2": n, n + "3": "completed"},
        commit=n,
        dirty=True,
    )


def events_named(n: str) -> list[Mapping[str, object]]:
    faces = {"text/plain": n, "text/html": n, "image/png": n}
    return [
        {"kind": "stream", "name": "stdout", "text": n},
        {"kind": "stream", "name": "stderr", "text": n},
        {"kind": "display", "data": {"text/plain": n, "text/html": n}, "metadata": {}, "id": n},
        {"kind": "display", "data": faces, "metadata": {n: n}, "id": ""},
        {"kind": "result", "data": {"text/plain": [n, n]}, "metadata": {}},
    ]


def every_state_named(n: str) -> list[Step]:
    return [step_named(n, status, number) for number, status in enumerate(Status, start=1)]


def plan_named(n: str) -> RunPlan:
    """Return a plan with a step in every state, and with an edge of each kind."""
    steps = [
        PlannedStep(name=n + state, state=state, reason=n, status="failed", reads=(n,), binds=(n,), remark=n)
        for state in Freshness
    ]
    first, second, third, _ = (step.name for step in steps)
    edges = (
        Edge(start=first, end=second, names=(n,)),
        Edge(start=second, end=third, files=(n, n + "2")),
    )
    return RunPlan(steps=tuple(steps), edges=edges)


def usage_named(n: str) -> Usage:
    """What takes space, where everything is called `n`."""
    group = UsageGroup(name=n, notebook=n, size=5, old=2, saved=3.0, reused=1)
    item = UsageItem(name=n, step=n, notebook=n, size=5, used=1.0, is_old=True, is_pinned=True)
    store = StoreUsage(store=n, stacks=(n,), place=n, limit=10, size=5, blobs=1, old=2, unreferenced=1)
    return Usage(
        stores=(store,),
        notebooks=(group,),
        steps=(group,),
        stacks=(group,),
        largest=(item,),
        oldest=(item,),
        saved=3.0,
        reused=1,
    )


def logging_named(n: str) -> Step:
    """A step that logged metrics under a hostile name, with an input of that name."""
    curve = Metric(last=0.5, count=2, points=((0, 1.0), (1, 0.5)))
    return replace(step_named(n), metrics={n: curve, "loss": curve}, inputs={n: artifact_named(n, 2)})


def model_named(n: str) -> ModelVersion:
    """A version of a registered model."""
    return ModelVersion(
        name=n,
        version=1,
        artifact=n,
        artifact_version=1,
        digest=n,
        aliases=(n,),
        created=1.0,
        note=n,
        tags={n: n},
    )


def deployment_named(n: str) -> Deployment:
    """A deployment that has died."""
    return Deployment(
        name=n,
        model=n,
        version=1,
        artifact=n,
        deployer=n,
        flavor=n,
        state="dead",
        url=n,
        host=n,
        port=1,
        machine=n,
        problem=n,
    )


def pruned_named(n: str) -> Pruned:
    """What a prune would delete, where everything is called `n`."""
    blob = PrunedBlob(digest=n, size=5, labels=(n, n + "2", n + "3"), used=1.0)
    return Pruned(store=n, plan=PrunePlan(blobs=(blob,), total=10, spared={n: 2}), later=1)


def shared_named(n: str) -> SharedRun:
    return SharedRun(
        run=1,
        author=n,
        host=n,
        signer=n,
        trusted=n,
        kind=n,
        notebook=n,
        stack=n,
        started=1.0,
        computed=1.0,
        steps={n: "completed"},
    )
