"""Outputs that are part of what code holds: default arguments, attributes of classes, values of modules."""

from __future__ import annotations

import ast
import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from zennb.core.reading.source import analyse
from zennb.dependencies.dependencies import resolve_dependencies
from zennb.digests.digest import digest_value
from zennb.engine.step.code_owned_outputs import outputs_owned_by_code

CODE = """
class Model:
    defaults = {'a': [1]}
    rates = (1, 2)
    def fit(self, seen=[]):
        return seen

class Sub(Model):
    pass

def collect(x, into=[]):
    return into

def counted():
    return counted.calls
counted.calls = [0]

def outer():
    kept = [1]
    def inner():
        return kept
    return inner
inner = outer()

def plain(x):
    return x
"""


@pytest.fixture
def scope() -> dict[str, Any]:
    found: dict[str, Any] = {"__name__": "__main__", "np": np}
    exec(CODE, found)
    return found


def said(scope: dict[str, Any], text: str, outputs: dict[str, Any], *defined: str) -> list[str]:
    reached = resolve_dependencies(analyse(ast.parse(text)), scope)
    values = {name: (value, digest_value(value, name=name)) for name, value in outputs.items()}
    return outputs_owned_by_code(
        values, reached.uses, {**reached.definitions, **{name: scope[name] for name in defined}}
    )


def test_an_attribute_of_a_class_belongs_to_the_class(scope: dict[str, Any]) -> None:
    expected = ["`d` shares state with class `Model`"]
    assert said(scope, "d = Model.defaults", {"d": scope["Model"].defaults}) == expected
    assert said(scope, "d = Model.defaults['a']", {"d": scope["Model"].defaults["a"]}) == expected
    assert said(scope, "d = [Model.defaults]", {"d": [scope["Model"].defaults]}) == expected


def test_a_class_has_what_its_bases_have_and_what_its_methods_keep(scope: dict[str, Any]) -> None:
    (inherited,) = said(scope, "d = Sub.defaults", {"d": scope["Sub"].defaults})
    assert "class `Sub`" in inherited
    (kept,) = said(scope, "d = Model().fit()", {"d": scope["Model"]().fit()})
    assert "class `Model`" in kept


@pytest.mark.parametrize("name", ["collect", "counted", "inner"])
def test_what_a_function_keeps_between_calls_belongs_to_it(scope: dict[str, Any], name: str) -> None:
    value = scope[name](1) if name == "collect" else scope[name]()
    assert said(scope, f"x = {name}()", {"x": value}) == [f"`x` shares state with function `{name}`"]


def test_a_copy_and_what_cannot_change_belong_to_nobody(scope: dict[str, Any]) -> None:
    outputs = {
        "copy": {"a": [1]},
        "rates": scope["Model"].rates,
        "number": 3,
        "result": scope["plain"]([1, 2]),
    }
    text = "copy = dict(Model.defaults)\nrates = Model.rates\nnumber = 3\nresult = plain([1, 2])"
    assert said(scope, text, outputs) == []


def test_only_code_that_the_step_reaches_or_defines_is_looked_at(scope: dict[str, Any]) -> None:
    held = {"d": scope["Model"].defaults}
    assert said(scope, "d = given", held) == []
    assert len(said(scope, "d = given", held, "Model")) == 1


def test_a_value_of_a_local_module_belongs_to_the_module(
    scope: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    module = ModuleType("a_module_of_the_user")
    module.__file__ = "/data/a_module_of_the_user.py"
    items = module.__dict__["ITEMS"] = [1, [2]]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    scope["lib"] = module
    assert said(scope, "x = lib.ITEMS", {"x": items}) == [
        "`x` shares state with module `a_module_of_the_user`",
        "`x` shares state with module `lib`",
    ]
    assert said(scope, "x = lib.ITEMS[1]", {"x": items[1]})
    assert said(scope, "x = [1, [2]]", {"x": [1, [2]]}) == []


def test_of_a_package_what_the_code_names_is_part_of_it(
    scope: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    table = {"inner": [1]}
    monkeypatch.setattr(np, "a_table_of_the_tests", table, raising=False)
    told = said(scope, "x = np.a_table_of_the_tests", {"x": table})
    assert "`x` shares state with module `np`" in told
    told = said(scope, "x = np.a_table_of_the_tests['inner']", {"x": table["inner"]})
    assert told == ["`x` shares state with constant `numpy.a_table_of_the_tests`"]
    assert said(scope, "x = np.arange(1)", {"x": table["inner"]}) == []
    assert said(scope, "x = np.arange(3)", {"x": np.arange(3)}) == []


def test_an_output_that_is_itself_the_code_is_not_part_of_it(scope: dict[str, Any]) -> None:
    assert said(scope, "f = collect", {"f": scope["collect"]}) == []
