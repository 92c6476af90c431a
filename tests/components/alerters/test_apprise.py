"""The `apprise` alerter: its contract against a local server, and that no part of an address is shown."""

from __future__ import annotations

import json
import logging
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("apprise")

from zennb.components.alerter import Alert
from zennb.components.alerters.apprise import AppriseAlerter
from zennb.errors import InvalidConfiguration, StoreError
from zennb.testing.alerter import AlerterContract

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.filterwarnings(
    "ignore:'imghdr' is deprecated:DeprecationWarning"
)  # apprise imports it

TOKEN = "c4nary7f3a9921"


class _Server(HTTPServer):
    """Takes messages as JSON, or refuses them."""

    def __init__(self, status: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status, self.taken = status, list[dict[str, Any]]()


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.status == 200:
            self.server.taken.append(json.loads(content))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Print nothing."""


@pytest.fixture
def serve() -> Iterator[Callable[[int], _Server]]:
    """A function that starts a server which answers with a status."""
    started = []

    def start(status: int) -> _Server:
        server = _Server(status)
        started.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server

    yield start
    for server in started:
        server.shutdown()
        server.server_close()


def _alerter(server: _Server, monkeypatch: pytest.MonkeyPatch, name: str) -> AppriseAlerter:
    monkeypatch.setenv(name, f"json://127.0.0.1:{server.server_port}/{TOKEN}?retry=0")
    return AppriseAlerter.from_config("team", {"url": f"env:{name}"})


class TestContract(AlerterContract):
    @pytest.fixture
    def server(self, serve: Callable[[int], _Server]) -> _Server:
        return serve(200)

    @pytest.fixture
    def alerter(self, server: _Server, monkeypatch: pytest.MonkeyPatch) -> AppriseAlerter:
        return _alerter(server, monkeypatch, "TEAM_URL")

    @pytest.fixture
    def received(self, server: _Server) -> Callable[[], str]:
        return lambda: "\n".join(f"{each['title']}: {each['message']}" for each in server.taken)

    @pytest.fixture
    def broken(self, serve: Callable[[int], _Server], monkeypatch: pytest.MonkeyPatch) -> AppriseAlerter:
        return _alerter(serve(500), monkeypatch, "BROKEN_URL")


ALERT = Alert(event="failure", title="step 'train' failed", text="after 3s")


def test_what_failed_is_said_without_any_part_of_the_address(
    serve: Callable[[int], _Server], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    alerter = _alerter(serve(403), monkeypatch, "TEAM_URL")
    with pytest.raises(StoreError) as caught:
        alerter.send(ALERT)
    assert "Failed to send JSON" in str(caught.value)
    shown = capsys.readouterr()
    assert TOKEN not in str(caught.value) + shown.out + shown.err
    assert "apprise" not in shown.err
    assert logging.getLogger("apprise").propagate


@pytest.mark.parametrize("address", ["nosuchservice://token", "not an address"])
def test_an_address_that_nobody_knows_is_refused_by_its_reference(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("TEAM_URL", address)
    with pytest.raises(
        InvalidConfiguration, match="apprise knows no service for the address in `env:TEAM_URL`"
    ):
        AppriseAlerter.from_config("team", {"url": "env:TEAM_URL"}).send(ALERT)


def test_the_event_is_the_kind_of_message(
    serve: Callable[[int], _Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(200)
    alerter = _alerter(server, monkeypatch, "TEAM_URL")
    for event in ("success", "failure", "running"):
        alerter.send(Alert(event=event, title="t", text="x"))
    assert [each["type"] for each in server.taken] == ["success", "failure", "warning"]
