"""Errors that are about to be shown hold no secret any more, wherever in them it was."""

from __future__ import annotations

from typing import Any

import pytest

from zennb.core.secrets import held
from zennb.core.secrets.held import hide_secrets
from zennb.core.secrets.texts import KnownSecrets

VALUE = "c4nary-7f3a9b21-x"


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    found = KnownSecrets()
    found.note([VALUE], surely=True)
    monkeypatch.setattr(held, "HELD", found)


def _noted() -> Exception:
    error = ValueError("a")
    error.add_note(f"with {VALUE}")
    return error


def _nested() -> list[Any]:
    found: list[Any] = [VALUE]
    found.append(found)
    return found


@pytest.mark.parametrize(
    "error",
    [
        KeyError({"key": [VALUE, (VALUE,)], VALUE: {VALUE}}),
        FileNotFoundError(2, "no such file", f"/x/{VALUE}", None, VALUE),
        ExceptionGroup("two", [ValueError(VALUE), ExceptionGroup(VALUE, [OSError(VALUE)])]),
        _noted(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_no_text_of_an_error_holds_it(error: BaseException) -> None:
    hide_secrets(error)
    assert VALUE not in f"{error!s}{error!r}{error.args}{getattr(error, '__notes__', '')}"
    assert held.HELD.mask(f"{error}") == str(error)


def test_an_error_that_refers_to_itself_is_gone_through_once() -> None:
    error = ValueError(_nested())
    error.__cause__ = error
    hide_secrets(error)
    assert error.args[0][0] == "••••"


def test_objects_in_an_error_stay_the_same() -> None:
    thing, text = object(), "nothing"
    error = ValueError(thing, [text], {"a": thing})
    before = error.args
    hide_secrets(error)
    assert error.args is before
