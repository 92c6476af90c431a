"""What a cell reaches: which edits, anywhere in the notebook, change it, and which do not."""

from __future__ import annotations

import ast
import copy
import functools
import linecache
from itertools import count
from typing import Any

import pytest

from zennb.core.reading.source import analyse
from zennb.dependencies.dependencies import Dependencies, note_cached_functions, resolve_dependencies
from zennb.digests.digest import digest_value

numbers = count()


class Notebook:
    """Cells run one after another in a namespace, as IPython does it."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {"__name__": "__main__"}

    def run(self, *cells: str) -> Notebook:
        for text in cells:
            file = f"<reach-cell-{next(numbers)}>"
            linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
            exec(compile(text, file, "exec"), self.names)
        return self

    def reach(self, cell: str) -> Dependencies:
        analysis = analyse(ast.parse(cell))
        found = resolve_dependencies(analysis, self.names)
        while True:
            extra = [thing for value in found.data.values() for thing in digest_value(value).code]
            again = resolve_dependencies(analysis, self.names, extra=extra)
            if again.data.keys() == found.data.keys():
                return again
            found = again


def print_of(found: Dependencies) -> tuple[object, ...]:
    """Everything that goes into a key."""
    data = {name: digest_value(value).digest for name, value in found.data.items()}
    return data, dict(found.code), dict(found.constants), found.packages, found.unclear


BASE = """
import functools, math
RATE = 2
LIMITS = [1, 2]
def deepest(x):
    return x * RATE
def deep(x):
    return deepest(x) + 1
def timed(f):
    @functools.wraps(f)
    def wrapper(*args):
        return f(*args)
    return wrapper
@timed
def decorated(x):
    return deep(x)
def with_default(x, *, how=deep, rate=RATE):
    return how(x) * rate
def make(n):
    def inner(x):
        return deep(x) + n
    return inner
adder = make(3)
alias = deep
part = functools.partial(deep, 1)
table = {"a": deep, "b": lambda x: x + 1}
first, second = (lambda x: x + 1), (lambda x: x + 2)
def even(n):
    return n == 0 or odd(n - 1)
def odd(n):
    return n != 0 and even(n - 1)
def outer(x):
    def nested(y):
        return deep(y) + len(LIMITS)
    return nested(x)
class Base:
    def shared(self):
        return deep(1)
class Model(Base):
    scale = 3
    def fit(self, x):
        return self.score(x) * RATE
    def score(self, x):
        return x
    @property
    def size(self):
        return 1
    @classmethod
    def new(cls):
        return cls()
    @staticmethod
    def plain():
        return 4
model = Model()
def unrelated():
    return 0
"""

EDITS = {
    "a helper's helper": ("x * RATE", "x * RATE + 0"),
    "a constant in another cell": ("RATE = 2", "RATE = 3"),
    "a nested helper": ("len(LIMITS)", "max(LIMITS)"),
    "a list read by a nested helper": ("LIMITS = [1, 2]", "LIMITS = [1, 3]"),
    "a decorator": ("return f(*args)", "return f(*args) or 0"),
    "a decorated function": ("return deep(x)\ndef with", "return deep(x) - 1\ndef with"),
    "a default argument": ("rate=RATE", "rate=9"),
    "a default argument that is a function": ("how=deep,", "how=deepest,"),
    "a closure's variable": ("make(3)", "make(4)"),
    "a closure's code": ("deep(x) + n", "deep(x) - n"),
    "an alias": ("alias = deep", "alias = deepest"),
    "a partial's argument": ("partial(deep, 1)", "partial(deep, 2)"),
    "a partial's function": ("partial(deep, 1)", "partial(deepest, 1)"),
    "a lambda in a dispatch dictionary": ("lambda x: x + 1}", "lambda x: x + 5}"),
    "an entry of a dispatch dictionary": ('"a": deep,', '"a": deepest,'),
    "the first of two lambdas on a line": (
        "first, second = (lambda x: x + 1)",
        "first, second = (lambda x: x + 7)",
    ),
    "the other of two recursive functions": ("n != 0 and", "n > 0 and"),
    "a method": ("self.score(x) * RATE", "self.score(x) + RATE"),
    "a method only methods call": ("        return x\n    @property", "        return x + 1\n    @property"),
    "a method of a base class": ("return deep(1)", "return deep(2)"),
    "a property": ("return 1\n    @classmethod", "return 2\n    @classmethod"),
    "a class method": ("return cls()", "return cls() or None"),
    "a static method": ("return 4", "return 5"),
    "an attribute of a class": ("scale = 3", "scale = 4"),
    "the bases of a class": ("class Model(Base)", "class Model(Base, dict)"),
}

REACHED_BY = {
    "a helper's helper": [
        "deep(1)",
        "decorated(1)",
        "with_default(1)",
        "adder(1)",
        "alias(1)",
        "part()",
        "table['a'](1)",
        "outer(1)",
        "model.shared()",
        "Model()",
        "[deep(x) for x in range(3)]",
        "def step(): return deep(1)\nstep()",
    ],
    "a constant in another cell": [
        "deep(1)",
        "decorated(1)",
        "adder(1)",
        "part()",
        "table",
        "model",
        "outer(1)",
        "Model",
    ],
    "a nested helper": ["outer(1)"],
    "a list read by a nested helper": ["outer(1)"],
    "a decorator": ["decorated(1)"],
    "a decorated function": ["decorated(1)"],
    "a default argument": ["with_default(1)"],
    "a default argument that is a function": ["with_default(1)"],
    "a closure's variable": ["adder(1)"],
    "a closure's code": ["adder(1)"],
    "an alias": ["alias(1)"],
    "a partial's argument": ["part()"],
    "a partial's function": ["part()"],
    "a lambda in a dispatch dictionary": ["table['b'](1)"],
    "an entry of a dispatch dictionary": ["table['a'](1)"],
    "the first of two lambdas on a line": ["first(1)"],
    "the other of two recursive functions": ["even(2)", "odd(2)"],
    "a method": ["model.fit(1)", "Model().fit(1)", "Model"],
    "a method only methods call": ["model.fit(1)", "model"],
    "a method of a base class": ["model.fit(1)", "Model()"],
    "a property": ["model.size"],
    "a class method": ["Model.new()"],
    "a static method": ["Model.plain()"],
    "an attribute of a class": ["model", "Model"],
    "the bases of a class": ["Model()", "model"],
}

CASES = [(edit, cell) for edit, cells in REACHED_BY.items() for cell in cells]


@pytest.mark.parametrize(("edit", "cell"), CASES, ids=[f"{edit}: {cell}" for edit, cell in CASES])
def test_an_edit_of_what_a_cell_reaches_is_seen(edit: str, cell: str) -> None:
    before, after = EDITS[edit]
    assert BASE.count(before) == 1
    old = Notebook().run(BASE).reach(cell)
    new = Notebook().run(BASE.replace(before, after)).reach(cell)
    assert old.unclear == new.unclear == ()
    assert print_of(old) != print_of(new)


NOT_REACHED = [
    ("deep(1)", "a nested helper"),
    ("deep(1)", "a method"),
    ("unrelated()", "a helper's helper"),
    ("unrelated()", "a constant in another cell"),
    ("second(1)", "the first of two lambdas on a line"),
    ("even(1)", "a decorator"),
    ("Base()", "a method"),
    ("math.pi", "a helper's helper"),
    ("decorated = 3\ndecorated", "a decorated function"),
    ("RATE = 5\ndeep(1)", "a constant in another cell"),
]


@pytest.mark.parametrize(("cell", "edit"), NOT_REACHED, ids=[f"{edit}: {cell}" for cell, edit in NOT_REACHED])
def test_an_edit_of_something_else_is_not_seen(cell: str, edit: str) -> None:
    old = Notebook().run(BASE).reach(cell)
    new = Notebook().run(BASE.replace(*EDITS[edit])).reach(cell)
    assert print_of(old) == print_of(new)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("return x * RATE", "return x * RATE  # twice"),
        ("return x * RATE", '"""Multiply."""\n    return x * RATE'),
        ("return x * RATE", "return (x\n            * RATE)"),
        ("def deep(x):", "\n\n\ndef deep(x):"),
        ("def unrelated():\n    return 0\n", ""),
        ("    scale = 3\n", '    """Docs."""\n    scale = 3\n'),
        ("    @staticmethod\n    def plain():\n        return 4\n", ""),
    ],
)
def test_comments_docstrings_positions_and_formatting_do_not_count(before: str, after: str) -> None:
    assert BASE.count(before) == 1
    cell = "deep(1); outer(1); model.fit(1); adder(1); decorated(1)"
    if "plain" in before:  # moved to another place in its class
        text = BASE.replace(before, "").replace("    scale = 3\n", before + "    scale = 3\n")
    else:
        text = BASE.replace(before, after)
    assert print_of(Notebook().run(BASE).reach(cell)) == print_of(Notebook().run(text).reach(cell))


def test_code_is_named_as_people_name_it() -> None:
    found = Notebook().run(BASE).reach("decorated(1); model.fit(1)")
    assert {
        "decorated",
        "timed.<locals>.wrapper",
        "deep",
        "deepest",
        "Model",
        "Model.fit",
        "Base.shared",
    } <= set(found.code)
    assert found.kinds["Model"] == "class"
    assert found.kinds["Model.fit"] == "function"


def test_an_edited_method_is_the_only_thing_that_changed() -> None:
    before, after = EDITS["a method"]
    old = Notebook().run(BASE).reach("model.fit(1)").code
    new = Notebook().run(BASE.replace(before, after)).reach("model.fit(1)").code
    assert {name for name in old if old[name] != new[name]} == {"Model.fit"}


def test_data_definitions_and_writes_are_told_apart() -> None:
    notebook = Notebook().run(BASE, "def count():\n    global TOTAL\n    TOTAL = RATE\nTOTAL = 0\nxs = [1]")
    found = notebook.reach("count(); deep(xs[0]); model; math.pi")
    assert set(found.data) == {"RATE", "xs", "model"}
    assert {"count", "deep", "deepest", "math"} <= set(found.definitions)
    assert found.writes == {"TOTAL"}


def test_names_nobody_has_and_builtins_are_ignored() -> None:
    found = Notebook().reach("print(nobody_has_this, len([1]))")
    assert found == Notebook().reach("")


def test_a_builtin_that_the_notebook_overrides_counts() -> None:
    found = Notebook().run("def len(x):\n    return 0").reach("len([1])")
    assert set(found.code) == {"len"}


def test_a_name_the_cell_binds_before_the_function_uses_it_is_not_data() -> None:
    notebook = Notebook().run(BASE)
    assert "RATE" not in notebook.reach("RATE = 3\ndeep(1)").data
    assert "RATE" in notebook.reach("deep(1)\nRATE = 3").data
    assert "RATE" in notebook.reach("deepest(1)\nRATE = 3\ndeep(1)").data


def test_two_functions_of_the_same_name_both_count() -> None:
    text = "def f(): return 1\nold = f\ndef f(): return 2\n"
    one = Notebook().run(text).reach("old() + f()")
    assert print_of(one) != print_of(Notebook().run(text).reach("f() + f()"))
    assert print_of(one) != print_of(
        Notebook().run(text.replace("return 1", "return 3")).reach("old() + f()")
    )
    swapped = text + "old, f = f, old\n"
    assert print_of(one) != print_of(Notebook().run(swapped).reach("old() + f()"))


def test_a_patched_method_of_a_notebook_class_counts() -> None:
    cell = "model.fit(1)"
    old = Notebook().run(BASE).reach(cell)
    new = Notebook().run(BASE, "def other(self, x):\n    return deep(x)\nModel.fit = other").reach(cell)
    assert "other" in new.code
    assert print_of(old) != print_of(new)


def test_dynamic_code_makes_the_closure_unclear() -> None:
    assert Notebook().run("def magic(x): exec(x)").reach("magic").unclear == ("`magic` uses `exec(...)`",)


def test_what_a_function_may_evaluate_is_what_the_texts_name() -> None:
    found = Notebook().run("def magic(x): return eval(x)", "a, b = 1, 2").reach("magic('a + c')")
    assert [*found.unclear, found.data, {*found.words}] == [{"a": 1}, {"a", "c"}]


def test_a_closure_over_something_without_content_makes_it_unclear() -> None:
    found = (
        Notebook()
        .run("def make():\n    g = (i for i in [1])\n    return lambda: next(g)\nf = make()")
        .reach("f()")
    )
    assert found.unclear == ("`make.<locals>.<lambda>.g` is a generator",)


def test_a_function_without_source_is_told_by_its_bytecode() -> None:
    def found(text: str) -> Dependencies:
        notebook = Notebook()
        exec(compile(text, "<nowhere>", "exec"), notebook.names)
        notebook.names["RATE"] = 3
        return notebook.reach("f(1)")

    assert found("def f(x): return x + RATE").data == {"RATE": 3}
    assert print_of(found("def f(x): return x + RATE")) == print_of(
        found("\ndef f(y):\n  return y + RATE".replace("y", "x"))
    )
    assert print_of(found("def f(x): return x + RATE")) != print_of(found("def f(x): return x - RATE"))
    assert found("def f(x):\n  global Z\n  Z = eval('1')").unclear == ("`f` uses `eval`",)
    assert found("def f(x):\n  global Z\n  Z = 1").writes == {"Z"}


def test_instances_inside_data_bring_their_classes() -> None:
    found = Notebook().run(BASE, "many = {'a': [model]}").reach("many")
    assert {"Model.fit", "deepest"} <= set(found.code)
    assert "RATE" in found.data


def test_looking_again_after_nothing_happened_gives_the_same() -> None:
    notebook = Notebook().run(BASE)
    cell = "decorated(1); model; table; adder(1); part(); outer(1)"
    assert print_of(notebook.reach(cell)) == print_of(notebook.reach(cell))


def test_a_changed_global_is_seen_though_functions_are_remembered() -> None:
    notebook = Notebook().run(BASE)
    old = print_of(notebook.reach("decorated(1)"))
    notebook.run("def deepest(x):\n    return 0")
    assert print_of(notebook.reach("decorated(1)")) != old


def test_what_ipython_puts_into_every_notebook_is_not_content() -> None:
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell()
    notebook = Notebook()
    notebook.names = shell.user_ns
    found = notebook.reach("get_ipython().run_line_magic('time', 'x'); display(1); open")
    assert found == Notebook().reach("")
    notebook.run("def helper():\n    return display(1), get_ipython()")
    assert not notebook.reach("helper()").unclear


def test_a_class_is_the_same_after_one_of_its_instances_was_copied() -> None:
    # The first copy, pickle or digest of an instance makes Python note the names of its slots in the class.
    notebook = Notebook().run("class Point:\n    def __init__(self): self.x = 1")
    before = print_of(notebook.reach("Point()"))
    copy.copy(notebook.names["Point"]())
    assert "__slotnames__" in vars(notebook.names["Point"])
    assert print_of(notebook.reach("Point()")) == before


class BindsWhenPickled:
    def __init__(self, scope: dict[str, Any]) -> None:
        self.scope = scope

    def __reduce__(self) -> tuple[Any, ...]:
        list(map(self.scope.__setitem__, [f"bound_{len(self.scope)}"], [1]))  # unseen by who reads the code
        return (int, ())


def test_user_code_that_binds_names_does_not_disturb_the_search_for_cached_functions() -> None:
    scope: dict[str, Any] = {"functools": functools, "__name__": "__main__"}
    scope["data"] = BindsWhenPickled(scope)
    exec("@functools.lru_cache\ndef f(n):\n    return data", scope)
    note_cached_functions(scope)
    assert any(name.startswith("bound_") for name in scope)
