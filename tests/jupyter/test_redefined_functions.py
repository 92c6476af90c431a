"""A run never uses another function or class than the one that the step before has defined."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

FIRST = {
    "a function": ("def f(x): return x + 1", "def f(x): return x * 100"),
    "a class": (
        "class f:\n    def __new__(cls, x): return x + 1",
        "class f:\n    def __new__(cls, x): return x * 100",
    ),
    "a decorated function": (
        "@functools.lru_cache\ndef f(x): return x + 1",
        "@functools.lru_cache\ndef f(x): return x * 100",
    ),
}


@pytest.mark.parametrize(("first", "then"), FIRST.values(), ids=FIRST)
@pytest.mark.parametrize("call", ["f(1)", "g(1)"])
def test_a_function_that_a_later_step_has_defined_anew_is_not_used(
    notebook: Notebook, first: str, then: str, call: str
) -> None:
    notebook.run("import functools\ndef g(x): return f(x)")
    notebook.run(
        f"%%step one\n{first}", f"%%step use\ny = {call}", f"%%step two\n{then}", "%%step last\nz = f(1)"
    )
    error = notebook.cell("%pipeline run").error
    assert "step 'use' uses `f` as step 'one' defines it, and the notebook has another `f` by now" in str(
        error
    )
    assert (notebook.ns["y"], notebook.ns["z"]) == (2, 100)


@pytest.mark.parametrize(
    "more",
    [
        "pass",
        "f = functools.lru_cache(f)",
        "def f(x): return x + 1",
        "def timed(f):\n    def inner(*a): return f(*a)\n    return inner\nf = timed(f)",
    ],
)
def test_the_same_function_is(notebook: Notebook, more: str) -> None:
    notebook.run(
        "import functools", "%%step one\nif True:\n    def f(x): return x + 1\nelse:\n    def f(x): return 0"
    )
    notebook.run(
        "%%step use\ny = f(1)", "%%step own\ndef h(x): return x\nz = h(1)", more, "def h(x): return 5"
    )
    assert notebook.cell("%pipeline run --rerun").error is None
    assert (notebook.ns["y"], notebook.ns["z"]) == (2, 1)


CHANGED = {
    "a default": ("KEPT = 1", "def f(x=KEPT): return x", "KEPT = 2", "h()"),
    "an annotation": (
        "KEPT = 1",
        "from typing import Annotated\ndef f(x: Annotated[int, KEPT] = 0): return x",
        "KEPT = 2",
        "str(h.__annotations__)",
    ),
    "a default by keyword": ("KEPT = [1]", "def f(*, x=KEPT): return x", "KEPT = [2]", "h()"),
}


@pytest.mark.parametrize(("kept", "defined", "changed", "called"), CHANGED.values(), ids=CHANGED)
def test_an_earlier_function_with_the_same_code_is_not_taken_for_todays(
    notebook: Notebook, kept: str, defined: str, changed: str, called: str
) -> None:
    notebook.run(kept, defined, "%%step alias\nh = f", f"%%step use\ny = {called}")
    notebook.run(changed, defined)
    error = notebook.cell("%pipeline run").error
    assert "step 'use' uses function `f` as it was before it was defined anew" in str(error)
