"""Exceptions that are kept in variables, with the exceptions that they were raised from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

SETUP = """class Own(Exception):
    def __init__(self, text, code=0):
        super().__init__(text)
        self.code = code
def kept(cause, suppressed=False):
    try:
        try:
            raise cause
        except Exception as error:
            if suppressed: raise Own('outer', 3) from None
            raise Own('outer', 3) from error
    except Own as error:
        error.add_note('seen')
        return error
def within(cause):
    try:
        try: raise cause
        except Exception: raise ValueError('outer')
    except ValueError as error: return error
"""
LOOK = (
    "[repr(e), getattr(e, 'code', 0), getattr(e, '__notes__', None), repr(e.__cause__), repr(e.__context__), "
    "e.__suppress_context__]"
)
MAKES = {
    "a cause": "e = kept(KeyError('a'))",
    "none": "e = kept(KeyError('a'), True)",
    "a context": "e = within(KeyError('a'))",
    "a chain": "e = within(kept(within(KeyError('a'))))",
    "in a list": "errors = [kept(KeyError('a'))]\ne = errors[0]",
    "itself": "e = ValueError()\ne.__cause__ = e",
}


@pytest.mark.parametrize("make", MAKES.values(), ids=MAKES)
def test_an_exception_comes_back_with_its_causes(notebook: Notebook, make: str) -> None:
    found = []
    for _ in range(2):
        _, made, _ = notebook.run(SETUP, f"%%step make\n{make}", f"seen = {LOOK}")
        found.append(notebook.ns["seen"])
        notebook.restart()
    assert made.status == "cached", made.reason
    assert found[0] == found[1]


def test_another_cause_is_another_input(notebook: Notebook) -> None:
    for cause in ("KeyError('a')", "KeyError('b')"):
        notebook.run(SETUP, f"e = kept({cause})", f"%%step look\nseen = {LOOK}")
        assert cause in notebook.ns["seen"][3]
        notebook.restart()
