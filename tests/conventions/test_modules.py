"""Conventions that every module of the package keeps: one test per rule, which names all modules that break it."""

from __future__ import annotations

import ast
import importlib
import io
import re
import subprocess
import sys
import tokenize
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conventions.offenders import ROOT, expect_none, label
from zennb.plugins import all_flavors

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = ROOT / "zennb"
FILES = sorted(PACKAGE.rglob("*.py"))
MODULES = [file for file in FILES if file.name != "__init__.py"]
PACKAGES = [file for file in FILES if file.name == "__init__.py" and file.parent != PACKAGE]
LONGEST = 400
BEHAVIOUR = {
    "browser",
    "conventions",
    "corpus",
    "file_status",
    "kernel",
    "libraries",
    "odd_input",
    "reuse",
    "stacks",
    "status",
}
"""Folders of tests that are about how the whole behaves."""
VAGUE = {"utils", "util", "helpers", "common", "manager", "base", "misc"}
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
OF_FLAVORS = {
    library for known in all_flavors().values() for flavor in known.values() for library in flavor.libraries
}


def module_name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def unfinished(text: str) -> list[str]:
    """Words that admit something is missing, in names and comments; strings may speak of anything.

    Other people's classes may raise NotImplementedError, so it may be caught.
    """
    tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    kinds = {tokenize.NAME, tokenize.COMMENT}
    return [
        token.line.strip()
        for before, token in pairwise([tokens[0], *tokens])
        if token.type in kinds and UNFINISHED.search(token.string) and before.string != "except"
    ]


def faults_of_all(file: Path) -> Iterator[str]:
    """Say what is wrong with the `__all__` of a module."""
    try:
        module = importlib.import_module(module_name(file))
    except ModuleNotFoundError as error:
        if (
            error.name not in OF_FLAVORS
        ):  # where the library of a flavor is installed, its module is looked at
            yield f"it cannot be imported ({error})"
        return
    except Exception as error:
        yield f"it cannot be imported ({type(error).__name__}: {error})"
        return
    declared = getattr(module, "__all__", None)
    if declared is None:
        yield "it has no __all__"
        return
    definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    own = [node.name for node in tree(file).body if isinstance(node, definitions)]
    public = {name for name in own if not name.startswith("_")}
    yield from (f"__all__ names {name!r} twice" for name in sorted(set(declared)) if declared.count(name) > 1)
    yield from (
        f"__all__ names {name!r}, which is not there" for name in declared if not hasattr(module, name)
    )
    yield from (f"__all__ lacks {name!r}, which is public" for name in sorted(public - set(declared)))


def faults_of_opening(file: Path) -> Iterator[str]:
    """Say what is wrong with the first sentence of a module."""
    opening = (ast.get_docstring(tree(file)) or "").split("\n\n")[0]
    if not opening.startswith("Owns "):
        yield f"its docstring does not start with 'Owns ', but with {opening[:40]!r}"
    elif not opening.endswith((".", ":")):
        yield f"its first paragraph ends with neither '.' nor ':', but with {opening[-40:]!r}"


def faults_of_package(file: Path) -> Iterator[str]:
    """Say what is wrong with the `__init__.py` of a package inside ours."""
    body = tree(file).body
    docstring = ast.get_docstring(tree(file)) or ""
    if len(body) != 1 or not isinstance(body[0], ast.Expr):
        yield "it holds something else than its docstring"
    if not docstring[:1].isupper() or not docstring.endswith("."):
        yield f"its docstring is no sentence: {docstring[:60]!r}"


def faults_of_length(file: Path) -> Iterator[str]:
    """Say how much too long a file is."""
    lines = len(file.read_text(encoding="utf-8").splitlines())
    if lines > LONGEST:
        yield f"it has {lines} lines, {lines - LONGEST} too many"


def test_all_names_exist_and_every_public_definition_is_named() -> None:
    expect_none([*MODULES, PACKAGE / "__init__.py"], faults_of_all)


def test_a_module_opens_with_a_sentence_that_says_what_it_owns() -> None:
    expect_none(MODULES, faults_of_opening)


def test_a_package_holds_one_sentence_and_nothing_else() -> None:
    expect_none(PACKAGES, faults_of_package)


def test_every_folder_with_modules_is_a_package() -> None:
    folders = sorted({file.parent for file in MODULES})
    expect_none(folders, lambda folder: [] if (folder / "__init__.py").exists() else ["no __init__.py"])


def test_no_file_is_longer_than_its_reader_can_hold() -> None:
    expect_none([*FILES, *sorted((ROOT / "tests").rglob("*.py"))], faults_of_length)


def test_no_module_is_named_after_nothing_in_particular() -> None:
    expect_none(MODULES, lambda file: [f"a module called {file.stem}"] if file.stem in VAGUE else [])


def test_nothing_is_left_unfinished() -> None:
    expect_none(FILES, lambda file: unfinished(file.read_text(encoding="utf-8")))


def test_what_is_unfinished_is_found_in_code_and_comments_only() -> None:
    assert unfinished("def f():\n    raise NotImplementedError\n") == ["raise NotImplementedError"]
    assert unfinished("error = NotImplementedError()\nraise error\n") == ["error = NotImplementedError()"]
    assert unfinished("try:\n    f()\nexcept NotImplementedError:  # as they say\n    pass\n") == []
    assert unfinished("x = 1  # TODO: y\n") == ["x = 1  # TODO: y"]
    assert unfinished("'''Shows TODO lists.'''\nTODOS = 1\n") == []


@pytest.mark.parametrize("statement", ["import zennb", "import zennb; dir(zennb); zennb.__version__"])
def test_importing_the_package_loads_nothing_heavy(statement: str) -> None:
    program = f"import sys; {statement}; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.split() == []


def test_the_contracts_between_the_packages_hold() -> None:
    command = [
        sys.executable,
        "-c",
        "from importlinter.cli import lint_imports_command as run; run()",
        "--no-cache",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_class_name_stands_for_two_things() -> None:
    classes = [
        (node.name, label(file))
        for file in FILES
        for node in ast.walk(tree(file))
        if isinstance(node, ast.ClassDef)
    ]
    names = Counter(name for name, _ in classes)
    assert sorted(each for each in classes if names[each[0]] > 1) == []


def test_the_tests_mirror_the_package() -> None:
    tests = ROOT / "tests"
    folders = {file.parent.relative_to(tests) for file in tests.rglob("test_*.py")} - {Path()}
    missing = [
        folder.as_posix()
        for folder in folders
        if folder.parts[0] not in BEHAVIOUR
        and not ((PACKAGE / folder).is_dir() or (PACKAGE / folder).with_suffix(".py").exists())
    ]
    assert sorted(missing) == []
    bare = {file.parent for file in MODULES if file.parent != PACKAGE} - {
        PACKAGE / folder for folder in folders
    }
    assert sorted(label(folder) for folder in bare) == []
