"""Parameters: text as values, and where in a notebook they are set."""

from __future__ import annotations

import ast
import datetime as dt
import enum
from collections import OrderedDict
from decimal import Decimal
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat import v4

from zennb.errors import UnknownName, UsageError
from zennb.headless.parameter_values import LiteralText, fitted_source, fitted_value, literal
from zennb.headless.parameters import fitting, inject, plain_names

PATH = Path("study.ipynb")


def document(*cells: str | tuple[str, str]) -> Any:
    node = v4.new_notebook()
    for position, cell in enumerate(cells):
        source, tag = cell if isinstance(cell, tuple) else (cell, "")
        metadata = {"tags": [tag]} if tag else {}
        node.cells.append(v4.new_code_cell(source, metadata=metadata, id=f"c{position}"))
    return node


def sources(node: Any) -> list[str]:
    return [cell.source.removeprefix("# Parameters\n") for cell in node.cells]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("-0.5", -0.5),
        (" 1e-3\n", 0.001),
        ("1e999", float("inf")),
        ("True", True),
        ("None", None),
        ("[1, 'a', (2,)]", [1, "a", (2,)]),
        ("'3'", "3"),
        ("ridge", "ridge"),
        ("true", "true"),
        ("", ""),
        (" ", " "),
        ("a b", "a b"),
        ("1; import os", "1; import os"),
        ("__import__('os')", "__import__('os')"),
        ("# note\n1", 1),
        ('it\'s\n"quoted"', 'it\'s\n"quoted"'),
        ("(" * 300, "(" * 300),
        ("2026-01-31", "2026-01-31"),
    ],
)
def test_a_literal_is_a_value_and_all_else_is_text(text: str, value: object) -> None:
    assert ast.literal_eval(literal(text)) == value
    assert eval(f"[{literal(text)}]") == [value]


@given(st.text())
def test_any_text_becomes_one_expression_that_cannot_do_anything(text: str) -> None:
    tree = ast.parse(f"x = {literal(text)}")
    assert len(tree.body) == 1
    assert not any(isinstance(node, ast.Call | ast.Name) and not _is_x(node) for node in ast.walk(tree))


def _is_x(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("a = 1; b, c = 2, 3", ("a", "b", "c")),
        ("import os\ndef f(): inner = 1\nclass K: pass\nx = 1", ("x",)),
        ("%matplotlib inline\nx = 1\nif x:\n    !ls\nfiles = !ls\nn = %timeit -o 1", ("x", "files", "n")),
        ("%%time\nx = 1", ("x",)),
        ("%%bash\nfor i in *; do echo $i; done", ()),
        ("text = '''\n%not a magic\n'''", ("text",)),
        ("x =", ()),
        ("%%step fit\nmodel = 1", ("model",)),
        ("r = await f()", ("r",)),
    ],
)
def test_plain_names_are_what_a_cell_assigns(source: str, names: tuple[str, ...]) -> None:
    assert plain_names(source) == names


def test_a_parameter_is_set_after_the_tagged_cell() -> None:
    node = document("import os", ("rate = 0.1\ndepth = 2", "parameters"), "rate")
    inject(node, {"rate": "0.5", "depth": "3"}, path=PATH)
    assert sources(node) == ["import os", "rate = 0.1\ndepth = 2", "rate = 0.5\ndepth = 3", "rate"]
    assert node.cells[2].metadata.tags == ["injected-parameters"]
    assert node.cells[2].id == "injected-parameters"
    nbformat.validate(node)


def test_without_a_tag_it_is_set_after_the_first_cell_that_binds_it() -> None:
    node = document("a = 1", "b = 2", "b = b + a")
    inject(node, {"b": "20", "a": "10"}, path=PATH)
    assert sources(node) == ["a = 1", "a = 10", "b = 2", "b = 20", "b = b + a"]
    assert len({cell.id for cell in node.cells}) == 5
    nbformat.validate(node)


def test_a_name_that_the_tagged_cell_does_not_bind_is_set_where_it_is_bound() -> None:
    node = document(("rate = 0.1", "parameters"), "depth = 2")
    inject(node, {"depth": "3"}, path=PATH)
    assert sources(node) == ["rate = 0.1", "depth = 2", "depth = 3"]


def test_a_notebook_that_was_filled_in_before_takes_the_new_value() -> None:
    node = document(("rate = 0.1", "parameters"), "rate")
    inject(node, {"rate": "0.5"}, path=PATH)
    inject(node, {"rate": "0.7"}, path=PATH)
    assert sources(node) == ["rate = 0.1", "rate = 0.5", "rate = 0.7", "rate"]
    assert [cell.id for cell in node.cells][1:3] == ["injected-parameters", "injected-parameters-2"]


def test_notebooks_older_than_ids_stay_valid() -> None:
    node = document("a = 1")
    node.nbformat_minor = 4
    del node.cells[0]["id"]
    inject(node, {"a": "2"}, path=PATH)
    nbformat.validate(node)
    assert "id" not in node.cells[1]


def test_an_unknown_name_is_refused_with_the_nearest_and_nothing_is_changed() -> None:
    node = document("alpha = 1", "import numpy as np")
    with pytest.raises(UnknownName, match=r"no parameter 'alpa'; did you mean 'alpha'\? study\.ipynb"):
        inject(node, {"alpha": "2", "alpa": "2"}, path=PATH)
    with pytest.raises(UnknownName, match="no parameter 'np'"):
        inject(node, {"np": "2"}, path=PATH)
    assert len(node.cells) == 2


def test_an_output_of_a_step_is_no_parameter() -> None:
    node = document("a = 1", "%%step fit\nmodel = a")
    with pytest.raises(UsageError, match="`model` is made by step `fit`"):
        inject(node, {"model": "2"}, path=PATH)


def test_no_parameters_change_nothing() -> None:
    node = document("a = 1")
    inject(node, {}, path=PATH)
    assert len(node.cells) == 1


@pytest.mark.parametrize(
    ("before", "text", "value"),
    [
        (True, "false", False),
        (False, "YES", True),
        (True, "0", False),
        (False, " on ", True),
        (True, "False", False),
        (3, "4", 4),
        (3, "0.5", 0.5),
        (0.5, "1", 1.0),
        (0.5, "1e999", float("inf")),
        ("ridge", "3", "3"),
        ("ridge", "true", "true"),
        ("ridge", "'3'", "3"),
        ("ridge", " padded ", " padded "),
        ("ridge", "[1]", "[1]"),
        ("ridge", "None", None),
        (None, "3", 3),
        (None, "text", "text"),
        (None, "false", False),
        (None, "null", None),
        ([1], "[2, 3]", [2, 3]),
        ([1], "(2, 1e999)", [2, float("inf")]),
        ((1,), "[2]", (2,)),
        ({"a": 1}, "{'b': 2}", {"b": 2}),
        ({1}, "{2}", {2}),
        (b"a", "b'c'", b"c"),
    ],
)
def test_a_parameter_is_read_as_the_type_of_the_value_that_it_replaces(
    before: object, text: str, value: object
) -> None:
    assert fitted_value("x", text, before) == value
    assert type(fitted_value("x", text, before)) is type(value)
    node = document(f"x = {before!r}")
    inject(node, {"x": text}, path=PATH)
    namespace: dict[str, Any] = {}
    exec("\n".join(cell.source for cell in node.cells), namespace)
    assert namespace["x"] == value
    assert type(namespace["x"]) is type(value)


@pytest.mark.parametrize(
    ("before", "text", "why"),
    [
        (True, "maybe", "true or false, and 'maybe' is neither"),
        (True, "2", "true or false"),
        (3, "three", r"a number \(3 in the notebook\), and 'three' is not"),
        (3, "True", "a number"),
        (0.5, "'1'", "a number"),
        ([1], "a,b", "a list"),
        ({"a": 1}, "[1]", "a dict"),
        ({1}, "{}", "a set"),
    ],
)
def test_what_does_not_fit_the_value_that_it_replaces_is_refused(before: object, text: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        inject(document(f"x = {before!r}"), {"x": text}, path=PATH)


UTC = dt.UTC


class Colour(enum.Enum):
    RED = "r"
    GREEN = "g"


class Odd(enum.Enum):
    ONLY = 1

    @classmethod
    def _missing_(cls, value: object) -> object:
        raise KeyError(value)


class Level(enum.StrEnum):
    LOW = "1"
    HIGH = "2"


class Size(enum.Enum):
    SMALL = 1
    LARGE = 2


@pytest.mark.parametrize(
    ("before", "text", "value"),
    [
        (dt.date(2024, 1, 1), "2026-01-31", dt.date(2026, 1, 31)),
        (dt.datetime(2024, 1, 1, tzinfo=UTC), "2026-01-31 01:00Z", dt.datetime(2026, 1, 31, 1, tzinfo=UTC)),
        (dt.time(3), "04:30", dt.time(4, 30)),
        (Path("a"), "b/3", Path("b/3")),
        (Colour.RED, "GREEN", Colour.GREEN),
        (Colour.RED, "g", Colour.GREEN),
        (Level.LOW, "2", Level.HIGH),
        (Level.LOW, "'2'", Level.HIGH),
        (Size.SMALL, "2", Size.LARGE),
        (Decimal("1.5"), "0.10", Decimal("0.10")),
        (np.bool_(True), "false", np.bool_(False)),
        (np.float64(0.5), "1", np.float64(1)),
        (np.int32(3), "4", np.int32(4)),
        (np.int32(3), "0.5", 0.5),
        (np.str_("a"), "3", np.str_("3")),
        (np.datetime64("2024-01-01"), "2026-01-31", np.datetime64("2026-01-31")),
        (np.timedelta64(3, "s"), "4", np.timedelta64(4, "s")),
        (np.timedelta64("NaT", "M"), "-4", np.timedelta64(-4, "M")),
        (frozenset({1}), "{2, 3}", frozenset({2, 3})),
        (0.5, "-inf", float("-inf")),
        (0.5, "Infinity", float("inf")),
        (np.float32(0.5), "inf", np.float32("inf")),
        (Path("a"), LiteralText("b"), Path("b")),
    ],
)
def test_a_text_stands_for_a_value_that_has_no_literal(before: object, text: str, value: object) -> None:
    for found in (
        fitted_value("x", text, before),
        eval(fitted_source("x", text, before), {"x": before}),
    ):
        assert (found, type(found)) == (value, type(value))
    assert fitted_value("x", "None", before) is None


@pytest.mark.parametrize(
    ("before", "text", "why"),
    [
        (dt.date(2024, 1, 1), "soon", "of type date, such as 2024-01-01"),
        (Colour.RED, "blue", "one of RED, GREEN"),
        (Odd.ONLY, "blue", "one of ONLY"),
        (dt.datetime(2024, 1, 1, tzinfo=UTC), "2026-01-31T10:00", "with its time zone"),
        (Decimal("1.5"), "much", "a number"),
        (np.int32(3), "three", "a number"),
        (np.bool_(True), "maybe", "true or false"),
        (dt.timedelta(1), "2", "is of type timedelta in the notebook, which no text stands for"),
        (range(3), "range(4)", "of type range in the notebook"),
        (OrderedDict(a=1), "{}", "of type OrderedDict in the notebook"),
        (frozenset({1}), "[2]", "a set"),
        (0.5, "'nan'", "a number"),
        (3, "nan", "a number"),
        (np.datetime64("2024-01-01"), "2026-01-31T10:30", "a date such as 2024-01-01"),
        (np.datetime64("2024-01-01", "ns"), "3000-01-01", "a date such as 2024-01-01"),
        (np.timedelta64(3, "ns"), "0.5", "a whole number"),
        (np.timedelta64(3, "s"), "True", "a whole number"),
        (np.timedelta64(3, "s"), str(2**70), "a whole number"),
    ],
)
def test_what_no_such_value_is_made_of_is_refused(before: object, text: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        fitted_value("x", text, before)


@pytest.mark.parametrize(
    ("before", "text"),
    [
        (0.5, "nan"),
        (np.float64(0.5), "-NaN"),
        (np.datetime64("2024-01-01", "ns"), "NaT"),
        (np.datetime64("2024-01-01", "ns"), "2026-01-31"),
        (np.datetime64("2024", ("s", 25)), "2026-01-31T00:00:25"),
        (np.timedelta64(3, "us"), "nat"),
        (np.timedelta64(3, "us"), "4"),
    ],
)
def test_the_type_of_a_value_of_numpy_is_kept_with_its_unit(before: Any, text: str) -> None:
    values = fitted_value("x", text, before), eval(fitted_source("x", text, before), {"x": before})
    assert repr(values[0]) == repr(values[1])
    for value in values:
        assert type(value) is type(before)
        assert np.asarray(value).dtype == np.asarray(before).dtype
        assert ("N" in text.upper()) == bool(value != value)


COMPUTED = [
    "x = load()",
    "x = y = z",
    "x += 1",
    "for x in range(3): pass",
    "x = 'a'\nx += 'b'",
    "x, y = 1, 2",
]


@pytest.mark.parametrize("source", [*COMPUTED, "x = 3\nif y:\n    x = 'a'"])
def test_where_the_value_before_is_not_known_words_and_literals_are_values(source: str) -> None:
    for text, value in (
        ("3", 3),
        ("true", True),
        ("none", None),
        ("a b", "a b"),
        (LiteralText("true"), "true"),
    ):
        node = document(source)
        inject(node, {"x": text}, path=PATH)
        assert ast.literal_eval(node.cells[1].source.partition(" = ")[2]) == value


def test_the_last_value_of_the_cell_counts_and_so_does_one_with_a_type() -> None:
    for source in ("x = 'a'\nx = True", "x: bool = True", "%matplotlib inline\nx = True", "y = x = True"):
        node = document(source)
        inject(node, {"x": "false"}, path=PATH)
        assert node.cells[1].source.endswith("x = False")


@pytest.mark.parametrize(
    "source",
    ["x = 3\ndef f():\n    x = 'none'", "if True:\n    x = 'auto'\nx = 3", "x = 3\nclass A:\n    x = 'a'"],
)
def test_only_what_the_cell_itself_binds_is_the_value_before(source: str) -> None:
    node = document(source)
    inject(node, {"x": "5"}, path=PATH)
    assert node.cells[1].source.endswith("x = 5")


def test_a_parameter_of_an_earlier_run_is_forgotten() -> None:
    node = document("day = make()")
    inject(node, {"day": "2026-01-31"}, path=PATH)
    assert fitting(node.cells[1])
    node.cells[1].source = "day = 5"
    inject(node, {}, path=PATH)
    assert not fitting(node.cells[1])
    assert node.cells[1].source == "day = 5"
