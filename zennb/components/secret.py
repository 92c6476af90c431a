"""Owns secret options: a component stores a reference to a secret, and looks the secret up when it needs it."""

from __future__ import annotations

import os
import re
from importlib import import_module
from typing import Any

from traitlets import TraitError, TraitType

from zennb.components.secret_store import find_secret, keyring_problem
from zennb.core.secrets.held import note_held
from zennb.errors import InvalidConfiguration, MissingExtra

__all__ = ["Secret", "SecretRef"]

_REFERENCE = re.compile(
    r"env:(?P<variable>[A-Za-z_][A-Za-z0-9_]*)|keyring:(?P<service>[^/\s]+)/(?P<account>\S+)"
    r"|secret:(?P<name>[A-Za-z_][A-Za-z0-9_.-]{0,99})"
)
_FORMS = (
    "`secret:NAME` for one that `%secret set NAME` asked for, `env:NAME` for an environment variable, or "
    "`keyring:SERVICE/NAME` for an entry of the system keyring"
)


class Secret:
    """A reference to a secret; only `reveal` returns the secret itself, which is never stored.

    Args:
        reference: `secret:NAME`, `env:NAME` or `keyring:SERVICE/NAME`.

    Raises:
        ValueError: `reference` has none of these forms. The message does not repeat the value: it may be the secret.
    """

    __slots__ = ("reference",)

    def __init__(self, reference: str) -> None:
        if _REFERENCE.fullmatch(reference) is None:
            raise ValueError(f"A secret is given by reference, never by value: {_FORMS}.")
        self.reference = reference

    def reveal(self) -> str:
        """Look the secret up now and return it.

        Raises:
            InvalidConfiguration: there is no such secret, the variable is not set, or the keyring has no such entry.
            MissingExtra: the reference is to the keyring, and the library `keyring` is not installed.
        """
        found = _REFERENCE.fullmatch(self.reference)
        if found is None:  # unpickled or built around `__init__`
            raise InvalidConfiguration(f"A secret is given by reference, never by value: {_FORMS}.")
        if found["name"]:
            return _by_name(found["name"])
        if found["variable"]:
            return note_held(_from_environment(found["variable"]))
        return note_held(_from_keyring(found["service"], found["account"]))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.reference == self.reference

    def __hash__(self) -> int:
        return hash(self.reference)

    def __str__(self) -> str:
        return self.reference

    def __repr__(self) -> str:
        return f"<secret at {self.reference}>"


def _by_name(name: str) -> str:
    value = find_secret(name)
    if value is None:
        where = (
            ""
            if not keyring_problem()
            else " Without a keyring, only the kernel in which it was set knows it."
        )
        raise InvalidConfiguration(
            f"There is no secret `{name}` here; set it with `%secret set {name}`.{where}"
        )
    return value


def _from_environment(variable: str) -> str:
    value = os.environ.get(variable)
    if not value:
        raise InvalidConfiguration(
            f"The secret `env:{variable}` cannot be read: {variable} is not set in the "
            "environment of this process. Set it before Jupyter starts, or through `os.environ` in a cell "
            "that is not saved."
        )
    return value


def _from_keyring(service: str, account: str) -> str:
    try:
        keyring = import_module("keyring")
    except ImportError as error:
        raise MissingExtra(
            f"The secret `keyring:{service}/{account}` needs the library `keyring`: pip install keyring"
        ) from error
    value: str | None = keyring.get_password(service, account)
    if value is None:
        raise InvalidConfiguration(
            f"The system keyring has no entry `{account}` for `{service}`. "
            f"Store it in a terminal: keyring set {service} {account}"
        )
    return value


class SecretRef(TraitType[Secret | None, Any]):
    """A component option that holds a `Secret`; None when it was not given.

    Example:
        `token = SecretRef(help="Access token.").tag(config=True)`; `self.token.reveal()` where it is used.
    """

    info_text = f"a reference to a secret ({_FORMS})"
    default_value = None
    allow_none = True

    def validate(self, obj: Any, value: Any) -> Secret | None:  # noqa: ARG002 - traitlets calls it so
        """Accept a `Secret` or the text of a reference; what is refused is not repeated in the message."""
        if value is None or isinstance(value, Secret):
            return value
        try:
            return Secret(value)
        except (TypeError, ValueError):
            raise TraitError(
                f"`{self.name}` is a secret and is given by reference, never by value: {_FORMS}."
                # Without a cause: its traceback could show the secret that somebody typed here by mistake.
            ) from None

    def from_string(self, s: str) -> Secret | None:
        """Parse the text of a reference."""
        return self.validate(None, s)
