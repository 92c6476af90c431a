"""Steps of a run that make something of a copy that cannot be brought back: the run fails, and says what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from zennb.errors import StepRefused

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

REBUILT = "class M(dict):\n    def __setitem__(self, k, v): super().__setitem__(k, v + 1)\nx = M()"
CHANGES = {
    "a generator": ("x = []", "x.append(i for i in range(3))", "`x[0]` is a generator"),
    "bound anew": ("x = [1]", "x = (i for i in x)", "`x` is a generator"),
    "a thread's data": (
        "import threading\nx = {}",
        "x['l'] = threading.local()",
        "`x['l']` is data of a thread",
    ),
    "another value after loading": (REBUILT, "x['a'] = 1", "`x` is a M, which is another value"),
}


@pytest.mark.parametrize(("before", "body", "why"), CHANGES.values(), ids=CHANGES)
def test_a_changed_copy_that_cannot_be_stored_fails_the_run(
    notebook: Notebook, before: str, body: str, why: str
) -> None:
    notebook.run(before, f"%%step change\n{body}", before)
    ran = notebook.cell("%pipeline run --rerun")
    assert isinstance(ran.error, StepRefused)
    assert (
        f"step 'change' has a copy of `x` here, and what it made of it cannot be brought back: {why}"
        in str(ran.error)
    )
    assert str(ran.error).endswith("Bind a new name instead, or run the step by its own cell.")


@pytest.mark.parametrize("refer", ["w = weakref.ref(a)", "w = weakref.proxy(a)", "w = weakref.WeakSet([a])"])
def test_a_changed_copy_of_what_is_referred_to_weakly_fails_the_run(notebook: Notebook, refer: str) -> None:
    before = f"import weakref\nclass A: pass\na = A()\n{refer}"
    notebook.run(before, "%%step change\na.v = 4", before)
    ran = notebook.cell("%pipeline run --rerun")
    assert isinstance(ran.error, StepRefused)
    assert "`w` refers weakly to `a`" in str(ran.error)
