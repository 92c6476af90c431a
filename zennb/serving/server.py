"""Owns `PredictionServer`: a model behind HTTP, with a token, on Python's own server."""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from zennb.serving.access import NO_TOKEN, TOO_LARGE, carries, checked_token, log
from zennb.serving.predictor import LARGEST

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from zennb.serving.predictor import Predictor, RequestCounter

__all__ = ["PredictionServer"]

_IDLE = 75.0
"""Seconds after which a connection that sends nothing is closed."""


class PredictionServer(ThreadingHTTPServer):
    """Answers requests with predictions of one model, with a thread per connection.

    Args:
        address: host and port; port 0 for a free one.
        predictor: what answers.
        token: what requests have to carry; never empty.
        facts: what `/` says of the model.
        counter: counts the predictions.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self,
        address: tuple[str, int],
        predictor: Predictor,
        *,
        token: str,
        facts: Mapping[str, Any],
        counter: RequestCounter,
    ) -> None:
        checked_token(token)
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, _Handler)
        self.predictor, self.token, self.facts, self.counter = predictor, token, dict(facts), counter
        self._busy = 0
        self._idle = threading.Condition()

    def server_bind(self) -> None:
        """Bind the socket, without asking the name server for the name of the host."""
        if sys.platform == "win32":  # there it would let two servers listen on one port
            self.allow_reuse_address = False
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(self.allow_reuse_address))
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    @contextmanager
    def working(self) -> Iterator[None]:
        """Note that a request is being answered."""
        with self._idle:
            self._busy += 1
        try:
            yield
        finally:
            with self._idle:
                self._busy -= 1
                self._idle.notify_all()

    def finish(self, *, seconds: float) -> None:
        """Wait until every request that has come is answered, but no longer than so many seconds."""
        with self._idle:
            self._idle.wait_for(lambda: not self._busy, seconds)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Leave out of the log that a client has gone."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: PredictionServer
    protocol_version = "HTTP/1.1"
    server_version = "zennb"
    sys_version = ""
    timeout = _IDLE
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answer `/health` to everybody, and what is served to those with the token."""
        if self._path() in {"/health", "/ping"}:
            self._send(HTTPStatus.OK, {"status": "ok"})
        elif self._is_allowed() and self._path() == "/":
            self._send(HTTPStatus.OK, {**self.server.facts, "requests": self.server.counter.answered})
        elif self._is_allowed():
            self._refuse(HTTPStatus.NOT_FOUND, "there are: GET /health, GET / and POST /predict.")

    def do_POST(self) -> None:
        """Answer a request for predictions."""
        with self.server.working():
            self._answer()

    def _answer(self) -> None:
        started = time.perf_counter()
        size = self._size()
        if size is None or not self._is_allowed():
            return
        body = self.rfile.read(size)
        if self._path() not in {"/predict", "/invocations"}:
            self._refuse(HTTPStatus.NOT_FOUND, "send predictions to POST /predict.")
            return
        status, answer = self.server.predictor.reply(body)
        if status is not HTTPStatus.OK:
            self._refuse(status, answer["error"])
            return
        self.server.counter.count()
        self._send(status, answer)
        log(f"POST {self._path()} 200 {(time.perf_counter() - started) * 1000:.1f} ms")

    def _path(self) -> str:
        return self.path.partition("?")[0]

    def _is_allowed(self) -> bool:
        """Whether the request carries the token; if not, that is answered."""
        if carries(self.headers.get("Authorization", ""), self.server.token):
            return True
        # Its body is not read: nobody without the token gets work done here.
        self.close_connection = True
        self._refuse(HTTPStatus.UNAUTHORIZED, NO_TOKEN)
        return False

    def _size(self) -> int | None:
        text = self.headers.get("Content-Length", "")
        if not text.isdecimal():
            self.close_connection = True
            self._refuse(
                HTTPStatus.LENGTH_REQUIRED, "send the header Content-Length with the length of the body."
            )
            return None
        if int(text[:20]) > LARGEST:
            self.close_connection = True
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE)
            return None
        return int(text)

    def _refuse(self, status: HTTPStatus, message: str) -> None:
        self._send(status, {"error": message})
        log(f"{self.command} {self._path()[:80]!a} {status.value} {message[:200]!a}")

    def _send(self, status: HTTPStatus, content: Mapping[str, Any]) -> None:
        body = json.dumps(content).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if status is HTTPStatus.UNAUTHORIZED:
            self.send_header("WWW-Authenticate", "Bearer")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the method it replaces
        """Log nothing by itself: `log` does."""
