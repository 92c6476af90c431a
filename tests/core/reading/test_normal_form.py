"""The normal form of code: what counts, what does not, and the very digests."""

from __future__ import annotations

import ast
import itertools

import pytest

from zennb.core.reading.normal_form import normal_form
from zennb.core.reading.source import normal_digest


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


CONSTANTS = [
    "1",
    "True",
    "1.0",
    "'1'",
    "b'1'",
    "1j",
    "0",
    "False",
    "0.0",
    "0j",
    "None",
    "...",
    "''",
    "b''",
    "()",
    "[]",
    "{}",
    "'True'",
    "1e400",
    "'1;'",
    "'i1;'",
    "nan",
    "-0.0",
]


def test_constants_of_different_type_or_value_all_differ() -> None:
    digests = {text: digest(f"x = {text}") for text in CONSTANTS}
    assert len(set(digests.values())) == len(CONSTANTS)


@pytest.mark.parametrize(
    "pair",
    list(
        itertools.combinations(
            [
                -0.0,
                0.0,
                complex(0, -0.0),
                complex(-0.0, 0),
                float("nan"),
                ("a", "b"),
                ("ab",),
                frozenset({1}),
                (1,),
            ],
            2,
        )
    ),
)
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


# The same on Python 3.11 to 3.14.
PINNED = [
    (
        "x = 1",
        "89798abe6286aaef9126bd9d7b6432fd",
    ),
    (
        "import numpy as np\nfrom . import a as b\nfrom m import *",
        "df11792ac5fc6e8ba376a31c08239204",
    ),
    (
        (
            "def f(a, /, b: int = 2, *c, d=None, **e) -> str:\n"
            "    'Doc.'\n"
            "    return f'{a!r:>{b}} and ' f'{c}' 'end'"
        ),
        "e6bbd0266a225dc3fa00685d081950dd",
    ),
    (
        (
            "@deco(x=1)\n"
            "class A(B, metaclass=M):\n"
            "    'Doc.'\n"
            "    async def m(self):\n"
            "        async with a as b, c: yield b\n"
            "        return [i async for i in x if (y := i)]"
        ),
        "e305f5a4a2d8adce550d28fa73bd671e",
    ),
    (
        (
            "try:\n"
            "    del a[0], b.c\n"
            "except* (E, F) as e:\n"
            "    raise G from e\n"
            "else:\n"
            "    pass\n"
            "finally:\n"
            "    x: int = -1.5e-3j"
        ),
        "4e04cd7737b4a7bc0b852f4782e13090",
    ),
    (
        (
            "match v:\n"
            "    case {'k': [1, *r], **d} | P(x=None, y=True) if g: ...\n"
            "    case -1 | 'a' | b'b': global z; z @= 2\n"
            "    case _: assert not (a < b <= c), 'no'"
        ),
        "be6ad0b718afbf7f54d298f2fab00ab3",
    ),
    (
        "while x and (y or not z): x, *w = lambda *a, k=0: (yield), {**p, 1: {2}}, s[1:2, ::3]",
        "d00fe95fea3d4b1cbf71349229738e64",
    ),
    (
        "get_ipython().run_line_magic('time', 'y = f(x)')\n'last'",
        "482e49905431477756e4d7ee7cca4f41",
    ),
]


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
