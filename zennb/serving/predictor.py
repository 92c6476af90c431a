"""Owns `Predictor`: one model, asked for one prediction after another, whatever server its requests come by."""

from __future__ import annotations

import os
import sys
import threading
import traceback
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from zennb.bounded_input import parse_json
from zennb.components.model_deployers.wire import decode_inputs, encode_outputs
from zennb.core.secrets.held import HELD
from zennb.errors import DeploymentFailed, UsageError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["LARGEST", "METHODS", "Predictor", "RequestCounter", "check_model", "failure"]

METHODS = ("predict", "predict_proba", "predict_log_proba", "decision_function", "transform", "score_samples")
"""The methods of a model that can be asked for; the first is the usual one."""

LARGEST = 256_000_000
"""Bytes of a request."""


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


class Predictor:
    """Asks a model under a lock, since many are not safe in threads.

    Args:
        model: what answers: an object with `predict`, or a function.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self._lock = threading.Lock()

    def predict(self, inputs: Any, *, method: object = METHODS[0]) -> Any:
        """Return what the model returns.

        Raises:
            UsageError: the model has no such method.
            Exception: whatever the model raises.
        """
        call = _method(self.model, method)
        with self._lock:
            return call(inputs)

    def answer(self, content: Any) -> dict[str, Any]:
        """Return the predictions for the JSON of a request, as JSON.

        Raises:
            UsageError: it has another form, or asks for a method that the model has not.
            Exception: whatever the model raises.
        """
        method = content.get("method", METHODS[0]) if isinstance(content, dict) else METHODS[0]
        _method(self.model, method)  # what cannot be asked for is refused before the inputs are read
        return encode_outputs(self.predict(decode_inputs(content), method=method))

    def reply(self, body: bytes) -> tuple[HTTPStatus, dict[str, Any]]:
        """Return the status and the JSON that answer the body of a request; never raises."""
        try:
            return HTTPStatus.OK, self.answer(_parsed(body))
        except Exception as error:  # noqa: BLE001 - the server goes on, whatever the model raises
            return failure(error)


def failure(error: Exception) -> tuple[HTTPStatus, dict[str, Any]]:
    """Return the status and the JSON that tell an error; one of the model goes to the log with its traceback."""
    if isinstance(error, UsageError):
        return HTTPStatus.BAD_REQUEST, {"error": error.message}
    sys.stderr.write("".join(traceback.format_exception(error)))
    is_input = isinstance(error, ValueError | TypeError | LookupError)
    status = HTTPStatus.BAD_REQUEST if is_input else HTTPStatus.INTERNAL_SERVER_ERROR
    return status, {"error": HELD.mask_known(f"{type(error).__name__}: {error}")}


class RequestCounter:
    """The number of answered predictions, in a file that goes on counting after a restart.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            self.answered = int(os.read(self._file, 100) or b"0")
        except ValueError:
            self.answered = 0

    def count(self) -> None:
        """Count one more."""
        with self._lock:
            self.answered += 1
            with suppress(OSError):  # a full disk: predictions go on
                os.pwrite(self._file, b"%020d" % self.answered, 0)


def _method(model: Any, name: object) -> Any:
    found = getattr(model, name, None) if isinstance(name, str) and name in METHODS else None
    if found is None and name == METHODS[0] and callable(model):
        found = model
    if not callable(found):
        known = ", ".join(each for each in METHODS if callable(getattr(model, each, None)))
        instead = f"it has: {known}" if known else "it is a function, so leave `method` out"
        raise UsageError(f"the model has no method {name!r} that can be asked for; {instead}.")
    return found


def _parsed(body: bytes) -> Any:
    try:
        return parse_json(body, bounded=False)
    except ValueError as error:
        raise UsageError(f"the body is no JSON ({error}).") from None
