"""Owns `Provenance`: where the value of each variable comes from, found by reading the cells.

Equal provenance means equal values. The kernel records the provenance of each step's inputs; a notebook file is read
the same way and compared. Code that reading cannot follow gets a provenance that equals no other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from zennb.provenance.code_sites import merged
from zennb.provenance.notebook_names import NotebookNames
from zennb.provenance.statement_effects import ENVIRONMENT, effects_of
from zennb.provenance.value_shape import Shape, shape_of
from zennb.provenance.value_source import (
    NOTHING,
    SourceKind,
    ValueSource,
    combined,
    known_output,
    opaque,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from zennb.provenance.cell_statements import CellStatement
    from zennb.provenance.code_sites import Inner
    from zennb.provenance.statement_effects import Effects
    from zennb.provenance.value_source import StepOutput

__all__ = ["Provenance"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Execution:
    """One execution of a statement.

    Attributes:
        statement: the statement.
        effects: what it does besides binding names.
        reached: the names that it uses, directly or through the code it calls.
        mark: digest of the statement and everything it reads.
        inner: the code that its value may contain.
        unsure: the values it reads that are not known.
        shared: names that may share something with its value.
        seen: files and environment variables that were read for its inputs.
        texts: texts that its value may contain.
        shape: how its value can change.
    """

    statement: CellStatement
    effects: Effects
    reached: Sequence[str] = ()
    mark: str = ""
    inner: Inner = NOTHING
    unsure: Sequence[ValueSource] = ()
    shared: Collection[str] = ()
    seen: frozenset[tuple[str, str]] = frozenset()
    texts: frozenset[str] = frozenset()
    shape: Shape = Shape.ANY


class Provenance(NotebookNames):
    """The names of a notebook after some cells, as `run` and `step` follow them one after another."""

    # What happens

    def run(
        self,
        statements: Sequence[CellStatement] | None,
        *,
        source: str = "",
        number: int = 0,
        failed: bool = False,
        seen: Iterable[tuple[str, str]] = (),
        because: str = "",
    ) -> None:
        """Follow a plain cell.

        Args:
            statements: what it does, in order; None for a cell that cannot be read.
            source: its text, for a cell that cannot be read.
            number: its number in the notebook.
            failed: whether it ended in an error, so that it is unknown which statements ran.
            seen: files and environment variables that it was seen to read, with the state of each.
            because: why its outcome differs each time although its code does not show it.
        """
        self._begin(number, failed=failed)
        if statements is None:
            self.take_all(combined("unread", self.sealed_text(source)))
        for statement in statements or ():
            self._follow(statement)
        seen = frozenset(seen)
        for name in self.changed & self.names.keys():
            origin = self.names[name]
            if why := because or ("a cell that failed" if failed else ""):
                self.names[name] = opaque(origin.inner, why, cell=self.cell, texts=origin.texts)
            elif seen and self._takes_in(origin):
                self.names[name] = replace(origin, seen=origin.seen | seen)

    def step(
        self,
        name: str,
        statements: Sequence[CellStatement],
        *,
        outputs: Mapping[str, StepOutput] | None,
        changes: Collection[str] | None = None,
        defines: Collection[str] = (),
        deletes: Collection[str] = (),
        settings: Mapping[str, str] | None = None,
        number: int = 0,
    ) -> bool:
        """Follow a step; return whether its code may write files, which its record then lists.

        Args:
            name: the step.
            statements: its code.
            outputs: its recorded outputs; None when it will run or may run: its outputs are then pending.
            changes: inputs that it was observed to modify in place, for a step with unknown outputs; None if it never
                ran.
            defines: imports, functions and classes that it binds.
            deletes: names that it deletes.
            settings: library → digest of what it left set.
            number: number of its cell in the notebook.
        """
        before, topics, files = dict(self.names), dict(self.topics), self.files
        self._begin(number)
        for statement in statements:
            self._follow(statement)
        may_write, self.files = self.files != files, files
        binds = {bound for statement in statements for bound in statement.analysis.binds}
        kept = {*defines, *(each for s in statements for each in (*s.analysis.defines, *s.analysis.imports))}
        for changed in self.changed:
            self._settle(changed, before, outputs, changes, binds=binds, kept=kept, step=name)
        for output, left in (outputs or {}).items():
            self.names[output] = known_output(left, self.names.get(output))
            if not self.names[output].can_change:
                self.aliases.leave(output)
        for gone in deletes:
            self.forget(gone)
        if outputs is None:
            for topic in self.topics:
                if self.topics[topic] != topics.get(topic, ""):
                    self.topics[topic] = f"pending {name}"
        for topic, digest in (settings or {}).items():
            self.topics[topic] = combined("left", digest)
        return may_write

    def fail(self, statements: Sequence[CellStatement]) -> None:
        """Follow a step that failed: its variables are restored, but not its settings and files."""
        names = dict(self.names)
        self.run(statements, failed=True)
        self.names.clear()
        self.names.update(names)

    def mark_unknown(self, names: Iterable[str]) -> None:
        """Mark the values of these names as being of unknown origin."""
        for name in names:
            self.bind(name, opaque(NOTHING, "a cell that ran before zennb was loaded", cell=self.cell))

    def _settle(
        self,
        changed: str,
        before: Mapping[str, ValueSource],
        outputs: Mapping[str, StepOutput] | None,
        changes: Collection[str] | None,
        *,
        binds: Collection[str],
        kept: Collection[str],
        step: str,
    ) -> None:
        """Set what is known, after a step, of a name that its code may have bound or changed."""
        old, now = before.get(changed), self.names.get(changed)
        if changed.startswith("_") and changed in binds:
            if old is None:
                self.forget(changed)
            else:
                self.names[changed] = old
        elif changed in kept or now is None:
            return
        elif outputs is None:
            is_hardly = changes is not None and changed in self.hardly and changed not in changes
            if changed in binds or not is_hardly:
                self.names[changed] = replace(
                    opaque(now.inner, "", cell=self.cell, texts=now.texts),
                    kind=SourceKind.PENDING,
                    text="pending",
                    shape=Shape.PLAIN,
                    waits=frozenset({step}),
                )
            elif old is not None:
                self.names[changed] = old
        elif changed not in binds and changed not in outputs and old is not None:
            self.names[changed] = old  # checked after the step: it had not changed

    def _takes_in(self, source: ValueSource) -> bool:
        """Whether files and variables that a cell read may affect a value that it bound or changed."""
        if source.kind is SourceKind.IMPORT:
            return bool(self.modules.content(source.own))
        return source.kind is SourceKind.COMPUTED or (
            source.kind is SourceKind.DEFINITION and source.text.count(" ") > 1
        )

    def _begin(self, number: int, *, failed: bool = False) -> None:
        self.cell, self.failed = number, failed
        self.changed.clear()
        self.hardly.clear()

    # One statement

    def _follow(self, statement: CellStatement) -> None:
        statement = self.sealed(statement)
        self.methods |= statement.inner.methods
        if statement.literals:
            for name, value in statement.literals.items():
                self.bind(name, self.literal(name, value, statement))
        elif statement.imports:
            self._import(statement)
        else:
            self._execute(self._execution(statement))

    def _execution(self, statement: CellStatement) -> _Execution:
        """Work out the dependencies of a statement, and record its side effects."""
        reached = self.looked_up(self.reached(statement.analysis.reads), statement.analysis, statement.inner)
        called = [self.names[name].inner for name in reached]
        if not statement.definition:
            called.append(statement.inner)
        effects = effects_of(statement, called, self.known)
        mark = self.mark_of(statement, reached)
        if effects.takes_all:
            self.take_all(mark)
        self.note_effects(effects, mark)
        return _Execution(
            statement=statement,
            effects=effects,
            reached=reached,
            mark=mark,
            inner=self.held(statement, reached),
            unsure=[self.names[name] for name in reached if not self.names[name].is_certain],
            shared={each for n in reached if self.names[n].can_change for each in self.aliases.of(n)},
            seen=self.seen_for(reached),
            texts=statement.analysis.texts.union(
                *(each for name in reached for each in (self.names[name].texts, self.names[name].inner.texts))
            ),
            shape=self._shape(statement),
        )

    def _execute(self, execution: _Execution) -> None:
        """Change and bind the names that a statement changes and binds."""
        statement, analysis, effects = execution.statement, execution.statement.analysis, execution.effects
        for name in self._touched(execution):
            self._change(name, execution)
        if statement.definition and not effects.topics and not effects.unsteady:
            self._define(execution)
            return
        same = self.names.get(statement.alias)
        for name in (*analysis.binds, *effects.binds.difference(analysis.binds)):
            if same is not None:
                self.bind(name, replace(same, cell=self.cell, bound=statement.digest))
                continue
            before = self.names.get(name)
            parts = [execution.mark, name]
            if name not in analysis.surely:
                parts.append("absent" if before is None else before.text)
            self.bind(name, self._computed(parts, execution))
        if execution.shape is not Shape.FIXED:
            self.aliases.join([*analysis.binds, *execution.shared])
            if self.module_of(statement.part_of) is not None:
                self.aliases.join([*analysis.binds, statement.part_of])
        for name in analysis.deletes:
            self.forget(name)

    def _shape(self, statement: CellStatement) -> Shape:
        def shape(name: str) -> Shape | None:
            source = self.names.get(name)
            return None if source is None else source.shape

        if statement.value is None:
            return Shape.ANY
        return shape_of(statement.value, name=shape, module=self.module_of)

    def _touched(self, execution: _Execution) -> set[str]:
        """Return the names whose values a statement may change in place."""
        statement, effects = execution.statement, execution.effects
        self._make_changeable(statement.alias)
        direct = {name for name in effects.touched if name in self.names}
        if not effects.touched.isdisjoint(statement.analysis.binds):  # `for x in xs: x.append(1)`
            direct.update(execution.shared)
        if effects.touches_reached:
            direct.update(execution.reached)
        if not statement.alias and not statement.definition:
            used = {name for name in execution.reached if self.names[name].shape is Shape.ANY}
            self.hardly |= used - direct - effects.stored
            direct |= used
        self.hardly -= {each for name in direct - self.hardly for each in self.aliases.of(name)}
        stored = {name for name in effects.stored if name in self.names}
        held = {each for name in stored for each in self.reached(self.names[name].inner.reads)}
        stored |= {name for name in held if self.names[name].kind is SourceKind.DEFINITION}
        direct = {name for name in direct if self.names[name].can_change} | stored
        found = {each for name in direct for each in self.aliases.of(name) if each in self.names}
        for path in {path for name in found if (path := self.module_of(name)) is not None}:
            # A part of a module: `xs = lib.XS` and `xs.append(1)`.
            for topic in (path.partition(".")[0], "*"):
                self.add_topic(topic, execution.mark)
        return {
            name
            for name in found
            if self.names[name].kind is not SourceKind.IMPORT
            and (name in stored or self.names[name].can_change)
        }

    def _make_changeable(self, name: str) -> None:
        """Note that a function or class got a second name: attributes set under one name exist under the other."""
        if name in self.names and self.names[name].kind is SourceKind.DEFINITION:
            self.names[name] = replace(self.names[name], shape=Shape.PLAIN)

    def _change(self, name: str, execution: _Execution) -> None:
        """Note that the value of a name may have been changed in place."""
        source = self.names[name]
        more = replace(
            execution,
            inner=merged([source.inner, execution.inner]),
            unsure=execution.unsure if source.is_certain else [source, *execution.unsure],
            seen=source.seen | execution.seen,
            texts=source.texts | execution.texts,
            shape=source.shape if source.can_change else Shape.PLAIN,
        )
        changed = self._computed([execution.mark, name, source.text], more)
        self.names[name] = replace(changed, bound=source.bound)
        self.changed.add(name)

    def _computed(self, parts: Sequence[str], execution: _Execution) -> ValueSource:
        """Return the source of a value that a statement computes from `parts`."""
        unsteady = execution.effects.unsteady or next(
            (e.text.removeprefix("opaque ") for e in execution.unsure if e.kind is SourceKind.OPAQUE), ""
        )
        if unsteady:
            return opaque(execution.inner, unsteady, cell=self.cell, texts=execution.texts)
        is_open, digest = bool(execution.unsure), execution.statement.digest
        return ValueSource(
            kind=SourceKind.PENDING if is_open else SourceKind.COMPUTED,
            text="pending" if is_open else f"computed {digest[:12]} {combined(*parts)}",
            inner=NOTHING if execution.shape is Shape.FIXED else execution.inner,
            shape=execution.shape,
            seen=execution.seen,
            texts=execution.texts,
            waits=frozenset().union(*(each.waits for each in execution.unsure)),
            cell=self.cell,
            statement=digest,
            bound=digest,
        )

    def _define(self, execution: _Execution) -> None:
        """Bind a function or class; what its decorators, defaults and bases read was evaluated with it."""
        statement = execution.statement
        own, mark = statement.digest, execution.mark if statement.analysis.reads else ""
        source = ValueSource(
            kind=SourceKind.DEFINITION,
            text=f"definition {own[:24]} {mark}".rstrip(),
            own=own,
            inner=statement.inner,
            shape=Shape.PLAIN if statement.inner.keeps_state else Shape.FIXED,
            texts=statement.analysis.texts,
            written=statement.written,
            cell=self.cell,
            statement=own,
            bound=own,
        )
        if execution.unsure:
            source = replace(
                self._computed([mark], replace(execution, inner=statement.inner)),
                own=own,
                written=statement.written,
            )
        self.bind(statement.definition, source)
        if source.can_change:  # `def f(seen=xs)`
            self.aliases.join([statement.definition, *execution.shared])

    def _import(self, statement: CellStatement) -> None:
        for name, path in statement.imports.items():
            origin = ValueSource(kind=SourceKind.IMPORT, text=f"import {path}", own=path, shape=Shape.FIXED)
            self.bind(name, replace(origin, cell=self.cell, statement=statement.digest))
            for topic in self.modules.settings(path):
                self.add_topic(topic, combined(statement.digest, self.modules.content(path)))
        if statement.analysis.stars:
            self.take_all(combined(statement.digest, *map(self.modules.content, statement.analysis.stars)))

    def settings_of(self, statement: CellStatement, called: Iterable[Inner]) -> frozenset[str]:
        """Return the libraries of which a statement that calls such code may set something."""
        effects = effects_of(statement, called, self.known)
        more = [topic for topic, sets in ((ENVIRONMENT, effects.variables), ("*", effects.takes_all)) if sets]
        return frozenset({*effects.topics, *more})

    def may_change(self, statement: CellStatement, called: Iterable[Inner]) -> bool:
        """Whether a statement that calls such code may modify or rebind one of the names."""
        effects = effects_of(statement, called, self.known)
        touched = self._touched(_Execution(statement=statement, effects=effects))
        return effects.takes_all or bool(effects.binds) or bool(touched)
