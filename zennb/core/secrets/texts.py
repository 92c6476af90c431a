"""Owns masking secrets in texts: known forms of tokens, `name=value` pairs, and values that are known to be secret."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from html import escape
from typing import Any
from urllib.parse import quote

from zennb.core.secrets.names import DOTS, Suspicion, is_name, is_secret, suspicion

__all__ = ["KnownSecrets", "has_token", "mask_command", "mask_json", "mask_text", "may_hold_secrets"]

_TOKEN = re.compile(
    r"(?<![\w-])(?:"
    r"sk-(?:[A-Za-z0-9_]{20,}|(?=[\w-]{0,60}\d)[\w-]{16,})"
    r"|(?:sk|rk|pk|whsec)_(?:live|test)_\w{10,}"
    r"|gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}"
    r"|(?:AKIA|ASIA)[A-Z0-9]{12,}"
    r"|xox[abeprs]-[\w-]{10,}"
    r"|hf_[A-Za-z0-9]{20,}|AIza[\w-]{30,}|ya29\.[\w-]{20,}|npm_[A-Za-z0-9]{30,}|pypi-[\w-]{50,}"
    r"|eyJ[\w-]{8,}\.[\w-]{4,}\.[\w-]*"
    r")"
)
"""Tokens that are known by their form: OpenAI, Stripe, GitHub, GitLab, AWS, Slack, Hugging Face, Google and others."""

_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)", re.DOTALL
)
_HEADER = re.compile(
    r"\b(?P<kept>Bearer\s+|Basic\s+)(?=[\w.~+/=-]{0,200}[\d.=])[\w.~+/=-]{12,}", re.IGNORECASE
)
_ADDRESS = re.compile(r"(?P<kept>[A-Za-z][\w+.-]{0,30}://[^/@:\s\"']{0,200}:)(?P<value>[^/@\s\"']{1,200})@")
_CONNECTION = re.compile(
    r"\b(?P<kept>(?:AccountKey|SharedAccessKey|Password|Pwd|PWD)=)(?P<value>[^;\"'\s,)]{1,400})(?=[;\"']|\Z)"
)
_PLACEHOLDER = re.compile(r"\{[^{}]*\}|<[^<>]*>|\*+|\$\{?\w+\}?")

_QUOTED = re.compile(
    r"(?P<kept>(?<![\w.-])(?P<name>[A-Za-z_][\w.-]{0,60})[\"']?\]?\s{0,4}(?:[:=]|=>)\s{0,4}[bru]{0,2}(?P<quote>[\"']))"
    r"(?P<value>(?:\\.|(?!(?P=quote))[^\\\n]){1,4000})(?=(?P=quote))"
)
_UNQUOTED = re.compile(
    r"(?P<kept>(?<![\w.-])(?P<name>[A-Za-z_][\w.-]{0,60})(?:=|:\s{1,4}))(?P<value>[^\s,;&)\"'\]}(\[]{4,200})(?![(\[.])"
)
_OPTION = re.compile(
    r"(?P<kept>(?<!\S)--?(?P<name>[A-Za-z][\w-]{0,60})[=\s]\s{0,4}[\"']?)(?P<value>[^\s\"']{1,200})"
)
_ENV = re.compile(
    r"(?P<kept>(?<!\S)(?:%env|%set_env|export|setx|set)\s{1,4}(?P<name>\w{1,60})(?:=|\s)\s{0,4}[\"']?)(?P<value>[^\s\"']{1,400})"
)

_PNG = re.compile(r"iVBORw0KGgo[A-Za-z0-9+/]*={0,2}")
"""A picture as notebooks hold it, in base64."""

_HINTS = (
    *(
        "passw",
        "passphrase",
        "passcode",
        "secret",
        "token",
        "key",
        "auth",
        "cred",
        "pwd",
        "jwt",
        "bearer",
        "basic",
    ),
    *(
        "sk-",
        "_live_",
        "_test_",
        "ghp_",
        "gho_",
        "ghu_",
        "ghs_",
        "ghr_",
        "github_pat",
        "glpat",
        "akia",
        "asia",
    ),
    *("xox", "hf_", "aiza", "ya29", "npm_", "pypi-", "eyj", "://"),
)
"""Any text that a pattern above matches contains one of these in lower case, which is found ten times as fast."""

_LONG, _LONGEST, _SCRIPT_ENDS = 200_000, 10_000_000, "</script>"

_MOST_KNOWN, _SHORTEST, _PLAIN_WORD = 1_000, 6, 12


def may_hold_secrets(text: str) -> bool:
    """Whether a text, or code, can hold anything that is recognized as a secret; a cheap first look."""
    lowered = text.casefold()
    return any(hint in lowered for hint in _HINTS)


def has_token(text: str) -> bool:
    """Whether a text contains a token of known form, a private key, or an address with a password."""
    return may_hold_secrets(text) and _by_form(text) != text


def mask_text(text: str, *, is_code: bool = False) -> str:
    """Return a text with its secrets masked: tokens of known forms, and values beside names that hold secrets.

    Args:
        text: what a step printed, raised or showed; for commands see `mask_command`.
        is_code: whether it is Python, where `password=value` without quotes names a variable.
    """
    if len(text) > _LONG and not is_code:
        # Each figure of plotly brings the same script of some megabytes, which takes half a second to look through.
        return _SCRIPT_ENDS.join(map(_mask_part, text.split(_SCRIPT_ENDS)))
    return _masked(text, is_code=is_code)


@lru_cache(maxsize=4)
def _mask_long(text: str) -> str:
    return _masked(text, is_code=False)


def _mask_part(text: str) -> str:
    return _mask_long(text) if _LONG < len(text) < _LONGEST else _masked(text, is_code=False)


def _masked(text: str, *, is_code: bool) -> str:
    if not may_hold_secrets(text):
        return text
    text = _QUOTED.sub(_pair, _by_form(text))
    return text if is_code else _UNQUOTED.sub(_bare_pair, text)


def mask_command(text: str) -> str:
    """Return a magic or shell line with its secrets masked: `--password hunter2`, `%env TOKEN=...`."""
    if not may_hold_secrets(text):
        return text
    return _ENV.sub(_option, _OPTION.sub(_option, mask_text(text)))


def mask_json(value: Any, mask: KnownSecrets | None = None) -> Any:
    """Return JSON data with the secrets in its texts masked, and the values of keys that hold secrets."""
    if isinstance(value, str):
        if _PNG.fullmatch(value):  # to look through a picture takes as long as to store it
            return value
        return mask_text(value) if mask is None else mask.mask(value)
    if isinstance(value, Mapping):
        return {
            key: DOTS
            if isinstance(each, str) and isinstance(key, str) and is_secret(key, each)
            else mask_json(each, mask)
            for key, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [mask_json(each, mask) for each in value]
    return value


class KnownSecrets:
    """The secret values that a process has come across, which are masked wherever they appear; `values` are the first.

    Any number of threads may use it: each step is one operation of a dictionary.
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._values: dict[str, None] = {}
        self._pattern: re.Pattern[str] | None = None
        self._unusual: re.Pattern[str] | None = None
        self.note(values, surely=True)

    @property
    def is_empty(self) -> bool:
        """Whether no secret is known."""
        return not self._values

    def __contains__(self, text: str) -> bool:
        """Whether a text is one of them, or contains one; plain words and numbers may do so by chance."""
        pattern = self._unusual
        return text in self._values or (pattern is not None and pattern.search(text) is not None)

    def note(self, values: Iterable[str], *, surely: bool = False) -> None:
        """Remember secret values. Short and common ones are not looked for: they would be found by chance.

        Args:
            values: the values.
            surely: whether they are known to be secrets, and not just by the names they go under: then they may
                themselves be such a name, `api_key`.
        """
        fits = _is_long_enough if surely else _is_telling
        new = [value for value in values if value not in self._values and fits(value)]
        if not new:
            return
        self._values.update(dict.fromkeys(new))
        for oldest in list(self._values)[:-_MOST_KNOWN]:
            self._values.pop(oldest, None)
        compiled: list[str] = []
        while compiled != list(self._values):  # another thread may have added some meanwhile
            compiled = list(self._values)
            unusual = [each for each in compiled if not _is_plain(each)]
            self._unusual = _any_of(unusual) if unusual else None
            self._pattern = _any_of(compiled)

    @property
    def values(self) -> tuple[str, ...]:
        """These values."""
        return tuple(self._values)

    def mask(self, text: str) -> str:
        """Return a text with these values masked, and everything that `mask_text` masks."""
        return mask_text(self.mask_known(text))

    def mask_known(self, text: str) -> str:
        """Return a text with these values masked, and nothing else."""
        pattern = self._pattern
        return text if pattern is None else pattern.sub(DOTS, text)

    def is_in(self, content: bytes) -> bool:
        """Whether a file's content holds one of these values, or a token of known form."""
        text = content.decode("utf-8", "replace")
        return text in self or has_token(text)


def _by_form(text: str) -> str:
    text = _PRIVATE_KEY.sub(DOTS, text) if "PRIVATE KEY" in text else text
    text = _HEADER.sub(rf"\g<kept>{DOTS}", _TOKEN.sub(DOTS, text))
    text = _ADDRESS.sub(lambda found: _kept(found) + "@" if _is_given(found["value"]) else found[0], text)
    return _CONNECTION.sub(lambda found: _kept(found) if _is_given(found["value"]) else found[0], text)


def _kept(found: re.Match[str]) -> str:
    return f"{found['kept']}{DOTS}"


def _is_given(value: str) -> bool:
    """Whether a value stands in a text, and not a placeholder for one: `{password}`."""
    return value != DOTS and _PLACEHOLDER.fullmatch(value) is None


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _pair(found: re.Match[str]) -> str:
    is_hidden = _is_given(found["value"]) and is_secret(_last(found["name"]), found["value"])
    return _kept(found) if is_hidden else found[0]


def _bare_pair(found: re.Match[str]) -> str:
    has_digit = any(each.isdigit() for each in found["value"])
    return _pair(found) if has_digit else found[0]


def _option(found: re.Match[str]) -> str:
    is_name = suspicion(found["name"]) is not Suspicion.NONE
    return (
        _kept(found)
        if is_name and _is_given(found["value"]) and not found["value"].startswith("$")
        else found[0]
    )


def _is_telling(value: str) -> bool:
    return _is_long_enough(value) and not is_name(value)


def _is_long_enough(value: str) -> bool:
    if len(value) < _SHORTEST or value == DOTS:
        return False
    return bool(value.strip()) and not set(value) <= set(" .*-_x")


def _any_of(values: Iterable[str]) -> re.Pattern[str]:
    forms = {form for each in values for form in _forms(each)}
    return re.compile("|".join(sorted(map(_searched, forms), key=len, reverse=True)))


def _is_plain(value: str) -> bool:
    return value.isdigit() or (value.isalpha() and len(value) < _PLAIN_WORD)


def _forms(value: str) -> set[str]:
    """Return the forms in which a value may appear: as it is, in a repr, in an address, in HTML."""
    return {value, repr(value)[1:-1], quote(value, safe=""), escape(value)}


def _searched(value: str) -> str:
    """Return the pattern that finds a value; a plain word or number only where it stands alone."""
    return rf"(?<![^\W_]){re.escape(value)}(?![^\W_])" if _is_plain(value) else re.escape(value)
