"""Owns how the results of a recorded step come back into the notebook: definitions, settings and values."""

from __future__ import annotations

import ast
import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from zennb.core.magic_lines.settings import setting_lines
from zennb.core.reading.source import definitions
from zennb.digests.digest import digest_cache
from zennb.errors import (
    CannotDigest,
    MissingDefinition,
    MissingExtra,
    StepRefused,
    StoreError,
    UntrustedArtifact,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from zennb.core.records.records import Step
    from zennb.digests.digest import ValueDigest
    from zennb.engine.run.run_context import RunContext
    from zennb.engine.step.definition import StepDefinition
    from zennb.jupyter.kernel.state import KernelState

__all__ = ["NOT_RESTORED", "Restored", "StepRestorer"]

NOT_RESTORED = (
    StoreError,
    UntrustedArtifact,
    MissingDefinition,
    MissingExtra,
    StepRefused,
    CannotDigest,
)
"""What `StepRestorer.fetch` raises when recorded results cannot be had: the step has to run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """Results that are at hand.

    Attributes:
        values: output name → value.
        digests: the same names → content.
        large: outputs that stay in the store until a cell names them.
    """

    values: Mapping[str, Any]
    digests: Mapping[str, ValueDigest]
    large: frozenset[str]


class StepRestorer:
    """Brings back what one step left, as running its cell would.

    Args:
        session: the kernel's session.
        run_context: the stack whose store has the results.
        definition: the step as its cell states it now.
    """

    def __init__(self, session: KernelState, run_context: RunContext, definition: StepDefinition) -> None:
        self._session, self._site, self._definition = session, run_context, definition

    def fetch(self, step: Step, changes: Mapping[str, Any] = MappingProxyType({})) -> Restored:
        """Load the small outputs of a recorded step; make its changes, and execute its definitions again.

        Args:
            step: the record.
            changes: settings, environment variables and files to be set as the step left them.

        Raises:
            StoreError, UntrustedArtifact, MissingDefinition, CannotDigest: a result cannot be loaded.
            StepRefused: its definitions cannot be executed again.
        """
        repository = self._site.artifacts
        large = frozenset(self._session.lazy_outputs.deferrable(step.outputs))
        now = {name: artifact for name, artifact in step.outputs.items() if name not in large}
        later = {name for name, artifact in now.items() if set(artifact.needs) & set(step.defines)}
        values = repository.load({name: artifact for name, artifact in now.items() if name not in later})
        self._define(step, values, changes)
        values.update(repository.load({name: now[name] for name in later}))
        with digest_cache():
            digests = {name: self._session.seen(now[name], value) for name, value in values.items()}
        return Restored(values=values, digests=digests, large=large)

    def bind(self, step: Step, restored: Restored) -> None:
        """Let the notebook's variables hold the results, and note which artifacts they are."""
        session, pending = self._session, self._session.lazy_outputs
        session.namespace.update(restored.values)
        pending.forget((*restored.values, *step.defines, *step.deletes))
        pending.defer(
            {name: step.outputs[name] for name in restored.large}, self._site.artifacts, step=step.name
        )
        for name in step.deletes:
            session.namespace.pop(name, None)
        for name, value in restored.values.items():
            session.variables.bind(name, value, step.outputs[name], restored.digests[name])

    def _define(self, step: Step, values: Mapping[str, Any], changes: Mapping[str, Any]) -> None:
        """Set settings, and execute imports, functions and classes of the cell again, unseen; `values` come first."""
        tree = self._definition.tree
        settings = setting_lines(tree)
        again = definitions(tree, step.defines, also=settings) if step.defines or settings else None
        folder = Path.cwd() if settings else None
        self._site.environment.apply(changes)
        if not again:
            return
        self._session.namespace.update(values)
        module = ast.fix_missing_locations(ast.Module(body=list(again), type_ignores=[]))
        code = compile(module, self._definition.filename, "exec", dont_inherit=True)
        text = ast.unparse(module)
        self._session.load(self._session.lazy_outputs.named_in(text))
        self._session.lazy_outputs.mark_used(text)
        with self._session.capture.discarding(), _in_folder(folder or Path.cwd()):
            try:
                exec(code, self._session.namespace)
            except Exception as error:
                raise StepRefused(
                    f"its definitions could not be executed again ({type(error).__name__}: {error})"
                ) from error


@contextmanager
def _in_folder(folder: Path) -> Iterator[None]:
    """Work in a folder for a while: lines such as `%cd data` go from where the cell began."""
    after = Path.cwd()
    if folder != after:
        os.chdir(folder)
    try:
        yield
    finally:
        if Path.cwd() != after:
            os.chdir(after)
