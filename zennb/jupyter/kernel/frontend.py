"""Owns how this kernel displays values: formatters, figures of the inline backend, display settings, and replays."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

from zennb.core.records.observed import UNTOUCHED
from zennb.engine.step.uninterrupted import interruptible
from zennb.with_blocks import block

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from zennb.engine.step.recording import Event, Recording
    from zennb.jupyter.cells.output_capture import OutputCapture

__all__ = ["DisplaySettings", "KernelFrontend"]

_AS_STARTED = ("last_expr", "", False)  # display settings of a new shell


class KernelFrontend:
    """Displays values as this shell does."""

    elsewhere = "zennb.jupyter.kernel.worker:worker_frontend"
    """The function that returns a frontend in a worker process."""

    def __init__(
        self, shell: Any, capture: OutputCapture
    ) -> None:  # Any: IPython leaves much of the shell untyped
        self._shell, self._capture = shell, capture
        self._namespace: dict[str, Any] = shell.user_ns
        self._is_prompted = False

    @property
    def records_shell(self) -> bool:
        """Whether the output of `!shell` lines is recorded; in a terminal they write past the shell."""
        return type(self._shell).__name__ != "TerminalInteractiveShell"

    @property
    def interactivity(self) -> str:
        """Which expressions of a cell are shown."""
        return str(self._shell.ast_node_interactivity)

    def format(self, value: object) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the mime bundle of a value and its metadata."""
        data, metadata = self._shell.display_formatter.format(value)
        return dict(data), dict(metadata)

    @block
    def shown(self, recording: Recording, namespace: dict[str, Any]) -> Iterator[None]:
        """Send this thread's displays to `recording`; on the main thread, magics see `namespace`."""
        with self._capture.to_recording(recording):
            # The shell has one namespace for all threads; magics in a step are refused where steps run in others.
            if threading.current_thread() is not threading.main_thread():
                yield
                self.flush_figures()
                return
            before = self._shell.user_ns
            namespace.setdefault("get_ipython", self._shell.get_ipython)
            self._shell.user_ns = namespace
            try:
                yield
                with interruptible():  # drawing can take long
                    self.flush_figures()
            finally:
                self._shell.user_ns = before

    def reset(self) -> None:
        """After a cell, however it ended: magics see the notebook again, and its output is shown and recorded."""
        self._shell.user_ns = self._namespace
        self._capture.reset()

    def flush_figures(self) -> None:
        """Show now the figures that the inline backend would show after the cell, so that they belong to the step."""
        inline = sys.modules.get("matplotlib_inline.backend_inline")
        pyplot = sys.modules.get("matplotlib.pyplot")
        if inline is not None and pyplot is not None and "inline" in pyplot.get_backend().lower():
            inline.flush_figures()

    def replay(self, recording: Iterable[Event]) -> None:
        """Replay the output of a step, in order."""
        before = ""
        for event in recording:
            name = str(event.get("name", ""))
            if before and name and name != before:
                getattr(sys, before).flush()  # each stream has its own buffer, which would change the order
            before = name
            self.emit(event)

    def repeat(self, events: Iterable[Event], *, has_failed: bool) -> None:
        """Clear the cell and show all of its output once more; of a step that failed, its traceback too."""
        for stream in (sys.stdout, sys.stderr):
            stream.flush()  # else it would come after the clearing
        lines = getattr(self._shell, "_last_traceback", None) if has_failed else None
        self._capture.clear(wait=True)
        self.replay(events)
        error = getattr(sys, "last_value", None)
        if lines and error is not None:
            self._shell._showtraceback(type(error), error, lines)  # noqa: SLF001 - as the shell did

    def emit(self, event: Event) -> None:
        """Show one event."""
        if event["kind"] == "stream":
            getattr(sys, event["name"]).write(event["text"])
        elif event["kind"] == "clear":
            self._capture.clear(wait=event["wait"])
        elif event["kind"] == "prompt":
            self._prompt()
        elif event["kind"] == "error":
            kind = type(event["name"], (Exception,), {})
            self._shell._showtraceback(kind, event["value"], event["lines"])  # noqa: SLF001 - as the shell did
        elif event["kind"] == "result":
            self._result(event)
        else:
            transient = {"display_id": event["id"]} if event.get("id") else {}
            self._capture.show(
                event["data"], event["metadata"], transient=transient, update=event.get("update", False)
            )

    def _result(self, event: Event) -> None:
        hook = self._shell.displayhook
        captured = getattr(sys.displayhook, "outputs", None)  # where `%%capture` collects results
        if captured is not None and not event["data"]:
            return
        if captured is not None:
            captured.append({"data": event["data"], "metadata": event["metadata"]})
            return
        if not self._is_prompted:
            self._prompt()
        self._is_prompted = False
        if event["data"]:
            hook.write_format_data(event["data"], event["metadata"])
        hook.finish_displayhook()

    def _prompt(self) -> None:
        """Begin to show a value, where a shell writes its prompt."""
        if getattr(sys.displayhook, "outputs", None) is None:
            self._shell.displayhook.start_displayhook()
            self._shell.displayhook.write_output_prompt()
            self._is_prompted = True


class DisplaySettings:
    """Which expressions of a cell are displayed, and how (a `Setting`).

    Args:
        shell: the shell.
    """

    name = "display of values"
    modules: frozenset[str] = frozenset()
    matters = True
    is_per_context = False

    def __init__(self, shell: Any) -> None:  # Any: as above
        self._shell = shell

    def read(self) -> tuple[Any, ...]:
        """Return what is displayed, the precision of floats, and whether printing is pretty."""
        plain = self._shell.display_formatter.formatters["text/plain"]
        return (self._shell.ast_node_interactivity, plain.float_precision, not plain.pprint)

    def digest(self, seen: tuple[Any, ...]) -> str:
        """Return the settings as text; `UNTOUCHED` for what a shell starts with."""
        return UNTOUCHED if seen == _AS_STARTED else repr(seen)

    def change(self, _before: object, after: tuple[Any, ...]) -> list[Any]:
        """Return the settings as plain data."""
        return list(after)

    def apply(self, change: list[Any]) -> None:
        """Set them."""
        plain = self._shell.display_formatter.formatters["text/plain"]
        self._shell.ast_node_interactivity, plain.float_precision = change[0], change[1]
        plain.pprint = not change[2]
