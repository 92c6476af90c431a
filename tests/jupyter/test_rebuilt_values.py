"""Values whose class runs code of the user when they are loaded: equal to what was stored, or not reused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

CHANGED = {
    "a dictionary": (
        "class C(dict):\n    def __setitem__(self, k, v): super().__setitem__(k, v + 1)",
        "c = C()\nc['a'] = 1",
        "c['a']",
    ),
    "a list": (
        "class C(list):\n    def extend(self, more): super().extend(each * 2 for each in more)",
        "c = C()\nc.append(1)",
        "c[0]",
    ),
    "a queue": (
        "from collections import deque\nclass C(deque):\n    def extend(self, more): super().extend([*more, 0])",
        "c = C()\nc.append(1)",
        "list(c)",
    ),
    "a set": (
        "class C(set):\n    def __init__(self, v=()): super().__init__([*v, 0])",
        "c = C([1])\nc.discard(0)",
        "sorted(c)",
    ),
    "slots": (
        "class C:\n    __slots__ = ('v',)\n    def __setattr__(self, k, v): object.__setattr__(self, k, v + 1)",
        "c = C()\nc.v = 1",
        "c.v",
    ),
    "a number": (
        "class C(int):\n    def __new__(cls, v=0): return super().__new__(cls, int(v) + 1)",
        "c = C(1)",
        "int(c)",
    ),
    "a state": (
        "class C:\n    def __init__(self): self.v = 1\n    def __setstate__(self, s): self.v = s['v'] + 1",
        "c = C()",
        "c.v",
    ),
    "an instance within": (
        "class C(dict):\n    def __setitem__(self, k, v): super().__setitem__(k, v + 1)",
        "c = [C()]\nc[0]['a'] = 1\nd = c",
        "(c[0]['a'], d[0]['a'])",
    ),
}
STATE = """class C:
    def __init__(self): self.v, self.cache = 1, {}
    def __getstate__(self): return {'v': self.v}
    def __setstate__(self, state): self.v, self.cache = state['v'], {}
"""
ESTIMATOR = """from sklearn.base import BaseEstimator
import numpy as np
class C(BaseEstimator):
    def __init__(self, columns=(1,)): self.columns = columns
"""
KEPT = {
    "a dictionary": (
        "class C(dict):\n    def __setitem__(self, k, v): super().__setitem__(k.lower(), v)",
        "c = C()\nc['A'] = 1",
        "dict(c)",
    ),
    "a state": (STATE, "c = C()\nc.cache['x'] = 1", "c.v"),
    "arrays": (
        "import numpy as np\nclass C(dict):\n    def __setitem__(self, k, v): super().__setitem__(k.lower(), v)",
        "c = C()\nc['A'] = np.arange(1000.0)\nd = c['a'][::2]",
        "c['a'].sum() + d.sum()",
    ),
    "an estimator": (ESTIMATOR, "c = C(np.arange(1000.0))\nd = c.columns[::2]", "c.columns.sum() + d.sum()"),
    "a dictionary of its own attributes": (
        "class C(dict):\n    def __init__(self, **k): super().__init__(**k); self.__dict__ = self",
        "c = C(a=C(b=1))\nd = c.a",
        "(setattr(c.a, 'b', 2), setattr(c, 'e', 3), d['b'], c['e'], c.a is d, type(d).__name__)",
    ),
    "an ordinary class": ("class C:\n    def __init__(self, v): self.v = v", "c = C([1])", "c.v"),
}


def asked(notebook: Notebook, cells: tuple[str, str, str]) -> tuple[str, object, object]:
    """Return how the step is done in a new kernel, and what is asked there and was asked before."""
    definition, make, question = cells
    notebook.run(definition, f"%%step make\n{make}", f"before = {question}")
    before = notebook.ns["before"]
    notebook.restart()
    (_, made, _) = notebook.run(definition, f"%%step make\n{make}", f"after = {question}")
    return made.status, before, notebook.ns["after"]


@pytest.mark.parametrize("cells", CHANGED.values(), ids=CHANGED)
def test_a_value_that_would_come_back_as_another_one_is_made_again(
    notebook: Notebook, cells: tuple[str, str, str]
) -> None:
    status, before, after = asked(notebook, cells)
    assert (status, after) == ("completed", before)


@pytest.mark.parametrize("cells", KEPT.values(), ids=KEPT)
def test_a_value_that_comes_back_equal_is_reused(notebook: Notebook, cells: tuple[str, str, str]) -> None:
    status, before, after = asked(notebook, cells)
    assert (status, after) == ("cached", before)


def test_the_reason_says_what_to_do(notebook: Notebook) -> None:
    definition, make, _ = CHANGED["a dictionary"]
    notebook.run(definition, f"%%step make\n{make}")
    (made,) = notebook.run(f"%%step make\n{make}")
    assert made.reason.startswith(
        "not cacheable: `c` is a C, which is another value when it is pickled and loaded"
    )
    assert "`__reduce__`" in made.reason


@pytest.mark.parametrize(
    "recipe", ["c.__reduce_ex__ = lambda _: (make, (2,))", "c.__getstate__ = lambda: {'v': 2}"]
)
def test_an_instance_with_a_recipe_of_its_own_is_not_stored(notebook: Notebook, recipe: str) -> None:
    made = "class C: pass\ndef make(v):\n    c = C()\n    c.v = v\n    return c"
    _, before, after = asked(notebook, (made, f"c = make(1)\n{recipe}", "c.v"))
    assert (before, after) == (1, 1)
