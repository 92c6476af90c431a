"""What a step that is about to run may change is told by the words of its code."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from zennb.core.records.observed import UNTOUCHED
from zennb.engine.run.possible_effects import PossibleEffects
from zennb.engine.run.variable_tracker import VariableTracker
from zennb.engine.step.definition import StepOptions, define
from zennb.engine.step.resolve import resolve_step


def effects(text: str, before: str = "") -> PossibleEffects:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(before, namespace)
    definition = define(
        ast.parse(text), options=StepOptions(name="s"), source=text, text=text, filename="<cell 1>"
    )
    return PossibleEffects(resolve_step(definition, namespace, value_digest=VariableTracker().digest))


@pytest.mark.parametrize(
    ("text", "before"),
    [
        ("open('data.csv', 'w')", ""),
        ("open(f'{folder}/data.csv', 'w')", "folder = 'x'"),
        ("open('da' + 'ta.csv', 'w')", ""),
        ("open(f'data_{n}.csv'.replace('_1', ''), 'w')", "n = 1"),
        ("save()", "def save(): open('data.csv', 'w')"),
        ("save()", "def save(to='data.csv'): open(to, 'w')"),
        ("open(path, 'w')", "path = 'data.csv'"),
        ("open(paths['out'], 'w')", "paths = {'out': 'data.csv'}"),
        ("Writer().go()", "class Writer:\n    target = 'data.csv'\n    def go(self): open(self.target, 'w')"),
        ("path.write_text('x')", "from pathlib import Path\npath = Path('data.csv')"),
    ],
)
def test_a_file_whose_name_the_code_spells_may_be_written(text: str, before: str) -> None:
    assert effects(text, before).may_write("data.csv")


def test_a_file_that_nothing_in_the_code_names_is_not_written() -> None:
    assert not effects("y = sum(xs) + 1", "xs = [1, 2]").may_write("data.csv")


def test_a_shell_line_or_exec_may_do_anything() -> None:
    assert effects("get_ipython().system('make')").may_write("data.csv")
    assert effects("exec(code)", "code = 'pass'").may_set("decimal context", "x")


def test_who_draws_moves_a_seeded_generator() -> None:
    draws = effects("import random\nr = random.random()")
    assert draws.may_set("random state of random", "abc")
    assert not draws.may_set("random state of random", UNTOUCHED)


def test_who_seeds_moves_one_that_nobody_has_seeded() -> None:
    assert effects("import random\nrandom.seed(1)").may_set("random state of random", UNTOUCHED)


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ("import decimal\ndecimal.getcontext().prec = 3", "decimal context"),
        ("import warnings\nwarnings.simplefilter('error')", "warnings turned into errors"),
        ("import numpy as np\nnp.set_printoptions(precision=2)", "numpy print options"),
        ("import pandas as pd\npd.options.display.precision = 2", "pandas options"),
        ("import matplotlib.pyplot as plt\nplt.rcParams['font.size'] = 3", "matplotlib style"),
    ],
)
def test_who_names_a_setting_may_change_it(text: str, setting: str) -> None:
    assert effects(text).may_set(setting, "abc")
    assert not effects("y = 1 + 1").may_set(setting, "abc")


def test_of_a_step_that_cannot_be_resolved_everything_is_possible() -> None:
    unknown = PossibleEffects(None)
    assert unknown.may_write("x")
    assert unknown.may_set("locale", UNTOUCHED)
    assert unknown.may_mention("HOME")
