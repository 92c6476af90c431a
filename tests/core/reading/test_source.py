"""What a cell reads and binds, construct by construct."""

from __future__ import annotations

import ast
import sys
from textwrap import dedent

import pytest

from zennb.core.reading.source import Analysis, analyse


def cell(text: str, **stars: list[str]) -> Analysis:
    """Analyse a cell; `stars` says what `from module import *` binds."""
    return analyse(ast.parse(dedent(text)), star=(lambda module: stars[module]) if stars else None)


def row(text: str, reads: str, binds: str, maybe: str = "") -> object:
    """One line of a table: a cell, the names it reads, those it surely binds, and those it may bind besides."""
    return pytest.param(
        text, reads.split(), binds.split(), maybe.split(), id=text.strip().replace("\n", "; ")[:70]
    )


def check(text: str, reads: list[str], surely: list[str], maybe: list[str]) -> None:
    found = cell(text)
    assert sorted(found.reads) == sorted(reads)
    assert sorted(found.binds) == sorted(surely + maybe)
    assert found.surely == frozenset(surely)


SIMPLE = [
    row("x = 1", "", "x"),
    row("x = y", "y", "x"),
    row("x = x", "x", "x"),
    row("x = 1\nprint(x)", "print", "x"),
    row("a = b = c", "c", "a b"),
    row("a, (b, *c) = d", "d", "a b c"),
    row("[a, b] = b, a", "a b", "a b"),
    row("i, xs[i] = j, k", "j k xs", "i"),
    row("x += 1", "x", "x"),
    row("x = 0\nx += y", "y", "x"),
    row("df['z'] = 1", "df", ""),
    row("df['z'] += w", "df w", ""),
    row("a.b.c = d", "a d", ""),
    row("a.b += d", "a d", ""),
    row("a[i][j] = k", "a i j k", ""),
    row("x: int = 1", "int", "x"),
    row("x: int", "int", ""),
    row("a.b: T = c", "a T c", ""),
    row("from __future__ import annotations\nx: T = 1", "T", "annotations x"),
    row("from __future__ import annotations\ndef f(x: T) -> list[m.U]: ...", "T list m", "annotations f"),
    row(
        "def f(x: 'T', y: 'list[m.U]', z: list['V'], w: Literal['a']) -> 'no code': ...",
        "Literal T V list m",
        "f",
    ),
    row("class A:\n    b: 'B'\n    a: 'A'\nclass B: ...", "", "A B"),
    row("def f():\n    class T: ...\n    def g(x: 'T'): ...\nf()", "", "f"),
    row("del x", "", ""),
    row("del x[0]", "x", ""),
    row("del x.y", "x", ""),
    row("x = 1\ndel x\nx", "x", "", "x"),
    row("(y := f(x))", "f x", "y"),
    row("f(y := 1, y)", "f", "y"),
    row("import a", "", "a"),
    row("import a.b.c", "", "a"),
    row("import a.b as c", "", "c"),
    row("from m import x, y as z", "", "x z"),
    row("f'{a} {b!r:{c}}'", "a b c", ""),
    row("f'{a=}'", "a", ""),
    row("assert a, b", "a b", ""),
    row("x = a[b:c, ...]", "a b c", "x"),
    row("x = {**a, b: c}\ny = {*a, b}", "a b c", "x y"),
    row("f(*args, **options)", "f args options", ""),
    row("global x\nx = y", "y", "x"),
    row("x = a < (b := 1) < b", "a", "b x"),
    row("x = a < 1 < (b := 2)", "a", "x", "b"),
    row("await f(x)", "f x", ""),
]

BRANCHES = [
    row("if c: x = 1\nprint(x)", "c print x", "", "x"),
    row("if c: x = 1\nelse: x = 2\nprint(x)", "c print", "x"),
    row("if c: x = 1\nelif d: x = 2\nelse: x = 3\nx", "c d", "x"),
    row("if c: x = 1\nelif d: x = 2\nx", "c d x", "", "x"),
    row("if c: raise E\nelse: x = 1\nx", "c E", "x"),
    row("if True: x = 1\nx", "", "x"),
    row("if False: x = y", "", ""),
    row("if a and (m := f(a)): m", "a f", "", "m"),
    row("if not (a and (m := a)): m", "a m", "", "m"),
    row("if not a or not (m := a): pass\nelse: m", "a", "", "m"),
    row("x = a or (b := 1)\nb", "a b", "x", "b"),
    row("x = (y := 1) if c else (y := 2)\ny", "c", "x y"),
    row("x = (y := 1) if c else 2\ny", "c y", "x", "y"),
    row("for i in xs: y = i\ny", "xs y", "", "i y"),
    row("for i in range(3): y = i\ny", "range", "i y"),
    row("for i in (1, 2): y = i\ny", "", "i y"),
    row("for i, j in enumerate([1]): pass\ni", "enumerate", "i j"),
    row("for i in range(0): y = i\ny", "range y", "", "i y"),
    row("for i in xs:\n  if i: break\nelse: y = 1\ny", "xs y", "", "i y"),
    row("for i in xs:\n  if i:\n    y = 2\n    break\nelse: y = 1\ny", "xs", "y", "i"),
    row("for i in (1, 2):\n  if c: continue\n  y = i\ny", "c y", "i", "y"),
    row("for a.b in xs: pass", "a xs", ""),
    row("for x in x: pass", "x", "", "x"),
    row("x = 1\nfor i in (1, 2):\n  print(x)\n  del x", "print x", "i", "x"),
    row("for i in xs:\n  print(t)\n  t = i", "xs print t", "", "i t"),
    row("while c: x = 1\nx", "c x", "", "x"),
    row("while True:\n  x = 1\n  if x: break\nx", "", "x"),
    row("while (line := f()): line\nline", "f", "line"),
    row("while c: pass\nelse: x = 1\nx", "c", "x"),
    row("with a as b: x = b\nx", "a", "b x"),
    row("with a as (b, c), b as d: pass", "a", "b c d"),
    row("with suppress(E): x = f()\nx", "suppress E f x", "", "x"),
    row("with contextlib.suppress(E): raise E\nx = 1", "contextlib E", "x"),
    row("try: x = 1\nexcept E: x = 2\nx", "E", "x"),
    row("try: x = f()\nexcept E: pass\nx", "f E x", "", "x"),
    row("try: x = f()\nexcept E: raise\nx", "f E", "x"),
    row("try: x = f()\nexcept E: print(x)", "f E print x", "", "x"),
    row("try: f()\nexcept E as e: print(e)", "f E print", "", "e"),
    row("try: f()\nexcept E as e: pass\ne", "f E e", "", "e"),
    row("try: f()\nexcept E: y = 1\nelse: y = 2\ny", "f E", "y"),
    row("try: x = f()\nfinally: x", "f x", "x"),
    row("try: f()\nfinally: x = 1\nx", "f", "x"),
    row("try: f()\nexcept* E as e: e", "f E", "", "e"),
    row("while True:\n  try: break\n  finally: x = 1\nx", "", "x"),
    row("while True:\n  try:\n    f()\n  except E as e: break\n  e", "f E e", "", "e"),
    row("match v:\n  case 1: x = 1\nx", "v x", "", "x"),
    row("match v:\n  case 1: x = 1\n  case _: x = 2\nx", "v", "x"),
    row("match v:\n  case [a, *b]: a, b\n  case {'k': c, **d}: c, d", "v", "", "a b c d"),
    row("match v:\n  case P(x=a) | Q(a): a", "v P Q", "", "a"),
    row("match v:\n  case m.N as k if k > w: k", "v m w", "", "k"),
    row("match v:\n  case (1 | 2) as n: n\n  case n: n\nn", "v", "n"),
    row("raise E\nx = y", "E", ""),
]

SCOPES = [
    row("[x for x in xs]", "xs", ""),
    row("x = [x for x in x]", "x", "x"),
    row("{k: v for k, v in d.items() if k in w}", "d w", ""),
    row("[a for a in b for b in a]", "b", ""),
    row("[y := i for i in xs]\ny", "xs y", "", "y"),
    row("[y for i in xs if (y := i)]", "xs", "", "y"),
    row("g = (x + k for x in xs)\nk = 1", "xs k", "g k"),
    row("[f(x) async for x in xs]", "f xs", ""),
    row("g = lambda x, y=d: x + y + z", "d z", "g"),
    row("g = lambda: (y := x)", "x", "g"),
    row("k = 1\ng = lambda: k", "", "k g"),
    row("def f(): return K", "", "f"),
    row("def f(a, b=B, *c, d: D = E, **g) -> R: return a, b, c, d, g", "B D E R", "f"),
    row("def f(): return K\nf()", "K", "f"),
    row("def f(): return K\nK = 1\nf()", "", "f K"),
    row("def f(): return K\ng = f\nK = 1", "K", "f g K"),
    row("def f(): return K\ntable = {'f': f}", "K", "f table"),
    row("from functools import partial\ndef f(x): return K\ng = partial(f, 1)", "K", "partial f g"),
    row("def f(): return g()\ndef g(): return K\nf()", "K", "f g"),
    row("def f(): return g()\nh = f\ndef g(): return K", "g K", "f h g"),
    row("def f(n): return f(n - 1) + K\nf(3)", "K", "f"),
    row("@deco\ndef f(): return K", "deco K", "f"),
    row("@deco(f=1)\ndef f(n): return f(n)", "deco", "f"),
    row("def f(): return A\ndef f(): return B\nf()", "B", "f"),
    row("if c:\n  def f(): return A\nelse:\n  def f(): return B\nf()", "c A B", "f"),
    row("for i in (1, 2):\n  if i: f()\n  def f(): return K", "f K", "i f"),
    row("def f():\n  x = 1\n  def g(): return x + K\n  return g\nf()", "K", "f"),
    row("def f():\n  if c: x = 1\n  return x\nf()", "c", "f"),
    row("def f():\n  x = 0\n  def g():\n    nonlocal x\n    x = y\n  g()\nf()", "y", "f"),
    row("def f():\n  global n\n  n = 1\nf()\nn", "n", "f", "n"),
    row("def f():\n  global n\n  n = 1", "", "f"),
    row("def f():\n  global n\n  n = 1\n  return n\nf()", "", "f", "n"),
    row("def f():\n  global n\n  n += 1\nf()", "n", "f", "n"),
    row("n = 0\ndef f():\n  global n\n  n += 1\nf()", "", "n f"),
    row("x = 1\ndef f():\n  global x\n  del x\nf()\nx", "x", "f", "x"),
    row("x = 1\ndef f():\n  global x\n  del x\n  return x\nf()", "x", "f", "x"),
    row("def f():\n  x: T = 1\n  y: U\n  return y\nf()", "", "f"),
    row("def f():\n  import m\n  return m.x\nf()", "", "f"),
    row("def f():\n  return [x for x in xs if x in K]\nf()", "xs K", "f"),
    row("async def f(): return await g(K)\nawait f()", "g K", "f"),
    row("async def f():\n  async with a as b: b\n  async for i in c: pass\nawait f()", "a c", "f"),
    row("class A(B, metaclass=M): x = y", "B M y", "A"),
    row("class A:\n  x = x", "x", "A"),
    row("class A:\n  x = 1\n  y = x", "", "A"),
    row("class A:\n  x = 1\n  def m(self): return x\nA()", "x", "A"),
    row("class A:\n  def m(self): return K", "", "A"),
    row("class A:\n  def m(self): return K\na = A()", "K", "A a"),
    row("class A:\n  def m(self): return K\nK = 1\nA().m()", "", "A K"),
    row("class A:\n  @property\n  def m(self): return K", "property", "A"),
    row("class A:\n  @property\n  def m(self): return 1\n  @m.setter\n  def m(self, v): K", "property", "A"),
    row("class A:\n  @jit\n  def m(self): return K", "jit K", "A"),
    row("class A:\n  def m(self): return K\n  n = m", "K", "A"),
    row("class A:\n  class B:\n    def m(self): return K\nA.B()", "K", "A"),
    row("class A:\n  for i in xs: pass\n  z = [i for i in i]", "xs i", "A"),
    row("class A:\n  if c: x = 1\n  y = x", "c x", "A"),
    row("class A:\n  global g\n  g = 1", "", "A g"),
    row("class A:\n  x: T = 1\n  y: U", "T U", "A"),
    row("class A:\n  def m(self): return __class__, super().m()\nA()", "super", "A"),
    row("class A:\n  def m(self): return __k\n_A__k = 1\nA()", "", "A _A__k"),
    row("@dataclass\nclass A:\n  x: int = 1\n  def m(self): return K", "dataclass int", "A"),
    row("@register\nclass A:\n  def m(self): return K", "register K", "A"),
    row("class A(B, key=1):\n  def m(self): return K", "B K", "A"),
]

if sys.version_info >= (3, 12):
    SCOPES += [
        row("def f[T: B](x: T) -> U: return T", "B U", "f"),
        row("class A[T](B[T]):\n  x: T", "B", "A"),
        row("type X[T] = list[T] | X | Y", "list Y", "X"),
    ]


@pytest.mark.parametrize(("text", "reads", "surely", "maybe"), SIMPLE)
def test_simple_statements(text: str, reads: list[str], surely: list[str], maybe: list[str]) -> None:
    check(text, reads, surely, maybe)


@pytest.mark.parametrize(("text", "reads", "surely", "maybe"), BRANCHES)
def test_paths_of_execution(text: str, reads: list[str], surely: list[str], maybe: list[str]) -> None:
    check(text, reads, surely, maybe)


@pytest.mark.parametrize(("text", "reads", "surely", "maybe"), SCOPES)
def test_scopes_and_functions_that_may_be_called(
    text: str, reads: list[str], surely: list[str], maybe: list[str]
) -> None:
    check(text, reads, surely, maybe)


def test_a_read_knows_what_is_surely_bound_before_every_such_read() -> None:
    assert cell("K = 3\nf()").reads == {"f": frozenset({"K"})}
    assert cell("f()\nK = 3\nf()").reads == {"f": frozenset()}
    assert cell("a = 1\nif c: b = 1\nf()").reads["f"] == {"a"}
    assert cell("def f():\n  global a\n  a = 1\n  return g()\nf()").reads["g"] == {"f", "a"}


def test_a_read_is_doubtful_when_the_cell_may_have_bound_the_name_before() -> None:
    assert cell("for i in xs: last = i\nprint(last)").doubtful == {"last"}
    assert cell("for i in xs:\n  n = n + i").doubtful == set()
    assert cell("try: x = f()\nexcept E: x").doubtful == {"x"}
    assert cell("print(x)\nif c: x = 1\nx").doubtful == set()
    assert cell("while True:\n  if c: break\n  x = 1\nx").doubtful == {"x"}


def test_deleted_names_are_told_unless_bound_again() -> None:
    assert cell("del x").deletes == {"x"}
    assert cell("del x\nx = 1").deletes == set()
    assert cell("if c: del x").deletes == {"x"}
    assert cell("x = 1\ndel x").deletes == {"x"}
    assert cell("try: f()\nexcept E as e: pass").deletes == {"e"}
    assert cell("del x[0], y.z").deletes == set()
    assert cell("while True:\n  if c: break\n  del x").deletes == {"x"}


def test_binds_are_in_order_of_first_binding() -> None:
    assert cell("b = 1\n_a = 2\nb = 3\nimport c").binds == ("b", "_a", "c")


def test_imports_and_definitions_are_told_apart_from_values() -> None:
    found = cell("import a, b.c\nfrom m import d\ndef f(): ...\nclass G: ...\nx = 1")
    assert found.imports == {"a", "b", "d"}
    assert found.defines == {"f", "G"}


def test_a_star_import_binds_what_the_callback_says() -> None:
    found = cell("x = pi\nfrom math import *\ny = pi + tau + z", math=["pi", "tau"])
    assert set(found.reads) == {"pi", "z"}
    assert found.stars == ("math",)
    assert found.surely == {"x", "pi", "tau", "y"}
    assert found.imports == {"pi", "tau"}


def test_a_star_import_without_a_callback_binds_nothing_known() -> None:
    found = cell("from math import *\ny = pi")
    assert (set(found.reads), found.binds, found.stars) == ({"pi"}, ("y",), ("math",))


CHAINS = [
    ("np.linalg.norm(x)", {("np", "linalg", "norm"), ("x",)}),
    ("np.linalg.norm(x).real", {("np", "linalg", "norm"), ("x",)}),
    ("a[0].b", {("a",)}),
    ("f(np)\nnp.pi", {("f",), ("np",), ("np", "pi")}),
    ("mylib.RATE = 3", {("mylib",)}),
    ("mylib.RATE += 3", {("mylib", "RATE")}),
    ("np = 1\nnp.pi", set()),
    ("def f(): return np.pi", set()),
    ("def f(): return np.pi\nf()", {("np", "pi")}),
    ("def f(np): return np.pi\nf(a.b)", {("a", "b")}),
    ("class A:\n  def m(self): return m.x.y\nA()", {("m", "x", "y")}),
    ("[a.b for a in c.d]", {("c", "d")}),
]


@pytest.mark.parametrize(("text", "chains"), CHAINS)
def test_dotted_uses_start_at_names_that_are_read(text: str, chains: set[tuple[str, ...]]) -> None:
    assert cell(text).chains == chains


MODULES = [
    ("import numpy as np\nnp.linalg.norm(1)", {("numpy",), ("numpy", "linalg", "norm")}),
    ("import a.b\na.b.c()", {("a", "b"), ("a", "b", "c")}),
    ("from m.n import f as g\ng.x", {("m", "n", "f"), ("m", "n", "f", "x")}),
    ("from . import a\nfrom .b import c", {(".", "a"), (".b", "c")}),
    ("from m import *", {("m", "*")}),
    ("import m\nf(m)", {("m",), ("m", "*")}),
    ("import m\nm.a = 1", {("m",), ("m", "*")}),
    ("def f():\n  import m\n  return m.x", set()),
    ("def f():\n  import m\n  return m.x\nf()", {("m",), ("m", "x")}),
    ("import m\ndef f(): return m.x\nf()", {("m",), ("m", "x")}),
    ("__import__('m.n')", {("m", "n", "*")}),
]


@pytest.mark.parametrize(("text", "modules"), MODULES)
def test_modules_the_cell_imports_itself_are_told_with_their_uses(
    text: str, modules: set[tuple[str, ...]]
) -> None:
    assert cell(text).modules == modules


DYNAMIC = [
    ("exec(code)", ("exec(...)",)),
    ("x = eval(text)", ("eval(...)",)),
    ("x = list(map(eval, xs))", ("eval",)),
    ("globals()['x'] = 1", ("globals()",)),
    ("locals()\nvars()\ndir()", ("locals()", "vars()", "dir()")),
    ("vars(x)\ndir(x)", ()),
    ("def f(): return locals()\nf()", ()),
    ("def f(): return globals()", ()),
    ("def f(): return globals()\nf()", ("globals()",)),
    ("def eval(x): return x\neval(1)", ()),
    ("from m import exec\nexec(1)", ()),
    ("def f(eval): return eval(1)\nf(g)", ()),
    ("model.eval()\ndf.eval('a')", ()),
    ("__import__(name)", ("__import__(...)",)),
    ("import importlib\nimportlib.import_module(name)", ("import_module(...)",)),
    ("import importlib\nimportlib.import_module('m')", ()),
    ("get_ipython().user_ns['x']", ("get_ipython().user_ns",)),
    ("get_ipython().run_line_magic('time', code)", ("get_ipython().run_line_magic",)),
    ("get_ipython().ex('x = 1')", ("get_ipython().ex",)),
    ("open('x')", ()),
]


@pytest.mark.parametrize(("text", "phrases"), DYNAMIC)
def test_what_reading_cannot_see_through_is_said(text: str, phrases: tuple[str, ...]) -> None:
    assert cell(text).dynamic == phrases


STRINGS = [
    ("df.query('a > @limit and b < @f(x)')", "df limit f"),
    ("df.query('mail == \"me@home\"')", "df"),
    ("df.eval(f'z = @k * {n}')", "df k n"),
    ("duckdb.sql('select * from orders o JOIN users u')", "duckdb orders users"),
    ("con.execute('select * from orders')", "con"),
    ("smf.ols('y ~ scale(x)', data=df)", "smf y scale x df"),
    ("def f(limit): return df.query('a > @limit')\nf(1)", "df"),
]


@pytest.mark.parametrize(("text", "reads"), STRINGS)
def test_names_that_libraries_look_up_for_a_string_are_read(text: str, reads: str) -> None:
    assert set(cell(text).reads) == set(reads.split())


@pytest.mark.parametrize(
    ("text", "awaits"),
    [
        ("await f()", True),
        ("async for i in x: pass", True),
        ("async with x: pass", True),
        ("[i async for i in x]", True),
        ("g = (i async for i in x)", False),
        ("async def f(): await g()", False),
    ],
)
def test_top_level_await_is_noticed(text: str, awaits: bool) -> None:
    assert cell(text).awaits is awaits


def test_a_very_long_sum_is_read() -> None:
    assert set(cell("x = " + " + ".join(["a"] * 700)).reads) == {"a"}


def test_a_very_long_chain_of_elif_is_read() -> None:
    text = "if a: x = 1\n" + "elif b: x = 2\n" * 300 + "else: x = 3\n"
    assert cell(text).surely == {"x"}
