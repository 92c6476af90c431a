"""Owns the contests on stacks: zennb on each orchestrator beside the bare engine, and with a bucket beside s3fs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.contest import Job, Plan
from benchmarks.table import Line, times

if TYPE_CHECKING:
    from benchmarks.contest import Result

__all__ = ["stacks"]

ENGINES = ("local", "threads", "processes", "dask")
STEPS, MILLISECONDS, CHAIN, MEGABYTES = 500, 20, 100, 500
TARGET = 1.3


def stacks(plan: Plan) -> list[Line]:
    """Steps on orchestrators with two workers, and through a bucket."""
    lines: list[Line] = []
    slept: dict[str, float] = {}
    for work, what in (
        ("independent", f"{STEPS} steps of"),
        ("mapped", f"a step mapped over {STEPS} elements of"),
    ):
        for engine in ENGINES:
            result = _hold(plan, work, engine=engine, steps=STEPS, milliseconds=MILLISECONDS)
            lines.append(_line(result, f"{what} {MILLISECONDS} ms on `{engine}`", "seconds"))
            lines += _beside_local(result, slept, work, engine)
    for engine in ENGINES:
        # An empty function in the kernel takes no time at all: the times, and no ratio.
        result = _hold(plan, "chain_on", engine=engine, steps=CHAIN)
        lines.append(
            _line(
                result,
                f"chain of {CHAIN} trivial steps on `{engine}`, a step",
                "seconds",
                per=CHAIN,
                target=None,
            )
        )
    for engine in ("processes", "dask"):
        result = _hold(plan, "array_between", engine=engine, megabytes=MEGABYTES)
        lines.append(_line(result, f"array of {MEGABYTES} MB from step to step on `{engine}`", "seconds"))
    result = _hold(plan, "through_bucket", megabytes=MEGABYTES)
    lines.append(_line(result, f"array of {MEGABYTES} MB made and put into a bucket", "put"))
    lines.append(_line(result, f"array of {MEGABYTES} MB fetched from a bucket and read", "get"))
    lines.append(_memory(result, f"array of {MEGABYTES} MB through a bucket: peak memory"))
    return lines


def _hold(plan: Plan, work: str, **options: object) -> Result:
    jobs = {
        "limit": Job(contender="bare_engine", work=work, options=options),
        "zennb": Job(contender="zennb_stacks", work=work, options=options),
    }
    return plan.hold(jobs, most=3)


def _line(result: Result, title: str, number: str, *, per: int = 1, target: float | None = TARGET) -> Line:
    bare, ours = result["limit"].numbers.get(number), result["zennb"].numbers.get(number)
    failed = result["zennb"].failed or result["limit"].failed
    ratio = None if bare is None or ours is None else ours / bare
    said = times((ours or 0.0) / per)
    if target is not None:
        said = f"{ratio or 0.0:.2f}x ({said})"
    if ratio is None:
        said = f"failed: {failed[:60]}"
    return Line(
        title=title,
        cells={"limit": "–" if bare is None else times(bare / per), "zennb": said},
        figure=ratio,
        target=target,
        shown="" if target is None else f"{target:g}x",
        rounds=result["zennb"].rounds,
    )


def _beside_local(result: Result, slept: dict[str, float], work: str, engine: str) -> list[Line]:
    """Return the same beside `local`: with two workers, it is not to be slower."""
    ours = result["zennb"].numbers.get("seconds")
    if ours is None:
        return []
    local = slept.setdefault(work, ours)
    if engine == "local":
        return []
    return [
        Line(
            title=f"the same beside `local` ({work})",
            cells={"zennb": f"{ours / local:.2f}x"},
            figure=ours / local,
            target=1.0,
            shown="1x",
            rounds=result["zennb"].rounds,
        )
    ]


def _memory(result: Result, title: str) -> Line:
    bare, ours = result["limit"].numbers.get("memory"), result["zennb"].numbers.get("memory")
    added = None if bare is None or ours is None else (ours - bare) / 2**20
    cells = {
        label: "–" if found is None else f"{found / 2**20:.0f} MiB"
        for label, found in (("limit", bare), ("zennb", ours))
    }
    rounds = result["zennb"].rounds
    return Line(title=title, cells=cells, figure=added, target=64.0, shown="+64 MiB", rounds=rounds)
