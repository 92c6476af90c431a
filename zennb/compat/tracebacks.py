"""Owns tracebacks as plain data, and rebuilding them: Python pickles no frames, and an exception without them."""

from __future__ import annotations

import hashlib
import linecache
from dataclasses import dataclass, replace
from types import TracebackType
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import is_a

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["TracebackFrame", "frames_of", "set_traceback", "traceback_of", "with_traceback"]

_traceback_of: Any = vars(BaseException)["__traceback__"].__get__  # a class of the user may define another


@dataclass(frozen=True, slots=True, kw_only=True)
class TracebackFrame:
    """One frame of a traceback: file and name of the code, its first line, and the line that raised."""

    filename: str
    name: str
    first: int
    line: int

    def rebuilt(self, inner: TracebackType | None) -> TracebackType | None:
        """Return a traceback that prints like the original: code of that name raises on that line of that file."""
        # Traceback objects take only real frames, and a frame exists only while code runs. So a tiny piece of code
        # raises on the line in question. Blank lines move it there, counted from the first line of the original code.
        stub = compile("\n" * (self.line - self.first) + "1 / 0", self.filename, "exec")
        code = stub.replace(co_name=self.name, co_qualname=self.name, co_firstlineno=self.first)
        try:
            exec(code, {"__name__": "__main__"})
        except ZeroDivisionError as error:
            frame = error.__traceback__.tb_next if error.__traceback__ is not None else None
            if frame is not None:
                return TracebackType(inner, frame.tb_frame, frame.tb_lasti, self.line)
        return inner


def frames_of(traceback: TracebackType | None) -> Iterator[TracebackFrame]:
    """Yield the frames of a traceback, the outermost first."""
    while traceback is not None:
        code, line = traceback.tb_frame.f_code, traceback.tb_lineno
        first = min(code.co_firstlineno, line)
        yield TracebackFrame(filename=code.co_filename, name=code.co_name, first=first, line=line)
        traceback = traceback.tb_next


def traceback_of(frames: Sequence[TracebackFrame]) -> TracebackType | None:
    """Return a traceback of such frames; None for no frames."""
    found: TracebackType | None = None
    for each in reversed(frames):
        found = each.rebuilt(found)
    return found


def with_traceback(error: object, recipe: Any) -> Any:
    """Return the pickle recipe of an exception with its traceback, and the source of the cells in it.

    Args:
        error: anything; what has no traceback keeps its recipe.
        recipe: what says how to make it without; None for its own.
    """
    found = _traceback_of(error) if is_a(error, BaseException) else None
    if found is None:
        return recipe
    own: Any = error.__reduce_ex__(4) if recipe is None else recipe
    make, arguments, *rest = own
    state, items, pairs, apply = (*rest, None, None, None, None)[:4]
    frames = tuple(frames_of(found))
    sources = {each.filename: _source(each.filename) for each in frames}
    return make, arguments, (state, apply, frames, sources), items, pairs, set_traceback


def set_traceback(error: BaseException, parts: tuple[Any, Any, tuple[TracebackFrame, ...], Any]) -> None:
    """Give a loaded exception its state and its traceback."""
    state, apply, frames, sources = parts
    if apply is not None:
        apply(error, state)
    elif state is not None:
        error.__setstate__(state)
    names = {name: _found_again(name, lines) for name, lines in sources.items()}
    error.__traceback__ = traceback_of([replace(each, filename=names[each.filename]) for each in frames])


def _source(filename: str) -> tuple[str, ...] | None:
    """Return the source of a cell; None for a file."""
    entry = linecache.cache.get(filename)
    return tuple(entry[2]) if entry is not None and len(entry) == 4 and entry[1] is None else None


def _found_again(filename: str, lines: Sequence[str] | None) -> str:
    """Put the source of a cell into `linecache`, where tracebacks look for it; return its name there."""
    if lines is None:
        return filename
    name = f"<cell {hashlib.sha256(''.join(lines).encode()).hexdigest()[:16]}>"
    linecache.cache[name] = (sum(map(len, lines)), None, list(lines), name)
    return name
