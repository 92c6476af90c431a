"""Owns the state of a notebook after some cells: the provenance of its names, settings and files."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from zennb.core.reading.embedded_names import lookup_of, names_in_texts
from zennb.core.reading.reflection import SHOW_DOCSTRINGS, Reflection, is_noted, name_docstrings, reflections
from zennb.core.secrets.literals import mask_source
from zennb.core.secrets.names import sealed_digest
from zennb.core.secrets.values import holds_secret
from zennb.packages.frame_access import looks_into_frames
from zennb.provenance.calls import SCALAR_MAKERS
from zennb.provenance.code_sites import NOTHING, merged
from zennb.provenance.statement_effects import Known
from zennb.provenance.value_source import (
    AliasGroups,
    LocalModules,
    SourceKind,
    ValueSource,
    combined,
    literal,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from zennb.core.reading.source import Analysis
    from zennb.provenance.cell_statements import CellStatement
    from zennb.provenance.code_sites import Inner
    from zennb.provenance.statement_effects import Effects

__all__ = ["NotebookNames"]


class NotebookNames:
    """The names of a notebook after some cells, and where their values come from.

    Args:
        modules: the user's own modules.
        ours: magics of this package.
        seal: name and value of an environment variable → its seal in records; of a secret, with the name `secret`.

    Attributes:
        names: name → where its value comes from.
        topics: library, or `*` for what matters to any step → what has been set of it, and drawn from its generator.
        variables: environment variable → seal of what the notebook has set it to.
        folder: the current folder, relative to the notebook's; None when unknown.
        files: digest of all statements so far that may have written files; "" for none.
        modules: the user's own modules.
        aliases: which names may share something.
        methods: names of methods that classes of the notebook define.
        cell: number of the cell that is being followed; changed: the names that it has bound or changed so far.
        failed: whether that cell ended in an error.
        hardly: names that it only uses, though any use may change their values.
    """

    def __init__(
        self,
        *,
        modules: LocalModules | None = None,
        ours: Collection[str] = (),
        seal: Callable[[str, str], str] = lambda name, value: combined("variable", name, value),
    ) -> None:
        self.names: dict[str, ValueSource] = {}
        self.topics: dict[str, str] = {}
        self.variables: dict[str, str] = {}
        self.folder: str | None = ""
        self.files = ""
        self.modules: LocalModules = LocalModules() if modules is None else modules
        self._seal = seal
        self._any = ""
        self._seeded: set[str] = set()
        self.methods: set[str] = set()
        self.aliases = AliasGroups()
        self.cell, self.failed = 0, False
        self.changed: set[str] = set()
        self.hardly: set[str] = set()
        self.known = Known(
            module=self.module_of,
            is_bound=lambda name: name in self.names,
            methods=self.methods,
            seeded=self._seeded,
            ours=frozenset(ours),
            # Not bound methods of `modules`, which the kernel replaces when local files change.
            local_state=lambda path: self.modules.keeps_state(path),  # noqa: PLW0108
            local_settings=lambda path: self.modules.settings_of_calls(path),  # noqa: PLW0108
        )

    # What is asked

    def reached(self, names: Iterable[str], without: Collection[str] = ()) -> list[str]:
        """Return the names of the notebook among these, and those that code which they stand for, or hold, reads.

        Args:
            names: where to begin.
            without: names that are bound before that code is called.
        """
        found = {name: None for name in names if name in self.names}
        pending = list(found)
        while pending:
            for name in self.names[pending.pop()].inner.reads:
                if name not in found and name in self.names and name not in without:
                    found[name] = None
                    pending.append(name)
        return list(found)

    def looked_up(self, reached: Iterable[str], analysis: Analysis, inner: Inner = NOTHING) -> list[str]:
        """Return names and, where something looks names up in text, those that occur in any text within reach.

        Args:
            reached: names of the notebook that the code reaches.
            analysis: what the code does with names.
            inner: the code that it holds.
        """
        found = dict.fromkeys(reached)
        while True:
            chains, texts = self._lookups(found, analysis, inner)
            lookups = {
                lookup_of(each, is_imported=each[0] == "*" or bool(self._path(each))) for each in chains
            }
            wanted = [each for each in lookups if each is not None]
            more = self._subclasses(found) if Reflection.SUBCLASSES in reflections(chains) else set[str]()
            if wanted:
                hidden = frozenset[str]()
                if chains == analysis.lookups.keys():
                    hidden = frozenset.intersection(*analysis.lookups.values())
                more |= names_in_texts(texts, wanted, self.names.keys()) & self.names.keys() - hidden
            if more <= found.keys():
                return list(found)
            found.update(dict.fromkeys(self.reached(sorted(more))))

    def _lookups(
        self, reached: Iterable[str], analysis: Analysis, inner: Inner
    ) -> tuple[set[tuple[str, ...]], frozenset[str]]:
        """Return the uses that find more than the code names, and the texts within reach if there are any."""
        sources = [self.names[name] for name in reached]
        code = merged([inner, *(each.inner for each in sources)])
        paths = {path for chain in analysis.chains | code.chains if (path := self._path(chain))}
        local: list[Inner] = [self.modules.lookups(".".join(path)) for path in paths]
        chains = {*analysis.lookups, *code.lookups, *(chain for each in local for chain in each.lookups)}
        chains.update(filter(None, map(_imported_lookup, {*paths, *analysis.modules})))
        if not chains:
            return chains, frozenset()
        texts = (analysis.texts | code.texts).union(*(each.texts for each in sources))
        return chains, texts.union(*(each.texts for each in local))

    def _subclasses(self, reached: Collection[str]) -> set[str]:
        """Return the definitions that read one of these names, as a class reads its base."""
        return {
            name
            for name, source in self.names.items()
            if source.kind is SourceKind.DEFINITION and not source.inner.reads.isdisjoint(reached)
        }

    def written(
        self, reached: Collection[str], analysis: Analysis, inner: Inner = NOTHING, *, text: str = ""
    ) -> dict[str, str]:
        """Return `text NAME` → digest of the text of what is reached, where code is read as a value; else nothing.

        Args:
            reached: see `looked_up`.
            analysis: see `looked_up`.
            inner: see `looked_up`.
            text: the code's own text.
        """
        reads = reflections(self._lookups(reached, analysis, inner)[0]) - {Reflection.MEMBERS}
        sources = [self.names[name] for name in reached]
        texts = (inner.texts, *(part for each in sources for part in (each.texts, each.inner.texts)))
        imported = [each for each in self.names.values() if each.kind is SourceKind.IMPORT]
        tops = {each.own.partition(".")[0] for each in imported}
        if not SHOW_DOCSTRINGS.isdisjoint(tops):
            # An application remembers the docstrings of its commands, whoever asks it for help.
            reads |= {Reflection.DOCSTRINGS}
            commands = [name for name, each in self.names.items() if each.kind is SourceKind.DEFINITION]
            reached = dict.fromkeys([*reached, *commands])
        elif name_docstrings(analysis.texts.union(*texts)):
            reads |= {Reflection.DOCSTRINGS}
        if not reads:
            return {}
        paths = {each.own for each in imported} | {".".join(path) for path in analysis.modules}
        found = {f"text {path.partition('.')[0]}": self.modules.written(path) for path in sorted(paths)}
        if Reflection.DOCSTRINGS in reads:
            found.update((f"text {name}", self.names[name].written) for name in reached)
            found["text of the cell"] = combined(self.sealed_text(text))
        return {key: digest for key, digest in found.items() if digest}

    def held(self, statement: CellStatement, reached: Sequence[str]) -> Inner:
        """Return the code that the value of a statement may contain. That code looks up its dependencies by name."""
        named = frozenset(name for name in reached if self.names[name].inner != NOTHING)
        code = merged([statement.inner, *(self.names[name].inner for name in reached)])
        path = self._path(statement.made_by)
        if lookup := _imported_lookup(
            path
        ):  # a connection goes on looking names up: `con = duckdb.connect()`
            code = replace(code, lookups=code.lookups | {lookup})
        return replace(code, reads=code.reads | named) if named else code

    def _path(self, chain: tuple[str, ...]) -> tuple[str, ...]:
        """Return the path of what is imported at the beginning of a dotted use; () where nothing is."""
        path = self.module_of(chain[0])
        return () if path is None else (*path.split("."), *chain[1:])

    def of(self, reads: Mapping[str, Collection[str]]) -> dict[str, str]:
        """Return the dependencies of code in this notebook, in a form that can be recorded and compared.

        Args:
            reads: the names it reads → the names that it surely binds before (`core.reading.source.Analysis.reads`).

        Returns:
            name → text. Besides names of the notebook: `shares NAME`, a name that may share state with one of them;
            `setting LIBRARY`; `$NAME`, an environment variable that the notebook sets; `files`, `folder`; and
            `read file NAME`, `read environment NAME`, which was read to compute one of them.
        """
        reached = dict.fromkeys(each for name, bound in reads.items() for each in self.reached([name], bound))
        found = {name: self.names[name].text for name in reached}
        # `exec` and its like may bind names that nobody has seen. A name that is read and unknown may be one of them.
        if self._any:
            found.update((name, f"any {self._any}") for name in reads if name not in self.names)
        # A new alias does not change a value, but from then on a change under one name is a change under the other.
        for name in [name for name in reached if self.names[name].can_change]:
            for other in self.aliases.of(name) - reached.keys():
                if other in self.names:
                    found[f"shares {other}"] = self.names[other].bound[:12]
        found.update((f"read {what}", state) for what, state in sorted(self.seen_for(reached)))
        found.update((f"setting {topic}", mark) for topic, mark in self.topics.items())
        found.update((f"${name}", seal) for name, seal in self.variables.items())
        return found | {key: text for key, text in (("files", self.files), ("folder", self.folder)) if text}

    # Bookkeeping

    def mark_of(self, statement: CellStatement, reached: Sequence[str]) -> str:
        """Return a digest of one execution of a statement: its code and everything that it reads."""
        parts = [statement.digest, self._any]
        inners = [statement.inner, *(self.names[name].inner for name in reached)]
        # Of a local module only the parts that are used count: editing another function of it changes nothing.
        chains = {chain for each in inners for chain in each.chains} | statement.analysis.chains
        parts += [f"{name} {self._content(name, chains)}" for name in sorted(reached)]
        paths = {path for each in inners for path in each.modules}
        paths |= {".".join(path).removesuffix(".*") for path in statement.analysis.modules}
        parts += [f"{path} {content}" for path in sorted(paths) if (content := self.modules.content(path))]
        parts += self.written(reached, statement.analysis, statement.inner).values()
        # What is called may depend on settings.
        if any(site.root not in SCALAR_MAKERS for site in statement.sites):
            parts += [f"{topic} {mark}" for topic, mark in sorted(self.topics.items())]
        return combined(*parts)

    def sealed(self, statement: CellStatement) -> CellStatement:
        """Return a statement whose digest nobody can guess its secrets from; one without secrets as it is."""
        if not statement.secrets:
            return statement
        return replace(statement, digest=combined(statement.digest, self._seal("secret", statement.secrets)))

    def sealed_text(self, text: str) -> str:
        """Return what stands for the text of a cell in digests: the text itself, or a seal if it holds secrets."""
        return text if mask_source(text) == text else self._seal("secret", text)

    def literal(self, name: str, value: object, statement: CellStatement) -> ValueSource:
        """Return the source of a literal value; the digest of a secret is sealed as in a step's cache key."""
        source = literal(value, statement, cell=self.cell)
        if not holds_secret(name, value):
            return source
        own = sealed_digest(self._seal("secret", source.own))
        return replace(source, own=own, text=f"value {own}")

    def _content(self, name: str, chains: Collection[tuple[str, ...]]) -> str:
        """Return the text of a name for `mark_of`; for a local module, of the parts that are used."""
        origin = self.names[name]
        if origin.kind is not SourceKind.IMPORT:
            return origin.text
        paths = sorted({".".join((origin.own, *chain[1:])) for chain in chains if chain[0] == name})
        return " ".join([origin.text, *(self.modules.content(path) for path in paths or [origin.own])])

    def note_effects(self, effects: Effects, mark: str) -> None:
        """Record the side effects of a statement."""
        for topic in effects.topics:
            self.add_topic(topic, mark)
        self._seeded |= effects.seeded
        for name, value in effects.variables.items():
            self.variables[name] = (
                f"computed {combined(mark, name)}" if value is None else self._seal(name, value)
            )
        if effects.folder != "":
            parts = (self.folder, effects.folder)
            self.folder = None if None in parts else "/".join(filter(None, map(str, parts)))
        if effects.writes:
            self.files = combined(self.files, mark)

    def add_topic(self, topic: str, mark: str) -> None:
        """Record that a statement, identified by its mark, changed a setting of a library."""
        # On top of what was set before: settings are the sum of all statements that set something, in order.
        self.topics[topic] = combined(self.topics.get(topic, ""), mark, str(self.failed))

    def module_of(self, name: str) -> str | None:
        """Return the dotted name that a name was imported as; None for any other name."""
        origin = self.names.get(name)
        return origin.own if origin is not None and origin.kind is SourceKind.IMPORT else None

    def seen_for(self, names: Iterable[str]) -> frozenset[tuple[str, str]]:
        """Return the files and environment variables that were read for the values of these names."""
        return frozenset().union(*(self.names[name].seen for name in names))

    def bind(self, name: str, origin: ValueSource) -> None:
        """Bind a name to a new value."""
        self.aliases.leave(name)
        self.names[name] = origin
        self.changed.add(name)

    def forget(self, name: str) -> None:
        """Unbind a name."""
        self.aliases.leave(name)
        self.names.pop(name, None)
        self.changed.add(name)

    def take_all(self, mark: str) -> None:
        """Make every name depend on code that may read and bind anything (`exec`, `%run`)."""
        whole = combined(
            mark, self._any, *(f"{name} {origin.text}" for name, origin in sorted(self.names.items()))
        )
        self._any = whole
        for name, origin in self.names.items():
            if origin.is_certain:
                self.names[name] = ValueSource(
                    kind=SourceKind.COMPUTED,
                    text=f"computed {mark[:12]} {combined(whole, name)}",
                    inner=origin.inner,
                    seen=origin.seen,
                    texts=origin.texts,
                    cell=self.cell,
                )
            self.changed.add(name)
        for topic in (*self.topics, "*"):
            self.add_topic(topic, whole)
        self.files = combined(self.files, whole)


def _imported_lookup(path: tuple[str, ...]) -> tuple[str, ...]:
    """Return a use of something imported if it finds more than the code names; else ()."""
    if is_noted(path):
        return ("*", *path)
    return ("*", "_getframe") if path and looks_into_frames(path[0]) else ()
