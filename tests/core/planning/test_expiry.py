"""Durations as typed, and when results have expired."""

from __future__ import annotations

import pytest

from zennb.core.planning.expiry import duration_text, expired, expires, parse_duration
from zennb.core.records.records import Status, Step
from zennb.errors import UsageError

DAY = 86_400.0


def made(*, started: float = 0.0, seconds: float = 100.0, **more: object) -> Step:
    return Step(name="s", status=Status.COMPLETED, started=started, seconds=seconds, **more)  # type: ignore[arg-type] # as named


@pytest.mark.parametrize(
    ("text", "seconds", "again"),
    [
        ("90s", 90, "1m30s"),
        ("30m", 1_800, "30m"),
        ("12h", 43_200, "12h"),
        ("7d", 7 * DAY, "7d"),
        ("2w", 14 * DAY, "14d"),
        ("1d12h", 1.5 * DAY, "1d12h"),
        ("1.5h", 5_400, "1h30m"),
        ("1W2D3H4M5S", 9 * DAY + 11_045, "9d3h4m5s"),
        ("0.5s", 0.5, "0.5s"),
    ],
)
def test_a_duration_is_read_and_written(text: str, seconds: float, again: str) -> None:
    assert parse_duration(text) == seconds
    assert duration_text(seconds) == again
    assert parse_duration(again) == seconds


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("7", "`--expires 7` has no unit; write a number with s, m, h, d or w"),
        ("7.5", "has no unit"),
        ("", "is not a duration"),
        ("week", "is not a duration"),
        ("7 d", "is not a duration"),
        ("1e3s", "is not a duration"),
        ("1d1d", "has one unit twice"),
        ("0s", "write --no-cache"),
        ("99999999w", "write --no-cache"),
        ("٧d", "is not a duration"),
    ],
)
def test_anything_else_is_refused_with_a_sentence(wrong: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_duration(wrong)


@pytest.mark.parametrize(
    ("recorded", "within", "end"),
    [
        (None, None, None),
        (500.0, None, 500.0),
        (None, 50.0, 150.0),
        (500.0, 50.0, 150.0),
        (120.0, 50.0, 120.0),
    ],
)
def test_the_shorter_of_what_was_and_what_is_allowed_counts(
    recorded: float | None, within: float | None, end: float | None
) -> None:
    assert expires(made(expires=recorded), within) == end


def test_it_counts_from_the_end_of_the_run_and_to_the_second() -> None:
    step = made(expires=100.0 + 7 * DAY)
    assert expired(step, now=99.0 + 7 * DAY) == ""
    assert expired(step, now=100.0 + 7 * DAY) == "expired just now (--expires 7d)"
    assert expired(step, now=100.0 + 7 * DAY + 7_300) == "expired 2 h ago (--expires 7d)"
    assert expired(step, now=100.0 + 10 * DAY) == "expired 3 d ago (--expires 7d)"


def test_by_hand_counts_once_it_has_come_and_only_for_what_could_be_reused() -> None:
    step = made(expires=500.0, unusable_because="`m v1` was expired by hand")
    assert expired(step, now=499.0) == ""
    assert expired(step, now=501.0) == "`m v1` was expired by hand"
    other = made(expires=500.0, unusable_because="it runs `curl`", reusable=False)
    assert expired(other, now=501.0).startswith("expired 1 s ago")
