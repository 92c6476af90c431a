"""Owns `OutputCapture`: the output of a step is copied to its recording, and still displayed."""

from __future__ import annotations

import sys
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TextIO

from zennb.compat.instances import error_text
from zennb.compat.shown_warnings import warnings_remembered
from zennb.core.secrets.held import HELD, hide_secrets, masked_display
from zennb.engine.step.recording import Recording
from zennb.engine.step.streams import mask_stream, redirected, with_write, written_again
from zennb.errors import ZennbError
from zennb.jupyter.cells.own_traceback import group_lines, without_hidden_lines
from zennb.jupyter.cells.shown_figures import ShownFigures
from zennb.with_blocks import block

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["OutputCapture"]


class OutputCapture:
    """Intercepts what the shell publishes for as long as the extension is loaded.

    Attributes:
        has_published: whether something that is not part of a step's output was displayed in this cell.
        figures: the figures that the step of this cell showed.
    """

    def __init__(self, shell: Any) -> None:  # Any: IPython leaves these parts untyped
        self._shell = shell
        self._publisher = shell.display_pub
        self._publish = shell.display_pub.publish
        self._clear = shell.display_pub.clear_output
        self._native: Recording | None = None
        self._routes: dict[int, Recording] = {}
        self._is_muted = self._is_silent = False
        self.has_published = False
        self.figures = ShownFigures(shell)
        # On the object, not the class: other shells of this process (tests, embedded ones) keep theirs.
        shell.display_pub.publish = self._on_publish
        shell.display_pub.clear_output = self._on_clear
        self._unmask = [mask_stream("stderr")]
        self._show = shell._showtraceback  # noqa: SLF001 - where every shell shows its tracebacks
        shell._showtraceback = self._on_traceback  # noqa: SLF001
        self._show_error = shell.showtraceback
        shell.showtraceback = self._on_error

    def remove(self) -> None:
        """Stop intercepting."""
        for name in ("publish", "clear_output"):
            self._publisher.__dict__.pop(name, None)
        for name in ("_showtraceback", "showtraceback"):
            self._shell.__dict__.pop(name, None)
        self._end_masking(0)

    def begin(self) -> None:
        """Before a cell: what replaced the stream of errors since the last one, masks secrets too."""
        self._unmask.append(mask_stream("stderr"))

    def _end_masking(self, kept: int) -> None:
        while len(self._unmask) > kept:
            self._unmask.pop()()

    def reset(self) -> None:
        """After a cell, however it ended: what this thread shows is shown, and goes to no recording."""
        self._native = None
        self._routes.pop(threading.get_ident(), None)
        self._is_muted = self._is_silent = self.has_published = False
        written_again()
        self._end_masking(1)

    def publish(self, data: dict[str, Any], metadata: dict[str, Any] | None = None, **more: Any) -> None:
        """Display something that is not part of a step's output: status lines, live tables."""
        if not self._is_silent:
            self.has_published = True
            self._publish(data=masked_display(data), metadata=metadata or {}, **more)

    def show(self, data: dict[str, Any], metadata: dict[str, Any] | None = None, **more: Any) -> None:
        """Replay a display of a step through the shell's current publisher, so that `%%capture` gets it."""
        publisher = self._shell.display_pub
        publish = self._publish if publisher is self._publisher else publisher.publish
        publish(data=data, metadata=metadata or {}, **more)

    def clear(self, *, wait: bool) -> None:
        """Clear the cell's output, as a replayed step asked for."""
        publisher = self._shell.display_pub
        (self._clear if publisher is self._publisher else publisher.clear_output)(wait=wait)

    def note(self, value: object) -> None:
        """Record a cell's value that the shell's own display hook does not see."""
        if self._native is not None and value is not None:
            self._native.result(*self._shell.display_formatter.format(value))

    @block
    def to_recording(self, recording: Recording) -> Iterator[None]:
        """Send the displays of this thread to `recording` only."""
        ident = threading.get_ident()
        before = self._routes.get(ident)
        self._routes[ident] = recording
        try:
            yield
        finally:
            if before is None:
                self._routes.pop(ident, None)
            else:
                self._routes[ident] = before

    @block
    def discarding(self) -> Iterator[None]:
        """Discard the output of this thread; values are looked at inside, which must not be noticed."""
        unseen = Recording()
        with self.to_recording(unseen), redirected(unseen), warnings_remembered():
            yield

    @block
    def silenced(self) -> Iterator[None]:
        """Suppress status lines and live tables: the caller displays its own data."""
        before, self._is_silent = self._is_silent, True
        try:
            yield
        finally:
            self._is_silent = before

    @block
    def recording(self, recording: Recording) -> Iterator[None]:
        """Copy all output, of any thread and through any stream, to `recording`; it is still displayed."""
        with ExitStack() as stack:
            stack.enter_context(self._copied("stdout", recording))
            if sys.stderr is not sys.stdout:  # else a cell has bound both to one stream
                stack.enter_context(self._copied("stderr", recording))
            stack.enter_context(self._results(recording))
            stack.enter_context(self.figures.noted())
            if self._shell.display_pub is not self._publisher:  # `%%capture` has put its own in place
                stack.enter_context(_displays(self._shell.display_pub, recording))
            # Threads that the step started display through the same publisher, so this is not per thread.
            self._native = recording
            try:
                yield
            finally:
                self._native = None

    @block
    def paused(self) -> Iterator[None]:
        """Do not record what a terminal prints around a value (`Out[3]: `)."""
        self._is_muted = True
        try:
            yield
        finally:
            self._is_muted = False

    @block
    def _copied(self, name: str, recording: Recording) -> Iterator[None]:
        """Copy what is written to a standard stream, where possible also through references taken earlier."""
        stream: TextIO = getattr(sys, name)
        write: Callable[[str], int] = stream.write

        def copied(text: str, /) -> int:
            if not self._is_muted:
                recording.stream(name, text)
            return write(text)

        end = with_write(name, copied)
        try:
            yield
        finally:
            end()

    @block
    def _results(self, recording: Recording) -> Iterator[None]:
        hook = self._shell.displayhook
        write, compute = hook.write_format_data, hook.compute_format_data

        def copied(format_dict: dict[str, Any], md_dict: dict[str, Any] | None = None) -> None:
            recording.result(format_dict, md_dict)
            write(format_dict, md_dict)

        def formatted(result: object) -> Any:
            # What the value itself shows is part of the output, unlike the prompt around it.
            muted, self._is_muted = self._is_muted, False
            try:
                with recording.formatting(), self._errors(recording):
                    found = compute(result)
            finally:
                self._is_muted = muted
            if not found[0]:  # it has shown itself, or could not
                recording.result({})
            return found

        hook.write_format_data, hook.compute_format_data = copied, formatted
        try:
            yield
        finally:
            # Without the attribute of the object, the method of its class is there again.
            for name in ("write_format_data", "compute_format_data"):
                hook.__dict__.pop(name, None)

    @block
    def _errors(self, recording: Recording) -> Iterator[None]:
        """Record the tracebacks of values that cannot be formatted, where the shell does not print them."""
        show = self._shell._showtraceback  # noqa: SLF001
        if getattr(self._shell, "kernel", None) is None:
            yield
            return

        def recorded(kind: Any, value: Any, lines: Any) -> None:
            recording.error(getattr(kind, "__name__", str(kind)), error_text(value).partition(": ")[2], lines)
            show(kind, value, lines)

        self._shell._showtraceback = recorded  # noqa: SLF001
        try:
            yield
        finally:
            self._shell._showtraceback = show  # noqa: SLF001

    def _on_error(self, *args: Any, **more: Any) -> None:
        """Show the error that is being handled; a group of errors of a step without our frames."""
        error = sys.exception()
        if error is None or not (lines := group_lines(error)):
            self._show_error(*args, **more)
            return
        sys.last_type, sys.last_value, sys.last_traceback = type(error), error, error.__traceback__
        self._shell._showtraceback(type(error), error, lines)  # noqa: SLF001 - as the shell does

    def _on_traceback(self, kind: Any, value: Any, lines: Any) -> None:
        """Show a traceback without the secrets that this process holds, and from the user's own line on."""
        mask = HELD.mask if isinstance(value, ZennbError) else HELD.mask_known
        hide_secrets(value)
        self._show(kind, value, [mask(without_hidden_lines(str(each))) for each in lines])

    def _recording(self) -> tuple[Recording | None, bool]:
        route = self._routes.get(threading.get_ident())
        return (route, True) if route is not None else (self._native, False)

    def _on_publish(
        self, data: Mapping[str, Any], metadata: Mapping[str, Any] | None = None, *args: Any, **more: Any
    ) -> None:
        recording, is_separate = self._recording()
        if recording is not None:
            transient = more.get("transient") or {}
            recording.display(
                data,
                metadata,
                display_id=str(transient.get("display_id", "")),
                update=bool(more.get("update", False)),
            )
        if not is_separate:
            self._publish(data, metadata, *args, **more)

    def _on_clear(self, wait: bool = False) -> None:
        recording, is_separate = self._recording()
        if recording is not None:
            recording.clear(wait=wait)
        if not is_separate:
            self._clear(wait)


@block
def _displays(publisher: Any, recording: Recording) -> Iterator[None]:
    """Copy what is displayed through a publisher that is not the shell's usual one."""
    publish = publisher.publish

    def copied(data: Any, metadata: Any = None, *args: Any, **more: Any) -> None:
        arguments = str((more.get("transient") or {}).get("display_id", ""))
        recording.display(data, metadata, display_id=arguments, update=bool(more.get("update", False)))
        publish(data, metadata, *args, **more)

    publisher.publish = copied
    try:
        yield
    finally:
        publisher.__dict__.pop("publish", None)
