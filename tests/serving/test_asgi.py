"""The gate before applications of other libraries, in this process and without a server."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from zennb.serving.asgi import TokenGate
from zennb.serving.predictor import RequestCounter

if TYPE_CHECKING:
    from pathlib import Path


class Application:
    """Answers everything, and remembers what came through."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.seen.append(scope.get("path", scope["type"]))
        if scope["type"] == "http":
            status = 400 if scope["path"] == "/invocations" else 200
            await send({"type": "http.response.start", "status": status, "headers": []})
            await send({"type": "http.response.body", "body": b"{}"})


@pytest.fixture
def application() -> Application:
    return Application()


@pytest.fixture
def gate(application: Application, tmp_path: Path) -> TokenGate:
    counter = RequestCounter(tmp_path / "requests")
    return TokenGate(application, token="key", facts={"name": "a"}, counter=counter)


def asked(gate: TokenGate, method: str, path: str, **headers: str) -> tuple[int, Any]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        raise AssertionError("nobody without the token gets the body read")

    found = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    asyncio.run(gate({"type": "http", "method": method, "path": path, "headers": found}, receive, send))
    return sent[0]["status"], json.loads(sent[1]["body"])


@pytest.mark.parametrize(
    "given", ["", "key2", "Bearer", "Bearer k", "Bearer keyy", "Basic key", "Bearer k\xe9"]
)
@pytest.mark.parametrize("path", ["/predict", "/invocations", "/", "/docs", "/health/../predict", "//health"])
def test_nothing_without_the_whole_token_reaches_the_application(
    gate: TokenGate, application: Application, given: str, path: str
) -> None:
    for method in ("GET", "POST", "PUT", "OPTIONS"):
        status, answer = asked(gate, method, path, authorization=given, content_length="2")
        assert (status, "zennb deployment token" in answer["error"]) == (401, True)
    assert asked(gate, "POST", "/health", content_length="2")[0] == 401
    assert application.seen == []


def test_everybody_may_ask_for_its_health_and_those_with_the_token_for_the_rest(
    gate: TokenGate, application: Application
) -> None:
    key = {"authorization": "Bearer key"}
    assert asked(gate, "GET", "/health") == (200, {"status": "ok"})
    assert asked(gate, "POST", "/predict", **key, content_length="2") == (200, {})
    assert asked(gate, "POST", "/invocations", **key, content_length="2")[0] == 400
    assert asked(gate, "GET", "/docs", **key)[0] == 200
    assert application.seen == ["/predict", "/invocations", "/docs"]
    assert asked(gate, "GET", "/", **key) == (200, {"name": "a", "requests": 1})


def test_a_body_without_a_length_or_with_too_much_does_not_reach_the_application(
    gate: TokenGate, application: Application
) -> None:
    for length, status in (("", 411), ("-1", 411), ("many", 411), ("9" * 30, 413)):
        assert asked(gate, "POST", "/predict", authorization="Bearer key", content_length=length)[0] == status
    assert application.seen == []


def test_a_websocket_is_closed(gate: TokenGate, application: Application) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(gate({"type": "websocket", "path": "/predict", "headers": []}, None, send))
    assert ([each["type"] for each in sent], application.seen) == (["websocket.close"], [])
