"""What modules may import: never each other, and the pure packages nothing that touches the outside."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from tests.conventions.offenders import ROOT, expect_none

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

PACKAGE = ROOT / "zennb"
PURE = ("core", "provenance", "views")
OUTSIDE = {"open", "__import__", "exec", "eval", "input"}
OUTSIDE_ATTRIBUTES = {
    "import_module",
    "find_spec",
    "read_text",
    "read_bytes",
    "write_text",
    "write_bytes",
    "scandir",
}


def module_name(file: Path, root: Path) -> str:
    parts = file.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(root: Path, folder: str = ".") -> dict[str, set[str]]:
    """Module → modules of the same tree that it imports, anywhere: in functions and for types too."""
    files = {module_name(file, root): file for file in (root / folder).rglob("*.py")}
    found: dict[str, set[str]] = {}
    for name, file in files.items():
        found[name] = set()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                found[name] |= {
                    full if (full := f"{node.module}.{each.name}") in files else node.module
                    for each in node.names
                }
            elif isinstance(node, ast.Import):
                found[name] |= {each.name for each in node.names}
        found[name] &= files.keys() - {name}
    return found


def circles(graph: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Groups of modules each of which leads to every other: strongly connected components of two or more.

    What is left when modules that import nothing of the rest, or are imported by nothing of it, are taken away again
    and again.
    """
    left = {name: set(found) for name, found in graph.items()}
    while True:
        used = {each for found in left.values() for each in found}
        ends = {name for name, found in left.items() if not found or name not in used}
        if not ends:
            break
        left = {name: found - ends for name, found in left.items() if name not in ends}
    groups: list[list[str]] = []
    for name in sorted(left):
        there = reached(name, left)
        group = sorted(each for each in there if name in reached(each, left))
        if group and group not in groups:
            groups.append(group)
    return groups


def reached(start: str, graph: Mapping[str, Iterable[str]]) -> set[str]:
    found, queue = set[str](), [start]
    while queue:
        for each in graph[queue.pop()]:
            if each not in found:
                found.add(each)
                queue.append(each)
    return found


def touches_the_outside(file: Path) -> list[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    names = {call.id for call in calls if isinstance(call, ast.Name)} & OUTSIDE
    attributes = {call.attr for call in calls if isinstance(call, ast.Attribute)} & OUTSIDE_ATTRIBUTES
    return [f"it calls {each}" for each in sorted(names | attributes)]


def test_no_two_modules_import_each_other() -> None:
    assert circles(imports(ROOT, "zennb")) == []


def test_a_circle_is_found_however_it_is_imported(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("from b import x\n")
    (tmp_path / "b.py").write_text("if TYPE_CHECKING:\n    from c import y\n")
    (tmp_path / "c.py").write_text("def f():\n    import a\n")
    (tmp_path / "d.py").write_text("import a\n")
    assert circles(imports(tmp_path)) == [["a", "b", "c"]]


def test_pure_packages_open_no_files_and_import_no_modules_of_users() -> None:
    files = [file for name in PURE for file in (PACKAGE / name).rglob("*.py")]
    expect_none(files, touches_the_outside)


def test_a_module_that_touches_the_outside_is_found(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text("import importlib\ndef f(p):\n    open(p)\n    return importlib.import_module(p)\n")
    assert touches_the_outside(file) == ["it calls import_module", "it calls open"]
