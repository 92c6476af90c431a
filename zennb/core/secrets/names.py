"""Owns the judgement whether a value is secret by the name it goes under."""

from __future__ import annotations

import re
from enum import IntEnum
from functools import lru_cache
from itertools import islice, pairwise
from typing import Any

from zennb.compat.instances import elements_of, is_a, plain

__all__ = [
    "DOTS",
    "REFERENCE",
    "Suspicion",
    "is_name",
    "is_sealed",
    "is_secret",
    "sealed_digest",
    "suspicion",
    "unambiguous",
]

DOTS = "••••"
"""Stands in place of a secret."""

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_VARIABLE = re.compile(r"[A-Z]+(?:_[A-Z]+)+")
"""Environment variables as people name them. One with a number in it may be a password as well."""
_FOLDER = re.compile(r"(old)?_?pwd", re.IGNORECASE)
_PATH = re.compile(r"(?:[A-Za-z]:|~|\.{1,2})?(?:[\\/][\w .@%-]*)+")
REFERENCE = re.compile(r"(env|keyring|secret):\S+")
"""A reference to a secret, which is none itself; see `components.secret`."""

_SECRETS = frozenset(
    {"apikey", "authorization", "authtoken", "cred", "creds", "credential", "credentials", "passcode"}
    | {"passphrase", "passwd", "password", "passwords", "privatekey", "pwd", "secret", "secretkey", "secrets"}
)
_ENDINGS = ("password", "passwd", "passphrase")  # PGPASSWORD
_KEYS = frozenset(
    {"access", "account", "api", "auth", "encryption", "master", "private", "secret", "signing", "ssh"}
)
_TOKENS = frozenset(
    {"access", "api", "auth", "bearer", "bot", "gh", "github", "gitlab", "hf", "hub", "id", "jwt", "oauth"}
    | {"personal", "refresh", "session", "slack", "wandb"}
)
_AFTER_SECRET = frozenset({"access", "id", "key", "keys", "string", "token", "value"})
_PERHAPS = frozenset({"auth", "bearer", "jwt", "pw", "token"})
_ABOUT = frozenset(
    {
        "count",
        "counts",
        "column",
        "columns",
        "cols",
        "dir",
        "env",
        "field",
        "file",
        "filename",
        "folder",
        "helper",
    }
    | {
        "ids",
        "index",
        "label",
        "labels",
        "len",
        "length",
        "manager",
        "max",
        "min",
        "name",
        "names",
        "num",
        "path",
    }
    | {
        "paths",
        "pattern",
        "policy",
        "prompt",
        "provider",
        "rate",
        "regex",
        "required",
        "score",
        "scores",
        "size",
    }
    | {"strength", "type", "types", "url", "var", "variable"}
)
"""Last words of names that say something about a secret but do not hold it: `password_file`, `token_count`."""

_SEALED = "sealed:"
_SHORTEST, _LONG, _DIGITS = 6, 20, 4


class Suspicion(IntEnum):
    """How likely a name is to hold a secret: not at all, if the value looks like one, or whatever text it holds."""

    NONE = 0
    VALUE_DECIDES = 1
    SECRET = 2


def is_name(text: str) -> bool:
    """Whether a text is the name of a secret and hardly one itself: `api_key`, `OPENAI_API_KEY`, not `MyPassword1`."""
    if suspicion(text) is Suspicion.NONE:
        return False
    words = {word.lower() for word in _WORDS.findall(text)}
    return (
        _VARIABLE.fullmatch(text) is not None
        or words <= _SECRETS | _KEYS | _TOKENS | _AFTER_SECRET | _PERHAPS
    )


@lru_cache(maxsize=4096)
def suspicion(name: str) -> Suspicion:
    """Return how likely a variable, key, option or environment variable of that name is to hold a secret.

    `token` is also a word of language models, so `token = "the"` is none, while `token = "8f2a71c0"` is.
    """
    words = [word.lower() for word in _WORDS.findall(name)]
    if not words or words[-1] in _ABOUT:
        return Suspicion.NONE
    pairs = set(pairwise(words))
    for place, word in enumerate(words):
        follower = words[place + 1] if place + 1 < len(words) else ""
        if word in {"secret", "secrets"} and follower and follower not in _AFTER_SECRET:
            continue  # `secret_word`, `secret_santa`
        if word in _SECRETS or word.endswith(_ENDINGS):
            return Suspicion.SECRET
    if any(first in _KEYS and second in {"key", "keys"} for first, second in pairs):
        return Suspicion.SECRET
    if any(first in _TOKENS and second in {"token", "tokens"} for first, second in pairs):
        return Suspicion.SECRET
    return Suspicion.VALUE_DECIDES if words[-1] in _PERHAPS else Suspicion.NONE


def sealed_digest(seal: str) -> str:
    """Return what takes the place of a secret's digest in a record."""
    return f"{_SEALED}{seal}"


def is_sealed(digest: str) -> bool:
    """Whether a digest in a record is that of a secret."""
    return digest.startswith(_SEALED)


def unambiguous(name: str) -> bool:
    """Whether only a secret goes under that name, even as the name of a column: `password`, but not `secret`."""
    words = {word.lower() for word in _WORDS.findall(name)}
    is_word = words <= {"secret", "secrets", "credential", "credentials", "id", "token", "tokens"}
    return suspicion(name) is Suspicion.SECRET and not is_word


def is_secret(name: str, value: object) -> bool:
    """Whether a value is secret because of its name; of a collection, whether anything in it is.

    Numbers count only under names that leave no doubt; None, booleans, arrays, functions and modules never do.
    """
    found, value = suspicion(name), plain(value)
    if found is Suspicion.NONE or (is_a(value, str) and _FOLDER.fullmatch(name) and _PATH.fullmatch(value)):
        return False  # `PWD` is the current folder
    return _is_secret(found, value, depth=3)


def _is_secret(found: Suspicion, value: object, *, depth: int) -> bool:
    value = plain(value)
    if is_a(value, str | bytes | bytearray):
        return _is_secret_text(found, value if is_a(value, str) else bytes(value).decode("latin-1"))
    if is_a(value, int) and not is_a(value, bool):
        return found is Suspicion.SECRET and abs(value) >= 10 ** (_DIGITS - 1)
    if not depth:
        return False
    inner = islice(elements_of(value), 100)
    if is_a(value, dict):
        return any(_is_entry(found, plain(key), each, depth=depth) for key, each in inner)
    return any(_is_secret(found, each, depth=depth - 1) for each in inner)


def _is_entry(found: Suspicion, key: Any, value: object, *, depth: int) -> bool:
    """Whether an entry of a collection with a secret's name is secret: `creds = {"user": ..., "password": ...}`."""
    own = suspicion(key) if is_a(key, str) else Suspicion.NONE
    if own is Suspicion.NONE:
        own = Suspicion.VALUE_DECIDES if is_a(value, str | bytes) else found
    return _is_secret(own, value, depth=depth - 1)


def _is_secret_text(found: Suspicion, text: str) -> bool:
    text = text.strip()
    if not text or text == DOTS or REFERENCE.fullmatch(text) or _is_path(text):
        return False
    if found is Suspicion.SECRET:
        return True
    if len(text) < _SHORTEST or text.isalpha() or text.startswith(("<", "[", "##", "▁", "Ġ")):
        return False
    if any(each.isspace() for each in text):
        return False
    has_both = any(each.isdigit() for each in text) and any(each.isalpha() for each in text)
    return has_both or len(text) >= _LONG


def _is_path(text: str) -> bool:
    """Whether a text is the path of a file: `GOOGLE_APPLICATION_CREDENTIALS=/home/me/key.json`."""
    if _PATH.fullmatch(text) is None:
        return False
    return text.count("/") + text.count("\\") > 1 or "." in text.rpartition("/")[2]
