"""Owns `StepRestorer`: restores definitions, settings and outputs of a recorded step in the notebook."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from zennb.digests.digest import digest_cache, digest_value
from zennb.engine.environment.open_figures import PYPLOT, named_in, numbers_of, opened_again
from zennb.engine.run.unit_of_work import unstored_in
from zennb.engine.step.input_parts import part_in
from zennb.engine.step.loaded_modules import MODULES
from zennb.engine.step.static_usage import StaticUsage
from zennb.engine.step.uninterrupted import interruptible, uninterrupted
from zennb.errors import (
    BrokenLibrary,
    CannotDigest,
    DamagedArtifact,
    MissingDefinition,
    MissingExtra,
    StepRefused,
    StoreError,
    UnknownName,
    UntrustedArtifact,
)
from zennb.jupyter.cells.repeated_definitions import repeated_definitions
from zennb.packages.half_imported import naming_half_imported

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, MutableMapping
    from contextlib import AbstractContextManager

    from zennb.core.records.records import Artifact, Step
    from zennb.digests.digest import ValueDigest
    from zennb.engine.run.artifact_repository import ArtifactRepository
    from zennb.engine.run.run_context import RunContext
    from zennb.engine.step.definition import StepDefinition
    from zennb.errors import ZennbError
    from zennb.jupyter.cells.repeated_definitions import RepeatedDefinitions
    from zennb.jupyter.kernel.state import KernelState

__all__ = [
    "NotRestoredError",
    "StepRestorer",
    "all_or_nothing",
    "as_not_restored",
    "bind_outputs",
    "restored_words",
]

_NOT_RESTORED = (
    StoreError,
    UnknownName,
    UntrustedArtifact,
    MissingDefinition,
    MissingExtra,
    StepRefused,
    CannotDigest,
)
"""What `StepRestorer` raises when results cannot be restored, so that the step has to run."""

_ABSENT = object()


class NotRestoredError(Exception):
    """Results cannot be restored, so the step has to run."""

    def __init__(self, why: ZennbError) -> None:
        super().__init__(str(why))
        self.why = why


@contextmanager
def as_not_restored() -> Iterator[None]:
    """Tell errors of loading results from those of recording the step, which are of the same types."""
    try:
        yield
    except _NOT_RESTORED as error:
        raise NotRestoredError(error) from error


@contextmanager
def all_or_nothing(
    namespace: MutableMapping[str, Any], names: Iterable[str], undo_settings: Callable[[], None]
) -> Iterator[None]:
    """Bind what a step binds in one act: no interrupt cuts it in half, and an error takes all of it back.

    Functions and classes look names up where they were defined, so definitions have to be executed in the notebook
    itself, and what they bind is taken back if they fail or are interrupted. They, and whatever else takes long, belong
    into an `interruptible` block within this one.

    Args:
        namespace: the notebook's variables.
        names: those that the block may bind or delete.
        undo_settings: restores the settings.
    """
    with uninterrupted():
        before = {name: namespace.get(name, _ABSENT) for name in names}
        try:
            yield
        except BaseException:
            for name, value in before.items():
                if value is _ABSENT:
                    namespace.pop(name, None)
                else:
                    namespace[name] = value
            undo_settings()
            raise


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
        self._definitions: RepeatedDefinitions | None = None  # set by `restoring`
        self._modules: Collection[str] = ()  # set by `fetch`
        self._open_figures: Callable[[], None] = lambda: None  # set by `fetch`
        self._settings: Callable[[], None] = lambda: None  # set by `restoring`

    def restoring(
        self, step: Step, undo_settings: Callable[[], None] | None = None
    ) -> AbstractContextManager[None]:
        """Return the context in which to `fetch` the results of a step, and to `bind` them: all of them, or none.

        Args:
            step: the record.
            undo_settings: restores the settings, if the step has changed any.

        Raises:
            StoreError, UntrustedArtifact, MissingDefinition: its definitions read an output that cannot be loaded.
        """
        if not all(artifact.is_stored for artifact in step.outputs.values()):
            self._settings = self._session.environment.undo()
        # In silence: IPython has shown the compiler's warnings for this cell just now.
        with uninterrupted(), self._session.capture.discarding():
            definitions = self._definitions = repeated_definitions(self._definition, step)
        names = {*step.outputs, *step.defines, *step.deletes}
        if definitions is not None:
            # They may read outputs of other steps that no cell has read yet; these stay bound in any case.
            lazy_outputs = self._session.lazy_outputs
            self._session.load(lazy_outputs.named_in_definitions(definitions.text) - names)
            lazy_outputs.mark_used(definitions.text)
            names |= {*definitions.code.co_names}
        if undo_settings is None:
            evaluates = definitions is not None and definitions.evaluates
            undo_settings = self._session.environment.undo() if evaluates else lambda: None
        return all_or_nothing(self._session.namespace, names, undo_settings)

    def fetch(
        self,
        step: Step,
        changes: Mapping[str, Any] = MappingProxyType({}),
        uses: StaticUsage = _NOTHING_USED,
    ) -> dict[str, tuple[Any, ValueDigest]]:
        """Load the small outputs of a recorded step, apply its changes, and execute its definitions again.

        It can be interrupted, and then leaves to `restoring` what has been bound so far.

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
        figures = changes.get(PYPLOT)
        numbers = numbers_of(self._session.namespace, figures)
        unstored = unstored_in(self._run_context.store)
        large = self._session.lazy_outputs.deferrable(step.outputs, unstored) - _of_figures(step, figures)
        now = {name: artifact for name, artifact in step.outputs.items() if name not in large}
        # Instances of classes that this cell defines can be loaded only when the definitions have run; and these may
        # read the other outputs (a default argument, a base class from a dictionary).
        later = {name for name, artifact in now.items() if set(artifact.needs) & set(step.defines)}
        with self._session.capture.discarding():  # what objects print while they are looked at
            modules = self._modules = changes.get(MODULES, ())
            parts = {name: self._part(now.pop(name)) for name in list(now) if now[name].part_of}
            early = {name: each for name, each in now.items() if name not in later}
            values = repository.load(early, modules)
            self._define(values, changes, uses)
            values.update(repository.load({name: now[name] for name in later}, modules))
            if figures is not None:
                self._open_figures = opened_again(figures, values, numbers, repository.load_unnamed)
            values.update(parts)
            with digest_cache():
                known = self._unchanged(early, values)
                found = {
                    n: (value, known.get(n) or self._session.seen(step.outputs[n], value))
                    for n, value in values.items()
                }
        if changed := [name for name in parts if found[name][1].digest != step.outputs[name].digest]:
            raise DamagedArtifact(
                f"`{changed[0]}` is another part now.", digest=step.outputs[changed[0]].blob
            )
        return found

    def _part(self, artifact: Artifact) -> Any:
        """Return an output that is a part of an input: of the very object that the notebook has."""
        whole = artifact.part_of
        self._session.load(self._session.lazy_outputs.artifacts([whole]))
        if whole in self._session.namespace:
            return part_in(self._session.namespace[whole], artifact)
        return self._run_context.artifacts.load({artifact.name: artifact})[artifact.name]

    def bind(
        self,
        step: Step,
        restored: Mapping[str, tuple[Any, ValueDigest]],
        code: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        """Bind the outputs of a step that `fetch` has loaded.

        Args:
            step: the record.
            restored: name → value and content.
            code: the functions, classes and modules that the step uses, by name.
        """
        self._session.lazy_outputs.forget(step.defines)
        bind_outputs(
            self._session,
            step.outputs,
            {name: value for name, (value, _) in restored.items()},
            digests={name: digest for name, (_, digest) in restored.items()},
            repository=self._run_context.artifacts,
            makers=dict.fromkeys(step.outputs, step.name),
            deleted=step.deletes,
            modules=self._modules,
        )
        repository = self._run_context.artifacts
        self._session.unstored.note(step, self._definition, repository, self._settings, code)
        self._open_figures()

    def _define(self, values: Mapping[str, Any], changes: Mapping[str, Any], uses: StaticUsage) -> None:
        """Apply settings, bind `values`, and execute the cell's imports and definitions again, without output."""
        definitions = self._definitions
        # Before `restore`, which may change the folder: `%cd data` would be done twice.
        folder = Path.cwd() if definitions is not None and definitions.has_settings else None
        self._run_context.environment.restore(changes, uses)
        if definitions is None:
            return
        self._session.namespace.update(values)
        before = self._run_context.environment.random_states() if definitions.evaluates else {}
        # An interrupt ends the user's code, but not the way back from it: output would stay discarded.
        with uninterrupted(), self._session.capture.discarding(), _in_folder(folder or Path.cwd()):
            try:
                with interruptible(), naming_half_imported("its imports cannot be executed again"):
                    exec(definitions.code, self._session.namespace)
            except BrokenLibrary:
                raise
            except Exception as error:
                why = f"{type(error).__name__}: {error}"
                raise StepRefused(f"its definitions could not be executed again ({why})") from error
        if definitions.calls:  # `sns.set_theme()` sets options that the step has set otherwise since
            self._run_context.environment.settings.apply(changes)
        if definitions.evaluates and self._run_context.environment.random_states() != before:
            raise _changing("a random generator")
        self._run_context.environment.rewrite(changes)

    def _unchanged(self, stored: Mapping[str, Artifact], values: Mapping[str, Any]) -> dict[str, ValueDigest]:
        """Return the content of the outputs that were there when definitions ran, if these may have changed some.

        Raises:
            StepRefused: they have.
        """
        if self._definitions is None or not self._definitions.evaluates:
            return {}
        found = _content(values, stored)
        others = {name: stored[name] for name, seen in found.items() if seen.digest != stored[name].digest}
        # Some values have another digest as soon as they are loaded.
        if others:
            again = _content(self._run_context.artifacts.load(others, self._modules), others)
            for name in others:
                if name not in again or again[name].digest != found[name].digest:
                    raise _changing(f"`{name}`")
        return found


def _content(values: Mapping[str, Any], names: Iterable[str]) -> dict[str, ValueDigest]:
    found = {}
    for name in names:
        with suppress(CannotDigest):
            found[name] = digest_value(values[name], name=name)
    return found


def _changing(what: str) -> StepRefused:
    # What they define may differ as well.
    return StepRefused(f"its definitions change {what} when they are executed again")


def _of_figures(step: Step, figures: Mapping[str, Any] | None) -> set[str]:
    """Return the outputs that pyplot needs at once, and those in the same blobs."""
    blobs = {step.outputs[name].blob for name in named_in(figures) if name in step.outputs}
    return {name for name, artifact in step.outputs.items() if artifact.blob in blobs}


def bind_outputs(
    session: KernelState,
    outputs: Mapping[str, Artifact],
    values: Mapping[str, Any],
    *,
    repository: ArtifactRepository,
    makers: Mapping[str, str],
    deleted: Iterable[str],
    digests: Mapping[str, ValueDigest] = MappingProxyType({}),
    modules: Collection[str] = (),
) -> None:
    """Bind outputs in the notebook in one act, and note which artifacts its variables are.

    Args:
        session: the kernel's session.
        outputs: name → artifact.
        values: name → value, of those that are bound now. The others stay in the store until a cell names them.
        repository: loads them then.
        makers: name → the step that made it.
        deleted: names that are unbound.
        digests: name → content, where it is known already.
        modules: what the step had loaded.
    """
    values = {**values, **_parts_held(session, outputs, values)}
    with uninterrupted():
        session.namespace.update(values)
        session.lazy_outputs.forget((*values, *deleted))
        for name in outputs.keys() - values.keys():
            session.lazy_outputs.defer({name: outputs[name]}, repository, step=makers[name], modules=modules)
        for name in deleted:
            session.namespace.pop(name, None)
        for name, value in values.items():  # only now: the digest of one value may need another value
            session.note_restored(name, value, outputs[name], makers[name])
            value_digest = digests[name] if name in digests else session.seen(outputs[name], value)
            session.variables.bind(name, value, outputs[name], value_digest)


def _parts_held(
    session: KernelState, outputs: Mapping[str, Artifact], values: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the outputs that are parts of what the notebook holds: the very objects."""
    found = {}
    for name, artifact in outputs.items():
        whole = artifact.part_of
        held = session.artifact_of(whole) if whole and name in values and whole not in outputs else None
        if held is not None and held.digest == artifact.whole.digest:
            session.load(session.lazy_outputs.artifacts([whole]))
            found[name] = part_in(session.namespace[whole], artifact)
    return found


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


def restored_words(names: list[str]) -> str:
    """Say which inputs were restored after a step had failed; "" for none."""
    return ", ".join(f"`{name}`" for name in names) + " put back as before the step" if names else ""
