"""Owns asking a deployment over HTTP, for tests."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

__all__ = ["Asked", "ask"]


@dataclass(frozen=True)
class Asked:
    status: int
    content: Any


def ask(
    url: str,
    body: bytes | None = None,
    *,
    token: str = "",
    kind: str = "application/json",
    method: str | None = None,
) -> Asked:
    """Return what is answered, parsed where it is JSON."""
    headers = {"Content-Type": kind, **({"Authorization": f"Bearer {token}"} if token else {})}
    request = urllib.request.Request(url, data=body, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            status, content = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        status, content = error.code, error.read()
        error.close()
    try:
        return Asked(status, json.loads(content))
    except ValueError:
        return Asked(status, content.decode("utf-8", "replace"))
