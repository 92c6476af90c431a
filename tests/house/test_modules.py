"""House rules that every module of the package keeps."""

from __future__ import annotations

import ast
import importlib
import io
import re
import subprocess
import sys
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "zennb"
FILES = sorted(PACKAGE.rglob("*.py"))
MODULES = [file for file in FILES if file.name != "__init__.py"]
PACKAGES = [file for file in FILES if file.name == "__init__.py" and file.parent != PACKAGE]
LONGEST = 400
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b")
HEAVY = (
    "IPython",
    "ipywidgets",
    "nbformat",
    "nbclient",
    "sqlite3",
    "pandas",
    "numpy",
    "pyarrow",
    "diskcache",
)


def label(file: Path) -> str:
    return str(file.relative_to(ROOT))


def module_name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def unfinished(text: str) -> list[str]:
    """Words that admit something is missing, in names and comments; strings may speak of anything."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    kinds = {tokenize.NAME, tokenize.COMMENT}
    return [token.line.strip() for token in tokens if token.type in kinds and UNFINISHED.search(token.string)]


@pytest.mark.parametrize("file", [*MODULES, PACKAGE / "__init__.py"], ids=label)
def test_all_names_exist_and_every_public_definition_is_named(file: Path) -> None:
    module = importlib.import_module(module_name(file))
    declared = module.__all__
    assert len(set(declared)) == len(declared)
    assert [name for name in declared if not hasattr(module, name)] == []
    definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    own = {node.name for node in tree(file).body if isinstance(node, definitions)}
    assert {name for name in own if not name.startswith("_")} - set(declared) == set()


@pytest.mark.parametrize("file", MODULES, ids=label)
def test_a_module_opens_with_a_sentence_that_says_what_it_owns(file: Path) -> None:
    docstring = ast.get_docstring(tree(file)) or ""
    opening = docstring.split("\n\n")[0]
    assert opening.startswith("Owns ")
    assert opening.endswith((".", ":"))


@pytest.mark.parametrize("file", PACKAGES, ids=label)
def test_a_package_holds_one_sentence_and_nothing_else(file: Path) -> None:
    (only,) = tree(file).body
    assert isinstance(only, ast.Expr)
    docstring = ast.get_docstring(tree(file)) or ""
    assert docstring[:1].isupper()
    assert docstring.endswith(".")


@pytest.mark.parametrize("folder", sorted({file.parent for file in MODULES}), ids=label)
def test_every_folder_with_modules_is_a_package(folder: Path) -> None:
    assert (folder / "__init__.py").exists()


@pytest.mark.parametrize("file", [*FILES, *sorted((ROOT / "tests").rglob("*.py"))], ids=label)
def test_no_file_is_longer_than_its_reader_can_hold(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("file", MODULES, ids=label)
def test_no_module_is_named_after_nothing_in_particular(file: Path) -> None:
    assert file.stem not in {"utils", "util", "helpers", "common", "manager", "base", "misc"}


@pytest.mark.parametrize("file", FILES, ids=label)
def test_nothing_is_left_unfinished(file: Path) -> None:
    assert unfinished(file.read_text(encoding="utf-8")) == []


def test_what_is_unfinished_is_found_in_code_and_comments_only() -> None:
    assert unfinished("def f():\n    raise NotImplementedError\n") == ["raise NotImplementedError"]
    assert unfinished("x = 1  # TODO: y\n") == ["x = 1  # TODO: y"]
    assert unfinished("'''Shows TODO lists.'''\nTODOS = 1\n") == []


@pytest.mark.parametrize("statement", ["import zennb", "import zennb; dir(zennb); zennb.__version__"])
def test_importing_the_package_loads_nothing_heavy(statement: str) -> None:
    program = f"import sys; {statement}; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.split() == []


def test_the_contracts_between_the_rooms_hold() -> None:
    command = [
        sys.executable,
        "-c",
        "from importlinter.cli import lint_imports_command as run; run()",
        "--no-cache",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
