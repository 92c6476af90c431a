"""Cells that are reused although they do something that looks dangerous, and the edits after which they still run."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.jupyter.conftest import Notebook, Ran

SYMPY = "import sympy as sp\nx, y = sp.symbols('x y')"

REUSED: dict[str, tuple[str, ...]] = {
    "parts that expressions share": (
        SYMPY,
        "e = sp.Eq(x**2 + y, 3)",
        "solved = sp.solve(e, x)\nsolved",
        "d = sp.diff(sp.sin(x) * x**2, x)\nd",
        "m = sp.Matrix([[x, 1], [y, 2]])",
        "m[0, 0] = y\nm.det()",
        "d.is_real, d.free_symbols, e.lhs",
    ),
    "functions without a definition": (
        SYMPY,
        "f, g = sp.symbols('f g', cls=sp.Function)",
        "sp.dsolve(sp.Eq(f(x).diff(x), f(x)))",
        "class half(sp.Function):\n    @classmethod\n    def eval(cls, n):\n        return n / 2 if n.is_Number else None",
        "half(x) + half(sp.Integer(4))",
    ),
    "polynomials": (
        SYMPY,
        "p = sp.Poly(x**2 + 2 * x, x, modulus=3)",
        "p.domain, p.all_coeffs()",
        "ring, a, b = sp.ring('a, b', sp.ZZ)",
        "product = (a + b) * a",
        "str(product), hash(product) == hash(a * a + a * b)",
    ),
}

EDITED: dict[str, tuple[tuple[str, ...], int, str]] = {
    "assumptions of a symbol": ((SYMPY, "z = sp.Symbol('z')", "(z**2) ** 0.5"), 1, "z = sp.Symbol('z', positive=True)"),
    "assumptions of a function": (
        (SYMPY, "f = sp.Function('f')", "e = f(x)", "e.is_real"),
        1,
        "f = sp.Function('f', real=True)",
    ),
    "the numbers of a polynomial": (
        (SYMPY, "p = sp.Poly(x**2, x)", "p.domain"),
        1,
        "p = sp.Poly(x**2, x, modulus=3)",
    ),
    "an element of a matrix": ((SYMPY, "m = sp.Matrix([[x, 1]])", "m"), 1, "m = sp.Matrix([[x, 2]])"),
}
"""Kind → the cells, which of them is edited, and how it reads then; the last cell shows what depends on it."""


@pytest.mark.parametrize("kind", REUSED)
def test_a_cell_that_needs_not_run_is_reused(notebook: Notebook, tmp_path: Path, kind: str) -> None:
    cells = REUSED[kind]
    _skip_without_library(cells)
    plain = _plain(notebook, tmp_path, cells)
    first = _steps(notebook, cells)
    notebook.restart()
    again = _steps(notebook, cells)
    assert [ran.reason for ran in again if ran.status != "cached"] == []
    assert [_shown(ran) for ran in first] == plain
    assert [_shown(ran) for ran in again] == plain


@pytest.mark.parametrize("kind", EDITED)
def test_a_cell_runs_when_what_it_reads_was_edited(notebook: Notebook, tmp_path: Path, kind: str) -> None:
    cells, at, edited = EDITED[kind]
    _skip_without_library(cells)
    _steps(notebook, cells)
    changed = (*cells[:at], edited, *cells[at + 1 :])
    notebook.restart()
    again = _steps(notebook, changed)
    notebook.restart()
    assert [_shown(ran) for ran in again] == _plain(notebook, tmp_path, changed)
    assert again[-1].status == "completed"


def _skip_without_library(cells: tuple[str, ...]) -> None:
    for library in ("sympy",):
        if any(f"import {library}" in text for text in cells) and find_spec(library) is None:
            pytest.skip(f"needs {library}")


def _plain(notebook: Notebook, tmp_path: Path, cells: tuple[str, ...]) -> list[str]:
    """Return what the cells show as plain ones, in a folder of their own."""
    folder = tmp_path / "plain"
    folder.mkdir()
    notebook.shell.run_line_magic("cd", f"-q {folder}")
    shown = [_shown(ran) for ran in notebook.run(*cells)]
    notebook.shell.run_line_magic("cd", f"-q {tmp_path}")
    notebook.restart()
    return shown


def _steps(notebook: Notebook, cells: tuple[str, ...]) -> list[Ran]:
    return notebook.run(*(f"%%step s{number}\n{text}" for number, text in enumerate(cells)))


def _shown(ran: Ran) -> str:
    """Return what a cell printed and its last value as text, whether it ran or was reused."""
    values = [shown["data"].get("text/plain", "") for shown in ran.displays if "zennb" not in shown["metadata"]]
    return ran.out + "".join(values)
