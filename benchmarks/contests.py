"""Owns the contests: who does what, how often, and what of it becomes a line of the table."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from benchmarks.contest import Entry, Job, Plan
from benchmarks.stacks import stacks
from benchmarks.starting import start
from benchmarks.table import Line, times

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.contest import Result

__all__ = ["CONTESTS"]

PEERS = {
    "limit": "limit",
    "joblib": "joblib_memory",
    "marimo": "marimo_cache",
    "mandala": "mandala_storage",
    "zennb": "zennb_shell",
}
TWICE = ("cold", "reused")


def _jobs(work: str, *, only: tuple[str, ...] = tuple(PEERS), **options: object) -> dict[str, Job]:
    return {
        label: Job(contender=module, work=work, options=options, phases=TWICE)
        for label, module in PEERS.items()
        if label in only
    }


def _ratio(result: Result, title: str, number: str, target: float | None, *, per: int = 1) -> Line:
    """Return a line of ratios to the limit; `per` steps."""
    least = result["limit"].numbers.get(number)
    cells = {label: _cell(entry, number, least, per) for label, entry in result.items()}
    ours = result["zennb"].numbers.get(number)
    return Line(
        title=title,
        cells=cells,
        figure=None if ours is None or not least else ours / least,
        target=target,
        shown="" if target is None else f"{target:g}x",
        rounds=result["zennb"].rounds,
    )


def _cell(entry: Entry, number: str, least: float | None, per: int) -> str:
    taken = entry.numbers.get(number)
    if taken is None or least is None:
        return f"failed: {entry.failed[:60]}" if entry.failed else "–"
    return times(taken / per) if taken is least else f"{taken / least:.2f}x"


def chain(plan: Plan) -> list[Line]:
    """200 trivial steps."""
    steps = 200
    slow = plan.hold(_jobs("chain", only=("marimo", "mandala"), steps=steps), most=1)
    result = plan.hold(_jobs("chain", only=("limit", "joblib", "zennb"), steps=steps)) | slow
    ours = result["zennb"]
    lines = [
        _ratio(result, "chain of 200 steps, cold, `%pipeline run`, a step", "cold.pipeline", 3, per=steps),
        _ratio(
            result, "chain of 200 steps, reused, `%pipeline run`, a step", "reused.pipeline", 4, per=steps
        ),
    ]
    for phase in TWICE:
        over = _over(ours, phase, steps)
        title = f"chain of 200 steps, {phase}, cell by cell: beyond the plain cell, a step"
        cells = {"zennb": times(over)}
        lines.append(
            Line(title=title, cells=cells, figure=over, target=0.002, shown="2 ms", rounds=ours.rounds)
        )
    return lines


def _over(entry: Entry, phase: str, steps: int) -> float | None:
    if not entry.numbers:
        return None
    return (entry.numbers[f"{phase}.cells"] - entry.numbers[f"{phase}.plain"]) / steps


def lengths(plan: Plan) -> list[Line]:
    """The chain at other lengths, and with a past."""
    found = {}
    for steps in (10, 100, 1000, 5000):
        result = plan.hold(_jobs("chain", only=("zennb",), steps=steps), most=5 if steps < 1000 else 2)
        found[steps] = result["zennb"]
    lines = [
        line
        for steps in found
        for line in _grown(found[steps], f"chain of {steps:,} steps", steps, found[100], 100)
    ]
    pasts = {}
    for records in (10, 10_000, 100_000):
        result = plan.hold(_jobs("chain", only=("zennb",), steps=200, records=records), most=3)
        pasts[records] = result["zennb"]
    return lines + [
        line
        for records in pasts
        for line in _grown(pasts[records], f"200 steps, {records:,} records", 200, pasts[10], 200)
    ]


def _grown(entry: Entry, title: str, steps: int, least: Entry, least_steps: int) -> list[Line]:
    """Return how time per step grew beside the shortest chain, or the shortest past."""
    lines = []
    for number in ("cold.pipeline", "reused.pipeline", "cold.cells", "reused.cells"):
        if not entry.numbers or not least.numbers:
            continue
        each, first = entry.numbers[number] / steps, least.numbers[number] / least_steps
        phase, _, way = number.partition(".")
        spoken = "`%pipeline run`" if way == "pipeline" else "cell by cell"
        grown = each / first
        lines.append(
            Line(
                title=f"{title}, {phase}, {spoken}, a step",
                cells={"zennb": f"{times(each)} ({grown:.2f}x)"},
                figure=grown,
                target=1.2,
                shown="1.2x",
                rounds=entry.rounds,
            )
        )
    return lines


def data(plan: Plan) -> list[Line]:
    """A large array and a frame, made by one step and consumed by the next."""
    lines = []
    for work, title, options, cold, reused in (
        ("numbers", "array of 128 MB", {"megabytes": 128}, 1.25, 1.5),
        ("frames", "frame of 1,000,000 x 6", {}, 2.0, 2.0),
    ):
        fast = plan.hold(_jobs(work, only=("limit", "joblib", "marimo", "zennb"), **options))
        result = fast | plan.hold(_jobs(work, only=("mandala",), **options), most=1)
        lines.append(_ratio(result, f"{title}, cold", "cold.seconds", cold))
        lines.append(_ratio(result, f"{title}, reused and read", "reused.seconds", reused))
        lines.append(_unread(result["zennb"], f"{title}, reused and not read"))
        heavy = plan.hold(
            _jobs(work, only=("limit", "joblib", "marimo", "zennb"), memory=1, **options), most=2
        )
        lines.append(_memory(heavy, f"{title}, cold: peak memory", work))
    return lines


def _unread(entry: Entry, title: str) -> Line:
    taken = entry.numbers.get("reused.taken")
    return Line(
        title=title,
        cells={"zennb": times(taken)},
        figure=taken,
        target=0.02,
        shown="2 steps",
        rounds=entry.rounds,
    )


def _memory(result: Result, title: str, work: str) -> Line:
    """Return peak memory of each; of zennb also what it adds to making the data at all, which the limit does."""
    number = "cold.memory"
    cells = {
        label: f"{entry.numbers[number] / 2**20:.0f} MiB" if number in entry.numbers else "–"
        for label, entry in result.items()
    }
    ours, least = result["zennb"].numbers.get(number), result["limit"].numbers.get(number)
    added = None if ours is None or least is None else (ours - least) / 2**20
    shown = "+64 MiB" if work == "numbers" else ""
    return Line(
        title=title,
        cells=cells,
        figure=added,
        target=64.0 if shown else None,
        shown=shown,
        rounds=result["zennb"].rounds,
    )


def reading(plan: Plan) -> list[Line]:
    """A step that reads 1 GB and changes nothing."""
    jobs = {
        label: Job(contender=PEERS[label], work="reading", options={"megabytes": 1024})
        for label in ("limit", "zennb")
    }
    result = plan.hold(jobs)
    ours, least = result["zennb"].numbers.get("seconds"), result["limit"].numbers.get("seconds")
    added = None if ours is None or least is None else ours - least
    cells = {"limit": times(least), "zennb": f"+{times(added)}" if added is not None else "–"}
    title = "a step that reads 1 GB and changes nothing"
    rounds = result["zennb"].rounds
    return [Line(title=title, cells=cells, figure=added, target=0.4, shown="+0.4 s", rounds=rounds)]


def starting(plan: Plan) -> list[Line]:
    """What it takes to begin."""
    found = [start() for _ in range(plan.rounds)]
    median = {name: statistics.median(each[name] for each in found) for name in found[0]}
    plan.say(f"  {median}")
    return [
        Line(
            title=title,
            cells={"zennb": times(median[name])},
            figure=median[name],
            target=target,
            shown=times(target),
            rounds=len(found),
        )
        for name, title, target in (
            ("import", "`import zennb`", 0.05),
            ("extension", "`%load_ext zennb`, beyond IPython", 0.2),
            ("stack list", "`zennb stack list`, with Python's own start", 0.4),
            ("pipeline status", "`zennb pipeline status` of 200 steps, with Python's own start", 0.3),
        )
    ]


def restarting(plan: Plan) -> list[Line]:
    """200 steps with 2 GB between them, and the kernel restarted."""
    options: dict[str, object] = {"steps": 200, "megabytes": 10}
    jobs = {"zennb": Job(contender="zennb_shell", work="restart", options=options, phases=TWICE)}
    result = plan.hold(jobs, most=3)
    numbers = result["zennb"].numbers
    cold, reused = numbers.get("cold.seconds"), numbers.get("reused.seconds")
    cells = {"zennb": f"{times(reused)} (first run {times(cold)})"}
    title = "200 steps with 2 GB between them, kernel restarted, all cells run again"
    return [Line(title=title, cells=cells, figure=reused, rounds=result["zennb"].rounds)]


def kernels(plan: Plan) -> list[Line]:
    """Two kernels on one store."""
    lines = []
    jobs = {
        label: Job(contender=PEERS[label], work="side_by_side", options={"steps": 200})
        for label in ("limit", "joblib", "zennb")
    }
    result = plan.hold(jobs)
    cells = {
        label: f"{entry.numbers['both'] / entry.numbers['alone']:.2f}x" if entry.numbers else "–"
        for label, entry in result.items()
    }
    title = "two kernels on one store at once, each beside one alone"
    lines.append(Line(title=title, cells=cells, rounds=result["zennb"].rounds))
    return lines


def training(plan: Plan) -> list[Line]:
    """A model of 80 MB with Adam, trained in a step."""
    result = plan.hold(_jobs("training", only=("limit", "zennb")), most=3)
    ours = result["zennb"].numbers.get("cold.memory")
    return [
        _ratio(
            result,
            "a training step of a model of 80 MB with Adam: beyond the plain cell",
            "cold.seconds",
            1.5,
        ),
        Line(
            title="the same: memory beyond that of the plain cell, with 240 MB of gradients and Adam's own",
            cells={
                label: f"{each.numbers.get('cold.memory', 0) / 2**20:.0f} MiB"
                for label, each in result.items()
            },
            figure=None if ours is None else ours / 2**20,
            rounds=result["zennb"].rounds,
        ),
        _ratio(result, "the model set to evaluate in the next step", "cold.flag", None),
        _ratio(result, "the trained model reused and read", "reused.seconds", None),
    ]


CONTESTS: dict[str, Callable[[Plan], list[Line]]] = {
    "starting": starting,
    "chain": chain,
    "data": data,
    "reading": reading,
    "training": training,
    "restarting": restarting,
    "kernels": kernels,
    "lengths": lengths,
    "stacks": stacks,
}
