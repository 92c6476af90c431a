"""Owns `PredictionServer`: a model behind HTTP, with a token, on Python's own server."""

from __future__ import annotations

import hmac
import json
import os
import socket
import sys
import threading
import time
import traceback
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from zennb.bounded_input import parse_json
from zennb.components.model_deployers.wire import decode_inputs, encode_outputs
from zennb.errors import DeploymentFailed, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["METHODS", "PredictionServer", "check_model"]

METHODS = ("predict", "predict_proba", "predict_log_proba", "decision_function", "transform", "score_samples")
"""The methods of a model that can be asked for; the first is the usual one."""

_LARGEST = 256_000_000
"""Bytes of a request."""
_IDLE = 75.0
"""Seconds after which a connection that sends nothing is closed."""


def check_model(model: Any, label: str) -> None:
    """Refuse to serve what cannot be asked.

    Raises:
        DeploymentFailed: it has no `predict`, and is no function.
    """
    if not callable(getattr(model, METHODS[0], None)) and not callable(model):
        kind = type(model).__name__
        raise DeploymentFailed(
            f"{label} is a {kind}, which has no method `predict` and cannot be called; register a model or a function."
        )


class PredictionServer(ThreadingHTTPServer):
    """Answers requests with predictions of one model, one prediction at a time.

    A thread per connection reads and writes; the model is called under a lock, since many are not safe in threads.

    Args:
        address: host and port; port 0 for a free one.
        model: what answers: an object with `predict`, or a function.
        token: what requests have to carry; never empty.
        facts: what `/` says of the model.
        requests: the file that holds the number of answered predictions; it goes on counting where that was.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self, address: tuple[str, int], model: Any, *, token: str, facts: Mapping[str, Any], requests: Path
    ) -> None:
        if not token:
            raise DeploymentFailed("a deployment needs a token; deploy the model again.")
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, _Handler)
        self.model, self.token, self.facts = model, token, dict(facts)
        self._lock = threading.Lock()
        self._busy = 0
        self._idle = threading.Condition()
        self._counter = os.open(requests, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            self.answered = int(os.read(self._counter, 100) or b"0")
        except ValueError:
            self.answered = 0

    def server_bind(self) -> None:
        """Bind the socket, without asking the name server for the name of the host."""
        if sys.platform == "win32":  # there it would let two servers listen on one port
            self.allow_reuse_address = False
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(self.allow_reuse_address))
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def answer(self, content: Any) -> dict[str, Any]:
        """Return the predictions for the JSON of a request.

        Raises:
            UsageError: it has another form, or asks for a method that the model has not.
            Exception: whatever the model raises.
        """
        name = content.get("method", METHODS[0]) if isinstance(content, dict) else METHODS[0]
        call = _method(self.model, name)
        inputs = decode_inputs(content)
        with self._lock:
            result = call(inputs)
        answer = encode_outputs(result)
        self._count()
        return answer

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

    def _count(self) -> None:
        with self._lock:
            self.answered += 1
            with suppress(OSError):  # a full disk: predictions go on
                os.pwrite(self._counter, b"%020d" % self.answered, 0)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Leave out of the log that a client has gone."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


def _method(model: Any, name: object) -> Any:
    found = getattr(model, name, None) if isinstance(name, str) and name in METHODS else None
    if found is None and name == METHODS[0] and callable(model):
        found = model
    if not callable(found):
        known = [each for each in METHODS if callable(getattr(model, each, None))]
        raise UsageError(
            f"the model has no method {name!r} that can be asked for; it has: {', '.join(known)}."
        )
    return found


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
            self._send(HTTPStatus.OK, {**self.server.facts, "requests": self.server.answered})
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
        try:
            answer = self.server.answer(_parsed(body))
        except UsageError as error:
            self._refuse(HTTPStatus.BAD_REQUEST, error.message)
        except Exception as error:  # noqa: BLE001 - the server goes on, whatever the model raises
            sys.stderr.write(traceback.format_exc())
            is_input = isinstance(error, ValueError | TypeError | LookupError)
            status = HTTPStatus.BAD_REQUEST if is_input else HTTPStatus.INTERNAL_SERVER_ERROR
            self._refuse(status, f"{type(error).__name__}: {error}")
        else:
            self._send(HTTPStatus.OK, answer)
            self._log(f"POST {self._path()} 200 {(time.perf_counter() - started) * 1000:.1f} ms")

    def _path(self) -> str:
        return self.path.partition("?")[0]

    def _is_allowed(self) -> bool:
        """Whether the request carries the token; if not, that is answered."""
        given = self.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        if hmac.compare_digest(given.encode("utf-8", "replace"), self.server.token.encode()):
            return True
        # Its body is not read: nobody without the token gets work done here.
        self.close_connection = True
        self._refuse(
            HTTPStatus.UNAUTHORIZED,
            "send the header `Authorization: Bearer TOKEN`; `zennb deployment token NAME` prints the token.",
        )
        return False

    def _size(self) -> int | None:
        text = self.headers.get("Content-Length", "")
        if not text.isdecimal():
            self.close_connection = True
            self._refuse(
                HTTPStatus.LENGTH_REQUIRED, "send the header Content-Length with the length of the body."
            )
            return None
        if int(text[:20]) > _LARGEST:
            self.close_connection = True
            self._refuse(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"a request has {_LARGEST // 1_000_000} MB at most; send several.",
            )
            return None
        return int(text)

    def _refuse(self, status: HTTPStatus, message: str) -> None:
        self._send(status, {"error": message})
        self._log(f"{self.command} {self._path()[:80]!a} {status.value} {message[:200]!a}")

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

    def _log(self, line: str) -> None:
        sys.stderr.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')}  {line}\n")
        sys.stderr.flush()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the method it replaces
        """Log nothing by itself: `_log` does."""


def _parsed(body: bytes) -> Any:
    try:
        return parse_json(body, bounded=False)
    except ValueError as error:
        raise UsageError(f"the body is no JSON ({error}).") from None
