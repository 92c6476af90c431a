"""Owns the command `annotate`: people label the items of a variable, in the notebook or in a terminal."""

from __future__ import annotations

import os
import socket
import sys
import time
from functools import partial
from typing import TYPE_CHECKING

from zennb import api
from zennb.commands.interface import Interface
from zennb.commands.messages import message_view
from zennb.commands.outcome import Context, Outcome
from zennb.commands.syntax import Argument, Verb
from zennb.commands.terminal_labeller import TerminalLabeller
from zennb.core.records.records import Run, Status
from zennb.core.secrets.held import HELD
from zennb.core.secrets.texts import KnownSecrets
from zennb.digests.digest import digest_value
from zennb.engine.run.artifact_repository import ArtifactRepository
from zennb.engine.run.kept_labels import KeptLabels, label_step
from zennb.engine.run.saved_output import known_in
from zennb.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zennb.components.annotator import LabelTask
    from zennb.registry.workspace import Workspace

__all__ = ["PARTS"]

_INTERRUPTED = 130


def _annotate(
    context: Context, variable: str, labels: Sequence[str], as_: str | None, annotator: str | None = None
) -> Outcome:
    target = as_ or f"{variable}_labels"
    if not target.isidentifier():
        raise UsageError(f"{context.command_line}: `--as {target}` is no name of a variable.")
    if context.interface is Interface.TERMINAL:
        return _in_terminal(context, variable, labels, target)
    if context.session is None:
        raise UsageError("there is no notebook session here yet; type `%load_ext zennb` first.")
    view = context.session.annotate(variable, labels=labels, target=target, annotator=annotator or "")
    return Outcome(view=view, data={"target": target})


def _in_terminal(context: Context, variable: str, labels: Sequence[str], target: str) -> Outcome:
    """Label the items of an artifact, as the labeller of the notebook that made it does."""
    workspace, started = context.workspace, time.time()
    artifact = api.find_artifact(workspace, variable)
    producer = workspace.metadata.producer(artifact)
    notebook = "" if producer is None else producer.notebook
    kept = KeptLabels(workspace.home, notebook, target)
    value = api.load_artifact(workspace, artifact)
    task = kept.task(variable, value, labels, command=context.command_line)
    # With `--json` the answer alone is on standard output.
    show = _show_error if context.is_json else context.say
    is_interrupted = False
    try:
        TerminalLabeller(task, read=partial(_read, context), show=show).run()
    except KeyboardInterrupt:
        is_interrupted = True
    task.labels[:] = kept.labels()
    sentence, version = _record(workspace, task, notebook=notebook, started=started)
    data = {"target": target, "version": version, "labelled": task.done, "items": len(task.items)}
    return Outcome(
        view=message_view(sentence), data=data, sentence=sentence, code=_INTERRUPTED if is_interrupted else 0
    )


def _record(
    workspace: Workspace, task: LabelTask, *, notebook: str, started: float
) -> tuple[str, int | None]:
    """Make a version of the labels; return what was done, and the version's number."""
    value = list(task.labels)
    seen = digest_value(value, name=task.target)
    latest = workspace.metadata.artifact(task.target, notebook=notebook or None)
    if latest is not None and latest.digest == seen.digest:  # nothing was labelled: this is no run
        return f"{latest.label}: {task.done} of {len(task.items)} labelled.", latest.version
    stack = workspace.open()
    repository = ArtifactRepository(
        store=stack.store,
        scope=api.scope(),
        signer=workspace.signer,
        secrets=KnownSecrets(HELD.values),
        known=known_in(workspace.metadata),
    )
    saved = repository.save({task.target: (value, seen)})
    step = label_step(
        task, saved.artifacts, notebook=notebook, started=started, seconds=time.time() - started
    )
    run = Run(
        kind="session",
        notebook=notebook,
        stack=stack.spec,
        status=Status.COMPLETED,
        started=started,
        seconds=step.seconds,
        host=socket.gethostname(),
        process=os.getpid(),
    )
    recorded = workspace.metadata.add(step, run=run).outputs.get(task.target)
    if recorded is None:
        return f"The labels are kept, but no version can be stored: {saved.refused[task.target]}.", None
    return f"{recorded.label}: {task.done} of {len(task.items)} labelled.", recorded.version


def _read(context: Context) -> str:
    """Return the next line of standard input, "" at its end; a prompt is shown to people only."""
    try:
        if sys.stdin.isatty() and not context.is_json:
            sys.stdout.write("> ")
            sys.stdout.flush()
        return sys.stdin.readline()
    except (OSError, ValueError, AttributeError):  # it is closed, or there is none
        return ""


def _show_error(line: str) -> None:
    sys.stderr.write(f"{line}\n")


PARTS = (
    Verb(
        name="annotate",
        help="label the texts, images or rows of a variable by hand; it goes on where it stopped",
        run=_annotate,
        arguments=(
            Argument(
                "VARIABLE",
                "the variable with the items; in a terminal, the artifact",
                required=True,
                kind="variable",
            ),
            Argument("--labels", "the labels to choose from; by default those of the last time", type=tuple),
            Argument("--as", "bind the labels to this name; VARIABLE_labels by default", word="NAME"),
            Argument(
                "--annotator",
                "the annotator to use; by default that of the stack, else the panel in the notebook",
                kind="annotator",
                word="NAME",
                interfaces=frozenset({Interface.MAGIC}),
            ),
        ),
        examples=("annotate images --labels cat,dog", "annotate reviews --labels good,bad --as ratings"),
    ),
)
