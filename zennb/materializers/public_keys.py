"""Owns signatures that others can check: Ed25519 keys and signatures as text. Needs the extra `sharing`.

Ed25519 is specified in RFC 8032; we use the implementation of the package `cryptography`.
"""

from __future__ import annotations

import functools
from typing import Any

__all__ = ["NO_SIGNATURES", "is_available", "public_key", "public_signature", "verify_public"]

NO_SIGNATURES = 'checking other people\'s signatures needs the extra `sharing`: pip install "zennb[sharing]".'
"""For messages."""


@functools.cache
def _library() -> Any:
    """Return the library's module for Ed25519; None where it is not installed."""
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError:
        return None
    return ed25519


def is_available() -> bool:
    """Whether signatures can be made and checked here."""
    return _library() is not None


@functools.lru_cache(maxsize=4)
def _key_pair(seed: bytes) -> tuple[Any, str]:
    private = _library().Ed25519PrivateKey.from_private_bytes(seed)
    return private, private.public_key().public_bytes_raw().hex()


def public_key(seed: bytes) -> str:
    """Return the public key that belongs to a seed of 32 bytes, as 64 hexadecimal digits; "" without the library."""
    return _key_pair(seed)[1] if is_available() else ""


def public_signature(seed: bytes, message: bytes) -> str:
    """Return the signature of a message, as 128 hexadecimal digits; "" without the library."""
    signature: bytes = _key_pair(seed)[0].sign(message) if is_available() else b""
    return signature.hex()


def verify_public(key: str, signature: str, message: bytes) -> bool:
    """Return whether the owner of a public key signed a message; False without the library."""
    if not is_available():
        return False
    from cryptography.exceptions import InvalidSignature

    try:
        _library().Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(
            bytes.fromhex(signature), message
        )
    except (ValueError, InvalidSignature):
        return False
    return True
