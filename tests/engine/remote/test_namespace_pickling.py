"""Functions and classes moved into another namespace see that namespace, not the notebook's."""

from __future__ import annotations

import ast
import sys
from typing import Any

import pytest

from zennb.engine.remote.namespace_pickling import pack, unpack

SOURCE = """
rate = 2
table = list(range(1000))
def inner(v): return v * rate
def outer(v): return inner(v) + len(table)
def count():
    global hits
    hits = hits + 1
class Scale:
    by = 3
    def times(self, v): return v * rate * self.by
    @classmethod
    def make(cls): return cls()
class Wide(Scale):
    def times(self, v): return super().times(v) + 1
twice = lambda v: inner(v) * 2
def even(n): return True if n == 0 else odd(n - 1)
def odd(n): return False if n == 0 else even(n - 1)
"""


def moved(*names: str) -> tuple[dict[str, Any], dict[str, Any]]:
    notebook: dict[str, Any] = {"__name__": "__main__", "hits": 0}
    exec(SOURCE, notebook)
    data = {"rate": notebook["rate"], "table": notebook["table"]}
    packed, _ = pack({name: notebook[name] for name in names}, namespace=notebook, data=data)
    assert len(packed) < 4000, "data travels as artifacts, not with the code"
    there: dict[str, Any] = {"__name__": "__main__", "rate": 10, "table": [1], "hits": 5}
    unpack(packed, there)
    there.update(rate=10, table=[1], hits=5)
    return notebook, there


def test_functions_see_the_new_namespace_also_through_helpers() -> None:
    _, there = moved("outer", "inner", "twice")
    assert there["outer"](1) == 11
    assert there["twice"](1) == 20


def test_writing_a_global_writes_the_new_namespace() -> None:
    notebook, there = moved("count")
    there["count"]()
    assert (there["hits"], notebook["hits"]) == (6, 0)


def test_classes_are_copies_whose_methods_see_the_new_namespace() -> None:
    notebook, there = moved("Scale", "Wide")
    assert there["Scale"].make().times(1) == 30
    assert there["Wide"]().times(1) == 31
    assert issubclass(there["Wide"], there["Scale"])
    assert there["Scale"] is not notebook["Scale"]
    assert notebook["Scale"]().times(1) == 6


def test_mutual_recursion_survives() -> None:
    _, there = moved("even", "odd")
    assert there["even"](10) is True


HOLDING = """
items = [0]
def push(x, to=items): to.append(x)
def make(store):
    count = 0
    def add(x):
        nonlocal count
        count += 1
        store.append(x)
    def seen(): return count, store
    return add, seen
add, seen = make(items)
def read(): return items
"""


def test_functions_that_hold_data_hold_that_of_the_new_namespace() -> None:
    notebook: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(HOLDING, "<cell>", "exec"), notebook)
    names = ("push", "add", "seen", "read")
    packed, _ = pack(
        {name: notebook[name] for name in names}, namespace=notebook, data={"items": notebook["items"]}
    )
    there: dict[str, Any] = {"__name__": "__main__"}
    unpack(packed, there, lambda name: there.update({name: [7]}))
    there["push"](1)
    there["add"](2)
    assert there["seen"]() == (1, [7, 1, 2])
    assert there["read"]() is there["items"] is there["seen"]()[1]
    assert notebook["items"] == [0]
    assert notebook["seen"]() == (0, [0])
    assert there["add"].__code__.co_filename == "<cell>"


def test_data_is_not_asked_for_when_functions_only_read_it() -> None:
    notebook: dict[str, Any] = {"__name__": "__main__"}
    exec(HOLDING, notebook)
    packed, _ = pack({"read": notebook["read"]}, namespace=notebook, data={"items": notebook["items"]})

    def refuse(_name: str) -> None:
        raise AssertionError("nobody holds it")

    there: dict[str, Any] = {"__name__": "__main__"}
    unpack(packed, there, refuse)
    assert "items" not in there


def test_copied_classes_have_the_digest_of_the_originals() -> None:
    from zennb.core.reading.source import analyse
    from zennb.dependencies.dependencies import resolve_dependencies

    source = (
        "from dataclasses import dataclass, field\nfrom enum import Enum\nfrom typing import NamedTuple\n"
        "class Edge(NamedTuple):\n    start: str\n    weight: float = 1\n"
        "@dataclass(order=True)\nclass Point:\n    x: int\n    tags: list = field(default_factory=list)\n"
        "class Holder:\n    class Inner:\n        __slots__ = ('value',)\n"
        "        def __init__(self, v): self.value = v\n    def make(self): return self.Inner(1)\n"
        "class Colour(Enum):\n    RED = 1\n    BLUE = 2\n"
        "class Base:\n    @property\n    def p(self): return 1\n    @staticmethod\n    def s(): return 2\n"
        "class Child(Base):\n    limit = [1]\n    @classmethod\n    def c(cls): return super().s()\n"
    )
    notebook: dict[str, Any] = {"__name__": "__main__"}
    exec(source, notebook)
    names = ("Edge", "Point", "Holder", "Colour", "Base", "Child")
    packed, _ = pack({name: notebook[name] for name in names}, namespace=notebook, data={})
    there: dict[str, Any] = {"__name__": "__main__"}
    unpack(packed, there)
    analysis = analyse(ast.parse("\n".join(f"{name}" for name in names)))
    assert resolve_dependencies(analysis, there).digests == resolve_dependencies(analysis, notebook).digests


ANNOTATED = """
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, get_type_hints
class Edge(NamedTuple):
    start: str
    weight: float = 1
@dataclass
class Point:
    x: int
class Colour(Enum):
    text: str
    RED = 1
class Plain:
    edge: Edge
    def to(self, other: Edge, far: int = 1) -> Edge: return other
def hints(): return [get_type_hints(each) for each in (Edge, Point, Colour, Plain, Plain.to)]
"""


def run(source: str, namespace: dict[str, Any]) -> None:
    """Execute text as a cell: the future import of this file, which makes annotations text, does not hold."""
    exec(compile(source, "<cell>", "exec", dont_inherit=True), namespace)


def test_copies_have_the_annotations_of_the_originals() -> None:
    notebook: dict[str, Any] = {"__name__": "__main__"}
    run(ANNOTATED, notebook)
    names = ("Edge", "Point", "Colour", "Plain", "hints")
    packed, _ = pack({name: notebook[name] for name in names}, namespace=notebook, data={})
    there: dict[str, Any] = {"__name__": "__main__"}
    unpack(packed, there)
    edge = there["Edge"]
    assert edge is not notebook["Edge"]
    assert there["hints"]() == [
        {"start": str, "weight": float},
        {"x": int},
        {"text": str},
        {"edge": edge},
        {"other": edge, "far": int, "return": edge},
    ]


@pytest.mark.skipif(sys.version_info < (3, 14), reason="earlier versions evaluate annotations at once")
def test_copies_whose_annotations_name_what_is_not_bound_run_all_the_same() -> None:
    notebook: dict[str, Any] = {"__name__": "__main__"}
    run("def late(n: Later): return late(n - 1) if n else 'ended'\nclass Late:\n    n: Later", notebook)
    packed, _ = pack({name: notebook[name] for name in ("late", "Late")}, namespace=notebook, data={})
    there: dict[str, Any] = {"__name__": "__main__"}
    unpack(packed, there)
    assert there["late"](3) == "ended"
    assert there["late"].__annotations__ == there["Late"].__annotations__ == {"n": "Later"}
