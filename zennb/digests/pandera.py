"""Owns the digests of pandera's types. Imported on demand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zennb.digests.walker import STATE
from zennb.packages.origin import module_of, top_level

if TYPE_CHECKING:
    from zennb.digests.walker import DigestWalker, Handler, Steps

__all__ = ["handler"]


def handler(cls: type) -> Handler | None:
    """Return the handler of pandera's dispatcher of checks; other types need none of their own."""
    return _dispatcher if cls.__name__ == "Dispatcher" else None


def _dispatcher(walker: DigestWalker, value: Any) -> Steps:
    """Digest what a check calls: its name, and functions that are not pandera's.

    Pandera fills in its own when a schema is first used, so a schema would have another digest afterwards.
    """
    if walker.seen(value):
        return
    walker.mark("check of pandera", type(value))
    walker.packages.add("pandera")
    walker.sink.text(str(value))
    functions = vars(value).get("_function_registry", {}).values()
    yield [each for each in functions if top_level(module_of(each)) != "pandera"], STATE
