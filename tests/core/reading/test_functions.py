"""What using a function or class may do with the names around it."""

from __future__ import annotations

import ast

import pytest

from zennb.core.reading.source import Analysis, analyse_function


def function(text: str) -> Analysis:
    """Analyse the first statement of `text`, or the lambda it binds."""
    node = ast.parse(text).body[0]
    if isinstance(node, ast.Assign):
        node = node.value  # type: ignore[assignment]
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef)
    return analyse_function(node)


@pytest.mark.parametrize(
    ("text", "reads", "binds"),
    [
        ("def f(a): return a + b", "b", ""),
        ("@deco\ndef f(a=D): return a", "", ""),
        ("f = lambda x: x + k", "k", ""),
        ("async def f(): await g()", "g", ""),
        ("def f():\n  def g(x=d): return K\n  return 1", "d K", ""),
        ("def f(): return lambda: K", "K", ""),
        ("def f():\n  global n\n  n = n + 1", "n", "n"),
        ("def f():\n  global n\n  n = 1\n  return n", "", "n"),
        ("def f():\n  def g():\n    global n\n    n = 1\n  return n", "n", "n"),
        ("def f():\n  x = 1\n  def g():\n    nonlocal x\n    x = y\n  return g", "y", ""),
        ("def f(n): return f(n - 1)", "f", ""),
        ("def f():\n  class A(B):\n    x = y\n    def m(self): return K\n  return A", "B y K", ""),
        ("class A(B):\n  x = y\n  def m(self): return K, A", "B y K A", ""),
        ("class A:\n  x = 1\n  def m(self): return x", "x", ""),
        ("@deco\nclass A:\n  def m(self):\n    global n\n    n = 1", "deco", "n"),
        ("def f():\n  return x\n  return y", "x", ""),
        ("def f():\n  import m\n  return m.x", "", ""),
    ],
)
def test_free_names_of_functions_and_classes(text: str, reads: str, binds: str) -> None:
    found = function(text)
    assert set(found.reads) == set(reads.split())
    assert set(found.binds) == set(binds.split())


def test_dotted_uses_and_imports_inside_a_function_are_told() -> None:
    found = function("def f(x):\n  import mylib as m\n  return np.linalg.norm(x) + m.rate")
    assert found.chains == {("np", "linalg", "norm")}
    assert found.modules == {("mylib",), ("mylib", "rate")}


def test_opaque_uses_inside_a_function_are_told() -> None:
    assert function("def f(s): return eval(s)").dynamic == ("eval(...)",)
    assert function("def f(): return locals()").dynamic == ()
