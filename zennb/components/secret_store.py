"""Owns the secrets that users set by name: in the system keyring or, without one, in this process only.

They belong to the user, not to a home. A keyring cannot list its entries, so an entry of its own holds their names.
"""

from __future__ import annotations

import json
import re
import threading
from importlib import import_module
from typing import TYPE_CHECKING, Any

from zennb.core.secrets.held import note_held
from zennb.errors import StoreError, UnknownName, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "KEYRING",
    "PROCESS",
    "SERVICE",
    "checked_secret_name",
    "delete_secret",
    "find_secret",
    "keep_secret",
    "keyring_problem",
    "secret_names",
]

SERVICE = "zennb"
"""What the entries of the keyring are filed under."""

KEYRING, PROCESS = "keyring", "process"
"""Where a secret is kept."""

_NAMES = ".names"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}")
_lock = threading.Lock()
_of_process: dict[str, str] = {}


def checked_secret_name(name: str) -> str:
    """Return a name if a secret may be called so. A name that is refused is not repeated: it may be the secret.

    Raises:
        UsageError: it may not.
    """
    if _NAME.fullmatch(name) is None:
        raise UsageError(
            "A secret is called by a name of letters, digits, dots, dashes and underscores, such as SLACK_URL. Its "
            "value is asked for; if you have typed it here, take it out of the cell, and change it."
        )
    return name


def keep_secret(name: str, value: str) -> str:
    """Keep a secret, in place of another one of that name; return where it is kept."""
    note_held(value)
    with _lock:
        if not keyring_problem():
            try:
                _keyring().set_password(SERVICE, name, value)
                _write_names({*_names_in_keyring(), name})
            except Exception:  # noqa: BLE001 - locked, or whatever its backend raises: this process keeps it
                _of_process[name] = value
                return PROCESS
            _of_process.pop(name, None)
            return KEYRING
        _of_process[name] = value
        return PROCESS


def find_secret(name: str) -> str | None:
    """Return the value of a secret; None if there is none of that name, as far as this process can know."""
    with _lock:
        value = _of_process.get(name)
        if value is None and not keyring_problem():
            try:
                value = _keyring().get_password(SERVICE, name)
            except Exception:  # noqa: BLE001 - locked, or whatever its backend raises
                value = None
    return None if value is None else note_held(value)


def secret_names() -> dict[str, str]:
    """Return the names of all secrets with where each is kept, by name."""
    with _lock:
        found = dict.fromkeys(_names_in_keyring(), KEYRING) | dict.fromkeys(_of_process, PROCESS)
    return dict(sorted(found.items()))


def delete_secret(name: str) -> None:
    """Delete a secret.

    Raises:
        UnknownName: there is none of that name.
        StoreError: the keyring did not delete it.
    """
    known = secret_names()
    if name not in known:
        raise UnknownName("secret", name, known, hint="Set one with `%secret set NAME`.")
    with _lock:
        _of_process.pop(name, None)
        names = set(_names_in_keyring())
        if name not in names:
            return
        try:
            if _keyring().get_password(SERVICE, name) is not None:  # else it was deleted by other means
                _keyring().delete_password(SERVICE, name)
            _write_names(names - {name})
        except Exception as error:  # noqa: BLE001 - whatever its backend raises
            raise StoreError(
                f"The system keyring did not delete '{name}' ({type(error).__name__}); unlock it, and try again."
            ) from None


def keyring_problem() -> str:
    """Return why secrets cannot be kept in a keyring here, as a phrase; "" when they can."""
    try:
        backend = _keyring().get_keyring()
        works = float(getattr(backend, "priority", 1)) > 0
    except ImportError:
        return "the library `keyring` is not installed: pip install keyring"
    except Exception:  # noqa: BLE001 - backends fail in their own ways
        works = False
    return "" if works else "this system has no keyring that works"


def _keyring() -> Any:
    return import_module("keyring")


def _names_in_keyring() -> Iterator[str]:
    if keyring_problem():
        return
    try:
        found = json.loads(_keyring().get_password(SERVICE, _NAMES) or "[]")
    except Exception:  # noqa: BLE001 - as above, or somebody else's entry
        return
    yield from (each for each in found if isinstance(each, str)) if isinstance(found, list) else ()


def _write_names(names: set[str]) -> None:
    _keyring().set_password(SERVICE, _NAMES, json.dumps(sorted(names)))
