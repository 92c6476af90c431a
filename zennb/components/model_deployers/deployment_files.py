"""Owns the files of one deployment in the home: what it serves, its token, its log, and what its process is doing."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from shutil import rmtree
from typing import TYPE_CHECKING

from zennb.bounded_input import APPEND, has_sensible_fields, open_file, parse_json, read_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["DeploymentFiles", "DeploymentState", "all_deployments"]

_LARGEST_STATE = 65_536
_LARGEST_PAYLOAD = 512_000_000
_LARGEST_LOG = 200_000
"""Bytes of a log that are shown: its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentState:
    """What is known of a deployment without asking its process; written by that process before it is announced.

    Attributes:
        name, model, version, artifact, deployer, host, port, process, machine, started: as in `Deployment`.
        lock: name of the lock file of its process.
        is_stopped: whether the user has stopped it.
        folder: the working folder of its process.
    """

    name: str
    model: str
    version: int
    artifact: str
    deployer: str
    host: str
    port: int
    process: int = 0
    machine: str = ""
    started: float = 0.0
    lock: str = ""
    is_stopped: bool = False
    folder: str = ""


@dataclass(frozen=True, slots=True)
class DeploymentFiles:
    """The files of one deployment; only this user can read them.

    Args:
        folder: their directory.
    """

    folder: Path

    @classmethod
    def of(cls, parent: Path, name: str) -> DeploymentFiles:
        """Return those of a deployment: names that users choose never become paths."""
        return cls(parent / sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16])

    def create(self) -> None:
        """Make the directory."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    @property
    def log(self) -> Path:
        """What the process wrote to its standard streams."""
        return self.folder / "log.txt"

    @property
    def payload(self) -> Path:
        """What a process needs to load the model."""
        return self.folder / "model.bin"

    @property
    def requests_file(self) -> Path:
        """The number of answered predictions, as text of a fixed width."""
        return self.folder / "requests"

    def state(self) -> DeploymentState | None:
        """Return the state; None where there is none, or no sensible one."""
        try:
            found = parse_json(read_file(self.folder / "deployment.json", limit=_LARGEST_STATE))
            state = DeploymentState(**{each.name: found[each.name] for each in fields(DeploymentState)})
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return state if has_sensible_fields(state) else None

    def write_state(self, state: DeploymentState) -> None:
        """Write the state, whole or not at all."""
        self._write("deployment.json", json.dumps(asdict(state), indent=2).encode())

    def token(self) -> str:
        """Return the token; "" where there is none."""
        try:
            return read_file(self.folder / "token", limit=1000).decode("ascii").strip()
        except (OSError, UnicodeDecodeError):
            return ""

    def write_token(self, token: str) -> None:
        """Write the token."""
        self._write("token", token.encode("ascii"))

    def read_payload(self) -> bytes:
        """Return the payload.

        Raises:
            OSError: it is not there.
        """
        return read_file(self.payload, limit=_LARGEST_PAYLOAD)

    def write_payload(self, content: bytes) -> None:
        """Write the payload."""
        self._write(self.payload.name, content)

    def requests(self) -> int:
        """Return how many predictions were answered."""
        try:
            return int(read_file(self.requests_file, limit=100))
        except (OSError, ValueError):
            return 0

    def open_log(self) -> int:
        """Return a descriptor that appends to the log; one that has grown long begins anew."""
        with suppress(OSError):
            if self.log.stat().st_size > 10 * _LARGEST_LOG:
                self.log.replace(self.folder / "log-before.txt")
        return os.open(self.log, APPEND, 0o600)

    def log_text(self, *, most: int = _LARGEST_LOG) -> str:
        """Return the end of the log."""
        try:
            with open_file(self.log) as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - most))
                return file.read(most).decode("utf-8", "replace")
        except OSError:
            return ""

    def delete(self) -> None:
        """Delete all of them."""
        rmtree(self.folder, ignore_errors=True)

    def _write(self, name: str, content: bytes) -> None:
        self.create()
        draft = self.folder / f"{name}.{os.getpid()}.part"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.folder / name)


def all_deployments(parent: Path) -> Iterator[tuple[DeploymentFiles, DeploymentState]]:
    """Yield the files and the state of every deployment in a directory, by name."""
    try:
        folders = [each for each in parent.iterdir() if each.is_dir()]
    except OSError:
        return
    found = [
        (files, state) for files in map(DeploymentFiles, folders) if (state := files.state()) is not None
    ]
    yield from sorted(found, key=lambda each: each[1].name)
