"""Owns `UnstoredOutputs`: outputs of reused steps that cannot be stored, and that running their step again makes.

The step runs with the inputs it had, in the notebook's own dictionary: what it defines has to find the notebook's
variables later. Afterwards all variables, settings and random states are as before, but for the names that were asked
for. All else that the step makes has to come out as it was recorded, or the object would not belong to it.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from zennb.digests.digest import digest_cache, digest_value
from zennb.engine.step.namespace_changes import NamespaceSnapshot
from zennb.engine.step.resolve import resolve_step
from zennb.engine.step.uninterrupted import interruptible, uninterrupted
from zennb.errors import CannotDigest, LostOutput, StepRefused, ZennbError
from zennb.jupyter.cells.lazy_outputs import PLACEHOLDER
from zennb.views.view import note

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, MutableMapping, Sequence
    from contextlib import AbstractContextManager

    from zennb.core.records.records import Artifact, Step
    from zennb.dependencies.library_calls import LibraryCalls
    from zennb.dependencies.patches import Patch
    from zennb.digests.digest import ValueDigest
    from zennb.engine.environment.execution_environment import ExecutionEnvironment
    from zennb.engine.run.artifact_repository import ArtifactRepository
    from zennb.engine.run.variable_tracker import VariableTracker
    from zennb.engine.step.definition import StepDefinition
    from zennb.jupyter.cells.lazy_outputs import LazyOutputs
    from zennb.jupyter.cells.output_capture import OutputCapture
    from zennb.jupyter.cells.step_registry import StepRegistry

__all__ = ["KernelParts", "UnstoredOutputs"]

_ABSENT = object()


class KernelParts(Protocol):
    """The parts of a kernel's state that are used here (`KernelState`)."""

    namespace: dict[str, Any]
    variables: VariableTracker
    lazy_outputs: LazyOutputs
    registry: StepRegistry
    environment: ExecutionEnvironment
    capture: OutputCapture
    patches: set[Patch]
    calls: LibraryCalls

    @property
    def lock(self) -> AbstractContextManager[bool]:
        """Held while the notebook's variables are read or bound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Maker:
    """How an output is made again.

    Attributes:
        step: the record of the step that was reused.
        definition: the step as its cell defined it then.
        repository: has its inputs.
        settings: sets settings, random states and environment variables as they were when it was reused.
        code: the functions, classes and modules that it used, by name; the notebook may define others since.
    """

    step: Step
    definition: StepDefinition
    repository: ArtifactRepository
    settings: Callable[[], None]
    code: Mapping[str, Any]


class UnstoredOutputs:
    """Makes outputs again that cannot be stored.

    Args:
        session: the kernel's session.
    """

    def __init__(self, session: KernelParts) -> None:
        self._session = session
        self._makers: dict[str, _Maker] = {}
        self._live: dict[str, tuple[Any, Artifact]] = {}

    def note(
        self,
        step: Step,
        definition: StepDefinition,
        repository: ArtifactRepository,
        settings: Callable[[], None] | None = None,
        code: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        """Note that a step was reused, and how what it did not store is made again.

        Args:
            step: its record.
            definition: the step.
            repository: has its inputs.
            settings: sets settings as they were before; None to leave what is known, or as they are.
            code: the functions, classes and modules that it uses, by name.
        """
        maker = _Maker(
            step=step,
            definition=definition,
            repository=repository,
            settings=settings or (lambda: None),
            code=code,
        )
        for name, artifact in step.outputs.items():
            known = self._makers.get(name)
            is_known = known is not None and known.step.outputs[name].digest == artifact.digest
            if not artifact.is_stored and (settings is not None or not is_known):
                self._makers[name] = maker

    def note_all(self, steps: Iterable[Step], repository: ArtifactRepository) -> None:
        """Note the steps of a run whose outputs were bound in the notebook."""
        for step in steps:
            if (definition := self._session.registry.known(step.name)) is not None:
                self.note(step, definition, repository)

    def bound(self, step: Step, names: Iterable[str]) -> None:
        """Note that variables hold what a step could not store."""
        for name in names:
            artifact = step.outputs.get(name)
            if artifact is not None and not artifact.is_stored and name in self._session.namespace:
                self._live[name] = (self._session.namespace[name], artifact)

    def is_live(self, name: str, artifact: Artifact) -> bool:
        """Whether a variable holds what a run of a step made and could not store."""
        value, made = self._live.get(name, (_ABSENT, artifact))
        return value is self._session.namespace.get(name) and made.digest == artifact.digest

    def sweep(self) -> None:
        """Drop values that the namespace no longer holds under their name."""
        namespace = self._session.namespace
        for name in [n for n, (value, _) in self._live.items() if namespace.get(n, _ABSENT) is not value]:
            del self._live[name]

    def beside(self, namespace: Mapping[str, Any], given: Collection[str]) -> Mapping[str, Any]:
        """Return a namespace in which a name that is pending exists, for functions that read it."""
        names = self._session.lazy_outputs.unstored.difference(given)
        return {**namespace, **dict.fromkeys(names, PLACEHOLDER)} if names else namespace

    def digest(self, name: str, value: Any) -> tuple[ValueDigest, Artifact | None]:
        """Return the digest of a variable, and the artifact it is, as `VariableTracker.digest` does.

        Raises:
            CannotDigest: it has none, or is pending.
        """
        if value is PLACEHOLDER:
            raise CannotDigest(name, "which cannot be stored")
        return self._session.variables.digest(name, value)

    def make(self, names: Iterable[str]) -> None:
        """Bind names that are pending, and say which steps ran for it.

        Raises:
            LostOutput: a step cannot be run again, or would make something else by now.
        """
        __tracebackhide__ = True
        lazy_outputs = self._session.lazy_outputs
        wanted = list(names)
        for name in wanted:
            if name not in lazy_outputs.unstored:  # made with another one
                continue
            artifact = lazy_outputs.artifacts([name])[name]
            maker = self._makers.get(name)
            if maker is None or maker.step.outputs.get(name, artifact).digest != artifact.digest:
                raise _lost(name, lazy_outputs.step_of(name), "its cell has not run in this kernel")
            together = [each for each in maker.step.outputs if self._is_pending(each, maker)]
            made = self._made(name, maker, together)
            with uninterrupted():
                self._session.namespace.update(made)
                lazy_outputs.forget(made)
                self.bound(maker.step, made)
            read = [f"`{each}`" for each in wanted if each in made]
            verb = "cannot be stored and this cell reads " + ("it" if len(read) == 1 else "them")
            shown = note(f"{maker.step.name} ran again: {' and '.join(read)} {verb}")
            # Marked as ours, like a status line: `zennb check` leaves it out.
            self._session.capture.publish(shown._repr_mimebundle_(), {"zennb": []})

    def _is_pending(self, name: str, maker: _Maker) -> bool:
        return name in self._session.lazy_outputs.unstored and self._makers.get(name) is maker

    def _made(self, name: str, maker: _Maker, wanted: Sequence[str]) -> dict[str, Any]:
        __tracebackhide__ = True
        session, step = self._session, maker.step.name
        try:
            with session.lock, session.capture.discarding(), uninterrupted():
                settings = session.environment.undo()
                before = dict(session.namespace)
                try:
                    maker.settings()
                    with interruptible():
                        return self._run(maker, wanted)
                finally:
                    _put_back(session.namespace, before)
                    settings()
        except ZennbError as error:
            raise _lost(name, step, error.message.rstrip(".")) from error
        except Exception as error:
            raise _lost(name, step, f"it failed ({type(error).__name__}: {error})") from error

    def _run(self, maker: _Maker, wanted: Sequence[str]) -> dict[str, Any]:
        """Run a step, and return what it made of the outputs that are wanted."""
        session, definition, step = self._session, maker.definition, maker.step
        namespace = session.namespace
        observed, unstored = step.observed, [each for each in step.outputs.values() if not each.is_stored]
        if all(each.type.startswith("sqlite3.") for each in unstored):
            observed = replace(observed, files={})  # a connection reads the database when it is asked
        if changed := session.environment.stale(observed):
            raise StepRefused(changed)
        namespace.update(maker.code)
        namespace.update(maker.repository.load(step.inputs))
        with digest_cache():
            resolved = resolve_step(
                definition,
                namespace,
                value_digest=lambda name, value: (digest_value(value, name=name), None),
                partners=lambda digests, holders: session.variables.partners_unless_alone(
                    digests, namespace, holders
                ),
                patches=session.patches,
                calls=session.calls,
            )
        if step.cache_key not in {resolved.cache_key, resolved.key_without_maybe_reads}:
            raise StepRefused("what it depends on has changed since")
        snapshot = NamespaceSnapshot(namespace, definition, resolved.dependencies.writes)
        snapshot.hide()
        code = definition.compiled(definition.tree, "exec")
        assert not code.co_flags & inspect.CO_COROUTINE  # `why_not_postponed` has seen to that
        exec(code, namespace)
        with digest_cache():
            for name, artifact in step.outputs.items():
                if artifact.is_stored and _digest(name, namespace.get(name, _ABSENT)) != artifact.digest:
                    raise StepRefused(f"it makes another `{name}` each time")
        return {name: namespace[name] for name in wanted}


def _put_back(namespace: MutableMapping[str, Any], before: Mapping[str, Any]) -> None:
    for name in [each for each in namespace if each not in before]:
        del namespace[name]
    for name, value in before.items():
        if namespace.get(name, _ABSENT) is not value:
            namespace[name] = value


def _digest(name: str, value: object) -> str:
    try:
        found: ValueDigest = digest_value(value, name=name)
    except CannotDigest:
        return ""
    return found.digest


def _lost(name: str, step: str, why: str) -> LostOutput:
    return LostOutput(
        f"`{name}`, which this cell reads, cannot be stored, and step '{step}' cannot make it again: {why}. "
        f"Nothing else is touched; run `%%step {step} --rerun`.",
        step=step,
    )
