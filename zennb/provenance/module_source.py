"""Owns the provenance of names in local modules, found by reading the source without importing it."""

from __future__ import annotations

from importlib.util import resolve_name
from typing import TYPE_CHECKING

from zennb.core.reading.reflection import is_noted
from zennb.core.reading.source import Analysis
from zennb.provenance.calls import CallSite
from zennb.provenance.cell_statements import CellStatement, read_statement
from zennb.provenance.code_sites import NOTHING, Inner, merged
from zennb.provenance.notebook import Provenance
from zennb.provenance.statement_effects import ALL
from zennb.provenance.value_source import LocalModules, SourceKind, combined

if TYPE_CHECKING:
    import ast
    from collections.abc import Callable

    from zennb.provenance.value_source import ValueSource

__all__ = ["ModuleSource", "ModuleSources"]


_ANY_CALL = CellStatement(digest="", analysis=Analysis(), sites=(CallSite(root=""),))
"""A statement that calls something unknown."""


class ModuleSource:
    """One module.

    Args:
        name: its dotted name.
        tree: its syntax.
        is_package: whether it is the `__init__` of a package, from where relative imports start.
        others: all local modules.
    """

    def __init__(self, name: str, tree: ast.Module, *, is_package: bool, others: ModuleSources) -> None:
        self.name = name
        self._package = name if is_package else name.rpartition(".")[0]
        self._others = others
        self._statements = [read_statement(node) for node in tree.body]
        self.names = Provenance(modules=_SeenFrom(self, others), seal=others.seal)
        self.names.run(self._statements)
        self.whole = combined(name, *(self.names.sealed(each).digest for each in self._statements))

    def absolute(self, path: str) -> str:
        """Return a dotted path with a relative beginning resolved."""
        if not path.startswith("."):
            return path
        dots = len(path) - len(path.lstrip("."))
        try:
            return resolve_name("." * dots + path[dots:], self._package)
        except ImportError:
            return path

    @property
    def imports(self) -> set[str]:
        """The dotted paths that its statements, and functions in it, import."""
        paths = {
            ".".join(path).removesuffix(".*") for each in self._statements for path in each.analysis.modules
        }
        inner = {path for each in self._statements for path in each.inner.modules}
        stars = {star for each in self._statements for star in each.analysis.stars}
        return {self.absolute(path) for path in {*paths, *inner, *stars} if path}

    @property
    def keeps_state(self) -> bool:
        """Whether calling its functions may change what it holds."""
        names = self.names.names
        # What it imports is judged by itself.
        inner = [each.inner for each in names.values() if each.kind is not SourceKind.IMPORT]
        return self.names.may_change(_ANY_CALL, inner)

    @property
    def settings_of_calls(self) -> frozenset[str]:
        """The libraries of which its own functions may set something."""
        inner = [each.inner for each in self.names.names.values()]
        return self.names.settings_of(_ANY_CALL, inner)

    @property
    def lookups(self) -> Inner:
        """What its code looks up in text, and its texts."""
        code = merged([NOTHING, *(each.inner for each in self._statements)])
        chains = {*code.lookups, *(chain for each in self._statements for chain in each.analysis.lookups)}
        paths = {each.own for each in self.names.names.values() if each.kind is SourceKind.IMPORT}
        imported = {("*", *path.split(".")) for path in paths if is_noted(path.split("."))}
        imported |= {("*", *each) for each in chains if self.names.module_of(each[0]) is not None}
        return Inner(
            texts=code.texts.union(*(each.analysis.texts for each in self._statements)),
            lookups=frozenset(imported | {("", *each[1:]) if each[0] != "*" else each for each in chains}),
        )

    def part(self, name: str) -> ValueSource | None:
        """Return where one of its names comes from."""
        return self.names.names.get(name)


class ModuleSources(LocalModules):
    """All local modules (`LocalModules`).

    Args:
        read: returns a local module's syntax and whether it is a package, by dotted name; None for any other module.
        whole: returns, by the name of a local package that is too large to be read statement by statement, a digest of
            all its files, the names that they import, and whether they may set something; None for any other module.
        written: returns a digest of the text of a local module.
        seal: see `NotebookNames`.
    """

    def __init__(
        self,
        read: Callable[[str], tuple[ast.Module, bool] | None],
        whole: Callable[[str], tuple[str, frozenset[str], bool] | None] = lambda _name: None,
        *,
        written: Callable[[str], str] = lambda _name: "",
        seal: Callable[[str, str], str] = lambda name, value: combined("variable", name, value),
    ) -> None:
        self.seal, self._written = seal, written
        self._read, self._whole = read, whole
        self._large: dict[str, tuple[str, frozenset[str], bool] | None] = {}
        self._known: dict[str, ModuleSource | None] = {}
        self._busy: set[str] = set()

    def module(self, name: str) -> ModuleSource | None:
        """Return a module; None when it is not local, or is being read just now."""
        # Modules may import each other in a circle.
        if name in self._busy:
            return None
        if name not in self._known:
            self._busy.add(name)
            try:
                found = self._read(name) if name else None
                self._known[name] = (
                    None if found is None else ModuleSource(name, found[0], is_package=found[1], others=self)
                )
            finally:
                self._busy.discard(name)
        return self._known[name]

    def large(self, path: str) -> tuple[str, frozenset[str], bool] | None:
        """Return what `whole` says of the large package that a dotted path leads into; None for any other path."""
        top = path.partition(".")[0]
        if top not in self._large:
            self._large[top] = self._whole(top) if top else None
        return self._large[top]

    def split(self, path: str) -> tuple[ModuleSource, str] | None:
        """Return the module that a dotted path leads into, and the name in it; "" for the module itself."""
        parts = path.split(".")
        if not parts[0] or self.large(path) is not None or self.module(parts[0]) is None:
            return None
        # The longest prefix that is a module; the next part is a name in it.
        end = 1
        while end < len(parts) and self.module(".".join(parts[: end + 1])) is not None:
            end += 1
        module = self.module(".".join(parts[:end]))
        return None if module is None else (module, parts[end] if end < len(parts) else "")

    # What `LocalModules` asks for

    def content(self, path: str) -> str:
        """Return a digest of all that a module, or what it offers, consists of; "" when it is no local module."""
        return self._content(path, set())

    def _content(self, path: str, seen: set[str]) -> str:
        if path in seen:
            return "again"
        seen.add(path)
        large = self.large(path)
        if large is not None:
            top = path.partition(".")[0]
            others = sorted(name for name in large[1] if name != top)
            return combined(large[0], *(self._content(name, seen) for name in others))
        found = self.split(path)
        if found is None:
            return ""
        module, name = found
        if module.part(name) is None:
            # A name that the module's text does not bind (a star import, `__getattr__`): all of it
            # counts, and all that it imports.
            return combined(module.whole, *(self._content(each, seen) for each in sorted(module.imports)))
        names = module.names.names
        reached = sorted(module.names.reached([name]))
        parts = [f"{key} {text}" for key, text in module.names.of({name: ()}).items()]
        paths = [names[each].own for each in reached if names[each].kind is SourceKind.IMPORT]
        paths += [each for one in reached for each in names[one].inner.modules]
        parts += [self._content(module.absolute(each), seen) for each in paths]
        return combined(*parts)

    def keeps_state(self, path: str) -> bool:
        """Whether a local module holds something that calls of its functions can change."""
        found = self.split(path)
        return self.large(path) is not None or (found is not None and found[0].keeps_state)

    def lookups(self, path: str) -> Inner:
        """See `LocalModules`."""
        return self._lookups(path, set())

    def _lookups(self, path: str, seen: set[str]) -> Inner:
        found = self.split(path)
        if found is None or found[0].name in seen:
            return NOTHING
        seen.add(found[0].name)
        return merged([found[0].lookups, *(self._lookups(each, seen) for each in found[0].imports)])

    def written(self, path: str) -> str:
        """See `LocalModules`."""
        seen: dict[str, str] = {}
        pending = [path]
        for each in pending:
            found = self.split(each)
            if found is not None and found[0].name not in seen:
                seen[found[0].name] = self._written(found[0].name)
                pending += sorted(found[0].imports)
        return combined(*seen.values()) if seen else ""

    def settings(self, path: str) -> frozenset[str]:
        """Return the libraries of which importing a local module sets something."""
        found = self.split(path)
        return frozenset() if found is None else frozenset(found[0].names.topics)

    def settings_of_calls(self, path: str) -> frozenset[str]:
        """See `LocalModules`."""
        return self._settings_of_calls(path, set())

    def _settings_of_calls(self, path: str, seen: set[str]) -> frozenset[str]:
        large = self.large(path)
        if large is not None:
            return frozenset({ALL}) if large[2] else frozenset()
        found = self.split(path)
        if found is None or found[0].name in seen:
            return frozenset()
        seen.add(found[0].name)
        others = [self._settings_of_calls(each, seen) for each in found[0].imports]
        return found[0].settings_of_calls.union(*others)

    def text(self, path: str) -> str:
        """Return what is recorded of a name of a local module; "" for any other path."""
        found = self.split(path)
        if found is None:
            return f"content {content}" if (content := self.content(path)) else ""
        module, name = found
        part = module.part(name)
        if part is None or part.kind is SourceKind.IMPORT:
            return f"content {self.content(path)}"
        return part.text


class _SeenFrom(LocalModules):
    """All local modules as one of them sees them: its relative imports are its own (`LocalModules`)."""

    def __init__(self, module: ModuleSource, others: ModuleSources) -> None:
        self._module, self._others = module, others

    def content(self, path: str) -> str:
        return self._others.content(self._module.absolute(path))

    def keeps_state(self, path: str) -> bool:
        return self._others.keeps_state(self._module.absolute(path))

    def written(self, path: str) -> str:
        return self._others.written(self._module.absolute(path))

    def lookups(self, path: str) -> Inner:
        return self._others.lookups(self._module.absolute(path))

    def settings(self, path: str) -> frozenset[str]:
        return self._others.settings(self._module.absolute(path))

    def settings_of_calls(self, path: str) -> frozenset[str]:
        return self._others.settings_of_calls(self._module.absolute(path))
