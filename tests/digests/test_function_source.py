"""The fingerprint of one function's own code, from its source or from its bytecode."""

from __future__ import annotations

import enum
import functools
import linecache
from collections import namedtuple
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from zennb.digests.bytecode import code_digest
from zennb.digests.digest import digest, digest_class_shell, digest_value
from zennb.digests.function_source import function_body

if TYPE_CHECKING:
    from types import CodeType

numbers = count()


def cell(text: str, **names: Any) -> dict[str, Any]:
    """Run a text as a notebook cell."""
    file = f"<code-cell-{next(numbers)}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    names["__name__"] = "__main__"
    exec(compile(text, file, "exec"), names)
    return names


def one(text: str, name: str = "f") -> Any:
    return cell(text)[name]


def is_from_source(code: CodeType) -> bool:
    return function_body(code).digest != code_digest(code)


def test_source_is_found_and_names_are_read() -> None:
    code = one("import x\ndef f(a): return np.sin(a) + K".replace("import x\n", "")).__code__
    found = function_body(code)
    assert found.name == "f"
    assert is_from_source(code)
    assert found.analysis.chains == {("np", "sin"), ("K",)}


def test_variables_of_enclosing_functions_are_not_names_of_the_notebook() -> None:
    inner = one("def make(n):\n    def g(x):\n        return x + n + K\n    return g\nf = make(1)")
    found = function_body(inner.__code__)
    assert found.name == "make.<locals>.g"
    assert set(found.analysis.reads) == {"K"}


@pytest.mark.parametrize(
    "text",
    [
        "f, g = (lambda x: x + 1), (lambda x: x + 2)",
        "f = lambda x: x + 1; g = lambda x: x + 2",
        "f = (lambda: lambda x: x + 1)(); g = (lambda: lambda x: x + 2)()",
        "f, g = [\n lambda x: x + 1,\n lambda x: x + 2]",
        "f, g = (lambda é, x=1: x + 1), (lambda é, x=1: x + 2)",
    ],
)
def test_lambdas_on_one_line_are_told_apart(text: str) -> None:
    names = cell(text)
    first, second = function_body(names["f"].__code__), function_body(names["g"].__code__)
    assert is_from_source(names["f"].__code__)
    assert is_from_source(names["g"].__code__)
    assert first.digest != second.digest
    assert first.digest == function_body(cell(text.replace("x + 2", "x + 3"))["f"].__code__).digest


SAME = {
    "comments": ("def f(x):\n    return x", "def f(x):\n    # why\n    return x  # that"),
    "docstrings": ("def f(x):\n    return x", 'def f(x):\n    """Doc."""\n    return x'),
    "places": ("def f(x):\n    return x", "\n\n\ndef f(x): return x"),
    "formatting": (
        "def f(x):\n    return g(x, 'a')",
        'def f(x):\n    return g(\n        x,\n        "a",\n    )',
    ),
    "numbers": ("def f(): return 1000", "def f(): return 1_000"),
}

OTHER = {
    "a constant": ("def f(x): return x + 1", "def f(x): return x + 2"),
    "types of constants": ("def f(): return 1", "def f(): return True"),
    "a name": ("def f(x): return a", "def f(x): return b"),
    "a default": ("def f(x=1): return x", "def f(x=2): return x"),
    "a live default": ("K = 1\ndef f(x=K): return x", "K = 2\ndef f(x=K): return x"),
    "a keyword default": ("def f(*, x=1): return x", "def f(*, x=2): return x"),
    "parameters": ("def f(x, y): return x", "def f(y, x): return x"),
    "a decorator": (
        "def d(f): return lambda: f() + 1\n@d\ndef f(): return 1",
        "def d(f): return lambda: f() + 2\n@d\ndef f(): return 1",
    ),
    "async": ("def f(): return 1", "async def f(): return 1"),
    "an attribute": ("def f(): return 1\nf.note = 1", "def f(): return 1\nf.note = 2"),
    "the name": ("def f(): return 1", "def g(): return 1\nf = g"),
}


@pytest.mark.parametrize(("before", "after"), SAME.values(), ids=SAME)
def test_what_does_not_count(before: str, after: str) -> None:
    assert digest(one(before)) == digest(one(after))


@pytest.mark.parametrize(("before", "after"), OTHER.values(), ids=OTHER)
def test_what_counts(before: str, after: str) -> None:
    assert digest(one(before)) != digest(one(after))


@pytest.mark.parametrize(("before", "after"), OTHER.values(), ids=OTHER)
def test_what_counts_is_seen_in_bytecode_too(before: str, after: str) -> None:
    def made(text: str) -> Any:
        names: dict[str, Any] = {"__name__": "__main__"}
        exec(text, names)
        assert not is_from_source(names["f"].__code__) or names["f"].__closure__
        return names["f"]

    assert digest(made(before)) != digest(made(after))


def test_places_do_not_count_in_bytecode() -> None:
    def code(text: str) -> Any:
        return compile(text, "<nowhere>", "exec").co_consts[0]

    assert code_digest(code("def f(x):\n  return {x in {1, 'a', None}: (1, ...)}")) == code_digest(
        code("\n\n\ndef f(x): return {x in {1, 'a', None}: (1, ...)}")
    )


def test_a_text_that_is_another_one_is_not_believed() -> None:
    function = one("def f(x): return x")
    file = function.__code__.co_filename
    text = "def f(y): return y"
    linecache.cache[file] = (len(text), None, [text], file)
    assert not is_from_source(function.__code__)


def test_equal_code_objects_of_different_texts_are_not_confused() -> None:
    first, second = one("def f(x: int): return x"), one("def f(x: str): return x")
    assert first.__code__ == second.__code__
    assert function_body(first.__code__).digest != function_body(second.__code__).digest


def test_recursion_and_closures_that_hold_themselves() -> None:
    text = "def make():\n    def walk(n):\n        return n and walk(n - 1)\n    return walk\nf = make()"
    assert digest(one(text)) == digest(one(text)) != digest(one(text.replace("n - 1", "n - 2")))


def test_an_empty_cell_of_a_closure_is_content_too() -> None:
    text = "def make():\n    def g():\n        return late\n    if FULL:\n        late = 1\n    return g\nf = make()"
    assert digest(cell(text, FULL=False)["f"]) != digest(cell(text, FULL=True)["f"])


def test_functions_of_packages_count_by_name_and_what_they_wrap_counts() -> None:
    wrapped = "import contextlib\n@contextlib.contextmanager\ndef f():\n    yield 1"
    assert digest(one(wrapped)) != digest(one(wrapped.replace("yield 1", "yield 2")))
    assert [getattr(thing, "__name__", "") for thing in digest_value(one(wrapped)).code] == ["f"]
    assert digest_value(functools.wraps).code == ()


def test_dispatchers_count_with_what_they_know() -> None:
    text = "import functools\n@functools.singledispatch\ndef f(x): return 1\n"
    more = text + "@f.register\ndef _(x: int): return 2\n"
    assert digest(one(text)) == digest(one(text)) != digest(one(more))
    assert digest(one(more)) != digest(one(more.replace("return 2", "return 3")))


CLASS = """
class Base: pass
class Meta(type): pass
class C(Base, metaclass=Meta):
    '''Doc.'''
    rate = 1
    items = [1]
    note: int
    def f(self): return super().f()
    @property
    def p(self): return 1
    @classmethod
    def c(cls): return 2
    @staticmethod
    def s(): return 3
    def __eq__(self, other): return True
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("rate = 1", "rate = 2"),
        ("rate = 1", "rate = 1.0"),
        ("rate = 1", "ratio = 1"),
        ("items = [1]", "items = (1,)"),
        ("note: int", "note: str"),
        ("super().f()", "super().g()"),
        ("return 1", "return 9"),
        ("return 2", "return 9"),
        ("return 3", "return 9"),
        ("@staticmethod\n", "@classmethod\n"),
        ("    def __eq__(self, other): return True\n", ""),
        ("C(Base, ", "C("),
        (", metaclass=Meta", ""),
        ("class Base: pass", "class Base:\n    x = 1"),
    ],
)
def test_every_part_of_a_class_counts(before: str, after: str) -> None:
    assert CLASS.count(before) == 1
    assert digest(one(CLASS, "C")) != digest(one(CLASS.replace(before, after), "C"))


def test_docstrings_and_the_order_of_methods_do_not_count_in_a_class() -> None:
    method = "    def f(self): return super().f()\n"
    moved = CLASS.replace(method, "").rstrip() + "\n" + method
    for text in (moved, CLASS.replace("'''Doc.'''", "'''Other.'''"), "# more\n" + CLASS):
        assert digest(one(text, "C")) == digest(one(CLASS, "C"))


def test_a_shell_leaves_methods_to_be_looked_at_one_by_one() -> None:
    def digest_of(text: str) -> str:
        return digest_class_shell(one(text, "C"), name="C").digest

    assert digest_of(CLASS) == digest_of(CLASS.replace("return 3", "return 9"))
    assert digest_of(CLASS) != digest_of(CLASS.replace("rate = 1", "rate = 2"))
    assert digest_of(CLASS) != digest_of(CLASS.replace("def s()", "def t()"))


GENERATED = {
    "dataclass": (
        "import dataclasses as d\n@d.dataclass\nclass C:\n    x: int = 1\n    y: list = d.field(default_factory=list)"
    ),
    "frozen dataclass": (
        "import dataclasses as d\n@d.dataclass(frozen=True, slots=True, order=True)\nclass C:\n    x: int = 1"
    ),
    "named tuple": "from typing import NamedTuple\nclass C(NamedTuple):\n    x: int = 1",
    "collections.namedtuple": "from collections import namedtuple\nC = namedtuple('C', 'x', defaults=[1])",
    "enum": "import enum\nclass C(enum.Enum):\n    x = 1\n    @property\n    def p(self): return 0",
    "flag": "import enum\nclass C(enum.Flag):\n    x = 1",
    "abstract": "import abc\nclass C(abc.ABC):\n    x = 1\n    @abc.abstractmethod\n    def f(self): ...",
    "protocol": "from typing import Protocol\nclass C(Protocol):\n    x = 1\n    def f(self): ...",
    "typed dict": "from typing import TypedDict\nclass C(TypedDict):\n    x: int\nC.y = 1",
    "generic": "from typing import Generic, TypeVar\nT = TypeVar('T')\nclass C(Generic[T]):\n    x = 1",
    "slots": "class C:\n    __slots__ = ('x', 'y')\n    z = 1",
    "abstract class method": "import abc\nclass C:\n    @abc.abstractclassmethod\n    def f(cls): return 1",
    "abstract static method": "import abc\nclass C:\n    @abc.abstractstaticmethod\n    def f(): return 1",
    "abstract property": "import abc\nclass C:\n    @abc.abstractproperty\n    def p(self): return 1",
    "cached property": "import functools\nclass C:\n    @functools.cached_property\n    def p(self): return 1",
}


@pytest.mark.parametrize("text", GENERATED.values(), ids=GENERATED)
def test_generated_classes_have_a_digest_that_sees_edits(text: str) -> None:
    edited = text.replace("= 1", "= 2") if "= 1" in text else text.replace("return 1", "return 2")
    edited = edited.replace("defaults=[1]", "defaults=[2]")
    assert edited != text
    assert digest(one(text, "C")) == digest(one(text, "C")) != digest(one(edited, "C"))
    assert digest([one(text, "C")]) != digest([one(edited, "C")])


@dataclass
class Local:
    x: int = 1
    y: list[int] = field(default_factory=list)


class Kind(enum.Enum):
    A = 1


class Row(NamedTuple):
    a: int


Pair = namedtuple("Pair", "a b")  # noqa: PYI024 - the plain one is meant


@pytest.mark.parametrize("cls", [Local, Kind, Row, Pair])
def test_classes_of_local_modules_are_met_in_their_instances(cls: type) -> None:
    instance = {Local: Local(), Kind: Kind.A, Row: Row(1), Pair: Pair(1, 2)}[cls]
    assert digest_value([instance]).code == (cls,)
    assert digest_value([instance]).packages == frozenset()
