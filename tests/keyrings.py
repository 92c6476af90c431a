"""A keyring in memory in place of the library `keyring`, and what fails in its ways."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

__all__ = ["FakeKeyring", "install_keyring", "without_keyring"]


class FakeKeyring:
    """What zennb uses of the library; while `locked`, everything fails as locked keyrings do."""

    def __init__(self, priority: float = 5.0) -> None:
        self.entries: dict[tuple[str, str], str] = {}
        self.priority, self.locked = priority, False

    def get_keyring(self) -> SimpleNamespace:
        return SimpleNamespace(priority=self.priority)

    def get_password(self, service: str, account: str) -> str | None:
        self._check()
        return self.entries.get((service, account))

    def set_password(self, service: str, account: str, value: str) -> None:
        self._check()
        self.entries[service, account] = value

    def delete_password(self, service: str, account: str) -> None:
        self._check()
        del self.entries[service, account]

    def _check(self) -> None:
        if self.locked:
            raise RuntimeError("Failed to unlock the collection!")


def install_keyring(monkeypatch: pytest.MonkeyPatch, priority: float = 5.0) -> FakeKeyring:
    """Let `import keyring` find a keyring in memory."""
    made = FakeKeyring(priority)
    monkeypatch.setitem(sys.modules, "keyring", made)
    return made


def without_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `import keyring` fail."""
    monkeypatch.setitem(sys.modules, "keyring", None)
