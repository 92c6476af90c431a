"""An error of a step arrives as the user's own, wherever it was raised."""

from __future__ import annotations

import pickle
import threading
import traceback
from typing import Any

import pytest

from zennb.engine.remote.portable_error import RemoteError, carried, restored

SOURCE = """
class Odd(ValueError):
    def __init__(self, number):
        super().__init__(f"{number} is odd")
        self.number = number
    def __reduce__(self):
        return (type(self), (self.number,))

def fail():
    raise Odd(3)

class Stubborn(Exception):
    def __reduce__(self):
        raise TypeError("no")

def fail_stubbornly():
    raise Stubborn("cannot travel")

class Gone(ValueError):
    def __reduce__(self):
        return int, ("no number",)

class Locked(ValueError):
    def __init__(self, text):
        super().__init__(threading.Lock())
        self.text, self.lock = text, threading.Lock()
    def __str__(self):
        return self.text

class Held(Locked):
    def __str__(self):
        return self.text if self.lock else ""

class Stop(BaseException):
    def __init__(self, first, second):
        super().__init__(f"{first} {second}")

class Speechless(ValueError):
    def __str__(self):
        raise KeyError("text")

class Stopped(ValueError):
    def __reduce__(self):
        raise Stop(1, 2)
    def __setstate__(self, state):
        raise Stop(1, 2)

def fail_with(make):
    raise make()

def closed():
    lock = threading.Lock()
    class Closed(ValueError):
        def __bool__(self):
            return bool(lock)
    return Closed("cannot travel")
"""


def notebook() -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": "__main__", "threading": threading}
    exec(compile(SOURCE, "<cell 7>", "exec"), namespace)
    return namespace


def raised(call: Any) -> BaseException:
    try:
        call()
    except BaseException as error:
        return error
    raise AssertionError


def sent(error: BaseException, names: set[str]) -> RemoteError:
    found: RemoteError = pickle.loads(pickle.dumps(carried(error, names)))
    return found


def test_a_class_of_the_notebook_is_the_notebooks_own_again() -> None:
    there, here = notebook(), notebook()
    error = restored(sent(raised(there["fail"]), {"Odd", "fail"}), here)
    assert type(error) is here["Odd"]
    assert str(error) == "3 is odd"
    assert vars(error)["number"] == 3


def test_the_traceback_names_the_cell_and_its_line() -> None:
    error = restored(sent(raised(notebook()["fail"]), {"Odd"}), notebook())
    assert error is not None
    frames = traceback.extract_tb(error.__traceback__)
    assert (frames[-1].filename, frames[-1].lineno, frames[-1].name) == ("<cell 7>", 10, "fail")


def test_a_class_that_the_notebook_does_not_have_travels_by_value() -> None:
    error = restored(sent(raised(notebook()["fail"]), set()), {})
    assert type(error).__name__ == "Odd"
    assert isinstance(error, ValueError)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        ("Stubborn('cannot travel')", "cannot travel"),
        ("Gone('cannot travel')", "cannot travel"),
        ("Locked('cannot travel')", "cannot travel"),
        ("Stopped('cannot travel')", "cannot travel"),
        ("Stop('cannot', 'travel')", "cannot travel"),
    ],
)
def test_what_cannot_be_pickled_is_the_notebooks_own_with_its_text_and_lines(make: str, text: str) -> None:
    there, here = notebook(), notebook()
    names = {name for name, found in there.items() if isinstance(found, type)}
    error = restored(sent(raised(lambda: there["fail_with"](lambda: eval(make, there))), names), here)
    assert error is not None
    assert type(error) is here[make.partition("(")[0]]
    assert str(error) == text
    assert traceback.extract_tb(error.__traceback__)[-1].name == "fail_with"


def test_an_error_whose_text_cannot_be_had_is_the_notebooks_own() -> None:
    there, here = notebook(), notebook()
    error = restored(sent(there["Speechless"]("x"), {"Speechless"}), here)
    assert type(error) is here["Speechless"]


@pytest.mark.parametrize("make", ["closed()", "Held('cannot travel')"])
def test_what_cannot_be_rebuilt_is_told_by_name_and_text(make: str) -> None:
    there, here = notebook(), notebook()
    made = eval(make, there)
    error = restored(sent(raised(lambda: there["fail_with"](lambda: made)), {"Held"}), here)
    assert isinstance(error, RemoteError)
    assert repr(error) == f"{type(made).__name__}('cannot travel')"
    assert (type(error).__name__, str(error)) == (type(made).__name__, "cannot travel")
    assert traceback.extract_tb(error.__traceback__)[-1].name == "fail_with"


def test_a_builtin_error_is_itself() -> None:
    error = restored(sent(raised(lambda: dict[str, int]()["key"]), set()), {})
    assert type(error) is KeyError
    assert error.args == ("key",)


def test_an_error_of_this_process_gets_the_class_that_the_notebook_names() -> None:
    copy, here = notebook(), notebook()
    error = raised(copy["fail"])
    assert restored(error, here) is error
    assert type(error) is here["Odd"]


def test_no_error_is_none() -> None:
    assert restored(None, {}) is None


def test_large_parts_of_an_error_are_left_out() -> None:
    error = ValueError("too many rows")
    error.rows, error.number = bytes(24_000_000), 7  # type: ignore[attr-defined]
    sent = pickle.dumps(carried(error, ()))
    assert len(sent) < 1_000_000
    again: Any = restored(pickle.loads(sent), {})
    assert (type(again), again.args, again.number) == (ValueError, ("too many rows",), 7)
    assert not hasattr(again, "rows")
    sent = pickle.dumps(carried(ValueError("rows", bytes(24_000_000)), ()))
    assert len(sent) < 3_000_000
    assert isinstance(restored(pickle.loads(sent), {}), ValueError)
    long = pickle.dumps(carried(ValueError("x" * 24_000_000), ()))
    assert len(long) < 1_000_000
    assert str(restored(pickle.loads(long), {})).endswith("xxx ...")
