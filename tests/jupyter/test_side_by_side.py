"""Steps on an orchestrator with threads: files, random state and settings keep the notebook's order."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

THREADS = ("%orchestrator register t --flavor=threads", "%stack register s -o t -a default --set")


def step(text: str, name: str) -> str:
    return f"%%step {name}\n{text}"


def test_random_numbers_are_drawn_in_the_order_of_the_notebook(notebook: Notebook) -> None:
    notebook.run(
        "import random, time",
        step("random.seed(3)", "seed"),
        step("time.sleep(0.05)\na = random.random()", "one"),
        step("b = random.random()", "two"),
    )
    drawn = notebook.ns["a"], notebook.ns["b"]
    notebook.run(*THREADS, "%pipeline run --rerun")
    assert (notebook.ns["a"], notebook.ns["b"]) == drawn
    expected = random.Random(3)
    assert drawn == (expected.random(), expected.random())


def test_a_file_is_read_after_it_was_written(notebook: Notebook) -> None:
    notebook.run(
        "import time\nfrom pathlib import Path\nword = 'one'",
        step("time.sleep(0.05)\n_ = Path('f.txt').write_text(word)", "write"),
        step("text = Path('f.txt').read_text()", "read"),
    )
    notebook.run(*THREADS, "%pipeline run -p word=two")
    assert notebook.ns["text"] == "two"


def test_what_a_step_sets_in_its_thread_holds_in_the_notebook(notebook: Notebook) -> None:
    notebook.run(*THREADS, "import numpy as np", step("np.set_printoptions(precision=3)", "set"))
    (shown,) = notebook.run("print(np.array([1 / 3]))")
    assert shown.out == "[0.333]\n"
    (elsewhere,) = notebook.run(step("print(np.array([1 / 3]))", "show"))
    assert "[0.333]\n" in elsewhere.out
    np.set_printoptions(precision=8)


def test_what_the_notebook_has_set_holds_in_every_thread_that_a_step_runs_in(notebook: Notebook) -> None:
    show = "import sklearn, decimal\n{0} = (sklearn.get_config()['transform_output'], str(decimal.Decimal(1) / 3))"
    notebook.run(
        *THREADS,
        "import sklearn, decimal",
        "sklearn.set_config(transform_output='pandas')\ndecimal.getcontext().prec = 3",
        step(show.format("a"), "one"),
        step("sklearn.set_config(transform_output='default')\ndecimal.getcontext().prec = 4", "set"),
        step(show.format("b"), "two"),
    )
    assert notebook.ns["a"] == ("pandas", "0.333")
    assert notebook.ns["b"] == ("default", "0.3333")
    notebook.run("sklearn.set_config(transform_output='pandas')\ndecimal.getcontext().prec = 3")
    del notebook.ns["a"], notebook.ns["b"]
    notebook.run("%pipeline run --rerun")
    assert notebook.ns["a"] == ("pandas", "0.333")
    assert notebook.ns["b"] == ("default", "0.3333")
    (shown,) = notebook.run("print(sklearn.get_config()['transform_output'], decimal.Decimal(1) / 3)")
    assert shown.out == "default 0.3333\n"


def test_a_reader_is_stale_when_the_step_that_writes_its_file_is(notebook: Notebook) -> None:
    notebook.run(
        "from pathlib import Path\nword = 'one'",
        step("_ = Path('f.txt').write_text(word)", "write"),
        step("text = Path('f.txt').read_text()", "read"),
        "word = 'two'",
    )
    (shown,) = notebook.run("%pipeline status")
    text = str(shown.displays[-1]["data"]["text/plain"])
    assert "input `word` changed" in text
    assert "needs step 'write', which would run again" in text


def test_steps_that_draw_are_reused_on_each_of_two_stacks(notebook: Notebook) -> None:
    cells = [
        "import random",
        step("random.seed(3)", "seed"),
        step("a = random.random()\na", "one"),
    ]
    stacks = ("%stack set default", "%stack set second")
    notebook.run(
        "%artifact-store register other --flavor=local", "%stack register second -o default -a other"
    )
    for stack in stacks:
        notebook.run(stack, *cells)
    for stack in (*stacks, *stacks):
        ran = notebook.run(stack, *cells)
        assert [r.status for r in ran[2:]] == ["cached", "cached"], [r.reason for r in ran[2:]]


def test_the_status_takes_for_granted_what_fresh_steps_above_set_and_write(notebook: Notebook) -> None:
    notebook.run(
        "import random, os\nfrom pathlib import Path",
        step("random.seed(3)", "seed"),
        step("a = random.random()", "draw"),
        step("_ = Path('f.txt').write_text('one')", "write"),
        step("text = Path('f.txt').read_text()", "read"),
        "random.random()\nos.remove('f.txt')",
    )
    (shown,) = notebook.run("%pipeline status")
    assert "stale" not in str(shown.displays[-1]["data"]["text/plain"])


@pytest.mark.parametrize(("seed", "expected"), [("", "cached"), ("np.random.seed(3)", "completed")])
def test_steps_in_which_a_library_draws_unforeseen_are_reused_unless_somebody_seeded(
    notebook: Notebook, seed: str, expected: str
) -> None:
    anew: Any = np.random
    anew.set_bit_generator(np.random.MT19937())
    cells = [step(f"{name} = draw()\ntime.sleep(0.3)", name) for name in "ab"]
    notebook.run(*THREADS, "import time\nimport numpy as np", seed or "None", "draw = lambda: 1", *cells)
    notebook.run("draw = lambda: vars(np)['random'].rand()", "%pipeline run")
    again = notebook.run(seed or "None", *cells)
    assert [ran.status for ran in again[1:]] == [expected] * 2, [ran.reason for ran in again[1:]]
