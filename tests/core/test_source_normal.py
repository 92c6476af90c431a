"""The normal form of code: what counts, what does not, and the very digests."""

from __future__ import annotations

import ast
import itertools

import pytest

from zennb.core.normal import normal_form
from zennb.core.source import normal_digest


def digest(text: str) -> str:
    return normal_digest(ast.parse(text))


SAME = [
    ("x=1", "x  =  1  # one"),
    ("f(a,\n  b)", "f(a, b)"),
    ("'a'", '"a"'),
    ("x = 0x10", "x = 16"),
    ("x = 'a' 'b'", "x = 'ab'"),
    ("u'a'", "'a'"),
    ("def f(): return 1", "def f():\n  'Says one.'\n  return 1"),
    ("def f(): 'Says nothing.'", "def f(): pass"),
    ("class A:\n  '''Doc.'''\n  x = 1", "class A: x = 1"),
    ("async def f():\n  'Doc.'\n  await g()", "async def f(): await g()"),
    ("f'a' 'b{x}'", "'a' f'b{{x}}'"),
    ("f'a' f'{x}' 'b'", "f'a{x}b'"),
    ("f'{x:}'", "f'{x}'"),
    ("(a)", "a"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_does_not_change_the_code_does_not_change_the_digest(one: str, other: str) -> None:
    assert digest(one) == digest(other)


CONSTANTS = "1 True 1.0 '1' b'1' 1j 0 False 0.0 0j None ... '' b'' () [] {} 'True' 1e400 '1;' 'i1;' nan -0.0".split()


def test_constants_of_different_type_or_value_all_differ() -> None:
    digests = {text: digest(f"x = {text}") for text in CONSTANTS}
    assert len(set(digests.values())) == len(CONSTANTS)


@pytest.mark.parametrize("pair", list(itertools.combinations([-0.0, 0.0, complex(0, -0.0), complex(-0.0, 0), float("nan"), ("a", "b"), ("ab",), frozenset({1}), (1,)], 2)))
def test_constants_made_by_tools_differ_as_well(pair: tuple[object, object]) -> None:
    first, second = (normal_digest(ast.Constant(value)) for value in pair)  # type: ignore[arg-type]
    assert first != second


DIFFERENT = [
    ("f(a, b)", "f(b, a)"),
    ("f(a)(b)", "f(a, b)"),
    ("f(*a)", "f(**a)"),
    ("x = [a, [b]]", "x = [[a], b]"),
    ("def f(a, /, b): ...", "def f(a, b): ..."),
    ("def f(a, *, b): ...", "def f(a, b): ..."),
    ("def f(*, a, b=1): ...", "def f(*, a=1, b): ..."),
    ("{**a}", "{None: a}"),
    ("import a.b", "import a.b as a"),
    ("from . import a", "from .. import a"),
    ("f'{x!r}'", "f'{x!s}'"),
    ("f'{x:1}'", "f'{x}1'"),
    ("def f(): ...", "async def f(): ..."),
    ("x: int = 1", "x = 1"),
    ("x: int", "(x): int"),
    ("[a for a in b]", "[a async for a in b]"),
    ("'doc'\nx", "x"),
    ("def f():\n  x\n  'last'", "def f(): x"),
    ("return_ = 1", "return__ = 1"),
    ("if a: b\nelse: c", "if a:\n  b\nc"),
    ("global a, b", "global ab"),
]


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_other_code_has_another_digest(one: str, other: str) -> None:
    assert digest(one) != digest(other)


def test_a_huge_number_and_a_lone_surrogate_have_a_digest() -> None:
    assert digest(f"x = 0x{'f' * 9000}") != digest(f"x = 0x{'f' * 9001}")
    assert digest(r"x = '\ud800'") != digest("x = '?'")


def test_a_list_of_statements_and_a_single_node_have_a_digest() -> None:
    tree = ast.parse("a = 1\nb = 2")
    assert normal_digest(tree.body) != normal_digest(tree.body[:1])
    assert len(normal_digest(tree.body[0])) == 32


PINNED: list[tuple[str, str]] = []


@pytest.mark.parametrize(("text", "expected"), PINNED)
def test_digests_are_the_ones_written_down(text: str, expected: str) -> None:
    """They name what is stored: when one changes, every step of every user runs again."""
    assert digest(text) == expected


def test_the_form_can_be_read() -> None:
    form = "".join(normal_form(ast.parse("x = f(1, a='b')").body[0]))
    assert form == (
        "Assign(.targets=[1:Name(.id='1:x).value=Call(.func=Name(.id='1:f).args=[1:i1;"
        ".keywords=[1:keyword(.arg='1:a.value='1:b)))"
    )
