"""Owns `ProcessDeployer`: models served by processes of this machine, which outlive the kernel that started them.

A new process loads its model before the old one is stopped. So what cannot be loaded leaves everything as it was, and
between the two there are only milliseconds in which nobody answers.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import asdict, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar

from traitlets import Float

from zennb.components.component import Visibility
from zennb.components.killing import kill_group
from zennb.components.model_deployers.deployment_files import (
    DeploymentFiles,
    DeploymentState,
    all_deployments,
)
from zennb.components.model_deployers.process_lock import is_held
from zennb.components.model_deployers.wire import decode_outputs, encode_inputs
from zennb.components.models import ModelDeployer, ServedModel
from zennb.core.records.models import Deployment, is_loopback
from zennb.errors import DeploymentFailed, StoreError, UnknownName, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["ANSWER", "LOOPBACK", "ProcessDeployer"]

ANSWER = b"\x1ezennb "
"""Begins the lines that a process of a deployment sends to whoever started it."""

LOOPBACK = "127.0.0.1"

_GRACE = 5.0
"""Seconds that a process has to end by itself, with the requests that it is answering."""
_PAUSE = 0.02
_PATIENCE = 2.0
"""Seconds in which a deployment has to say that it is well."""
_LAST_WORDS = 600
_LARGEST_PORT = 65_535


class ProcessDeployer(ModelDeployer):
    """Deployments as processes; a flavor says what they run, and how they are asked."""

    visibility = Visibility.MACHINE

    timeout = Float(60.0, min=0.1, help="Seconds to wait for the answer to a prediction.").tag(config=True)

    needs_token = True
    """Whether its processes check a token; without one they listen on 127.0.0.1 only."""

    _parent: Path | None = None

    application: ClassVar[str] = ""
    """The module of `zennb.serving` that makes what a deployment serves; "" for Python's own HTTP server."""

    def command(self) -> Sequence[str]:
        """Return the program of a deployment; another one is told what to do as `zennb.serving.process` is."""
        # -P: what lies in the notebook's folder must not take the place of Python's modules while they are imported.
        program = [sys.executable, "-P", "-m", "zennb.serving.process"]
        return [*program, self.application] if self.application else program

    def use(self, folder: Path) -> None:
        """Take the directory of the home for deployments; each flavor has its own in it."""
        self._parent = folder / self.flavor

    def deploy(self, model: ServedModel, *, host: str = "", port: int = 0) -> Deployment:
        """Serve a model, in place of what was served under its name before."""
        if not 0 <= port <= _LARGEST_PORT:
            raise UsageError(f"there is no port {port}; ports are numbers up to {_LARGEST_PORT}.")
        files = self._files(model.name)
        before = files.state()
        state = DeploymentState(
            name=model.name,
            model=model.version.name,
            version=model.version.version,
            artifact=model.version.source,
            deployer=self.name,
            host=host or (before.host if before else LOOPBACK),
            port=port or (before.port if before else 0),
            machine=socket.gethostname(),
            folder=model.folder,
        )
        try:
            return self._run(files, state, model.payload, before)
        except BaseException:
            if before is None:
                files.delete()
            raise

    def deployments(self) -> list[Deployment]:
        """Return all deployments of this flavor, by name."""
        return [self._seen(files, state) for files, state in all_deployments(self._folder)]

    def start(self, name: str) -> Deployment:
        """Serve again what was stopped or has died."""
        files, state = self._known(name)
        if self._is_alive(files, state):
            return self._seen(files, state)
        try:
            payload = files.read_payload()
        except OSError as error:
            raise DeploymentFailed(
                f"deployment '{name}' has lost what it needs to start ({error.strerror}); deploy the model again with "
                f"`%model deploy {state.model}@{state.version}`."
            ) from error
        started = replace(state, is_stopped=False, machine=socket.gethostname())
        return self._run(files, started, payload, state)

    def stop(self, name: str) -> Deployment:
        """End the process of a deployment."""
        files, state = self._known(name)
        self._refuse_elsewhere(state, "stop")
        self._end(files, state)
        stopped = replace(state, is_stopped=True)
        files.write_state(stopped)
        return self._seen(files, stopped)

    def delete(self, name: str) -> None:
        """Stop a deployment and forget it."""
        files, state = self._known(name)
        self._refuse_elsewhere(state, "delete")
        self._end(files, state)
        files.delete()

    def logs(self, name: str) -> str:
        """Return what its process has written."""
        return self._known(name)[0].log_text()

    def token(self, name: str) -> str:
        """Return the token that requests need."""
        return self._known(name)[0].token()

    def predict(self, name: str, inputs: Any, *, method: str = "predict") -> Any:
        """Ask the deployment."""
        files, state = self._known(name)
        content = encode_inputs(inputs)
        if method != "predict":
            content["method"] = method
        body = json.dumps(content).encode()
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {files.token()}"}
        request = urllib.request.Request(f"{_url(state)}{self.predictions}", data=body, headers=headers)
        try:
            answer = json.loads(_ask(request, self.timeout))
        except urllib.error.HTTPError as error:
            if error.code == HTTPStatus.UNAUTHORIZED:
                error.close()
                raise DeploymentFailed(
                    f"deployment '{name}' was started with another token than the one in the home; type "
                    f"`%deployment stop {name}` and `%deployment start {name}`."
                ) from None
            raise DeploymentFailed(f"deployment '{name}' answered {error.code}: {_reason(error)}") from None
        except (OSError, ValueError) as error:
            raise self._no_answer(files, state, error) from error
        return decode_outputs(answer)

    # What its processes do

    def _run(
        self, files: DeploymentFiles, state: DeploymentState, payload: bytes, before: DeploymentState | None
    ) -> Deployment:
        if not self.needs_token and not is_loopback(state.host):
            raise UsageError(
                f"the model deployer '{self.name}' knows no token, so it listens on {LOOPBACK} only; leave out --host, "
                "or use a deployer of the flavor 'local'."
            )
        if before is not None:
            self._refuse_elsewhere(before, "replace")
        files.create()
        token = (files.token() or secrets.token_urlsafe(32)) if self.needs_token else ""
        state = replace(state, lock=f"lock-{secrets.token_hex(4)}")
        process = self._launch(files, state)
        try:
            order = {
                "folder": str(files.folder),
                "token": token,
                "state": asdict(state),
                "payload": len(payload),
            }
            _send(process, json.dumps(order).encode() + b"\n" + payload)
            self._answer(process, files, "loaded")
            if before is not None:
                self._end(files, before)
            _send(process, b"go\n")
            self._answer(process, files, "port")
        except BaseException:
            process.kill()
            process.wait()
            raise
        finally:
            with suppress(OSError):
                process.stdin.close()  # type: ignore[union-attr] # it has a pipe
            process.stdout.close()  # type: ignore[union-attr] # as above
        # A process that has ended stays in the system's list until its parent has asked how.
        threading.Thread(target=process.wait, name="zennb-deployment", daemon=True).start()
        return self._seen(files, files.state() or state)

    def _launch(self, files: DeploymentFiles, state: DeploymentState) -> subprocess.Popen[bytes]:
        more = {"creationflags": _WINDOWS_FLAGS} if sys.platform == "win32" else {"start_new_session": True}
        try:
            log = files.open_log()
            try:
                return subprocess.Popen(
                    list(self.command()),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    cwd=state.folder or None,
                    **more,
                )
            finally:
                os.close(log)
        except OSError as error:
            raise DeploymentFailed(
                f"the process of deployment '{state.name}' cannot be started: {error}."
            ) from error

    def _answer(self, process: subprocess.Popen[bytes], files: DeploymentFiles, wanted: str) -> Any:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith(ANSWER):
                answer = json.loads(line.removeprefix(ANSWER))
                if wanted in answer:
                    return answer[wanted]
                if "error" in answer:
                    raise DeploymentFailed(str(answer["error"]))
        words = files.log_text(most=_LAST_WORDS).strip() or "it said nothing"
        raise DeploymentFailed(f"the process of the deployment ended before it answered: {words}")

    def _end(self, files: DeploymentFiles, state: DeploymentState) -> None:
        """End the process of a deployment, if it is alive, and wait until it has."""
        if not self._is_alive(files, state):
            return
        with suppress(ProcessLookupError):
            os.kill(state.process, signal.SIGTERM)
        deadline = time.monotonic() + _GRACE
        while is_held(files.folder / state.lock):
            if time.monotonic() > deadline:
                kill_group(state.process)
                deadline += _GRACE
            time.sleep(_PAUSE)
        with suppress(OSError):
            (files.folder / state.lock).unlink()

    def _is_alive(self, files: DeploymentFiles, state: DeploymentState) -> bool:
        # The name comes from a file: it must not lead out of the folder.
        is_name = state.lock.startswith("lock-") and "/" not in state.lock and os.sep not in state.lock
        return state.process > 0 and is_name and is_held(files.folder / state.lock)

    # What is known of them

    @property
    def _folder(self) -> Path:
        if self._parent is None:
            raise StoreError(
                f"the model deployer '{self.name}' belongs to no home; open it through a workspace."
            )
        return self._parent

    def _files(self, name: str) -> DeploymentFiles:
        return DeploymentFiles.of(self._folder, name)

    def _known(self, name: str) -> tuple[DeploymentFiles, DeploymentState]:
        files = self._files(name)
        state = files.state()
        if state is None:
            known = [each.name for _, each in all_deployments(self._folder)]
            raise UnknownName(
                "deployment", name, known, hint="Deploy a registered model with `%model deploy`."
            )
        return files, state

    def _seen(self, files: DeploymentFiles, state: DeploymentState) -> Deployment:
        word, problem = self._health(files, state)
        known = asdict(state)
        for internal in ("lock", "is_stopped", "folder"):
            del known[internal]
        known["process"] = state.process if word in {"running", "not answering", "elsewhere"} else 0
        return Deployment(
            **known,
            flavor=self.flavor,
            state=word,
            problem=problem,
            url=_url(state),
            requests=files.requests(),
        )

    def _health(self, files: DeploymentFiles, state: DeploymentState) -> tuple[str, str]:
        if state.machine != socket.gethostname():
            return ("stopped", "") if state.is_stopped else ("elsewhere", f"it runs on {state.machine}")
        if not self._is_alive(files, state):
            if state.is_stopped:
                return "stopped", ""
            words = files.log_text(most=_LAST_WORDS).strip().rpartition("\n")[2]
            return (
                "dead",
                f"its process is gone; the last line of its log: {words}" if words else "its process is gone",
            )
        try:
            _ask(urllib.request.Request(f"{_url(state)}/health"), _PATIENCE)
        except OSError as error:
            return "not answering", f"its process lives, but does not answer ({error})"
        return "running", ""

    def _refuse_elsewhere(self, state: DeploymentState, verb: str) -> None:
        if state.machine != socket.gethostname() and not state.is_stopped:
            raise UsageError(f"deployment '{state.name}' runs on {state.machine}; {verb} it there.")

    def _no_answer(
        self, files: DeploymentFiles, state: DeploymentState, error: Exception
    ) -> DeploymentFailed:
        word, problem = self._health(files, state)
        if word in {"dead", "stopped"}:
            return DeploymentFailed(
                f"deployment '{state.name}' is {word}; `%deployment start {state.name}` starts it."
            )
        return DeploymentFailed(f"deployment '{state.name}' gave no answer ({problem or error}).")


_WINDOWS_FLAGS = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0) | getattr(
    subprocess, "CREATE_NO_WINDOW", 0
)

# Without proxies: what listens on this machine is asked directly, and a proxy would be told the token.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _ask(request: urllib.request.Request, seconds: float) -> bytes:
    with _opener.open(request, timeout=seconds) as answer:
        content: bytes = answer.read()
    return content


def _url(state: DeploymentState) -> str:
    host = LOOPBACK if state.host in {"0.0.0.0", "::", ""} else state.host
    return f"http://{f'[{host}]' if ':' in host else host}:{state.port}"


def _reason(error: urllib.error.HTTPError) -> str:
    content = error.read()
    try:
        found = json.loads(content)
        return str((found[0] if isinstance(found, list) else found)["error"])  # BentoML's are lists
    except (ValueError, LookupError, TypeError):
        return content.decode("utf-8", "replace")[:_LAST_WORDS] or str(error.reason)


def _send(process: subprocess.Popen[bytes], content: bytes) -> None:
    assert process.stdin is not None
    with suppress(OSError):  # it has died: why is read from what it said
        process.stdin.write(content)
        process.stdin.flush()
