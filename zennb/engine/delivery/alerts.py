"""Owns alerts of steps and runs (`--notify`): when they are sent, what they say, and that they never fail anything."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING

from zennb.components.alerter import Alert
from zennb.core.planning.expiry import duration_text
from zennb.core.planning.notify import FAILURE, RUNNING, SUCCESS, parse_notify
from zennb.core.records.records import Status
from zennb.engine.delivery.outbox import OutboxMessage, deliver_to
from zennb.errors import InvalidConfiguration, MissingExtra

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from zennb.components.alerter import Alerter
    from zennb.core.planning.notify import NotifyRule
    from zennb.core.records.records import Run, Step
    from zennb.engine.delivery.outbox import Outbox

__all__ = ["NOT_WATCHED", "AlertSender", "Watched", "run_alert", "step_alert"]


class AlertSender:
    """Sends alerts for a process.

    Args:
        find: returns an alerter by its name, or raises UnknownName.
        outbox: keeps what is not delivered.
        say: shows a sentence to the user.
    """

    def __init__(self, find: Callable[[str], Alerter], outbox: Outbox, *, say: Callable[[str], None]) -> None:
        self._find, self._outbox, self._say = find, outbox, say

    def watch(self, notify: Iterable[str], what: str) -> Watched:
        """Begin to watch a step or run.

        Args:
            notify: what was typed after `--notify`.
            what: the step or run: `step 'train' of study.ipynb`.

        Raises:
            UsageError: a rule is none.
            UnknownName: there is no such alerter.
        """
        rules = parse_notify(notify)
        for rule in rules:
            with suppress(MissingExtra, InvalidConfiguration):  # said when there is something to send
                self._find(rule.alerter)
        return Watched(self, rules, what)

    def send(self, name: str, alert: Alert) -> str:
        """Send an alert; return what is to be said of it, "" for nothing. It raises nothing."""
        message = OutboxMessage(type="alerter", component=name, payload=asdict(alert))
        problem = self._outbox.deliver(message, lambda sent: deliver_to(self._find(name), sent))
        failure = self._outbox.sentence(message, f"the alert to '{name}' was not delivered", problem)
        return failure if problem else self._find(name).notice(alert)

    def say(self, sentence: str) -> None:
        """Show a sentence to the user."""
        self._say(sentence)


class Watched:
    """A step or run that somebody wants to be told of.

    Args:
        sender: sends the alerts; None for a step or run that nobody wants to be told of.
        rules: who is told of what.
        what: the step or run.
    """

    def __init__(
        self, sender: AlertSender | None = None, rules: Iterable[NotifyRule] = (), what: str = ""
    ) -> None:
        self._sender, self._rules, self._lock = sender, tuple(rules), threading.Lock()
        self._said: list[str] = []
        self._timers = [
            threading.Timer(rule.after, self._still_running, (sender, rule, what))
            for rule in self._rules
            if rule.after is not None and sender is not None
        ]
        for timer in self._timers:
            timer.daemon = True
            timer.start()

    def _still_running(self, sender: AlertSender, rule: NotifyRule, what: str) -> None:
        spent = duration_text(rule.after or 0.0)
        alert = Alert(
            event=RUNNING, title=f"{what} is still running", text=f"it has been running for {spent}."
        )
        said = sender.send(rule.alerter, alert)
        with self._lock:
            self._said += [said] if said else []

    def end(self, alert: Alert | None) -> None:
        """Stop watching, and send an alert to those who want to be told of its event; None for an end without one."""
        for timer in self._timers:
            timer.cancel()
        if self._sender is None:
            return
        for rule in self._rules:
            if alert is not None and alert.event in rule.events:
                said = self._sender.send(rule.alerter, alert)
                self._said += [said] if said else []
        with self._lock:
            said, self._said = "\n".join(self._said), []
        if said:
            self._sender.say(said)


NOT_WATCHED = Watched()


def step_alert(step: Step | None) -> Alert | None:
    """Return the alert for a step that has ended; None for one that was reused, skipped or interrupted."""
    if step is None:
        return None
    of = f" of {step.notebook}" if step.notebook else ""
    where = f" (run {step.run})" if step.run is not None else ""
    took = f"after {_seconds(step.seconds)}"
    if step.status is Status.COMPLETED:
        outputs = f", → {', '.join(step.outputs)}" if step.outputs else ""
        return Alert(event=SUCCESS, title=f"step '{step.name}'{of} completed", text=f"{took}{outputs}{where}")
    if step.status is Status.FAILED and step.failure is not None:
        why = f"{step.failure.type}: {step.failure.message}"
        return Alert(
            event=FAILURE, title=f"step '{step.name}'{of} failed", text=f"{took}, {why:.1000}{where}"
        )
    return None


def run_alert(run: Run, steps: Iterable[Step], what: str) -> Alert | None:
    """Return the alert for a run that has ended; None for one that was interrupted.

    Args:
        run: its record.
        steps: the records of its steps.
        what: the run: `the pipeline of study.ipynb`.
    """
    known = list(steps)
    tally = [f"{sum(s.status is each for s in known)} {each.value}" for each in Status]
    counted = ", ".join(text for text in tally if not text.startswith("0 "))
    facts = f"after {_seconds(run.seconds)}; {counted or 'no steps'}"
    where = f" (run {run.id})" if run.id is not None else ""
    if run.status.is_good:
        return Alert(event=SUCCESS, title=f"{what} {run.status.value}", text=f"{facts}{where}")
    if run.status is Status.FAILED:
        failed = next((each for each in known if each.failure is not None), None)
        why = ""
        if failed is not None and failed.failure is not None:
            why = f"; step '{failed.name}': {failed.failure.type}: {failed.failure.message:.1000}"
        return Alert(event=FAILURE, title=f"{what} failed", text=f"{facts}{why}{where}")
    return None


def _seconds(seconds: float) -> str:
    return duration_text(round(seconds, 1) if seconds < 60 else round(seconds))
