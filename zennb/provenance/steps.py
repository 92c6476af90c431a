"""Owns the provenance of steps: applying the recorded outputs of a step, and collecting what it depends on."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from zennb.core.reading.definitions import flattened
from zennb.core.records.records import PLAIN
from zennb.provenance.cell_statements import CellStatement, read_statements
from zennb.provenance.value_source import StepOutput

if TYPE_CHECKING:
    import ast
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from zennb.core.reading.source import Analysis
    from zennb.core.records.records import CacheKeyParts, Step
    from zennb.provenance.module_source import ModuleSources
    from zennb.provenance.notebook import Provenance

__all__ = ["apply", "depends_on", "same_imports", "step_statements"]

_READ: WeakKeyDictionary[ast.Module, tuple[CellStatement, ...]] = WeakKeyDictionary()

_NO_SETTINGS = frozenset({"environment variables", "files", "result"})
"""What else is kept with a step's changes; it is followed by itself."""


def step_statements(tree: ast.Module, text: str) -> tuple[CellStatement, ...]:
    """Return the statements of a step, read once from its syntax and its text."""
    found = _READ.get(tree)
    if found is None:
        found = _READ[tree] = read_statements(list(flattened(tree.body)), text)
    return found


def same_imports(tree: ast.Module, text: str, namespace: Mapping[str, Any]) -> set[str]:
    """Return the names that a step imports and that variables bind to the same, as after `import time` in both."""
    found = set()
    for statement in step_statements(tree, text):
        for name, path in statement.imports.items():
            module, _, attribute = path.rpartition(".")
            imported = sys.modules.get(path, getattr(sys.modules.get(module), attribute, None))
            if imported is not None and imported is namespace.get(name):
                found.add(name)
    return found


def apply(
    provenance: Provenance, step: Step, statements: Iterable[CellStatement], *, number: int = 0
) -> None:
    """Apply a step that completed or was reused."""
    settings = {} if step.carried is None else dict.fromkeys(step.carried.names, step.carried.blob)
    provenance.step(
        step.name,
        tuple(statements),
        outputs={
            name: StepOutput(
                digest=artifact.digest,
                type=artifact.type,
                needs=artifact.needs,
                is_data=artifact.materializer == PLAIN,
            )
            for name, artifact in step.outputs.items()
        },
        defines=step.defines,
        deletes=step.deletes,
        settings={name: blob for name, blob in settings.items() if name not in _NO_SETTINGS},
        number=number,
    )


def depends_on(
    provenance: Provenance,
    modules: ModuleSources,
    analysis: Analysis,
    parts: CacheKeyParts,
    *,
    inputs: Iterable[str] = (),
    ignored: Collection[str] = (),
    contents: Mapping[str, str] | None = None,
    text: str = "",
) -> dict[str, str]:
    """Return what a step depends on in a notebook, for its record and for later comparison.

    Args:
        provenance: the notebook as it stands before the step.
        modules: local modules.
        analysis: what the step's code does with names.
        parts: what its key is made of.
        inputs: names that are read although the code does not show it.
        ignored: names that do not count.
        contents: input → digest of its content, where that is known.
        text: the text of the step.
    """
    reads = {**dict.fromkeys((*inputs, *parts.inputs), frozenset[str]()), **analysis.reads}
    reads = {name: bound.union(ignored) for name, bound in reads.items() if name not in ignored}
    reached = dict.fromkeys(
        each for name, bound in reads.items() for each in provenance.reached([name], bound)
    )
    named = [name for name in provenance.looked_up(reached, analysis) if name not in ignored]
    reads.update((name, frozenset(ignored)) for name in named if name not in reached)
    found = provenance.of(reads)
    found.update(provenance.written([*reached, *named], analysis, text=text))
    # These are known by content, whatever statement bound them in the kernel.
    found.update((name, f"value {digest}") for name, digest in (contents or {}).items())
    for key in _module_keys(parts.reached, modules, provenance, analysis):
        found[key] = modules.text(key.removeprefix("module ").removesuffix(".*"))
    return found


def _module_keys(
    reached: Iterable[str], modules: ModuleSources, provenance: Provenance, analysis: Analysis
) -> Iterator[str]:
    """Yield `module NAME.PART` for each part of a local module that is reached, `module NAME.*` for a whole module."""
    for each in reached:
        kind, _, path = each.partition(" ")
        if kind in {"function", "class", "constant", "name"} and modules.large(path) is not None:
            yield f"module {path.partition('.')[0]}.*"
        elif kind in {"function", "class", "constant", "name"} and (found := modules.split(path)) is not None:
            yield f"module {found[0].name}.{found[1] or '*'}"
    paths = {".".join(path) for path in analysis.modules}
    for name in provenance.reached(analysis.reads):
        source = provenance.names[name]
        if source.kind == "import" and any(
            chain == (name,) for chain in analysis.chains | source.inner.chains
        ):
            paths.add(f"{source.own}.*")
        paths |= source.inner.modules
    for path in paths:
        if modules.large(path) is not None:
            yield f"module {path.partition('.')[0]}.*"
        elif path.endswith(".*") and (found := modules.split(path[:-2])) is not None and not found[1]:
            yield f"module {found[0].name}.*"
