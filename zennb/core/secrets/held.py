"""Owns the secrets that this process was given or has looked up: they are masked wherever it writes texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zennb.core.secrets.texts import KnownSecrets
from zennb.errors import ZennbError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["HELD", "hide_secrets", "masked_display", "note_held"]

HELD = KnownSecrets()
"""These secrets."""

_DEPTH = 4
"""Levels of lists and dicts in an error that are looked through."""


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
        left += each.exceptions if isinstance(each, BaseExceptionGroup) else ()
        if isinstance(each, ZennbError):
            vars(each).update(
                {name: HELD.mask(text) for name, text in vars(each).items() if type(text) is str}
            )
        mask = HELD.mask if isinstance(each, ZennbError) else HELD.mask_known
        masked = tuple(_masked(part, mask) for part in each.args)
        if masked != each.args:
            each.args = masked
        for name in ("filename", "filename2", "__notes__"):  # shown beside the arguments
            found = getattr(each, name, None)
            if found is not None and (shown := _masked(found, mask)) != found:
                setattr(each, name, shown)


def _masked(part: Any, mask: Callable[[str], str], depth: int = 0) -> Any:
    """Return an argument of an error, and of what lies in it the texts, masked; objects of other types as they are."""
    if type(part) is str:
        return mask(part)
    if depth == _DEPTH:
        return part
    if type(part) is dict:
        return {_masked(key, mask, _DEPTH): _masked(each, mask, depth + 1) for key, each in part.items()}
    if type(part) in {list, tuple, set, frozenset}:
        return type(part)(_masked(each, mask, depth + 1) for each in part)
    return part
