"""Owns how the source of the user's own modules is found and read, imported or not, without executing it."""

from __future__ import annotations

import ast
import os
import re
import sys
import tokenize
from contextlib import suppress
from functools import lru_cache
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING

import xxhash

from zennb.packages.origin import Origin, origin, place_of, top_level

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["ImportedModules", "find_local", "package_reader", "parsed", "reader", "text_reader"]

Mark = tuple[int, int]

_LARGE = 150_000
"""Bytes of source from which on a package is compared as a whole: parsing it would take seconds."""

_SETS = re.compile(
    rb"chdir|environ|basicConfig|context\(|filterwarnings|putenv|rcParams|seed|set_|seterr|setlocale|simplefilter|options"
)
"""Text in the source of a large package that may change a setting of the whole process."""

_IMPORT = re.compile(r"^\s*(?:from|import)\s+(\w+)", re.MULTILINE)


def find_local(name: str, folders: Sequence[str]) -> Path | None:
    """Return the file of a module of the user's that `import` would find, without importing it; None for any other.

    Args:
        name: its dotted name.
        folders: where to look, before `sys.path`.
    """
    where: Sequence[str] = [*folders, *(path for path in sys.path if path)]
    parts = name.split(".")
    spec = None
    for end in range(1, len(parts) + 1):
        try:
            # Not `importlib.util.find_spec`, which imports the packages above.
            spec = PathFinder.find_spec(".".join(parts[:end]), where)
        except (ImportError, ValueError, OSError, AttributeError):
            return None
        if spec is None:
            return None
        where = list(spec.submodule_search_locations or ())
    if spec is None or not spec.has_location or spec.origin is None:
        return None
    return Path(spec.origin) if place_of(parts[0], spec.origin) is Origin.LOCAL else None


def parsed(path: Path) -> ast.Module | None:
    """Return the syntax of a file; None when it cannot be read."""
    try:
        # Python's own way to read source: the encoding may stand in its first lines.
        with tokenize.open(path) as file:
            return ast.parse(file.read())
    except (OSError, SyntaxError, ValueError):
        return None


def reader(locate: Callable[[str], Path | None]) -> Callable[[str], tuple[ast.Module, bool] | None]:
    """Return what reads a module's source by its name, for `provenance.module_source.ModuleSources`."""

    def read(name: str) -> tuple[ast.Module, bool] | None:
        path = locate(name)
        tree = None if path is None else parsed(path)
        return None if path is None or tree is None else (tree, path.stem == "__init__")

    return read


def text_reader(locate: Callable[[str], Path | None]) -> Callable[[str], str]:
    """Return what digests a module's text by its name, for `provenance.module_source.ModuleSources`."""

    def read(name: str) -> str:
        path = locate(name)
        try:
            return "" if path is None else xxhash.xxh3_128_hexdigest(path.read_bytes())
        except OSError:
            return ""

    return read


def package_reader(
    locate: Callable[[str], Path | None],
) -> Callable[[str], tuple[str, frozenset[str], bool] | None]:
    """Return what reads large packages as a whole, for `provenance.module_source.ModuleSources`."""

    def read(name: str) -> tuple[str, frozenset[str], bool] | None:
        path = locate(name)
        if path is None:
            return None
        files = sorted(path.parent.rglob("*.py")) if path.stem == "__init__" else [path]
        if sum(file.stat().st_size for file in files) <= _LARGE:
            return None
        digest, imports, sets = xxhash.xxh3_128(), set[str](), False
        for file in files:
            text = file.read_bytes()
            digest.update(str(file.relative_to(path.parent)).encode() + b"\0" + text)
            imports.update(_IMPORT.findall(text.decode("utf-8", "replace")))
            sets = sets or _SETS.search(text) is not None
        return digest.hexdigest(), frozenset(imports), sets

    return read


class ImportedModules:
    """The user's modules that this process has imported, and whether their files are still what was imported."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._files: dict[str, tuple[object, str, Mark | None]] = {}

    def note(self) -> bool:
        """Note modules imported or reloaded since the last call; return whether there were any."""
        new: list[str] = []
        # Usually there is none, and thousands of names need not be copied to see that.
        if len(sys.modules) != len(self._seen) or not self._seen.issuperset(sys.modules):
            new += [name for name in sys.modules.keys() - self._seen if self._note(name)]
            self._seen = set(sys.modules)
        # `importlib.reload` keeps the module object and gives it a new spec.
        again = [
            name for name, (spec, _, _) in self._files.items() if _spec(name) is not spec and self._note(name)
        ]
        return bool(new or again)

    def _note(self, name: str) -> bool:
        file = getattr(sys.modules.get(name), "__dict__", {}).get("__file__")
        if not isinstance(file, str) or not file.endswith(".py") or not _is_local(name, file):
            return False
        self._files[name] = (_spec(name), file, _mark(file))
        return True

    def file(self, name: str) -> Path | None:
        """Return the file of an imported module, or of one that could be imported; None for any other module.

        None as well when the file is not what was imported any more: what runs here cannot be read there.
        """
        known = self._files.get(name)
        if known is None:
            return find_local(name, [str(Path.cwd())])
        return Path(known[1]) if _mark(known[1]) == known[2] else None

    def package(self, name: str) -> Path | None:
        """Return the file of a module or package, as `file` does; None also when another file of it was edited."""
        inside = [each for each in self._files if each.partition(".")[0] == name]
        edited = any(_mark(self._files[each][1]) != self._files[each][2] for each in inside)
        return None if edited else self.file(name)


@lru_cache(maxsize=1 << 15)
def _is_local(name: str, file: str) -> bool:
    return place_of(top_level(name), file) is Origin.LOCAL and origin(name) is Origin.LOCAL


def _spec(name: str) -> object:
    return getattr(sys.modules.get(name), "__dict__", {}).get("__spec__")


def _mark(file: str) -> Mark | None:
    with suppress(OSError):
        found = os.stat(file)  # noqa: PTH116 - asked of each module of the user's
        return (found.st_mtime_ns, found.st_size)
    return None
