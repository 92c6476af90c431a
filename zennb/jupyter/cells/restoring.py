"""Owns `StepRestorer`: restores definitions, settings and outputs of a recorded step in the notebook."""

from __future__ import annotations

import ast
import os
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from zennb.core.magic_lines.settings import setting_lines
from zennb.core.reading.source import definitions
from zennb.digests.digest import digest_cache
from zennb.engine.step.static_usage import StaticUsage
from zennb.errors import (
    CannotDigest,
    MissingDefinition,
    MissingExtra,
    StepRefused,
    StoreError,
    UnknownName,
    UntrustedArtifact,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from zennb.core.records.records import Artifact, Step
    from zennb.digests.digest import ValueDigest
    from zennb.engine.run.artifact_repository import ArtifactRepository
    from zennb.engine.run.run_context import RunContext
    from zennb.engine.step.definition import StepDefinition
    from zennb.jupyter.kernel.state import KernelState

__all__ = ["NOT_RESTORED", "StepRestorer", "bind_outputs"]

NOT_RESTORED = (
    StoreError,
    UnknownName,
    UntrustedArtifact,
    MissingDefinition,
    MissingExtra,
    StepRefused,
    CannotDigest,
)
"""What `StepRestorer.fetch` raises when results cannot be restored, so that the step has to run."""

_NOTHING_USED = StaticUsage()


class StepRestorer:
    """Restores the results of one step, as if its cell had run.

    Args:
        session: the kernel's session.
        run_context: the stack whose artifact store has the results.
        definition: the step as its cell defines it now.
    """

    def __init__(self, session: KernelState, run_context: RunContext, definition: StepDefinition) -> None:
        self._session, self._run_context, self._definition = session, run_context, definition

    def fetch(
        self,
        step: Step,
        changes: Mapping[str, Any] = MappingProxyType({}),
        uses: StaticUsage = _NOTHING_USED,
    ) -> dict[str, tuple[Any, ValueDigest]]:
        """Load the small outputs of a recorded step, apply its changes, and execute its definitions again.

        Args:
            step: the record.
            changes: settings, environment variables and files as the step left them.
            uses: what its code uses and names; it may restore nothing else.

        Returns:
            Output name → value and content. The others are large, and stay in the store until a cell names them.

        Raises:
            StoreError, UntrustedArtifact, MissingDefinition, CannotDigest: a result cannot be loaded.
            StepRefused: its definitions cannot be executed again.
        """
        repository = self._run_context.artifacts
        large = frozenset(self._session.lazy_outputs.deferrable(step.outputs))
        now = {name: artifact for name, artifact in step.outputs.items() if name not in large}
        # Instances of classes that this cell defines can be loaded only when the definitions have run; and these may
        # read the other outputs (a default argument, a base class from a dictionary).
        later = {name for name, artifact in now.items() if set(artifact.needs) & set(step.defines)}
        values = repository.load({name: artifact for name, artifact in now.items() if name not in later})
        self._define(step, values, changes, uses)
        values.update(repository.load({name: now[name] for name in later}))
        with digest_cache():
            return {name: (value, self._session.seen(now[name], value)) for name, value in values.items()}

    def bind(self, step: Step, restored: Mapping[str, tuple[Any, ValueDigest]]) -> None:
        """Bind the outputs of a step that `fetch` has loaded."""
        self._session.lazy_outputs.forget(step.defines)
        bind_outputs(
            self._session,
            step.outputs,
            {name: value for name, (value, _) in restored.items()},
            digests={name: digest for name, (_, digest) in restored.items()},
            repository=self._run_context.artifacts,
            makers=dict.fromkeys(step.outputs, step.name),
            deleted=step.deletes,
        )

    def _define(
        self, step: Step, values: Mapping[str, Any], changes: Mapping[str, Any], uses: StaticUsage
    ) -> None:
        """Apply settings, bind `values`, and execute the cell's imports and definitions again, without output."""
        tree = self._definition.tree
        settings = setting_lines(tree)
        again = definitions(tree, step.defines, also=settings) if step.defines or settings else None
        # Before `apply`, which may change the folder: `%cd data` would be done twice.
        folder = Path.cwd() if settings else None
        self._run_context.environment.restore(changes, uses)
        if not again:
            return
        self._session.namespace.update(values)
        module = ast.fix_missing_locations(ast.Module(body=list(again), type_ignores=[]))
        text = ast.unparse(module)
        # Definitions may read outputs of other steps that no cell has read yet.
        self._session.load(self._session.lazy_outputs.named_in(text))
        self._session.lazy_outputs.mark_used(text)
        with self._session.capture.discarding(), _in_folder(folder or Path.cwd()):
            try:
                # Under the cell's file name and with its line numbers, so that the functions find their source. In
                # silence as well: IPython has shown the compiler's warnings for this cell just now.
                code = compile(module, self._definition.filename, "exec", dont_inherit=True)
                exec(code, self._session.namespace)
            except Exception as error:
                raise StepRefused(
                    f"its definitions could not be executed again ({type(error).__name__}: {error})"
                ) from error


def bind_outputs(
    session: KernelState,
    outputs: Mapping[str, Artifact],
    values: Mapping[str, Any],
    *,
    repository: ArtifactRepository,
    makers: Mapping[str, str],
    deleted: Iterable[str],
    digests: Mapping[str, ValueDigest] = MappingProxyType({}),
) -> None:
    """Bind outputs in the notebook, and note which artifacts its variables are.

    Args:
        session: the kernel's session.
        outputs: name → artifact.
        values: name → value, of those that are bound now. The others stay in the store until a cell names them.
        repository: loads them then.
        makers: name → the step that made it.
        deleted: names that are unbound.
        digests: name → content, where it is known already.
    """
    session.namespace.update(values)
    session.lazy_outputs.forget((*values, *deleted))
    for name in outputs.keys() - values.keys():
        session.lazy_outputs.defer({name: outputs[name]}, repository, step=makers[name])
    for name in deleted:
        session.namespace.pop(name, None)
    for name, value in values.items():  # only now: the digest of one value may need another value
        value_digest = digests[name] if name in digests else session.seen(outputs[name], value)
        session.variables.bind(name, value, outputs[name], value_digest)


@contextmanager
def _in_folder(folder: Path) -> Iterator[None]:
    """Work in a folder for a while: lines such as `%cd data` start where the cell started."""
    after = Path.cwd()
    if folder != after:
        os.chdir(folder)
    try:
        yield
    finally:
        if Path.cwd() != after:
            os.chdir(after)
