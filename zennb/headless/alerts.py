"""Owns alerts of runs of notebook files: `zennb run NOTEBOOK --notify ALERTER`."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

from zennb.components.alerter import Alert
from zennb.core.planning.expiry import duration_text
from zennb.core.planning.notify import FAILURE, SUCCESS
from zennb.core.records.records import Status
from zennb.core.secrets.held import HELD
from zennb.core.secrets.texts import KnownSecrets
from zennb.engine.delivery.alerts import AlertSender
from zennb.engine.delivery.outbox import Outbox
from zennb.errors import ZennbError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from zennb.components.alerter import Alerter
    from zennb.headless.execute import Execution
    from zennb.registry.workspace import Workspace

__all__ = ["watched_run"]


@contextmanager
def watched_run(
    workspace: Workspace, notify: Collection[str], notebook: str | Path, *, say: Callable[[str], None]
) -> Iterator[Callable[[Execution | str], None]]:
    """Tell those named with `--notify` how a run ends.

    Args:
        workspace: where alerters are registered.
        notify: what was typed after `--notify`.
        notebook: the file.
        say: shows a sentence to the user.

    Yields:
        A function that takes how the run has ended: its execution, or the error of a sweep, "" for none.

    Raises:
        UsageError: a rule is none.
        UnknownName: there is no such alerter.
    """
    if not notify:
        yield lambda _ended: None
        return
    name, alerts = Path(notebook).name, list[Alert | None]()
    sender = AlertSender(
        lambda alerter: cast("Alerter", workspace.component("alerter", alerter)),
        Outbox(workspace.home, secrets=KnownSecrets(HELD.values)),
        say=say,
    )
    watched = sender.watch(notify, name)
    try:
        yield lambda ended: alerts.append(_alert(name, ended))
    except ZennbError as error:
        alerts.append(Alert(event=FAILURE, title=f"{name} failed", text=error.message))
        raise
    finally:
        watched.end(alerts[-1] if alerts else None)


def _alert(name: str, ended: Execution | str) -> Alert | None:
    """Return the alert for a run that has ended; None for one that was interrupted."""
    if isinstance(ended, str):
        event, word, text = (FAILURE, "failed", ended) if ended else (SUCCESS, "completed", "all variants")
        return Alert(event=event, title=f"{name} {word}", text=text)
    took = f"after {duration_text(round(ended.seconds, 1))}"
    if ended.status.is_good:
        return Alert(
            event=SUCCESS, title=f"{name} {ended.status.value}", text=f"{took}; {len(ended.steps)} steps"
        )
    if ended.status is Status.INTERRUPTED or ended.failure is None:
        return None
    failure = ended.failure
    where = f"cell [{failure.number}]" + (f" (step '{failure.step}')" if failure.step else "")
    text = f"{took}, in {where}: {failure.type}: {failure.message:.1000}"
    return Alert(event=FAILURE, title=f"{name} failed", text=text)
