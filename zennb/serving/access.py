"""Owns who may ask a deployment, and what it writes to its log, the same for every server."""

from __future__ import annotations

import hmac
import sys
import time

from zennb.errors import DeploymentFailed
from zennb.serving.predictor import LARGEST

__all__ = ["NO_TOKEN", "TOO_LARGE", "carries", "checked_token", "log"]

NO_TOKEN = "send the header `Authorization: Bearer TOKEN`; `zennb deployment token NAME` prints the token."
TOO_LARGE = f"a request has {LARGEST // 1_000_000} MB at most; send several."


def checked_token(token: str) -> str:
    """Return a token that opens something.

    Raises:
        DeploymentFailed: it is empty.
    """
    if not token:
        raise DeploymentFailed("a deployment needs a token; deploy the model again.")
    return token


def carries(authorization: str, token: str) -> bool:
    """Whether the header of a request carries the token, found out in a time that tells nothing of it."""
    given = authorization.removeprefix("Bearer ").strip()
    return hmac.compare_digest(given.encode("utf-8", "replace"), token.encode())


def log(line: str) -> None:
    """Write a line to the log of the deployment."""
    sys.stderr.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')}  {line}\n")
    sys.stderr.flush()
