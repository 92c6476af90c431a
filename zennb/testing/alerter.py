"""Owns the contract of alerters, as tests: inherit `AlerterContract` and define its fixtures."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest

from zennb.components.alerter import Alert, Alerter
from zennb.testing.component import ComponentContract

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["AlerterContract"]

ALERT = Alert(
    event="failure", title="step 'train' failed", text="after 3s, ValueError: “bad”\nvalue (run 12)"
)


class AlerterContract(ComponentContract):
    """The contract of every alerter.

    Fixtures to define:
        alerter: a configured alerter.
        received: a function that returns, as one text, all that was delivered until now.
        broken: an alerter of the flavor that cannot deliver anything.
    """

    @pytest.fixture
    def alerter(self) -> Alerter:
        """Return the alerter to test."""
        pytest.fail("Give a fixture `alerter` that returns a configured alerter.")

    @pytest.fixture
    def received(self) -> Callable[[], str]:
        """Return a function that returns what was delivered."""
        pytest.fail("Give a fixture `received` that returns what was delivered, as a function.")

    @pytest.fixture
    def broken(self) -> Alerter:
        """Return an alerter that cannot deliver anything."""
        pytest.fail("Give a fixture `broken` that returns an alerter which cannot deliver anything.")

    @pytest.fixture
    def component(self, alerter: Alerter) -> Alerter:
        """Apply the tests of every component to the alerter."""
        return alerter

    def test_what_is_sent_arrives_with_its_title_and_text(
        self, alerter: Alerter, received: Callable[[], str]
    ) -> None:
        alerter.send(ALERT)
        assert "step 'train' failed" in received()
        assert "ValueError: “bad”" in received()

    def test_a_message_from_the_outbox_arrives_too(
        self, alerter: Alerter, received: Callable[[], str]
    ) -> None:
        alerter.deliver(asdict(ALERT))
        assert "step 'train' failed" in received()

    def test_it_raises_when_nothing_is_delivered(self, broken: Alerter) -> None:
        with pytest.raises(Exception, match=r"\w"):
            broken.send(ALERT)

    def test_several_threads_may_send(self, alerter: Alerter, received: Callable[[], str]) -> None:
        alerts = [Alert(event="success", title=f"message {n:02}", text="text") for n in range(20)]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(alerter.send, alerts))
        assert all(alert.title in received() for alert in alerts)

    def test_a_pickled_alerter_sends_as_well(self, alerter: Alerter, received: Callable[[], str]) -> None:
        twin: Alerter = pickle.loads(pickle.dumps(alerter))
        twin.send(ALERT)
        assert "step 'train' failed" in received()

    def test_a_notice_is_a_text(self, alerter: Alerter) -> None:
        assert isinstance(alerter.notice(ALERT), str)
