"""Owns the rules for names while code is read: loading, binding and deleting them, and calling functions."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from zennb.core.reading.binding_log import BindingLog, BindingState, Frame, NameUsage
from zennb.core.reading.reflection import is_noted
from zennb.core.reading.scopes import Definition, Function, Kind, Scope, definitions_in, mangled, target_names
from zennb.core.reading.tree import child_nodes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from zennb.core.magic_lines.effects import Effect

__all__ = ["CellScope", "NameVisitor", "comprehension_scope", "type_scope"]


@dataclass(slots=True, kw_only=True)
class CellScope:
    """State shared by all code of one cell while it is read.

    Attributes:
        star: gives the public names of a module, for `from m import *`; None when unknown.
        late_annotations: whether `from __future__ import annotations` holds.
        calls: whether functions of the cell may be called at all; if not, only what defining them evaluates
            counts.
        definitions: name → every function and class the cell defines under it, wherever.
        modules: name of the cell → dotted paths that import statements may have bound it to.
        summaries: function → what calling it does.
        parsed: magic call → the statements it runs.
        magics: call node → line number, text and effect of the magic or shell line that it represents.
        texts: string constants.
        docstrings: texts that nothing uses.
    """

    star: Callable[[str], Iterable[str]] | None = None
    late_annotations: bool = False
    calls: bool = True
    definitions: dict[str, list[Definition]] = field(default_factory=dict)
    modules: dict[str, set[tuple[str, ...]]] = field(default_factory=dict)
    summaries: dict[ast.AST, NameUsage] = field(default_factory=dict)
    parsed: dict[ast.AST, list[ast.stmt]] = field(default_factory=dict)
    magics: dict[ast.AST, tuple[int, str, Effect]] = field(default_factory=dict)
    texts: set[str] = field(default_factory=set)
    docstrings: set[str] = field(default_factory=set)


class NameVisitor(ast.NodeVisitor):
    """Follows the names of one cell, or of one function body, along its execution paths.

    Args:
        cell: what is shared with the other readers of the same cell.
        scope: where the code stands; None is the cell's own level.
        called: whether this reads the body of a function. What such a body defines may be called at once.

    Attributes:
        path: the state at the current point; None in unreachable code.
        record: what the code does with names.
    """

    def __init__(self, cell: CellScope, scope: Scope | None = None, *, called: bool = False) -> None:
        self.cell, self.scope, self.called = cell, scope, called
        self.path: BindingState | None = BindingState()
        self.record = NameUsage()
        self.frames: list[Frame] = [Frame()]
        self.watches: list[BindingLog] = []
        self.lazy = 0
        self.offset = 0
        self._reached: dict[Definition, tuple[frozenset[str], frozenset[str]]] = {}

    def generic_visit(self, node: ast.AST) -> None:
        """Visit what stands below a node, in order."""
        for child in child_nodes(node):
            self.visit(child)

    @property
    def state(self) -> BindingState:
        """The state at the current point, which must be reachable."""
        assert self.path is not None
        return self.path

    @property
    def owner(self) -> str | None:
        """Name of the class around, for mangling."""
        return None if self.scope is None else self.scope.owner

    def load(self, name: str, attributes: tuple[str, ...] = ()) -> None:
        """Read `name`, then `attributes` of it one after another."""
        name = mangled(name, self.owner)
        home = None if self.scope is None else self.scope.find(name, self.state.inner)
        modules = self.cell.modules if home is None else home.modules
        # Without an attribute the module itself is passed on, and anything of it may be used.
        paths = [(*path, *attributes) for path in modules.get(name, ())]
        self.record.modules.update(path if attributes else (*path, "*") for path in paths)
        for chain in [(name, *attributes), *(("*", *path) for path in paths)]:
            if is_noted(chain):
                self.record.look_up(chain, self.state.bound)
        if home is None:
            self._load_from_cell(name, attributes)
        if self.scope is not None and not self.called:
            for node in self.scope.bodies.get(name, ()):
                self.expand(node)

    def may_load(self, name: str, attributes: tuple[str, ...]) -> None:
        """Read a name that text mentions, if the notebook has it; what the cell defines under it is its own."""
        home = None if self.scope is None else self.scope.find(name, self.state.inner)
        if home is None and name not in self.state.bound and name not in self.cell.definitions:
            self.record.read(name, self.state.bound, firm=False)
            self.record.chains.add((name, *attributes))

    def _load_from_cell(self, name: str, attributes: tuple[str, ...]) -> None:
        state = self.state
        # Bound before on every path: the value is the cell's own, and the notebook's does not matter.
        if name not in state.bound:
            self.record.read(name, state.bound, firm=name not in state.maybe)
            self.record.chains.add((name, *attributes))
        if not self.called:
            # Lazy code runs later, so it may call functions defined further down.
            bodies = self.cell.definitions.get(name, ()) if self.lazy else state.bodies.get(name, ())
            for node in bodies:
                self.expand(node)

    def store(self, name: str, *, body: Definition | None = None, module: tuple[str, ...] = ()) -> None:
        """Bind `name`: to the definition `body`, to what an import found at `module`, or to any value."""
        name = mangled(name, self.owner)
        home = None if self.scope is None else self.scope.home(name)
        if module:
            modules = self.cell.modules if home is None else home.modules
            modules.setdefault(name, set()).add(module)
        if home is None:
            self.bind(name, body=body)
            if module:
                self.record.imports.add(name)
            if body is not None:
                self.record.defines.add(name)
        elif home.kind is Kind.CLASS:
            self.state.inner.add(home.key + name)
            if body is not None:
                home.bodies.setdefault(name, []).append(body)

    def bind(self, name: str, *, body: Definition | None = None) -> None:
        """Bind a name of the cell."""
        state = self.state
        self.record.binds.setdefault(name)
        state.bound.add(name)
        state.maybe.add(name)
        state.deleted.discard(name)
        state.bodies.pop(name, None)
        for watch in self.watches:
            watch.bound.add(name)
        if body is not None:
            if self.called:
                known = self.cell.definitions.setdefault(name, [])
                # Functions that a function defines may be called from elsewhere later, through what it returns.
                known.extend([] if body in known else [body])
            state.bodies[name] = frozenset({body})

    def delete(self, name: str) -> None:
        """Delete `name`, which may fail."""
        name = mangled(name, self.owner)
        home = None if self.scope is None else self.scope.home(name)
        if home is None:
            self.unbind(name)
        elif home.kind is Kind.CLASS:
            self.state.inner.discard(home.key + name)
            for watch in self.watches:
                watch.lost.add(home.key + name)

    def unbind(self, name: str) -> None:
        """Delete a name of the cell."""
        state = self.state
        self.record.deletes.add(name)
        state.bound.discard(name)
        state.deleted.add(name)
        state.bodies.pop(name, None)
        for watch in self.watches:
            watch.deleted.add(name)

    def expand(self, node: Definition) -> None:
        """Treat the function or class `node` as called here or later: add what its bodies read.

        Names that are certainly bound here are also bound at any later call, so this point is the only one to check.
        """
        state = self.state
        before = self._reached.get(node)
        if not self.cell.calls or (
            before is not None and before[0] <= state.bound and before[1] <= state.maybe
        ):
            return
        # Reached again with at least these names bound, it can add nothing new. Without this memory, reading a cell
        # with many functions that call each other would take exponential time.
        here = frozenset(state.bound), frozenset(state.maybe)
        seen: set[ast.AST] = set()
        pending: list[Definition] = [node]
        changes = False
        # All that the function may call, over any number of calls, and recursive ones as well.
        while pending:
            current = pending.pop()
            if current in seen:
                continue
            seen.add(current)
            for record in self.bodies_of(current):
                self.absorb(record)
                changes = changes or bool(record.binds or record.deletes)
                for name in record.reads:
                    pending.extend(self.cell.definitions.get(name, ()))
        if not changes:
            self._reached[node] = here

    def bodies_of(self, node: Definition, parent: Scope | None = None) -> Iterator[NameUsage]:
        """Yield what the body of a function does, or what the methods of a class do."""
        if not isinstance(node, ast.ClassDef):
            yield self.summary(node, parent)
            return
        scope = Scope.of_class(node, parent)
        for members in definitions_in(node.body).values():
            for member in members:
                yield from self.bodies_of(member, scope)

    def summary(self, node: Function | ast.Lambda, parent: Scope | None) -> NameUsage:
        """Return what calling the function does, read once."""
        known = self.cell.summaries.get(node)
        if known is None:
            reader = type(self)(self.cell, Scope.of_function(node, type_scope(node, parent)), called=True)
            reader.offset = self.offset
            for statement in node.body if isinstance(node.body, list) else [node.body]:
                if reader.path is not None:
                    reader.visit(statement)
            known = self.cell.summaries[node] = reader.record
        return known

    def absorb(self, record: NameUsage) -> None:
        """Add the possible effects of calling a function, given its `record`."""
        state = self.state
        # A name that the function deletes may be read after that.
        bound = state.bound - record.deletes
        for name, own in record.reads.items():
            if name not in bound:
                # Read for certain only if neither the function nor the code around it may have bound the name before.
                firm = name in record.firm and name not in state.maybe
                self.record.read(name, own | bound, firm=firm)
        for chain in record.chains:
            if chain[0] not in bound:
                self.record.chains.add(chain)
            rest = chain[1:] or ("*",)
            self.record.modules.update((*path, *rest) for path in self.cell.modules.get(chain[0], ()))
        self.record.modules |= record.modules
        self.record.phrases.update(record.phrases)
        for chain, own in record.lookups.items():
            self.record.look_up(chain, own | bound)
        self.record.imports |= record.imports
        self.record.defines |= record.defines
        for name in record.binds:
            self._may_bind(name)
        for name in record.deletes:
            self.unbind(name)

    def _may_bind(self, name: str) -> None:
        state = self.state
        self.record.binds.setdefault(name)
        state.maybe.add(name)
        state.add_bodies({name: self.cell.definitions.get(name, [])})
        for watch in self.watches:
            watch.bound.add(name)


def type_scope(node: ast.AST, parent: Scope | None) -> Scope | None:
    """Return the scope of the type parameters of `node` (Python 3.12), or `parent` when it has none."""
    parameters: list[ast.AST] = getattr(node, "type_params", [])
    if not parameters:
        return parent
    return Scope(Kind.TYPES, parent, [str(getattr(parameter, "name", "")) for parameter in parameters])


def comprehension_scope(generators: list[ast.comprehension], parent: Scope | None) -> Scope:
    """Return the scope that a comprehension's own targets live in."""
    return Scope(Kind.COMPREHENSION, parent, target_names(generator.target for generator in generators))
