"""Owns `NotebookRunner`: running one notebook in one kernel, interrupting it, and ending the kernel."""

from __future__ import annotations

import ast
import asyncio
import re
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from zennb.core.records.records import Failure, Status
from zennb.errors import StepRefused, UsageError
from zennb.headless.parameters import TEXTS, fit, fitting
from zennb.headless.read import runs
from zennb.headless.step_line import StepLine, step_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

__all__ = ["NotebookRunner"]

ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
DISPLAYS = {"display_data", "update_display_data", "execute_result"}
STDERR = 2
"""The descriptor of this process's standard error."""
GRACE = 5.0
"""Seconds that an interrupted cell has to end by itself before its kernel is ended."""


class NotebookRunner(NotebookClient):
    """Runs the cells of a document in a kernel, writing outputs into it; use once.

    Attributes:
        status: how it ended.
        failures: position in the notebook → what the cell raised; not of cells tagged `raises-exception`.
        started: how many cells were started.
        terminated: the signal that asked this process to end during the run, to be raised again afterwards.
    """

    def __init__(
        self,
        node: Any,
        *,
        manager: Any,
        folder: Path,
        env: Mapping[str, str],
        on_start: Callable[[int], None],
        on_step: Callable[[int, StepLine], None],
        on_output: Callable[[int, Any], None] | None = None,
        timeout: float | None,
        allow_errors: bool,
    ) -> None:
        super().__init__(
            node,
            km=manager,
            allow_errors=allow_errors,
            record_timing=False,
            timeout_func=lambda _cell: timeout,
            on_cell_error=self._note,
        )
        self._manager, self._folder, self._env = manager, folder, dict(env)
        self._on_start, self._on_step, self._seconds = on_start, on_step, timeout
        self._on_output = on_output
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._execution: asyncio.Future[Any] | None = None
        self._unanswered: asyncio.TimerHandle | None = None
        self._silent = False
        self._busy = self._interrupted = self._stopping = False
        self._current = ""
        self.status = Status.RUNNING
        self.failures: dict[int, Failure] = {}
        self.started = 0
        self.terminated: signal.Signals | None = None

    # ------------------------------------------------------------------ the run

    async def run(self) -> None:
        """Start the kernel, run the cells, end the kernel; `status` and `failures` say how it went.

        Raises:
            StepRefused: the kernel did not start.
        """
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        with self._signals():
            try:
                await self._start()
                await self._cells()
            except asyncio.CancelledError:
                if not self._stopping:
                    raise
            finally:
                await self._end(now=self._stopping)
        self.status = self._final_status()

    async def _start(self) -> None:
        try:
            # Output that code writes directly to the descriptor must not mix with the caller's stdout.
            await self.async_start_new_kernel(cwd=str(self._folder), env=self._env, stdout=STDERR)
            client = await self.async_start_new_kernel_client()
            client.session.msg = self._with_cell(client.session.msg)
            info = await self.async_wait_for_reply(client.kernel_info())
        except (RuntimeError, OSError) as error:
            raise StepRefused(
                f"the kernel did not start, so no cell ran: {error}. Its own messages are above; "
                "`python -m ipykernel_launcher` shows whether a kernel starts at all here."
            ) from error
        if info is not None:
            self.nb.metadata["language_info"] = info["content"]["language_info"]

    def _with_cell(self, message: Callable[..., Any]) -> Callable[..., Any]:
        """Send the cell id with each request, as JupyterLab does and nbclient does not."""

        def with_cell_id(kind: str, *content: Any, metadata: Any = None, **more: Any) -> Any:
            if kind == "execute_request" and self._current:
                metadata = {**(metadata or {}), "cellId": self._current}
            return message(kind, *content, metadata=metadata, **more)

        return with_cell_id

    async def _cells(self) -> None:
        for position, cell in enumerate(self.nb.cells):
            if runs(cell):
                self.started += 1
                self._on_start(position)
                await self._cell(position, cell)
                if self._interrupted or (position in self.failures and not self.allow_errors):
                    break
        self.set_widgets_metadata()

    async def _cell(self, position: int, cell: Any) -> None:
        self._busy = True
        self._current = str(cell.get("id", ""))
        try:
            if (unfit := await self._fit(cell)) is not None:
                self._end_cell(position, UsageError.__name__, unfit)
                return
            self._execution = asyncio.ensure_future(
                self.async_execute_cell(cell, position, execution_count=self.started)
            )
            await self._execution
        except CellExecutionError:
            pass  # `_note` has it already
        except CellTimeoutError:
            self._end_cell(position, "TimeoutError", f"the cell ran longer than {self._seconds:g} s")
        except DeadKernelError:
            await self._lost(position)
        finally:
            self._busy = False
            self._forget_deadline()
            if self._unanswered is not None:
                self._unanswered.cancel()

    async def _fit(self, cell: Any) -> str | None:
        """Fit parameters to the values that they replace, now that these exist; return what is wrong with one."""
        asked = fitting(cell)
        if not asked or self.kc is None:
            return None
        del cell.metadata[TEXTS]
        request = self.kc.execute("", silent=True, store_history=False, user_expressions=asked)
        reply = await self.async_wait_for_reply(request)
        answers = {} if reply is None else reply["content"].get("user_expressions", {})
        sources = {name: each["data"]["text/plain"] for name, each in answers.items() if "data" in each}
        fit(cell, {name: ast.literal_eval(source) for name, source in sources.items()})
        failed = (_unfit(name, answers.get(name, {})) for name in asked if name not in sources)
        return next(filter(None, failed), None)

    def _give_up(self) -> None:
        """End the wait for a cell that the kernel is done with: where compiling fails, ipykernel answers nothing."""
        if self._execution is not None and not self._execution.done():
            self._silent = True
            self._execution.cancel()

    async def _lost(self, position: int) -> None:
        if self._silent:
            text = (
                "the kernel could not compile this cell, and gave no answer; is its code nested too deeply?"
            )
            self._end_cell(position, "NoAnswer", text)
            return
        if self._stopping:  # nbclient reports our own cancelling as a dead kernel
            raise asyncio.CancelledError
        text = "the kernel died while this cell ran: out of memory, a crash in compiled code, or an exit()"
        self._end_cell(position, "DeadKernel", text)

    def _end_cell(self, position: int, kind: str, message: str) -> None:
        self.failures[position] = Failure(type=kind, message=message)
        self.allow_errors = False  # nothing can follow: this kernel is lost

    def _note(self, *, cell: Any, cell_index: int, execute_reply: Any) -> None:
        content = execute_reply["content"]
        if "raises-exception" not in cell.metadata.get("tags", ()) or self._interrupted:
            self.failures[cell_index] = Failure(
                type=str(content.get("ename", "")),
                message=ANSI.sub("", str(content.get("evalue", ""))),
                traceback=ANSI.sub("", "\n".join(content.get("traceback") or ())),
            )

    def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
        """Take a message from the kernel; the results of steps are passed on before it becomes an output."""
        if msg["msg_type"] in DISPLAYS:
            for line in step_lines(msg["content"].get("metadata") or {}):
                self._on_step(cell_index, line)
        if self._on_output is not None:
            self._on_output(cell_index, msg)
        if (
            msg["msg_type"] == "status"
            and msg["content"].get("execution_state") == "idle"
            and self._loop is not None
        ):
            self._unanswered = self._loop.call_later(GRACE, self._give_up)  # the answer was sent before this
        return super().process_message(msg, cell, cell_index)

    def _final_status(self) -> Status:
        if self._stopping or self._interrupted:
            return Status.INTERRUPTED
        return Status.FAILED if self.failures else Status.COMPLETED

    async def _end(self, *, now: bool) -> None:
        self._forget_deadline()
        # Also after an error: no kernel may outlive the run. With `now` it is killed.
        if await self._manager.is_alive():
            await self._manager.shutdown_kernel(now=now)
        await self._manager.cleanup_resources()
        if self.kc is not None:
            self.kc.stop_channels()

    # ------------------------------------------------------------------ interrupts

    def interrupt(self) -> None:
        """Interrupt the running cell, from any thread; the second time, or between cells, end the kernel."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._interrupt)

    def _interrupt(self) -> None:
        # Between cells there is nothing to interrupt; a second Ctrl-C means that the first was not enough.
        if self._interrupted or not self._busy:
            self._stop()
            return
        assert self._loop is not None
        self._interrupted = True
        # Kept, because the loop holds tasks only weakly: it could be collected before it has run.
        self._interrupting = self._loop.create_task(self._manager.interrupt_kernel())
        self._deadline = self._loop.call_later(GRACE, self._stop)

    def _stop(self) -> None:
        if self._task is not None and not self._stopping:
            self._stopping = True
            self._task.cancel()

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _terminate(self, number: signal.Signals) -> None:
        self.terminated = number
        self._stop()

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Take Ctrl-C and requests to end, where this is the main thread; what was ignored stays ignored."""
        taken: list[signal.Signals] = []
        assert self._loop is not None
        try:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                if signal.getsignal(number) is not signal.SIG_IGN:
                    # Through the loop instead of a Python handler, which would raise at any instruction, also
                    # while the kernel is ended.
                    call = (self._interrupt,) if number is signal.SIGINT else (self._terminate, number)
                    self._loop.add_signal_handler(number, *call)
                    taken.append(number)
        except (ValueError, RuntimeError):
            taken.clear()  # not the main thread: the caller uses `interrupt`
        try:
            yield
        finally:
            for number in taken:
                self._loop.remove_signal_handler(number)


def _unfit(name: str, answer: Mapping[str, Any]) -> str:
    """Return why a parameter could not be fitted; "" where it replaces nothing."""
    kind, message = str(answer.get("ename", "NoAnswer")), str(answer.get("evalue", ""))
    if kind == UsageError.__name__:
        return message
    if kind == NameError.__name__:  # the notebook has not bound it, so any value fits
        return ""
    return f"parameter '{name}' cannot be compared with its value in the notebook ({kind}: {message})."
