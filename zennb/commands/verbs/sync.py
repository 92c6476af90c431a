"""Owns the command `sync`: sends again what services did not take."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from zennb.commands.data import plain
from zennb.commands.messages import message_view
from zennb.commands.outcome import Context, Outcome
from zennb.commands.syntax import Argument, verb
from zennb.core.secrets.held import HELD
from zennb.core.secrets.texts import KnownSecrets
from zennb.engine.delivery.outbox import Outbox, OutboxMessage, Receiver, deliver_to
from zennb.views.text import plural

if TYPE_CHECKING:
    from zennb.engine.delivery.outbox import SyncReport

__all__ = ["PARTS"]


@verb(
    "send again what services did not take: alerts, what trackers were to be told, models that steps registered",
    Argument("--discard", "delete it instead", type=bool),
    examples=("sync", "sync --discard"),
)
def _sync(context: Context, discard: bool) -> Outcome:
    workspace = context.workspace
    # The library of a service may have to be imported first.
    outbox = Outbox(workspace.home, secrets=KnownSecrets(HELD.values), deadline=60.0)
    if discard:
        count = outbox.discard()
        sentence = f"{plural(count, 'message')} deleted." if count else "There was nothing to be sent."
        return Outcome(view=message_view(sentence), data={"discarded": count}, sentence=sentence)

    notes: list[str] = []

    def send(message: OutboxMessage) -> None:
        component = workspace.component(message.type, message.component)
        note = deliver_to(cast("Receiver", component), message)
        notes.extend([note] if note else [])

    report = outbox.sync(send)
    sentence = context.interface.adapt(" ".join([_said(report), *notes]))
    data = {"sent": report.sent, "kept": [plain(each) for each in report.kept], "notes": notes}
    return Outcome(view=message_view(sentence), data=data, sentence=sentence, code=1 if report.kept else 0)


def _said(report: SyncReport) -> str:
    if not report.sent and not report.kept:
        return "There is nothing to be sent."
    parts = [f"{plural(report.sent, 'message')} sent."]
    if report.kept:
        first = report.kept[0]
        whose = f"{first.type.replace('_', ' ')} '{first.component}'"
        parts.append(
            f"{plural(len(report.kept), 'message')} kept: the {whose} did not take the first, {first.problem}. Try "
            "again later, or delete them with `--discard`."
        )
    return " ".join(parts)


PARTS = (_sync,)
