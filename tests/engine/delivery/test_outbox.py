"""The outbox: what was not delivered is kept, sent again in order, bounded, and holds no secrets."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING

import pytest

from zennb.components.alerter import Alert, Alerter
from zennb.components.component import SecretRef
from zennb.core.secrets.texts import KnownSecrets
from zennb.engine.delivery import delivered_log
from zennb.engine.delivery import outbox as module
from zennb.engine.delivery.outbox import Outbox, OutboxMessage, deliver_to, give_back

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "c4nary-7f3a-9921-zz"


def _message(text: str = "hello", component: str = "team") -> OutboxMessage:
    return OutboxMessage(type="alerter", component=component, payload={"text": text})


def _fail(_message: OutboxMessage) -> None:
    raise ConnectionError("no route to host.")


class _Service:
    """Takes messages, except for components that are down."""

    def __init__(self, *down: str) -> None:
        self.down, self.taken = set(down), list[str]()

    def __call__(self, message: OutboxMessage) -> None:
        if message.component in self.down:
            raise ConnectionError("down")
        self.taken.append(message.payload["text"])


def test_what_is_delivered_leaves_nothing(tmp_path: Path) -> None:
    box, service = Outbox(tmp_path), _Service()
    assert box.deliver(_message(), service) == ""
    assert service.taken == ["hello"]
    assert list((tmp_path / "outbox").iterdir()) == []


def test_what_is_not_delivered_is_kept_and_sent_again_in_order(tmp_path: Path) -> None:
    box = Outbox(tmp_path)
    assert [box.deliver(_message(text), _fail) for text in ("one", "two", "three")] == [
        "no route to host"
    ] * 3
    assert [(each.attempts, each.problem) for each in box.pending()] == [(1, "no route to host")] * 3
    service = _Service()
    report = Outbox(tmp_path).sync(service)
    assert (service.taken, report.sent, report.kept) == (["one", "two", "three"], 3, ())
    assert box.pending() == []


def test_a_service_that_is_down_is_tried_once_and_others_get_theirs(tmp_path: Path) -> None:
    box = Outbox(tmp_path)
    for number in range(3):
        for component in ("a", "b"):
            box.deliver(_message(f"{component}{number}", component), _fail)
    service = _Service("a")
    report = box.sync(service)
    assert service.taken == ["b0", "b1", "b2"]
    assert [each.attempts for each in report.kept] == [2, 1, 1]
    assert [each.payload["text"] for each in box.pending()] == ["a0", "a1", "a2"]


def test_a_message_that_takes_too_long_is_kept(tmp_path: Path) -> None:
    box = Outbox(tmp_path, deadline=0.05)
    assert box.deliver(_message(), lambda _message: time.sleep(1)) == "no answer within 0.05 s"
    assert len(box.pending()) == 1


def test_a_service_that_gave_no_answer_is_not_waited_for_again_at_once(tmp_path: Path) -> None:
    box, asked = Outbox(tmp_path, deadline=0.05), list[str]()
    gate = threading.Event()

    def hang(message: OutboxMessage) -> None:
        asked.append(message.payload["text"])
        gate.wait(60)

    said = [box.deliver(_message(text), hang) for text in ("one", "two", "three")]
    assert said == ["no answer within 0.05 s", *["it could not be reached a moment ago"] * 2]
    assert asked == ["one"]
    service = _Service()
    assert box.deliver(_message("other", "chat"), service) == ""
    assert [(each.payload["text"], each.attempts) for each in box.pending()] == [
        ("one", 1),
        ("two", 0),
        ("three", 0),
    ]
    assert box.sync(service).sent == 3  # whoever asks for it does not wait
    assert box.deliver(_message("four"), service) == "", "it has answered since"
    assert service.taken == ["other", "one", "two", "three", "four"]
    gate.set()


def test_a_service_that_fails_slowly_is_left_alone_for_a_while_and_one_that_fails_at_once_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box, asked = Outbox(tmp_path), list[str]()

    def fail(message: OutboxMessage) -> None:
        asked.append(message.payload["text"])
        raise ConnectionError("timed out.")

    for slow in (1e9, 0.0):
        monkeypatch.setattr(module, "_SLOW", slow)
        for number in range(3):
            box.deliver(_message(f"{number}"), fail)
    assert asked == ["0", "1", "2", "0"]
    assert len(box.pending()) == 6
    monkeypatch.setattr(module, "_QUIET", 0.0)
    box.deliver(_message("later"), fail)
    assert asked[-1] == "later"


def test_a_message_that_arrives_late_is_not_sent_again(tmp_path: Path) -> None:
    box, gate = Outbox(tmp_path, deadline=0.05), threading.Event()

    def hang(_message: OutboxMessage) -> None:
        gate.wait(60)

    assert box.deliver(_message("late"), hang) != ""
    assert len(box.pending()) == 1
    gate.set()
    deadline = time.monotonic() + 30
    while box.pending() or not box.sent():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert box.sync(_fail).kept == ()


def test_a_process_that_ends_gives_back_what_it_is_sending(tmp_path: Path) -> None:
    box, gate, begun = Outbox(tmp_path), threading.Event(), threading.Event()

    def hang(_message: OutboxMessage) -> None:
        begun.set()
        gate.wait(60)

    thread = threading.Thread(target=box.deliver, args=(_message(), hang))
    thread.start()
    assert begun.wait(30)
    assert box.pending() == []
    give_back()
    assert len(box.pending()) == 1
    gate.set()
    thread.join()
    assert box.pending() == []


def test_a_message_whose_sender_died_is_sent_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    box = Outbox(tmp_path)

    def die(_message: OutboxMessage) -> None:
        (name,) = [each.name for each in (tmp_path / "outbox").iterdir()]
        assert name.endswith(".sending")
        (tmp_path / "outbox" / name).rename(tmp_path / "kept")

    box.deliver(_message(), die)
    (tmp_path / "kept").rename(tmp_path / "outbox" / f"{0:020}-aa.sending")
    assert box.pending() == []  # somebody may be sending it just now
    monkeypatch.setattr(module, "_ABANDONED", -1.0)
    service = _Service()
    assert box.sync(service).sent == 1


def test_a_message_that_another_process_has_taken_is_not_sent_twice(tmp_path: Path) -> None:
    box = Outbox(tmp_path)
    box.deliver(_message("one"), _fail)
    box.deliver(_message("two"), _fail)
    taken = []

    def send(message: OutboxMessage) -> None:
        taken.append(message.payload["text"])
        if message.payload["text"] == "one":
            Outbox(tmp_path).sync(send)

    box.sync(send)
    assert taken == ["one", "two"]


def test_secrets_are_masked_in_what_is_kept_and_said(tmp_path: Path) -> None:
    secrets = KnownSecrets()
    secrets.note([SECRET])

    def fail(_message: OutboxMessage) -> None:
        raise ConnectionError(f"cannot reach https://{SECRET}")

    said = Outbox(tmp_path, secrets=secrets).deliver(_message(f"key {SECRET}"), fail)
    (file,) = (tmp_path / "outbox").iterdir()
    assert SECRET not in said + file.read_text()
    assert "key ••••" in Outbox(tmp_path).pending()[0].payload["text"]


def test_of_too_many_messages_the_oldest_are_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_MESSAGES", 2)
    box = Outbox(tmp_path)
    said = [box.deliver(_message(text), _fail) for text in ("one", "two", "three")]
    assert said[-1] == "no route to host; the outbox is full, so 1 older ones were dropped"
    assert [each.payload["text"] for each in box.pending()] == ["two", "three"]


def test_what_a_registry_was_asked_for_is_never_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_MESSAGES", 1)
    box = Outbox(tmp_path)
    asked = OutboxMessage(type="model_registry", component="far", payload={"text": "zero"})
    assert box.keep(asked, ConnectionError("no route to host.")) == "no route to host"
    for text in ("one", "two"):
        box.deliver(_message(text), _fail)
    assert [each.payload["text"] for each in box.pending()] == ["zero", "two"]


@pytest.mark.parametrize(
    "content",
    [
        *("", "[]", "{}", '{"type": 1}', "\x00", "[" * 100_000, json.dumps({"payload": []})),
        *(
            f'{{"type": "alerter", "component": "team", "payload": {{}}, {odd}}}'
            for odd in ('"type": []', '"created": 1e300', '"attempts": "x"', '"problem": null')
        ),
    ],
    ids=lambda content: content[:60],
)
def test_a_file_that_is_no_message_is_passed_over(tmp_path: Path, content: str) -> None:
    box = Outbox(tmp_path)
    box.deliver(_message(), _fail)
    (tmp_path / "outbox" / "odd.json").write_text(content)
    assert [each.payload["text"] for each in box.pending()] == ["hello"]


def test_a_home_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("a file")
    service = _Service()
    assert Outbox(tmp_path).deliver(_message(), service) == ""
    assert service.taken == ["hello"]
    assert "and it cannot be kept, since" in Outbox(tmp_path).deliver(_message(), _fail)


def test_an_interrupt_keeps_the_message_and_goes_no_further(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "join", interrupt)
    box = Outbox(tmp_path)
    assert box.deliver(_message(), lambda _message: time.sleep(0.2)) == "interrupted"
    assert len(box.pending()) == 1


def test_discarding_deletes_all(tmp_path: Path) -> None:
    box = Outbox(tmp_path)
    box.deliver(_message(), _fail)
    assert (box.discard(), box.pending()) == (1, [])


class _Hook(Alerter):
    flavor = "hook"
    description = "posts messages to an address"
    url = SecretRef(help="The address.").tag(config=True)

    def send(self, alert: Alert) -> None:
        raise ConnectionError(f"cannot reach {self.url and self.url.reveal()}: {alert.text}")


def test_the_secrets_of_a_component_are_masked_in_what_it_raises(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_URL", f"https://hooks.example.org/{SECRET}")
    hook = _Hook.from_config("team", {"url": "env:HOOK_URL"})
    payload = {"event": "failure", "title": "t", "text": "x"}
    message = OutboxMessage(type="alerter", component="team", payload=payload)
    said = Outbox(tmp_path).deliver(message, lambda sent: deliver_to(hook, sent))
    (file,) = (tmp_path / "outbox").iterdir()
    assert said == "cannot reach ••••: x"
    assert SECRET not in file.read_text()


def test_what_was_delivered_lately_is_noted_without_secrets(tmp_path: Path) -> None:
    box, service = Outbox(tmp_path, secrets=KnownSecrets([SECRET])), _Service("down")
    assert box.sent() == []
    for number in range(3):
        alert = {"title": f"step {number} with {SECRET}", "text": "t"}
        box.deliver(OutboxMessage(type="alerter", component="team", payload=alert), service)
    box.deliver(_message("lost", "down"), service)
    assert [(each.component, each.what) for each in box.sent(limit=2)] == [
        ("team", "step 2 with ••••"),
        ("team", "step 1 with ••••"),
    ]
    service.down.clear()
    box.sync(service)
    assert [each.component for each in Outbox(tmp_path).sent()] == ["down", "team", "team", "team"]


def test_the_note_of_what_was_delivered_stays_small_and_odd_lines_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivered_log, "_LONGEST", 2000)
    box, service = Outbox(tmp_path), _Service()
    for number in range(60):
        box.deliver(_message(str(number)), service)
    path = tmp_path / "delivered.log"
    assert path.stat().st_size < 2500
    before = len(box.sent())
    odd = json.dumps({"type": "alerter", "component": "team", "what": "x", "sent": 1e300})
    with path.open("ab") as file:
        file.write(odd.encode() + b'\n\xff\n{"a": 1}\n[]\nnull\n{"type": "alerter", "component": "half')
    assert len(box.sent()) == before > 3
