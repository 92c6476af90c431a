"""Owns the process of a deployment: it loads the model, waits for its turn, records itself, and answers.

Its order comes through a pipe: a line of JSON, then the sealed payload, then `go` once the process before it has ended.
Only now does it take the port. It is announced when its record is written, so whatever was announced can be found.
"""

from __future__ import annotations

import faulthandler
import json
import os
import signal
import sys
import threading
import time
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zennb.components.model_deployers.deployment_files import DeploymentFiles, DeploymentState
from zennb.components.model_deployers.process_deployer import ANSWER
from zennb.components.model_deployers.process_lock import hold
from zennb.core.secrets.held import HELD
from zennb.engine.step.streams import mask_stream
from zennb.errors import DeploymentFailed, ZennbError
from zennb.serving.loading import load_model
from zennb.serving.predictor import Predictor, RequestCounter, check_model
from zennb.serving.server import PredictionServer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from zennb.serving.asgi import AsgiServer

__all__ = ["main"]

_GRACE = 4.0
"""Seconds for the requests that are being answered when it is stopped; whoever stops it waits a little longer."""


def main() -> int:
    """Serve the model that the standard input names, until it is told to stop; return the exit code."""
    faulthandler.enable()
    if hasattr(signal, "SIGHUP"):  # the terminal that started it is closed
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt of the kernel is not meant for it
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # whatever is printed from now on goes to the log
    for name in ("stdout", "stderr"):
        mask_stream(name)
    try:
        order = json.loads(sys.stdin.buffer.readline())
        payload = sys.stdin.buffer.read(order["payload"])
        state = DeploymentState(**order["state"])
        model = load_model(payload)
        check_model(model, f"{state.model} v{state.version}")
        predictor = Predictor(model)
        application = _application(sys.argv[1:], predictor)
    except Exception as error:  # noqa: BLE001 - whoever started it has to be told
        return _refused(out, error)
    _say(out, {"loaded": True})
    if sys.stdin.buffer.readline() != b"go\n":  # the kernel that started it is gone
        return 1
    files = DeploymentFiles(Path(order["folder"]))
    try:
        lock = hold(files.folder / state.lock)
        server = _server(state, application or predictor, order["token"], files)
        started = replace(state, port=server.server_port, process=os.getpid(), started=time.time())
        files.write_payload(payload)
        files.write_token(order["token"])
        files.write_state(started)
    except Exception as error:  # noqa: BLE001 - as above
        return _refused(out, error)
    _detach_input()
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    _say(out, {"port": server.server_port})
    out.close()
    with lock:
        server.serve_forever(poll_interval=0.1)
        server.server_close()
        server.finish(seconds=_GRACE)
    return 0


def _application(library: Sequence[str], predictor: Predictor) -> Any:
    """Return the application of the library that the command line names; None for Python's own server.

    It is imported before the deployment takes its turn: this takes seconds, in which the one before goes on.
    """
    if not library:
        return None
    return import_module(f"zennb.serving.{library[0]}").application(predictor)


def _server(
    state: DeploymentState, answering: Any, token: str, files: DeploymentFiles
) -> PredictionServer | AsgiServer:
    facts = {"name": state.name, "model": state.model, "version": state.version, "artifact": state.artifact}
    address = (state.host, state.port)
    more: dict[str, Any] = {"token": token, "facts": facts, "counter": RequestCounter(files.requests_file)}
    try:
        if isinstance(answering, Predictor):
            return PredictionServer(address, answering, **more)
        from zennb.serving.asgi import AsgiServer

        return AsgiServer(address, answering, grace=_GRACE, **more)
    except OSError as error:
        raise DeploymentFailed(
            f"deployment '{state.name}' cannot listen on {state.host} port {state.port} ({error.strerror or error}); "
            "give another one with --port or --host."
        ) from error


def _detach_input() -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)


def _refused(out: Any, error: Exception) -> int:
    message = error.message if isinstance(error, ZennbError) else f"{type(error).__name__}: {error}"
    _say(out, {"error": HELD.mask_known(message)})
    return 1


def _say(out: Any, content: Mapping[str, object]) -> None:
    out.write(b"\n" + ANSWER + json.dumps(content).encode() + b"\n")


if __name__ == "__main__":
    sys.exit(main())
