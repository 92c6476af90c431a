"""An error of a step arrives as the user's own, wherever it was raised."""

from __future__ import annotations

import pickle
import traceback
from typing import Any

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
"""


def notebook() -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(SOURCE, "<cell 7>", "exec"), namespace)
    return namespace


def raised(call: Any) -> BaseException:
    try:
        call()
    except Exception as error:
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


def test_what_cannot_travel_is_told_by_name_and_text() -> None:
    error = restored(sent(raised(notebook()["fail_stubbornly"]), {"Stubborn"}), notebook())
    assert isinstance(error, RemoteError)
    assert str(error) == "Stubborn: cannot travel"
    assert error.__traceback__ is not None


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
