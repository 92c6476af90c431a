"""Owns `KernelSession`: what happens before, in and after each cell that runs in a kernel."""

from __future__ import annotations

import ast
import re
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from zennb.compat.notebook import completed, request_of
from zennb.compat.shown_warnings import warnings_remembered
from zennb.core.reading.source import analyse
from zennb.dependencies.dependencies import note_cached_functions
from zennb.dependencies.patches import STREAMS, UNDONE_BY_SHELLS, Patch, patched, patches_in
from zennb.engine.step.cancellation import interrupted
from zennb.engine.step.definition import TEXT_ANNOTATIONS
from zennb.engine.step.library_steps import calls_of_cell
from zennb.engine.step.uninterrupted import uninterrupted
from zennb.errors import StepRefused
from zennb.jupyter.cells.autostep import ZennbAutostep
from zennb.jupyter.cells.step_cell import StepCell
from zennb.jupyter.cells.step_marker import hide_first_line, nested_too_deeply, parse_step_cell
from zennb.jupyter.kernel.background_runs import BackgroundRuns
from zennb.jupyter.kernel.error_notes import error_note
from zennb.jupyter.kernel.state import KernelState
from zennb.packages.versions import note_loaded
from zennb.registry.home import working_folder
from zennb.views.view import note
from zennb.with_blocks import end_abandoned

if TYPE_CHECKING:
    from collections.abc import Callable

    from IPython.core.interactiveshell import ExecutionInfo, ExecutionResult, InteractiveShell

    from zennb.jupyter.cells.transform import StepMarker

__all__ = ["KernelSession"]

_MAY_CALL = re.compile(r"\(|@|\.|\]\s*=")
_MAY_PATCH = re.compile(r"\w\.\w+\s*[^=<>!\s]?=(?!=)|setattr|del ")  # attributes set, or tuples of them


class KernelSession(KernelState):
    """The cells of one kernel as they run. The shell reaches it as `get_ipython().zennb_step`.

    Args:
        shell: the kernel's shell.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self.background: BackgroundRuns = BackgroundRuns(self)
        self.quiet = ZennbAutostep(parent=shell)
        self._markers: dict[str, StepMarker] = {}
        self._cell: StepCell | None = None
        self._step_depth = 0  # of the cell that is this step: `run_cell` in its body runs others inside it
        self._cell_id = ""
        self._last_shown: BaseException | None = None
        self._is_step = False  # whether the cell that runs now was announced as a step
        self._refusal: Exception | None = None
        self._streams: dict[Patch, object] = {}
        self._text = ""
        self._needed: set[str] = set()
        self._deletes: frozenset[str] = frozenset()
        self._reading: ast.Module | None = (
            None  # the tree of a plain cell that may read what a reused step showed
        )
        self._request: tuple[int, object] | None = None  # who asked for the outermost cell, in which thread
        self._was_interrupted = False

    # Called by the transformed step cell

    def __call__(self, *_announcement: str) -> None:
        """Refuse: this line is replaced before it runs, unless a tool runs the cell without the extension."""
        raise StepRefused(
            "this %%step cell was not prepared by zennb; run `%reload_ext zennb`, then the cell again."
        )

    def refuse(self) -> None:
        """Raise why the running cell could not be transformed."""
        __tracebackhide__ = True
        error, self._refusal = self._refusal, None
        if isinstance(error, RecursionError | MemoryError):
            raise nested_too_deeply()
        raise error or StepRefused("this cell could not be prepared; run it again.")

    def begin(self, token: str) -> bool:
        """Start a step cell; return whether the shell is to run its body now."""
        __tracebackhide__ = True
        self._deliver_interrupt()
        filename = sys._getframe(1).f_code.co_filename  # noqa: SLF001 - under which the cell was compiled
        # Nobody asked where in zennb an interrupt came, and what its frames hold is large: they are let go at once.
        try:
            return self._begin(token, filename)
        except KeyboardInterrupt as interrupt:
            notes = getattr(interrupt, "__notes__", ())
        end_abandoned()
        raise interrupted(notes)

    def _begin(self, token: str, filename: str) -> bool:
        __tracebackhide__ = True
        if self._cell is not None:
            if (
                self._cell.definition.options.retries
                and not self._cell.is_over
                and token not in self._markers
            ):
                return self._cell.begin_again()
            if not self._cell.is_over:
                raise StepRefused(
                    "a step cannot run inside another step; run the two cells one after the other."
                )
            if token not in self._markers:
                return False
        working_folder()  # a step's files are found, and its reads noted, from there
        marker = self._markers.pop(token)
        self.status_lines.hides = None if marker.command_line else self.quiet.hides
        compiler = self.shell.compile
        definition = parse_step_cell(
            marker,
            filename=filename,
            cell=self._cell_id,
            text_annotations=bool(compiler.flags & TEXT_ANNOTATIONS),
            hints=lambda: self.saved_hints.of(
                self.path, self._cell_id, marker.source, autostep=not marker.command_line
            ),
        )
        if (
            definition.text_annotations
        ):  # a reused step is not compiled by the shell, which sees no import then
            compiler.flags |= TEXT_ANNOTATIONS
        stack = definition.options.stack or None
        if (
            not marker.command_line
            and definition.analysis.magics
            and not self.context(stack).orchestrator.in_kernel
        ):
            self.load_named(marker.tree)
            self.need()
            return True  # nobody asked for this step, and it cannot run elsewhere: the cell stays plain
        definition = self.registry.add(definition)
        opened = self.workspace.opened(
            stack
        )  # whether it is still registered like that is asked with the rest
        self._cell = StepCell(self, self._context(opened), definition)
        # The stack was changed by another kernel since it was opened: once more with the new one.
        while not self._cell.decide():
            self._cell = StepCell(self, self.context(stack), definition)
        self._step_depth = self._depth
        runs_here = self._cell.begin()
        if runs_here and marker.command_line == "%%step":
            hide_first_line(filename)
        return runs_here

    def need(self) -> None:
        """Load the outputs that the running cell names, before its first line runs.

        Raises:
            LostOutput: a stored output is missing or damaged, and cannot be made again.
        """
        __tracebackhide__ = True
        self.load(self._needed)
        self.lazy_outputs.let_delete(self._deletes)
        if self._reading is not None:
            self.shown.load(self._text)
            self.shown.check(analyse(self._reading), self._reading)

    def finish(self, _token: str) -> None:
        """End the step whose body has just run."""
        __tracebackhide__ = True
        if self._cell is None:
            return
        with suppress(KeyboardInterrupt):
            self._cell.finish()
            return
        end_abandoned()
        raise interrupted()

    def defined(self, *, is_start: bool) -> None:
        """Note or compare what the step that runs has defined so far."""
        if self._cell is not None:
            self._cell.check_definitions(is_start=is_start)

    def attempt(self) -> _AttemptedBody:
        """Return a block around the body of a step with `--retries`."""
        return _AttemptedBody(lambda: self._cell is not None and self._cell.again())

    def show(self, value: object) -> None:
        """Display a cell's value as IPython would."""
        hook = self.shell.displayhook
        # Only what IPython would keep: not after a `;`, nor what `%%capture` collects.
        if self._cell is not None and value is not None and sys.displayhook is hook and not hook.quiet():
            self._cell.showed(value)
        if sys.displayhook is not self.shell.displayhook:  # `%%capture` has put its own in place
            self.capture.note(value)
        with self.capture.paused():
            sys.displayhook(value)

    # Called by the shell's events

    def mark_step(self, token: str, step: StepMarker) -> None:
        """Note a step cell that is about to run."""
        self._markers = {token: step} if self._depth <= 1 else {**self._markers, token: step}
        self._is_step = True

    def refuse_later(self, error: Exception) -> None:
        """Note why the cell that is about to run could not be transformed; it will call `refuse`."""
        self._refusal = error
        self._is_step = True

    def before_cell(self, info: ExecutionInfo) -> None:
        """Note the cell that is about to run."""
        interrupted_before = self._collect(info.raw_cell or "")
        with uninterrupted(deliver=False) as act:
            request = threading.get_ident(), request_of(self.shell)
            if self._depth and self._has_left(request):
                # An interrupt between two callbacks has kept the shell from telling that a cell ended.
                self._depth = 1
                self._end_cell(None)
            self._depth += 1
            if self._depth == 1:
                note_loaded()
                self.capture.begin()
                self._request = request
                self._cell, self._cell_id = None, getattr(info, "cell_id", None) or ""
                self._is_step = False
                # To tell an error of this cell from an earlier one, see `_shown_error`.
                self._last_shown = getattr(sys, "last_value", None)
                self._streams |= {
                    each: patched(each, sys.modules) for each in STREAMS if each not in self.patches
                }
                self.provenance.cell_begins()
            self._text = info.raw_cell or ""
        # Raised in the cell: here, the shell would show it as an error of this callback, and run the cell.
        self._was_interrupted = act.came or interrupted_before

    def _collect(self, text: str) -> bool:
        """Bind what background runs made that have ended; return whether an interrupt came."""
        # With `--json`, one object is all that a cell shows.
        if self._depth or not self.background.is_following or "--json" in text:
            return False
        try:
            with uninterrupted(deliver=False) as act:
                self.background.collect()
        except KeyboardInterrupt:  # the next cell tries again, and this one is interrupted
            return True
        return act.came

    def _has_left(self, request: tuple[int, object]) -> bool:
        """Whether the outermost cell has ended: its thread answers another request."""
        thread, message = self._request or request
        return thread == request[0] and message != request[1]

    def _deliver_interrupt(self) -> None:
        """Raise the interrupt that came before the cell could be interrupted."""
        __tracebackhide__ = True
        if self._was_interrupted:
            self._was_interrupted = False
            raise interrupted()

    def load_named(self, tree: ast.Module) -> bool:
        """Return whether the running cell, which has this tree, names outputs that are not loaded yet.

        Raises:
            KeyboardInterrupt: it was interrupted before its first line.
        """
        __tracebackhide__ = True
        self._deliver_interrupt()
        lazy_outputs, self._deletes = self.lazy_outputs, frozenset[str]()
        self._needed = set()
        if lazy_outputs.names:
            try:
                analysis = analyse(tree)
            except RecursionError:  # then it may read all of them
                self._needed = lazy_outputs.named_in(self._text)
            else:
                self._needed = lazy_outputs.needed(self._text, tree, analysis)
                self._deletes = analysis.deletes & lazy_outputs.unstored
        self._reading = tree if self.shown.is_named_in(self._text) else None
        return bool(self._needed or self._deletes) or self._reading is not None

    def after_cell(self, result: ExecutionResult | None) -> None:
        """Record a step that failed, and note that variables may have changed."""
        depth = self._depth
        try:
            with uninterrupted(deliver=False):  # there is nothing to interrupt any more, but much to tidy up
                self._end_cell(result)
        except KeyboardInterrupt:
            if self._depth != depth:
                raise  # it took too long
            self.after_cell(result)  # it came on the way into the block

    @warnings_remembered()
    def _end_cell(self, result: ExecutionResult | None) -> None:
        self._depth = max(0, self._depth - 1)
        try:
            self._note_end(result)
        finally:
            if self._depth == 0:
                if self._cell is not None:
                    self._cell.close()
                self._cell, self._is_step, self._request = None, False, None
                self._last_shown = None
                end_abandoned()
                self.frontend.reset()
                # Threads of the next steps follow the settings of the notebook's thread as this cell left them.
                self.environment.settings.note()

    def _note_end(self, result: ExecutionResult | None) -> None:
        result = completed(result, self.shell)
        cell = self._cell
        if cell is not None and not cell.is_over and self._depth >= self._step_depth:
            self.lazy_outputs.mark_used(self._text)  # of a cell that the step runs; the step goes on
        elif cell is not None and not cell.is_over:
            cell.fail(_error_of(result) or self._shown_error())
            self.variables.code_ran()
        elif cell is None:
            self.variables.code_ran()  # a step that completed has digested its outputs itself
            if self._depth == 0:
                self.untracked.note(result)
                self._turned_plain(result)
            self.lazy_outputs.mark_used(self._text)
        if self._depth == 0:
            self.provenance.cell_ended(result, is_plain=cell is None)
        self._note_patches(result)
        if cell is None:
            self._note_library_calls(result)
            error = getattr(result, "error_in_exec", None)
            if self._depth == 0 and (said := error_note(error, self.shell, self.background.hint)):
                self.capture.publish(dict(note(said)._repr_mimebundle_()), {})
        note_cached_functions(self.namespace)
        self.variables.sweep(self.namespace)
        self.lazy_outputs.after_cell()
        self.unstored.sweep()

    def _shown_error(self) -> BaseException | None:
        """Return the error that a magic around the step has shown and kept to itself, as `%%time` of IPython 8 does."""
        shown: BaseException | None = getattr(sys, "last_value", None)
        return None if shown is self._last_shown else shown

    def _turned_plain(self, result: ExecutionResult | None) -> None:
        """Remove the step of a cell that ran as a plain one; not if it has a syntax error."""
        if not self._is_step and result is not None and result.error_before_exec is None:
            self.registry.cell_is_plain(getattr(result.info, "cell_id", None) or "")

    def _note_patches(self, result: ExecutionResult | None) -> None:
        text = getattr(getattr(result, "info", None), "transformed_cell", None) or ""
        if _MAY_PATCH.search(text):
            with suppress(SyntaxError, ValueError, RecursionError, MemoryError):
                found = set(patches_in(ast.parse(text), self.namespace)) - UNDONE_BY_SHELLS
                self.patches |= found
                # As in `sys.stdout = io.StringIO()`, and later `sys.stdout = before`.
                self.patches -= {e for e, was in self._streams.items() if patched(e, sys.modules) is was}

    def _note_library_calls(self, result: ExecutionResult | None) -> None:
        """Note what a plain cell called for its effect on libraries; nothing that it finds odd may reach the cell."""
        text = getattr(getattr(result, "info", None), "transformed_cell", None) or ""
        if not _MAY_CALL.search(text):
            return
        with suppress(Exception):
            calls = calls_of_cell(
                ast.parse(text),
                self.namespace,
                aliases=self.aliases,
                shows=getattr(result, "result", None) is not None,
                origin_of=self.provenance.text_of,
            )
            self.calls.note(calls)


def _error_of(result: ExecutionResult | None) -> BaseException | None:
    if result is None:
        return None
    return result.error_in_exec or result.error_before_exec


class _AttemptedBody:
    """One execution of a step's body, whose error is passed on unless `again` says that the body runs once more."""

    __slots__ = ("_again",)

    def __init__(self, again: Callable[[], bool]) -> None:
        self._again = again

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        return kind is not None and self._again()
