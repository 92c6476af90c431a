"""When each step of a run ran, where, and what was reused."""

from __future__ import annotations

from typing import Any

from zennb.core.records.records import Status, Step
from zennb.views.timeline import timeline


def made(name: str, started: float, seconds: float, **more: Any) -> Step:
    fields: dict[str, Any] = {"status": Status.COMPLETED, "run": 3, **more}
    return Step(name=name, started=started, seconds=seconds, **fields)


def test_steps_stand_where_they_ran() -> None:
    view = timeline(
        [
            made("total", 105.0, 5.0, ran_on="gpu"),
            made("load", 100.0, 5.0),
            made("old", 100.0, 0.0, status=Status.CACHED),
            made("now", 108.0, 0.0, status=Status.RUNNING),
        ],
        now=110.0,
    )
    lines = view.text.splitlines()
    assert [line.split()[0] for line in lines] == ["load", "old", "total", "now"]
    assert lines[0].split()[1] == "█" * 20
    assert lines[2].split()[1] == "·" * 20 + "█" * 20
    assert "on gpu" in lines[2]
    assert "reused" in lines[1]
    assert lines[3].split()[1] == "·" * 32 + "█" * 8
    assert "margin-left:50.0%;width:50.0%" in view.html
    assert 'data-zennb-go="step:3/total"' in view.html


def test_one_step_needs_none_and_of_many_the_longest_are_shown() -> None:
    assert timeline([made("a", 1.0, 1.0)], now=2.0).html == ""
    many = [made(f"s{at}", float(at), float(at % 90)) for at in range(1, 200)]
    assert len(timeline(many, now=400.0).text.splitlines()) == 60
