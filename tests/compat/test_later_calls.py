"""Looking for what calls functions later leaves nothing behind."""

from __future__ import annotations

import gc
import weakref

from zennb.compat.later_calls import running_frames


class Thing:
    pass


def looked(_held: Thing) -> int:
    return len([frames for _, frames in running_frames() if frames])


def test_looking_at_other_threads_keeps_no_values_of_this_one() -> None:
    thing = Thing()
    kept = weakref.ref(thing)
    gc.disable()
    try:
        looked(thing)
        del thing
        assert kept() is None
    finally:
        gc.enable()
