"""Random programs are executed on a namespace that takes notes; the analysis must have foreseen what they do."""

from __future__ import annotations

import ast
import builtins
import random
from dataclasses import replace
from typing import Any, Self

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zennb.core.reading.source import Analysis, analyse

NAMES = ["a", "b", "c", "f", "g", "A"]


class Boom(Exception):
    """What random programs raise."""


class Value:
    """Can be used in any way a random program uses a value."""

    def __call__(self, *_: object) -> Value:
        return self

    def __iter__(self) -> Any:
        return iter((self, self))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def __add__(self, _: object) -> Value:
        return self

    __radd__ = __iadd__ = __add__

    def __getitem__(self, _: object) -> Value:
        return self

    def __setitem__(self, *_: object) -> None:
        return None


class Notebook(dict[str, Any]):
    """A namespace that has every name, and notes which ones the program takes from it and which it binds."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.taken: dict[str, set[str]] = {}
        self.bound: set[str] = set()
        self.gone: set[str] = set()
        own = {
            "boom": self.boom,
            "flip": self.flip,
            "items": self.items_,
            "use": use,
            "V": Value,
            "Boom": Boom,
        }
        super().__init__(__builtins__=vars(builtins) | own)

    def flip(self) -> bool:
        return self.chance.random() < 0.5

    def items_(self) -> list[Value]:
        return [Value()] * self.chance.randrange(3)

    def boom(self) -> Value:
        if self.chance.random() < 0.4:
            raise Boom
        return Value()

    def __getitem__(self, name: str) -> Any:
        if name in self:
            return super().__getitem__(name)
        if name in self.gone or name not in NAMES:
            raise KeyError(name)
        bound = set(self)
        self.taken[name] = self.taken.get(name, bound) & bound
        return Value()

    def __setitem__(self, name: str, value: Any) -> None:
        self.bound.add(name)
        super().__setitem__(name, value)

    def __delitem__(self, name: str) -> None:
        self.gone.add(name)
        self.pop(name, None)


def use(value: Any) -> Value:
    """Do with a value what a library might: call it, make an instance of it, call its method."""
    try:
        made = value()
        if hasattr(made, "m"):
            made.m()
    except (TypeError, RecursionError):
        pass
    return Value()


names = st.sampled_from(NAMES)


def expressions(depth: int) -> st.SearchStrategy[str]:
    simple = st.one_of(names, names, st.just("V()"), st.just("boom()"))
    if depth <= 0:
        return simple
    inner = expressions(depth - 1)
    return st.one_of(
        simple,
        st.tuples(inner, inner).map(lambda p: f"({p[0]} + {p[1]})"),
        names.map(lambda n: f"use({n})"),
        names.map(lambda n: f"{n}()"),
        st.tuples(names, inner).map(lambda p: f"({p[0]} := {p[1]})"),
        st.tuples(names, inner).map(lambda p: f"(flip() and ({p[0]} := {p[1]}))"),
        st.tuples(inner, inner).map(lambda p: f"({p[0]} if flip() else {p[1]})"),
        st.tuples(inner, inner).map(lambda p: f"(flip() and {p[0]} or {p[1]})"),
        st.tuples(inner).map(lambda p: f"(lambda: {p[0]})()"),
        st.tuples(names, names).map(lambda p: f"(lambda {p[0]}: {p[1]})(V())"),
        comprehensions(),
    )


def comprehensions() -> st.SearchStrategy[str]:
    # A walrus may not rebind the comprehension's own variable, so that one is called i.
    part = st.one_of(names, names, st.just("i"), names.map(lambda n: f"({n} := i)"))
    iterable = st.one_of(names, st.just("items()"), st.just("(V(), V())"))
    test = st.one_of(st.just("flip()"), names.map(lambda n: f"flip() and ({n} := i)"))
    brackets = st.sampled_from(["list([{}])", "list({})", "len({{{}}})", "tuple({})"])
    return st.tuples(part, iterable, test, brackets).map(
        lambda p: p[3].format(f"({p[0]}) for i in {p[1]} if {p[2]}").join(["(V() if ", " else V())"])
    )


def indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]


@st.composite
def blocks(draw: st.DrawFn, depth: int, *, loop: bool = False, function: bool = False) -> list[str]:
    count = draw(st.integers(1, 3))
    return [line for _ in range(count) for line in draw(statements(depth, loop=loop, function=function))]


@st.composite
def statements(draw: st.DrawFn, depth: int, *, loop: bool = False, function: bool = False) -> list[str]:
    expression, name, other = draw(expressions(1)), draw(names), draw(names)
    kinds = [
        "assign",
        "assign",
        "augment",
        "expression",
        "tuple",
        "item",
        "del",
        "raise",
        "annotate",
        "import",
    ]
    kinds += ["break", "continue"] if loop else []
    kinds += ["return"] if function else []
    kinds += (
        ["if", "for", "for", "while", "try", "try", "finally", "def", "def", "class", "with", "match"]
        if depth
        else []
    )
    kind = draw(st.sampled_from(kinds))

    def inner(*, loop: bool = loop, function: bool = function) -> list[str]:
        return indented(draw(blocks(depth - 1, loop=loop, function=function)))

    match kind:
        case "assign":
            return [f"{name} = {expression}"]
        case "augment":
            return [f"{name} += {expression}"]
        case "expression":
            return [expression]
        case "tuple":
            return [f"{name}, *{other} = {expression}"]
        case "item":
            return [f"{name}[{expression}] = {other}"]
        case "del":
            return ["if flip():", f"    del {name}"] if draw(st.booleans()) else [f"del {name}"]
        case "raise":
            return ["if flip():", "    raise Boom"]
        case "annotate":
            return [f"{name}: {other} = {expression}"] if draw(st.booleans()) else [f"{name}: {other}"]
        case "import":
            return [f"import os.path as {name}"]
        case "break" | "continue":
            return ["if flip():", f"    {kind}"]
        case "return":
            return [f"return {expression}"]
        case "if":
            test = draw(
                st.sampled_from(
                    ["flip()", f"flip() and ({other} := V())", "not flip()", "True", f"not {other}"]
                )
            )
            return [f"if {test}:", *inner(), *(["else:", *inner()] if draw(st.booleans()) else [])]
        case "for":
            iterable = draw(st.sampled_from(["items()", other, "(V(), V())", "range(2)", "enumerate([V()])"]))
            end = ["else:", *inner()] if draw(st.booleans()) else []
            return [f"for {name} in {iterable}:", *inner(loop=True), *end]
        case "while":
            test = draw(st.sampled_from(["flip()", f"flip() and ({other} := V())"]))
            end = ["else:", *inner()] if draw(st.booleans()) else []
            return [f"while {test}:", *inner(loop=True), *end]
        case "try":
            caught = draw(
                st.sampled_from(
                    ["except Boom:", f"except Boom as {name}:", f"except (Boom, TypeError) as {name}:"]
                )
            )
            end = ["else:", *inner()] if draw(st.booleans()) else []
            return ["try:", *inner(), caught, *inner(), *end]
        case "finally":
            return ["try:", *inner(), "finally:", *inner(loop=False, function=False)]
        case "def":
            declared = indented(draw(st.sampled_from([[], [f"global {other}"], [f"global {other}"]])))
            parameter = draw(names.filter(lambda n: n != other))
            decorator = draw(st.sampled_from([[], [], [f"@{other}"]]))
            head = [*decorator, f"def {name}({parameter}={expression}):"]
            return [*head, *declared, *inner(loop=False, function=True), *used(draw, name, expression)]
        case "class":
            method = indented(["def m(self):", *inner(loop=False, function=True)])
            body = inner(loop=False, function=False)
            return [f"class {name}:", *body, *method, *used(draw, name, expression)]
        case "with":
            return [f"with V() as {name}:", *inner()]
        case _:
            pattern = draw(
                st.sampled_from(["1", f"[{name}, *{other}]" if name != other else name, f"V() as {name}"])
            )
            guard = draw(st.sampled_from(["", " if flip()"]))
            return [
                f"match [{expression}, 2]:",
                f"    case {pattern}{guard}:",
                *indented(inner()),
                "    case _:",
                *indented(inner()),
            ]


def used(draw: st.DrawFn, name: str, between: str) -> list[str]:
    """Return lines that call what was just defined, or nothing."""
    return draw(st.sampled_from([[], [f"use({name})"], [between, f"use([{name}][0])"], [f"{name}()"]]))


@st.composite
def programs(draw: st.DrawFn) -> str:
    return "\n".join(line for _ in range(draw(st.integers(1, 5))) for line in draw(statements(2)))


def parsed(program: str) -> ast.Module | None:
    """Return the tree of a program that Python accepts."""
    try:
        compile(program, "<random>", "exec")
    except SyntaxError:
        return None
    return ast.parse(program)


# What Python itself binds: the last two since 3.14, where a cell has annotations.
PYTHONS = {"__builtins__", "__annotations__", "__annotate__", "__conditional_annotations__"}


def foreseen(program: str, analysis: Analysis, seed: int) -> bool:
    """Execute `program`; check that `analysis` foresaw what it does; return whether it ended normally."""
    notebook = Notebook(seed)
    ended = True
    try:
        exec(compile(program, "<random>", "exec"), notebook)
    except Exception:
        ended = False
    kept = set(notebook) - PYTHONS
    unforeseen = set(notebook.taken) - set(analysis.reads)
    assert not unforeseen, f"read {unforeseen}, but reads={dict(analysis.reads)}\n{program}"
    for name, bound in notebook.taken.items():
        assert analysis.reads[name] <= bound, (
            f"{name} was read without {analysis.reads[name] - bound}\n{program}"
        )
    bound = (notebook.bound | kept) - PYTHONS
    assert bound <= set(analysis.binds), f"bound {bound - set(analysis.binds)}\n{program}"
    if ended:
        assert analysis.surely <= kept, f"not bound: {analysis.surely - kept}\n{program}"
        assert notebook.gone - kept <= analysis.deletes, f"deleted {notebook.gone - kept}\n{program}"
    return ended


@settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(programs(), st.integers(0, 1000))
def test_what_a_random_program_does_was_foreseen(program: str, seed: int) -> None:
    tree = parsed(program)
    if tree is not None:
        analysis = analyse(tree)
        for number in range(8):
            foreseen(program, analysis, seed + number)


straight = st.one_of(
    st.tuples(names, names, names).map(lambda n: f"{n[0]} = {n[1]} + {n[2]}"),
    st.tuples(names, names).map(lambda n: f"{n[0]}, *{n[1]} = V()" if n[0] != n[1] else f"{n[0]} += V()"),
    st.tuples(names, names, names).map(lambda n: f"def {n[0]}({n[1]}=V()): return {n[2]} + {n[1]}"),
    st.tuples(names, names, names).map(lambda n: f"{n[0]}[{n[1]}] = [{n[2]} for {n[1]} in (V(), {n[2]})]"),
    st.tuples(names, names).map(lambda n: f"for {n[0]} in (V(), V()): {n[1]} = {n[0]}"),
    st.tuples(names, names).map(lambda n: f"with V() as {n[0]}: {n[1]}"),
    st.tuples(names, names).map(lambda n: f"class {n[0]}: {n[1]} = {n[1]}"),
    names.map(lambda n: f"{n}()"),
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(straight, min_size=1, max_size=6))
def test_a_straight_program_reads_exactly_what_was_foreseen(lines: list[str]) -> None:
    program = "\n".join(lines)
    analysis = analyse(ast.parse(program))
    notebook = Notebook(0)
    try:
        exec(compile(program, "<random>", "exec"), notebook)
    except Exception:
        return
    # A function that is only passed on is not called here, so its reads may exceed what happened.
    passed_on = "def " in program
    seen = {name for name in analysis.reads if name in NAMES}
    assert seen >= set(notebook.taken)
    assert passed_on or seen == set(notebook.taken), program
    assert analysis.surely == set(notebook) - {"__builtins__"}


@pytest.mark.parametrize(
    ("program", "lie"),
    [
        ("a = b", {"reads": {}}),
        ("a = 1\nb = c", {"reads": {"c": frozenset({"a", "b"})}}),
        ("a = 1", {"binds": ()}),
        ("if flip():\n    a = 1", {"surely": frozenset({"a"})}),
        ("a = 1\ndel a", {"deletes": frozenset()}),
    ],
)
def test_the_check_notices_an_analysis_that_is_wrong(program: str, lie: dict[str, Any]) -> None:
    analysis = analyse(ast.parse(program))
    for seed in range(8):
        assert foreseen(program, analysis, seed)
    with pytest.raises(AssertionError):
        any(not foreseen(program, replace(analysis, **lie), seed) for seed in range(8))
