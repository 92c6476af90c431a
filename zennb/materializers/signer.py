"""Owns trust: the user's signing key, and the digests of other people's artifacts that the user trusts.

Both are kept outside every artifact store, like Jupyter's keys for signed notebooks, so that write access to a store
is not enough to make its bytes trusted.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from zennb.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from zennb.materializers.materializer import Buffer

__all__ = ["Signer"]

_KEY_SIZE = 32
_DIGEST = re.compile(r"[0-9a-f]{64}")


class Signer:
    """Signs bytes with the user's key, and keeps the list of artifacts from others that the user trusts.

    Args:
        directory: where the key and the list of trusted digests are kept; the user's Jupyter data directory
            (`zennb` in it) when left out. Nothing is read or written before it is needed.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self._directory = directory
        self._key: bytes | None = None
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    @property
    def directory(self) -> Path:
        """Where the key and the trusted digests are kept."""
        if self._directory is None:
            from jupyter_core.paths import jupyter_data_dir

            self._directory = Path(jupyter_data_dir()) / "zennb"
        return self._directory

    def sign(self, buffers: Iterable[Buffer]) -> bytes:
        """Return the seal of `buffers`, taken as one: their HMAC-SHA256 under this user's key, 32 bytes.

        Raises:
            StoreError: the key cannot be read or made.
        """
        seal = hmac.new(self._own_key(), digestmod="sha256")
        for buffer in buffers:
            seal.update(buffer)
        return seal.digest()

    def seal(self, value: bytes) -> str:
        """Return what stands for a secret in records: equal for equal bytes, and revealing nothing of them."""
        return self.sign([value]).hex()[:32]

    def verifies(self, buffers: Iterable[Buffer], seal: bytes) -> bool:
        """Say whether `seal` was made by `sign` from these bytes with this user's key."""
        return hmac.compare_digest(self.sign(buffers), seal)

    def is_trusted(self, digest: str) -> bool:
        """Whether the user trusts the bytes with this sha-256 digest (64 hexadecimal digits)."""
        try:
            known = (self.directory / "trusted").read_text("ascii")
        except FileNotFoundError:
            return False
        return digest in known.split()

    def trust(self, digest: str) -> None:
        """Add the bytes with this sha-256 digest (64 hexadecimal digits) to those that the user trusts.

        Raises:
            ValueError: `digest` is no such digest.
        """
        if _DIGEST.fullmatch(digest) is None:
            raise ValueError(f"{digest!r} is not a sha-256 digest of 64 hexadecimal digits.")
        if self.is_trusted(digest):
            return
        self._make_directory()
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        handle = os.open(self.directory / "trusted", flags, 0o600)
        try:
            # One write of one line to a file opened for appending is never mixed with another process's line;
            # the leading newline ends a line that a killed process left unfinished.
            os.write(handle, f"\n{digest}\n".encode("ascii"))
            os.fsync(handle)
        finally:
            os.close(handle)

    def _own_key(self) -> bytes:
        with self._lock:
            if self._key is None:
                self._key = self._read_key() or self._make_key()
            return self._key

    def _read_key(self) -> bytes | None:
        path = self.directory / "signing-key"
        try:
            key = path.read_bytes()
            if os.name == "posix" and path.stat().st_mode & 0o077:
                path.chmod(0o600)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(
                f"the signing key {path} cannot be read ({error}); make it yours alone, mode 0600."
            ) from error
        if len(key) != _KEY_SIZE:
            raise StoreError(
                f"the signing key {path} is damaged ({len(key)} bytes instead of {_KEY_SIZE}); delete it to get "
                "a new one. What was signed with the old one then needs `zennb trust NAME`."
            )
        return key

    def _make_key(self) -> bytes:
        """Write a new key; where two processes do so at once, both use the one that was there first."""
        self._make_directory()
        path = self.directory / "signing-key"
        draft = path.with_name(f"signing-key.{secrets.token_hex(8)}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_bytes(_KEY_SIZE))
                file.flush()
                os.fsync(file.fileno())
            _publish(draft, path)
        finally:
            draft.unlink(missing_ok=True)
        key = self._read_key()
        if key is None:
            raise StoreError(f"the signing key {path} vanished while it was made; try again.")
        return key

    def _make_directory(self) -> None:
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"{self.directory}, where your signing key belongs, cannot be made ({error}); set "
                "JUPYTER_DATA_DIR to a directory you can write to."
            ) from error


def _publish(draft: Path, path: Path) -> None:
    """Give `draft` its final name unless that exists: a link is atomic and never replaces."""
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    except OSError:
        # A file system without hard links: the last writer wins the race, and its key is read next.
        if not path.exists():
            draft.replace(path)
