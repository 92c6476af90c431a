from __future__ import annotations

import time

from zennb.components.long_calls import long_call, long_calls


def test_a_call_is_told_once_it_takes_longer_than_a_second() -> None:
    with long_call("writing to s3://team", total=200) as call:
        assert long_calls() == []
        call.started = time.monotonic() - 2
        assert long_calls() == ["writing to s3://team"]
        call.moved = 50
        assert long_calls() == ["writing to s3://team (25%)"]
    assert long_calls() == []
