"""Owns trust: the user's signing key, and which other people and which of their artifacts the user trusts.

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

from zennb.core.records.seal import Seal
from zennb.errors import StoreError
from zennb.materializers.public_keys import public_key, public_signature, verify_public

if TYPE_CHECKING:
    from collections.abc import Iterable

    from zennb.core.records.records import Step
    from zennb.materializers.materializer import Buffer

__all__ = ["Signer"]

_KEY_SIZE = 32
_RECORD = b"zennb record\0"
"""Begins what is signed of a record, so that no signature of a record is one of something else."""
_SHARED = b"zennb shared record\0"
_ADOPTED = b"zennb adopted record\0"
"""Begins what is signed of a record of somebody else that was reused without trusting them."""
_NO_LONGER = "-"
"""Begins a line of the list that takes back an earlier one; lines are only ever appended."""
_DIGEST = re.compile(r"[0-9a-f]{64}")


class Signer:
    """Signs bytes and records with the user's key, and keeps the list of people and artifacts that the user trusts.

    Args:
        directory: where the key and the list of trusted digests are kept; the user's Jupyter data directory
            (`zennb` in it) when left out. Nothing is read or written before it is needed.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self._directory = directory
        self._key: bytes | None = None
        self._vouched: set[str] = set()
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
        # Takes the same time wherever the first difference is.
        return hmac.compare_digest(self.sign(buffers), seal)

    def sign_record(self, message: bytes) -> str:
        """Return the signature of a step's record.

        It is an HMAC-SHA256 under this user's key; with the extra `sharing` the user's public key follows, and
        `countersign` adds a signature. It is "" when the key cannot be read: the record is never reused then.
        """
        try:
            key = self._own_key()
        except StoreError:
            return ""
        own = hmac.digest(key, _RECORD + message, "sha256").hex()
        return f"{own} {public_key(_seed(key))}".rstrip()

    def countersign(self, seal: Seal) -> str:
        """Return the signature of a record with an Ed25519 signature at its end, which other people can check.

        That takes twenty times as long as the rest. A signature that is not this user's own, has one already, or was
        made without the extra `sharing`, is returned as it is.
        """
        own, public, signature = _split(seal.signature)
        if not public or signature or not self.is_own(seal):
            return seal.signature
        return f"{own} {public} {public_signature(_seed(self._own_key()), seal.message)}"

    def accepts(self, step: Step) -> bool:
        """Return whether a step's record is signed by this user, or by somebody whom the user trusts.

        What such a record names can be loaded from then on, whoever wrote the bytes: a worker on another machine signs
        with a key of its own.
        """
        if step.seal is None:
            return False
        if not self.trusts(step.seal):
            # Not vouched for: its outputs are data, and other bytes may be a pickle under another record.
            return self.is_adopted(step.seal)
        carried = () if step.carried is None else (step.carried.blob,)
        self.vouch((*(each.blob for each in (*step.outputs.values(), *step.inputs.values())), *carried))
        return True

    def trusts(self, seal: Seal) -> bool:
        """Return whether a seal was made by this user, or by somebody whom the user trusts."""
        return self.is_own(seal) or self._is_of_trusted(seal)

    def is_adopted(self, seal: Seal) -> bool:
        """Return whether this user has reused the record of somebody else that needed no trust."""
        own, _, _ = _split(seal.signature)
        return self._is_hmac(_ADOPTED + seal.message, own)

    def adopted(self, seal: Seal, message: bytes) -> str:
        """Return the signature under which the record of somebody else is kept here.

        Theirs stays, and says who made it. Unless they are trusted, a mark of this user's comes before it: the record
        was found to need no trust.

        Args:
            seal: theirs.
            message: what is signed of the record as it is kept.
        """
        _, public, signature = _split(seal.signature)
        theirs = f"{public} {signature}"
        if self.is_own(seal):
            return self.countersign(Seal(message, self.sign_record(message)))
        if self._is_of_trusted(seal):
            return f"- {theirs}"
        return f"{hmac.digest(self._own_key(), _ADOPTED + message, 'sha256').hex()} {theirs}"

    def sign_shared(self, body: bytes) -> str:
        """Return this user's signature of a shared record, which others can check; "" without the extra `sharing`.

        Raises:
            StoreError: the key cannot be read or made.
        """
        return public_signature(_seed(self._own_key()), _SHARED + body)

    @staticmethod
    def has_signed_shared(public: str, signature: str, body: bytes) -> bool:
        """Return whether the owner of a public key signed a shared record."""
        return verify_public(public, signature, _SHARED + body)

    def _is_of_trusted(self, seal: Seal) -> bool:
        _, public, signature = _split(seal.signature)
        return self.is_trusted(public) and verify_public(public, signature, seal.message)

    def is_own(self, seal: Seal) -> bool:
        """Return whether this user made a seal."""
        own, _, _ = _split(seal.signature)
        return self._is_hmac(_RECORD + seal.message, own)

    def _is_hmac(self, message: bytes, mark: str) -> bool:
        try:
            key = self._own_key()
        except StoreError:
            return False
        expected = hmac.digest(key, message, "sha256").hex()
        # As bytes: texts with other characters than ASCII, which a forger may have written, cannot be compared.
        return hmac.compare_digest(expected.encode(), mark.encode("utf-8", "surrogatepass"))

    @property
    def identity(self) -> str:
        """This user's public key, 64 hexadecimal digits; "" without the extra `sharing`."""
        return public_key(_seed(self._own_key()))

    def vouch(self, blobs: Iterable[str]) -> None:
        """Trust bytes with these sha-256 digests in this process, because a signed record names them."""
        self._vouched.update(blobs)

    def is_trusted(self, digest: str) -> bool:
        """Whether the user trusts a public key, or the bytes with this sha-256 digest (64 hexadecimal digits)."""
        return bool(digest) and (digest in self._vouched or digest in self._trusted())

    def _trusted(self) -> set[str]:
        try:
            lines = (self.directory / "trusted").read_text("ascii", errors="replace").split()
        except FileNotFoundError:
            return set()
        found = set[str]()
        for line in lines:
            if line.startswith(_NO_LONGER):
                found.discard(line.removeprefix(_NO_LONGER))
            else:
                found.add(line)
        return found

    def trust(self, digest: str) -> None:
        """Add a public key, or the bytes with this sha-256 digest, to what the user trusts.

        Raises:
            ValueError: `digest` does not consist of 64 hexadecimal digits.
        """
        if _DIGEST.fullmatch(digest) is None:
            raise ValueError(f"{digest!r} is not a sha-256 digest of 64 hexadecimal digits.")
        if digest not in self._trusted():
            self._append(digest)

    def distrust(self, digest: str) -> None:
        """Take a public key, or bytes, off the list of what the user trusts."""
        if digest in self._trusted():
            self._append(_NO_LONGER + digest)

    def _append(self, line: str) -> None:
        self._make_directory()
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        handle = os.open(self.directory / "trusted", flags, 0o600)
        try:
            # One write of one line to a file opened for appending is never mixed with another process's line;
            # the leading newline ends a line that a killed process left unfinished.
            os.write(handle, f"\n{line}\n".encode("ascii"))
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
            # A key that others can read is no secret. Backups and copies often lose its mode.
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
        # The mode is set with the first byte; a `chmod` afterwards would leave a moment in
        # which others could open it.
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


def _seed(key: bytes) -> bytes:
    """Return the seed of the user's key pair for signatures that others can check."""
    return hmac.digest(key, b"zennb Ed25519 seed", "sha256")


def _split(signature: str) -> tuple[str, str, str]:
    """Return the user's own signature, and the public key and public signature behind it, if any."""
    own, public, rest, *_ = *signature.split(" "), "", "", ""
    return own, public, rest


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
