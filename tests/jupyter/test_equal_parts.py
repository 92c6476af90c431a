"""A step puts equal parts in the place of those that other variables hold: its input has changed all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

LOCK = "import threading"
OVER = "def over(rows):\n    for row in rows:\n        yield row"
CASES: dict[str, tuple[str, str, str, str]] = {
    "data": ("xs = [[1], [2]]\nkept = xs[0]", "xs[0] = list(xs[0])", "xs[0].append(5)", "(kept, xs)"),
    "what cannot be stored": (
        f"{LOCK}\nxs = [[1], [2]]\nkept = [xs[0], threading.Lock()]",
        "xs[0] = list(xs[0])",
        "xs[0].append(5)",
        "(kept[0], xs)",
    ),
    "a generator": (
        f"{OVER}\nxs = [[1], [2]]\nkept = over(xs[0])",
        "xs[0] = list(xs[0])",
        "xs[0].append(5)",
        "(list(kept), xs)",
    ),
    "an attribute": (
        "import types\nxs = types.SimpleNamespace(rows=[1])\nkept = xs.rows",
        "xs.rows = xs.rows.copy()",
        "xs.rows.append(5)",
        "(kept, xs.rows)",
    ),
    "an array": (
        "import numpy as np\nxs = {'a': np.arange(3)}\nkept = xs['a'][1:]",
        "xs['a'] = xs['a'].copy()",
        "xs['a'][1] = 9",
        "(kept.tolist(), xs['a'].tolist())",
    ),
}


@pytest.mark.parametrize(("made", "body", "then", "look"), CASES.values(), ids=CASES)
def test_what_others_hold_is_no_part_of_it_any_more(
    notebook: Notebook, made: str, body: str, then: str, look: str
) -> None:
    notebook.run(made, body, then)
    plain = notebook.cell(look).result
    for _ in range(2):
        notebook.restart()
        (_, ran, _) = notebook.run(made, f"%%step swap\n{body}", then)
        assert notebook.cell(look).result == plain
        assert ran.outputs == ["xs"]


def test_an_input_that_keeps_what_others_hold_is_no_output(notebook: Notebook) -> None:
    for made, body in (
        ("xs = [[1], [2]]\nkept = xs[0]", "n = len(xs[0])"),
        ("xs = [[1], [2]]", "xs[0] = list(xs[0])\nn = 1"),  # nobody else has the part that went away
        ("import pandas as pd\nxs = pd.DataFrame({'a': [1]})\nkept = xs['a']", "n = xs['a'].sum()"),
    ):
        (_, ran) = notebook.run(made, f"%%step look\n{body}")
        assert ran.outputs == ["n"]
