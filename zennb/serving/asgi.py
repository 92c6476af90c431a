"""Owns `AsgiServer`: the application of another library, which knows no token, behind zennb's own, on uvicorn."""

from __future__ import annotations

import json
import socket
import threading
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from zennb.serving.access import NO_TOKEN, TOO_LARGE, carries, checked_token, log
from zennb.serving.predictor import LARGEST, RequestCounter

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["AsgiServer", "TokenGate"]

_PREDICTIONS = frozenset({"/predict", "/invocations"})
_QUEUE = 128


class AsgiServer:
    """Serves an application; has the methods of `PredictionServer` that the process of a deployment calls.

    Args:
        address: host and port; port 0 for a free one.
        application: what answers requests that carry the token.
        token: what requests have to carry; never empty.
        facts: what `/` says of the model.
        counter: counts the predictions.
        grace: seconds for the requests that are being answered when it is stopped.
    """

    def __init__(
        self,
        address: tuple[str, int],
        application: Any,
        *,
        token: str,
        facts: Mapping[str, Any],
        counter: RequestCounter,
        grace: float,
    ) -> None:
        import uvicorn

        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind(address)
            self._socket.listen(_QUEUE)
        except OSError:
            self._socket.close()
            raise
        self.server_port = int(self._socket.getsockname()[1])
        gate = TokenGate(application, token=checked_token(token), facts=facts, counter=counter)
        # Without a log of its own: the gate writes a line for each request, as the other server does.
        config = uvicorn.Config(
            gate, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=int(grace)
        )
        self._server = uvicorn.Server(config)

    def serve_forever(self, *, poll_interval: float = 0.5) -> None:
        """Answer requests until `shutdown` is called.

        uvicorn runs on a thread of its own, where it leaves the signals of the process alone.
        """
        thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="zennb-serving"
        )
        thread.start()
        while thread.is_alive():
            thread.join(poll_interval)

    def shutdown(self) -> None:
        """Take no more requests, and end when those that have come are answered."""
        self._server.should_exit = True

    def server_close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def finish(self, *, seconds: float) -> None:
        """Do nothing: `serve_forever` has waited for the requests."""
        del seconds


class TokenGate:
    """Passes requests with the token on to an application, and counts the predictions that it answered.

    Args:
        application: an ASGI application.
        token: what requests have to carry.
        facts: what `/` says of the model.
        counter: counts the predictions.
    """

    def __init__(
        self, application: Any, *, token: str, facts: Mapping[str, Any], counter: RequestCounter
    ) -> None:
        self._application, self._token, self._facts, self._counter = application, token, facts, counter

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request."""
        if scope["type"] == "lifespan":
            await self._application(scope, receive, send)
        elif scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})  # no deployment needs one
        elif (answer := self._own_answer(scope)) is not None:
            status, content = answer
            await _send(send, status, content)
            if status is not HTTPStatus.OK:
                log(f"{_line(scope)} {status.value} {str(content['error'])[:200]!a}")
        else:
            await self._pass_on(scope, receive, send)

    def _own_answer(self, scope: Any) -> tuple[HTTPStatus, Mapping[str, Any]] | None:
        """Return what is not for the application to answer."""
        headers = {name.lower(): value for name, value in scope["headers"]}
        is_read = scope["method"] in {"GET", "HEAD"}
        if is_read and scope["path"] in {"/health", "/ping"}:
            return HTTPStatus.OK, {"status": "ok"}
        if not carries(headers.get(b"authorization", b"").decode("latin-1"), self._token):
            return HTTPStatus.UNAUTHORIZED, {"error": NO_TOKEN}
        if is_read and scope["path"] == "/":
            return HTTPStatus.OK, {**self._facts, "requests": self._counter.answered}
        length = headers.get(b"content-length", b"0" if is_read else b"").decode("latin-1")
        if not length.isdecimal():
            return HTTPStatus.LENGTH_REQUIRED, {
                "error": "send the header Content-Length with the length of the body."
            }
        if int(length[:20]) > LARGEST:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {"error": TOO_LARGE}
        return None

    async def _pass_on(self, scope: Any, receive: Any, send: Any) -> None:
        started = time.perf_counter()

        async def noted(message: Any) -> None:
            if message["type"] == "http.response.start":
                status = int(message["status"])
                if status == HTTPStatus.OK and scope["path"] in _PREDICTIONS:
                    self._counter.count()
                log(f"{_line(scope)} {status} {(time.perf_counter() - started) * 1000:.1f} ms")
            await send(message)

        await self._application(scope, receive, noted)


def _line(scope: Any) -> str:
    return ascii(f"{scope['method'][:10]} {scope['path'][:80]}")[1:-1]


async def _send(send: Any, status: HTTPStatus, content: Mapping[str, Any]) -> None:
    body = json.dumps(content).encode() + b"\n"
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status is HTTPStatus.UNAUTHORIZED:
        headers.append((b"www-authenticate", b"Bearer"))
    if status is not HTTPStatus.OK:  # its body is not read
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status.value, "headers": headers})
    await send({"type": "http.response.body", "body": body})
