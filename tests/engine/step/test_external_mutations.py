"""What a step sets that its outputs do not hold: parts of modules, of classes, and of what it defines itself."""

from __future__ import annotations

import ast
import os
from collections import Counter
from types import ModuleType, SimpleNamespace
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
import pytest

from zennb.engine.step.definition import StepOptions, define
from zennb.engine.step.external_mutations import external_mutations


class OfTheUser:
    """A class that is not of a package."""

    count = 0


MODULE = ModuleType("helpers")
SCOPE: dict[str, Any] = {
    "helpers": MODULE,
    "os": os,
    "plt": plt,
    "mpl": mpl,
    "pd": pd,
    "rcParams": mpl.rcParams,
    "environ": os.environ,
    "Counter": Counter,
    "Mine": OfTheUser,
    "box": SimpleNamespace(part=SimpleNamespace()),
    "rows": [{}],
}


def found(text: str) -> list[str]:
    step = define(ast.parse(text), options=StepOptions(), source=text, text=text, filename="<cell>")
    return external_mutations(step, SCOPE)


OUTSIDE = {
    "helpers.RATE = 2": ["helpers.RATE"],
    "helpers.table['a'] = 2": ["helpers.table"],
    "helpers.table['a']['b'] += 2": ["helpers.table"],
    "del helpers.RATE": ["helpers.RATE"],
    "helpers.a = 1\nhelpers.b = 2\nhelpers.a = 3": ["helpers.a", "helpers.b"],
    "for helpers.RATE in range(3): pass": ["helpers.RATE"],
    "if x:\n    helpers.RATE = 2": ["helpers.RATE"],
    "Counter.most = 1": ["Counter.most"],
    "class Model: pass\nModel.rate = 2": ["Model.rate"],
    "def f(): ...\nf.calls = 0": ["f.calls"],
    "class Model:\n    def __init__(self):\n        type(self).count = 1\nModel()": ["type(self).count"],
    "class Model:\n    def __init__(self):\n        self.__class__.count = 1\nModel()": [
        "self.__class__.count"
    ],
}
WITHIN = [
    "rows[0] = 1",
    "rows[0]['a'] = 1",
    "box.part.x = 1",
    "x = helpers.RATE",
    "unknown.x = 1",
    "Mine.count = 1",
    "type(box).count = 1",
    "f().x = 1",
    "class Model:\n    def __init__(self):\n        Model.count = type(self).count = 1",
    "def seed():\n    helpers.SEED = 3",
]
CARRIED = [
    "plt.rcParams['lines.linewidth'] = 3",
    "mpl.rcParams['lines.linewidth'] = 3",
    "rcParams['lines.linewidth'] = 3",
    "pd.options.display.width = 100",
    "os.environ['A'] = '1'",
    "environ['A'] = '1'",
    "del os.environ['A']",
]


@pytest.mark.parametrize("text", OUTSIDE)
def test_what_only_running_the_step_sets_is_named_as_typed(text: str) -> None:
    assert sorted(found(text)) == OUTSIDE[text]


@pytest.mark.parametrize("text", WITHIN)
def test_what_outputs_and_inputs_hold_is_not_outside(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize("text", CARRIED)
def test_settings_that_are_carried_are_not_outside(text: str) -> None:
    assert found(text) == []


def test_other_parts_of_the_same_modules_are() -> None:
    assert found("os.name = 'x'\npd.options = 1\nplt.rcParams = {}") == [
        "os.name",
        "pd.options",
        "plt.rcParams",
    ]
