"""What the functions, classes and lambdas of a statement read, wherever in it they stand."""

from __future__ import annotations

import ast

import pytest

from zennb.provenance.code_sites import inner_code

READS: dict[str, tuple[str, set[str]]] = {
    "a body": ("def f():\n    return g()", {"g"}),
    "a function in a function, whose names are the outer one's": (
        "def f(a):\n    b = a\n    def inner():\n        return a + b + c\n    return inner",
        {"c"},
    ),
    "a lambda in a default": ("def f(key=lambda x: g(x)):\n    pass", {"g"}),
    "a lambda in a decorator": ("@on(lambda event: seen.append(event))\ndef f():\n    pass", {"seen"}),
    "a lambda in the default of a lambda": ("f = lambda key=lambda x: g(x): key", {"g"}),
    "methods, and a lambda in the default of one": (
        "class A:\n    def make(self, key=lambda x: g(x)):\n        return A(h)",
        {"A", "g", "h"},
    ),
    "a class in a function": ("def f():\n    class A:\n        def m(self):\n            return A, B", {"B"}),
    "two lambdas": ("f = [lambda: a, lambda: b]", {"a", "b"}),
}


@pytest.mark.parametrize(("text", "reads"), READS.values(), ids=READS)
def test_all_code_of_a_statement_is_read(text: str, reads: set[str]) -> None:
    assert inner_code(ast.parse(text).body[0]).reads == reads


def test_what_inner_code_calls_and_sets_is_told_by_the_names_of_the_notebook() -> None:
    found = inner_code(
        ast.parse("def f(x):\n    def g():\n        x.items.append(y)\n    top.call()\n    return g").body[0]
    )
    assert {(site.root, *site.path) for site in found.sites} == {("", "append"), ("top", "call")}
