"""Owns the command `deployment`: models that are served over HTTP, each in a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.commands.data import plain
from zennb.commands.interface import Interface
from zennb.commands.messages import message_view
from zennb.commands.outcome import Context, Outcome
from zennb.commands.syntax import Argument, Command, verb
from zennb.lifecycle.deployments import deployments, find_deployment
from zennb.views import deployment as deployment_view
from zennb.views.markup import block, box
from zennb.views.text import clean_block
from zennb.views.view import View

if TYPE_CHECKING:
    from zennb.core.records.models import Deployment

__all__ = ["PARTS", "deployment_outcome"]

NAME = Argument("NAME", "the deployment", required=True, kind="deployment")


def deployment_outcome(context: Context, found: Deployment, sentence: str = "") -> Outcome:
    """Return a deployment as an outcome, with the command line that asks it if it runs."""
    deployer, _ = find_deployment(context.workspace, found.name)
    has_token = bool(deployer.token(found.name))
    command = deployment_view.asking(found, path=deployer.predictions, has_token=has_token)
    is_running = found.state == "running"
    view = deployment_view.deployment(found, command=command if is_running else "", sentence=sentence)
    return Outcome(view=view, data={**plain(found), "command": command}, sentence=sentence)


@verb(
    "list the deployments: what they serve, whether they are alive, and how many requests they answered",
    examples=("deployment list",),
)
def _list(context: Context) -> Outcome:
    found = deployments(context.workspace)
    return Outcome(view=deployment_view.deployments(found), data=plain(found))


@verb(
    "show a deployment, and how to ask it",
    NAME,
    examples=("deployment show classifier",),
)
def _show(context: Context, name: str) -> Outcome:
    return deployment_outcome(context, find_deployment(context.workspace, name)[1])


@verb(
    "show what the process of a deployment has written",
    NAME,
    Argument(
        "--lines", "at most so many lines, the last ones; 100 by default", type=int, default=100, word="N"
    ),
    examples=("deployment logs classifier",),
)
def _logs(context: Context, name: str, lines: int) -> Outcome:
    deployer, _ = find_deployment(context.workspace, name)
    every = deployer.logs(name).splitlines()
    text = clean_block("\n".join(every[max(0, len(every) - lines) :])) or "nothing is written yet"
    return Outcome(view=View(text, box(block(text))), data={"name": name, "log": text})


@verb(
    "start a deployment that was stopped or has died: the same model, port and token",
    NAME,
    examples=("deployment start classifier",),
)
def _start(context: Context, name: str) -> Outcome:
    deployer, before = find_deployment(context.workspace, name)
    found = deployer.start(name)
    done = "runs already" if before.state == "running" else "is started"
    return deployment_outcome(context, found, f"deployment '{name}' {done}.")


@verb(
    "stop a deployment; it can be started again",
    NAME,
    examples=("deployment stop classifier",),
)
def _stop(context: Context, name: str) -> Outcome:
    deployer, before = find_deployment(context.workspace, name)
    found = deployer.stop(name)
    is_new = before.state in {"running", "not answering"}
    again = f"`%deployment start {name}` starts it again"
    sentence = f"deployment '{name}' {'is stopped' if is_new else f'was {before.state}'}; {again}."
    return Outcome(view=message_view(context.interface.adapt(sentence)), data=plain(found), sentence=sentence)


@verb(
    "stop a deployment and forget it, with its token and its log; the model stays",
    NAME,
    examples=("deployment delete classifier",),
)
def _delete(context: Context, name: str) -> Outcome:
    deployer, found = find_deployment(context.workspace, name)
    deployer.delete(name)
    sentence = f"deployment '{name}' is stopped and deleted; the model {found.label} stays."
    return Outcome(view=message_view(sentence), data=plain(found), sentence=sentence)


@verb(
    "print the token of a deployment, for scripts; a notebook would keep it in its output",
    NAME,
    examples=("deployment token classifier",),
    interfaces=frozenset({Interface.TERMINAL}),
)
def _token(context: Context, name: str) -> Outcome:
    deployer, _ = find_deployment(context.workspace, name)
    token = deployer.token(name)
    return Outcome(view=View(token, block(token)), data={"name": name, "token": token})


PARTS = (
    Command(
        name="deployment",
        help="deployments: models that are served over HTTP, each in a process of its own",
        default="list",
        examples=("deployment list", "deployment logs classifier", "deployment stop classifier"),
        parts=(_list, _show, _logs, _start, _stop, _delete, _token),
    ),
)
