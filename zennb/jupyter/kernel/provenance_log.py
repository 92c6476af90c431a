"""Owns `ProvenanceLog`: the plain cells that ran in this kernel, and the provenance of what each step used."""

from __future__ import annotations

import os
import re
import threading
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zennb.commands.catalogue import MAGICS
from zennb.commands.interface import ROOT
from zennb.compat.instances import path_text
from zennb.core.reading.cell_heading import heading
from zennb.core.records.observed import UNTOUCHED, Observed
from zennb.core.records.records import Status
from zennb.core.secrets.literals import mask_source
from zennb.core.secrets.values import holds_secret
from zennb.engine.environment.access_tracer import AccessTracer
from zennb.engine.environment.files import counts, state
from zennb.engine.environment.local_modules import ImportedModules, package_reader, reader, text_reader
from zennb.engine.environment.random_state import NumpyRandom, PlainRandom, TorchRandom
from zennb.engine.environment.stat_calls import put_back
from zennb.engine.step.cached_functions import CachedFunctions
from zennb.provenance.cell_statements import read_cell
from zennb.provenance.module_source import ModuleSources
from zennb.provenance.notebook import Provenance
from zennb.provenance.steps import apply, depends_on, step_statements
from zennb.provenance.value_source import SourceKind, combined

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from IPython.core.interactiveshell import ExecutionResult, InteractiveShell

    from zennb.core.records.records import Step
    from zennb.engine.environment.execution_environment import ExecutionEnvironment
    from zennb.engine.environment.own_files import OwnFiles
    from zennb.engine.step.definition import StepDefinition
    from zennb.engine.step.resolve import ResolvedStep

__all__ = ["ProvenanceLog"]

_LARGEST = 8 << 20
"""Size from which a file that a plain cell reads is compared by size and time: digesting it would delay the cell."""

_QUOTED = re.compile(r"""["']([^"'\n]{1,200})["']""")
_FILE = re.compile(r"[^\s*?<>|]*\.\w{1,8}|[^\s*?<>|]*/[^\s*?<>|]+")
_ASKS = re.compile(r"exists|is_?file|is_?dir|glob")
_LONG = 300
_WORD = re.compile(r"[A-Za-z_]\w*")
_GENERATORS = (PlainRandom(is_fresh=False), NumpyRandom(), TorchRandom())


@dataclass(frozen=True, slots=True, kw_only=True)
class _ObservedCell:
    """A plain cell that ran, and the accesses that were observed."""

    text: str
    number: int = 0
    failed: bool = False
    seen: frozenset[tuple[str, str]] = frozenset()
    written: tuple[str, ...] = ()
    drew: tuple[str, ...] = ()
    because: str = ""


class ProvenanceLog:
    """Follows the cells of a kernel. Plain cells are only noted, and analysed when the next step needs it.

    An error here never reaches a cell: the step is recorded without provenance instead.

    Args:
        shell: the kernel's shell.
        environment: seals environment variables, and tracks whether random generators were seeded.
        ignored: returns the files that do not count.
    """

    def __init__(
        self,
        shell: InteractiveShell,
        *,
        environment: ExecutionEnvironment,
        ignored: Callable[[], OwnFiles],
    ) -> None:
        self._namespace: dict[str, Any] = shell.user_ns
        self._environment, self._ignored = environment, ignored
        self._modules = ImportedModules()
        self._sources = self._new_sources()
        self._names = Provenance(
            modules=self._sources, ours={*MAGICS, ROOT, "pipeline run"}, seal=environment.sealed
        )
        self._pending: list[_ObservedCell] = []
        self._written: set[str] = set()
        self._tracer: AccessTracer | None = None
        self._generators = _generators()
        self._cached = CachedFunctions({})
        self._lock = threading.RLock()
        with suppress(Exception):
            self._modules.note()
            self._catch_up(shell)

    def _new_sources(self) -> ModuleSources:
        return ModuleSources(
            reader(self._modules.file),
            package_reader(self._modules.package),
            written=text_reader(self._modules.file),
            seal=self._environment.sealed,
        )

    def _catch_up(self, shell: InteractiveShell) -> None:
        """Read the cells that ran before the extension was loaded."""
        manager = shell.history_manager
        # The last one is the cell that loads the extension.
        texts = [] if manager is None else list(manager.input_hist_raw)[1:-1]
        self._pending += [
            _ObservedCell(text=text) for text in texts if text.strip() and heading(text) is None
        ]
        self._read_pending()
        hidden = getattr(shell, "user_ns_hidden", {})
        unknown = [name for name in self._namespace if name not in hidden and not name.startswith("_")]
        self._names.mark_unknown([name for name in unknown if name not in self._names.names])

    # Called by the session

    def close(self) -> None:
        """Stop tracing; calling it twice is fine."""
        tracer, self._tracer = self._tracer, None
        if tracer is not None:
            tracer.stop()
            put_back(self._namespace)

    def cell_begins(self) -> None:
        """Start to trace a cell."""
        with suppress(Exception):
            self.close()  # an interrupt may have kept the cell before from telling that it has ended
            self._cached = CachedFunctions(self._namespace)
            self._tracer = AccessTracer(ignored=self._ignored(), in_background=True)
            self._tracer.start()

    def cell_ended(self, result: ExecutionResult | None, *, is_plain: bool) -> None:
        """Note a cell that has ended.

        Args:
            result: the shell's result.
            is_plain: whether it was no step; steps are added by `traced`.
        """
        tracer, self._tracer = self._tracer, None
        before, self._generators = self._generators, _generators()
        try:
            if tracer is not None:
                # First of all: whatever fails below, the tracer must not go on watching the next cell.
                tracer.stop()
                put_back(self._namespace)
            if self._modules.note():
                self._sources = self._new_sources()
                with self._lock:
                    self._names.modules = self._sources
            if is_plain and result is not None:
                # A plain cell that drew or seeded shows it by the state of the generator,
                # whatever its code looks like.
                drew = [name for name, mark in self._generators.items() if mark != before.get(name, mark)]
                self._note(result, tracer, drew)
        except Exception:  # noqa: BLE001 - an error here must not reach the cell
            text = getattr(getattr(result, "info", None), "raw_cell", None) or ""
            self._pending.append(_ObservedCell(text=text, failed=True))  # its effects are unknown

    def traced(self, resolved: ResolvedStep, step: Step) -> Step:
        """Return a step's record with the provenance of what it used, and apply the step to the log."""
        if step.status in {Status.RUNNING, Status.SKIPPED}:
            return step
        try:
            with self._lock:
                return self._traced(resolved, step)
        except Exception:  # noqa: BLE001 - without provenance, the status of the file is `unknown`
            self._names.mark_unknown([*self._names.names, *step.outputs])
            return replace(step, provenance={})

    def of(self, resolved: ResolvedStep) -> Mapping[str, str]:
        """Return the provenance of what a step uses that another process is going to run."""
        try:
            with self._lock:
                self._read_pending()
                return self._of(resolved)
        except Exception:  # noqa: BLE001 - as above
            return {}

    def bound(self, step: Step, definition: StepDefinition | None) -> None:
        """Note that the outputs of a step were bound that ran in another process, and has not been noted."""
        try:
            with self._lock:
                self._read_pending()
                if definition is None:
                    self._names.mark_unknown([*step.outputs, *step.defines, *step.deletes])
                else:
                    apply(self._names, step, step_statements(definition.tree, definition.text))
        except Exception:  # noqa: BLE001 - without provenance, the status of the file is `unknown`
            self._names.mark_unknown([*self._names.names, *step.outputs])

    def cell_of(self, name: str) -> int:
        """Return the number of the cell that set a name to a value that is written out in it; 0 for any other."""
        source = self._names.names.get(name)
        return source.cell if source is not None and source.kind is SourceKind.VALUE else 0

    def text_of(self, name: str) -> str:
        """Return where the value of a variable comes from, equal for equal provenance; "" if that is unknown."""
        with self._lock:
            self._read_pending()
            source = self._names.names.get(name)
            return "" if source is None else source.text

    # Inner workings

    def _note(self, result: ExecutionResult, tracer: AccessTracer | None, drew: Sequence[str]) -> None:
        text = getattr(result.info, "raw_cell", None) or ""
        written = () if tracer is None else tuple(tracer.written())
        unseeded = [setting for setting in drew if self._environment.settings.digest(setting) == UNTOUCHED]
        self._pending.append(
            _ObservedCell(
                text=text,
                number=result.execution_count or 0,
                failed=not result.success,
                seen=frozenset(self._seen(text, tracer, written)) if tracer is not None else frozenset(),
                written=written,
                drew=tuple(drew),
                because="random numbers that nobody seeded" if unseeded else "",
            )
        )

    def _seen(self, text: str, tracer: AccessTracer, written: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        """Yield the files and environment variables that a cell read, or that its text or variables name."""
        environment = {
            name: self._environment.sealed(name, value) for name, value in tracer.environment.items()
        }
        observed = Observed(files=tracer.files(largest=_LARGEST), environment=environment)
        observed = self._cached.with_sources(self._namespace, observed)
        read = observed.files
        for path, mark in read.items():
            yield f"file {path}", mark
        for name, mark in observed.environment.items():
            yield f"environment {name}", mark
        values = {word: self._namespace.get(word) for word in set(_WORD.findall(text))}
        named = {*_QUOTED.findall(text)} | {
            text
            for word, each in values.items()
            if (text := path_text(each)) and not holds_secret(word, each)
        }
        for path in named:
            where = os.path.join(tracer.folder, path)
            if path in read or path in written or not _may_be_file(path, text):
                continue
            if path in text and path not in mask_source(text):
                continue  # the name would be recorded, and it is a secret
            if counts(os.path.abspath(where)) and os.path.abspath(where) not in self._ignored():
                yield f"file {path}", state(where, largest=_LARGEST)

    def _read_pending(self) -> None:
        pending, self._pending = self._pending, []
        names = self._names
        for cell in pending:
            statements = read_cell(cell.text)
            files, topics = names.files, dict(names.topics)
            names.run(
                statements,
                source=cell.text,
                number=cell.number,
                failed=cell.failed,
                seen=cell.seen,
                because=cell.because,
            )
            self._written.update(cell.written)
            if cell.written and names.files == files:  # its text does not show that it writes
                names.files = combined(files, "unseen", names.sealed_text(cell.text))
            for setting in cell.drew:
                if names.topics.get(setting) == topics.get(setting):
                    names.topics[setting] = combined(
                        topics.get(setting, ""), "unseen", names.sealed_text(cell.text)
                    )

    def _traced(self, resolved: ResolvedStep, step: Step) -> Step:
        self._read_pending()
        definition = resolved.definition
        statements = step_statements(definition.tree, definition.text)
        if not step.status.is_good:
            self._names.fail(statements)
            return step
        found = self._of(resolved)
        # Only now: what the step depends on is asked of the notebook as it was before the step.
        apply(self._names, step, statements)
        return replace(step, provenance=found)

    def _of(self, resolved: ResolvedStep) -> Mapping[str, str]:
        definition, parts = resolved.definition, resolved.parts
        contents = {
            name: artifact.digest
            for name, artifact in resolved.artifacts.items()
            if name not in resolved.values and name in parts.inputs
        }
        found = depends_on(
            self._names,
            self._sources,
            definition.analysis,
            parts,
            inputs=definition.options.inputs,
            ignored=definition.options.ignore,
            contents=contents,
            text=definition.text,
        )
        found.update((f"wrote {path}", "") for path in self._written)
        return found


def _may_be_file(text: str, cell: str) -> bool:
    """Whether a text may be the name of a file, so that it matters whether the file exists."""
    if not 0 < len(text) < _LONG or "://" in text or "\n" in text:
        return False
    return bool(_FILE.fullmatch(text) or _ASKS.search(cell)) or Path(text).exists()


def _generators() -> Mapping[str, int]:
    """Return setting → a mark of the state of each global random generator, which drawing and seeding change."""
    states = {generator.name: generator.read() for generator in _GENERATORS}
    return {name: hash(state) for name, state in states.items() if state is not None}
