"""Owns the verbs `runs attach` and `runs stop`: seeing what a background run shows, and ending it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from zennb.commands.data import plain
from zennb.commands.json_envelope import FAILED, INTERRUPTED
from zennb.commands.outcome import Context, Outcome
from zennb.commands.syntax import Argument, verb
from zennb.core.records.log import event_text
from zennb.core.records.records import Run, Status
from zennb.engine.background.attach import attach, is_background, last_words, stop_run, with_progress
from zennb.engine.run.run_log import run_log
from zennb.errors import UnknownName, UsageError
from zennb.views.background import ended, started, step_line
from zennb.views.log import log
from zennb.views.text import plural
from zennb.views.view import View, note

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from zennb.engine.background.run_files import Entry
    from zennb.registry.workspace import Workspace

__all__ = ["ID", "attach_verb", "find_run", "started_outcome", "stop_verb"]

ID = Argument("ID", "a run's number, as lists show it", required=True, kind="run")

_IN_BACKGROUND = Argument(
    "ID", "a run's number, as lists show it; by default the one that runs in the background", kind="run"
)

_RECENT = 20
"""Numbers of runs among which the nearest known one is looked for."""


def find_run(context: Context, text: str) -> Run:
    """Return the run with a number.

    Raises:
        UnknownName: there is no such run.
    """
    metadata = context.workspace.metadata
    found = metadata.run(int(text)) if text.isdecimal() and len(text) < 16 else None
    if found is None:
        known = [str(run) for run in metadata.run_ids(limit=_RECENT)]
        raise UnknownName("run", text, known)
    return found


def started_outcome(context: Context, run: Run, workspace: Workspace) -> Outcome:
    """Return the outcome of a command that has started a run in the background."""
    (shown,) = with_progress(workspace, [run])
    view = started(run, list(shown.names))
    return Outcome(view=View(context.interface.adapt(view.text), view.html), data=plain(run))


@verb(
    "show the output of a run that was started with --background, as it comes, until it ends",
    _IN_BACKGROUND,
    examples=("runs attach 12", "runs attach"),
    name="attach",
)
def attach_verb(context: Context, id: str | None) -> Outcome:  # noqa: A002 - the argument's name
    """Show the output of a run in the background, until it ends or this is interrupted."""
    workspace = context.workspace
    run = _running(context, "give the number of one that has ended") if id is None else find_run(context, id)
    entries = attach(workspace, run)
    if not is_background(workspace, run):
        found = run_log(workspace, run)
        events = [dict(event) for each in found.steps for event in each.events]
        return Outcome(view=log(found), data={**plain(run), "events": events}, code=_code(run))
    if context.session is not None:
        context.session.follow(run)
    shown = _Shown(context)
    try:
        for entry in entries:
            shown.entry(entry)
    except KeyboardInterrupt:
        sentence = f"run {run.id} goes on in the background; `%runs attach {run.id}` shows it again."
        return Outcome(view=note(context.interface.adapt(sentence)), data=plain(_now(context, run)))
    run = _now(context, run)
    if words := last_words(workspace, run):
        shown.text(words)
    is_said = context.session is not None and run.id in context.session.collect()
    return Outcome(
        view=None if is_said else _ended(context, run),
        data={**plain(run), "events": shown.events},
        code=_code(run),
    )


@verb(
    "end a run that was started with --background; what its steps have finished stays",
    _IN_BACKGROUND,
    examples=("runs stop 12", "runs stop"),
    name="stop",
)
def stop_verb(context: Context, id: str | None) -> Outcome:  # noqa: A002 - as above
    """Stop a run in the background."""
    before = _running(context, "there is none to end") if id is None else find_run(context, id)
    run = stop_run(context.workspace, before)
    if before.status.is_final:
        sentence = f"run {run.id} has ended already ({run.status.value})."
        return Outcome(view=note(sentence), data=plain(run), sentence=sentence)
    good = sum(run.steps.get(status.value, 0) for status in Status if status.is_good)
    stays = f"what {plural(good, 'step')} made stays" if good else ""
    view = _ended(context, run, [stays] if stays else [])
    if context.session is None or run.id not in context.session.collect():
        return Outcome(view=view, data=plain(run), sentence=view.text)
    # What was bound of it has been said, and how it ended.
    return Outcome(view=note(stays) if stays else None, data=plain(run), sentence=view.text)


def _ended(context: Context, run: Run, remarks: Sequence[str] = ()) -> View:
    view = ended(run, remarks=remarks)
    return View(context.interface.adapt(view.text), view.html)


def _running(context: Context, otherwise: str) -> Run:
    """Return the only run that goes on in the background.

    Args:
        context: where the command was typed.
        otherwise: what to do, or why there is nothing to do, if there is none.

    Raises:
        UsageError: there is none, or more than one.
    """
    workspace, line = context.workspace, context.command_line
    found = workspace.metadata.runs(status=Status.RUNNING, nested=True, limit=_RECENT)
    numbers = [str(run.id) for run in found if is_background(workspace, run)]
    if not numbers:
        raise UsageError(f"{line}: no run is in the background now; {otherwise}.")
    if len(numbers) > 1:
        listed = f"{', '.join(numbers[:-1])} and {numbers[-1]}"
        raise UsageError(
            f"{line}: runs {listed} are in the background; type `{line} {numbers[0]}` for one of them."
        )
    return find_run(context, numbers[0])


def _now(context: Context, run: Run) -> Run:
    return find_run(context, str(run.id))


def _code(run: Run) -> int:
    if run.status is Status.INTERRUPTED:
        return INTERRUPTED
    return 0 if run.status.is_good else FAILED


class _Shown:
    """Shows the output of a run where the command was typed; with `--json`, only collects it.

    Args:
        context: where the command was typed.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self.events: list[dict[str, Any]] = []
        self._step = ""
        self._is_at_start = True  # of a line, in a terminal

    def entry(self, entry: Entry) -> None:
        """Show one entry."""
        if entry["kind"] == "output":
            self.events.append({"step": entry["step"], **entry["event"]})
        if self._context.is_json:
            return
        if entry["kind"] == "output":
            if entry["step"] != self._step:
                self._view(note(f"── {entry['step']} ──"))
                self._step = entry["step"]
            self._event(entry["event"])
        elif entry["status"] != Status.RUNNING.value:
            self._view(step_line(entry))
            self._step = ""

    def text(self, text: str) -> None:
        """Show text that the process of the run has written past its steps."""
        self.entry(
            {
                "kind": "output",
                "step": "the process",
                "event": {"kind": "stream", "name": "stderr", "text": text},
            }
        )

    def _event(self, event: Mapping[str, Any]) -> None:
        if event["kind"] == "result":  # here it is not what the cell returns
            event = {
                "kind": "display",
                "id": "",
                "update": False,
                **{k: event[k] for k in ("data", "metadata")},
            }
        if event["kind"] == "prompt":
            return
        if self._context.session is not None:
            self._context.session.emit(dict(event))
        else:
            self._write(event_text(event, live=True))

    def _view(self, view: View) -> None:
        if self._context.session is not None:
            data = dict(view._repr_mimebundle_())
            self._context.session.emit(
                {"kind": "display", "data": data, "metadata": {}, "id": "", "update": False}
            )
        else:
            self._write(f"{'' if self._is_at_start else chr(10)}{view.text}\n")

    def _write(self, text: str) -> None:
        if not text:
            return
        encoding = sys.stdout.encoding or "utf-8"
        sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
        sys.stdout.flush()
        self._is_at_start = text.endswith("\n")
