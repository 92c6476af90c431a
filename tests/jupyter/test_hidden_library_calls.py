"""Calls that are made for their effect, written in another way than as a statement: reuse does not lose them."""

from __future__ import annotations

import csv
import socket
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

IMPORTS = "import csv, functools, socket, threading\nfrom contextlib import ExitStack, nullcontext\nnames = ['wide']"
CALLS = [
    "getattr(csv, 'register_dialect')('wide', delimiter='|')",
    "name = 'register_dialect'\ngetattr(csv, name)('wide', delimiter='|')",
    "functools.partial(csv.register_dialect, 'wide', delimiter='|')()",
    "print(csv.register_dialect('wide', delimiter='|') is None)",
    "assert csv.register_dialect('wide', delimiter='|') is None",
    "if csv.register_dialect('wide', delimiter='|') is None:\n    found = 1",
    "while csv.register_dialect('wide', delimiter='|'):\n    found = 1",
    "list(map(lambda name: csv.register_dialect(name, delimiter='|'), names))",
    "done = list(map(lambda name: csv.register_dialect(name, delimiter='|'), names))",
    "list(map(csv.register_dialect, names, ['excel']))",
    "done = list(map(getattr(csv, 'register_dialect'), names, ['excel']))",
    "(lambda sign: csv.register_dialect('wide', delimiter=sign))('|')",
    "f = lambda: csv.register_dialect('wide', delimiter='|')\nf()",
    "table = {'a': lambda: csv.register_dialect('wide', delimiter='|')}\ntable['a']()",
    "ExitStack().enter_context(nullcontext(csv.register_dialect('wide', delimiter='|')))",
    "@functools.cache\ndef setup():\n    csv.register_dialect('wide', delimiter='|')\nsetup()",
    "t = threading.Thread(target=lambda: csv.register_dialect('wide', delimiter='|'))\nt.start(); t.join()\ndel t",
    "def setup(): csv.register_dialect('wide')\nt = threading.Thread(target=setup)\nt.start(); t.join()\ndel t",
    "t = threading.Thread(target=csv.register_dialect, args=('wide', 'excel'))\nt.start(); t.join()\ndel t",
    "for register in [csv.register_dialect]:\n    register('wide', delimiter='|')",
]


@pytest.mark.parametrize("call", CALLS)
def test_a_call_inside_something_else_is_not_lost(notebook: Notebook, call: str) -> None:
    cells = [IMPORTS, f"%%step setup\n{call}"]
    try:
        for _ in range(2):
            notebook.run(*cells)
            assert "wide" in csv.list_dialects()
            csv.unregister_dialect("wide")
            notebook.restart()
    finally:
        if "wide" in csv.list_dialects():
            csv.unregister_dialect("wide")


def test_a_step_that_depends_on_such_a_call_runs_again(notebook: Notebook) -> None:
    look = "%%step look\nseen = socket.getdefaulttimeout()"
    try:
        for seconds in (9.0, 8.0):
            notebook.run("import socket", f"(lambda v: socket.setdefaulttimeout(v))({seconds})", look)
            assert notebook.ns["seen"] == seconds
    finally:
        socket.setdefaulttimeout(None)


@pytest.mark.parametrize(
    "body",
    [
        "f = lambda: csv.register_dialect('wide')",
        "f = csv.register_dialect\ndel f",
        "found = sorted([3, 1], key=lambda x: -x)",
        "found = list(map(lambda x: set(x), ['ab']))",
        "found = list(map(set, ['ab']))",
        "found = (lambda frame: frame.set_index)(type('F', (), {'set_index': 1})())",
        "found = getattr(csv, 'QUOTE_ALL')",
        "found = functools.partial(int, base=2)('11')",
        "@functools.cache\ndef fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)\nfound = fib(20)",
    ],
)
def test_what_sets_nothing_is_reused(notebook: Notebook, body: str) -> None:
    cells = [IMPORTS, f"%%step s\n{body}"]
    notebook.run(*cells)
    notebook.restart()
    *_, again = notebook.run(*cells)
    assert again.status == "cached", again.reason
