"""Owns the secrets that this process was given or has looked up: they are masked wherever it writes texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zennb.core.secrets.texts import KnownSecrets
from zennb.errors import ZennbError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["HELD", "hide_secrets", "masked_display", "note_held"]

HELD = KnownSecrets()
"""These secrets."""


def note_held(value: str) -> str:
    """Remember a secret value, and return it."""
    HELD.note([value], surely=True)
    return value


def masked_display(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what zennb is about to display, by MIME type, with these secrets masked in its texts."""
    if HELD.is_empty:  # as in most kernels
        return dict(data)
    return {kind: HELD.mask_known(text) if type(text) is str else text for kind, text in data.items()}


def hide_secrets(error: BaseException) -> None:
    """Mask the secrets that this process holds in an error that is about to be shown, and in what led to it.

    Libraries put into their errors the address that they could not reach, with its password. In an error of our own
    everything is masked that looks like a secret: somebody may have typed one by mistake.
    """
    left, seen = [error], set[int]()
    while left:
        each = left.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        left += [other for other in (each.__cause__, each.__context__) if other is not None]
        if isinstance(each, ZennbError):
            vars(each).update(
                {name: HELD.mask(text) for name, text in vars(each).items() if type(text) is str}
            )
        mask = HELD.mask if isinstance(each, ZennbError) else HELD.mask_known
        masked = tuple(mask(part) if type(part) is str else part for part in each.args)
        if masked != each.args:
            each.args = masked
