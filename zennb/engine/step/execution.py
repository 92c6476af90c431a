"""Owns `StepExecution`: the start, the recording and the outcome of one execution of a step in a namespace.

It is the same for a cell whose body IPython runs and for a step that runs outside the notebook; only who executes the
code between `start` and `finish` differs.
"""

from __future__ import annotations

import ast
import os
import sys
import time
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import is_a
from zennb.compat.shown_warnings import warnings_remembered
from zennb.compat.widgets import is_live
from zennb.core.secrets.names import Suspicion, suspicion
from zennb.core.secrets.values import holds_known, holds_secret, secrets_in
from zennb.digests.digest import ValueDigest, digest_value
from zennb.engine.environment.evaluated_code import EvaluatedCode
from zennb.engine.environment.execution_environment import SHOWN
from zennb.engine.environment.main_reads import MainReads
from zennb.engine.environment.open_figures import PYPLOT, FigureRecorder
from zennb.engine.environment.random_state import GENERATORS
from zennb.engine.environment.stat_calls import put_back
from zennb.engine.step.cached_functions import CachedFunctions
from zennb.engine.step.cancellation import time_limit
from zennb.engine.step.definition_notes import DefinitionNotes
from zennb.engine.step.loaded_modules import MODULES, loaded_since
from zennb.engine.step.metric_log import MetricLog
from zennb.engine.step.module_snapshot import ModuleSnapshot
from zennb.engine.step.namespace_changes import NamespaceChanges, NamespaceSnapshot, collect_changes
from zennb.engine.step.outcome import Reason, StepOutcome
from zennb.engine.step.output_checks import OutputChecks
from zennb.engine.step.postponed import postponed, why_not_postponed
from zennb.engine.step.reusability import reasons_against_reuse
from zennb.engine.step.running import running
from zennb.engine.step.shown_values import MISSING, Note, noted
from zennb.engine.step.static_usage import usage_of_run
from zennb.engine.step.visible_texts import texts_in_values
from zennb.errors import CannotDigest, NotStorable
from zennb.with_blocks import block

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, MutableMapping, Sequence
    from contextlib import AbstractContextManager

    from zennb.core.records.observed import Carried, Observed
    from zennb.core.records.records import Artifact
    from zennb.engine.environment.execution_environment import EnvironmentRecorder
    from zennb.engine.step.recording import Recording
    from zennb.engine.step.request import Resources, StepRequest

__all__ = ["StepExecution"]

_REMEMBERED = 3  # `_`, `__` and `___`


class StepExecution:
    """One execution of a step in a namespace.

    Args:
        request: the step.
        namespace: where its code runs; its inputs are bound there.
        inputs: input name → value and current digest, of those that have one.
        resources: the open resources of this process.
        metrics: takes what it logs; by default a new log.

    Attributes:
        collected: the changes of the namespace; known after `finish`.
        reasons: why its results must not be reused; known after `finish`.
        seconds: duration of the code; known after `stop`.
        metrics: what it has logged.
    """

    def __init__(
        self,
        request: StepRequest,
        namespace: MutableMapping[str, Any],
        *,
        inputs: Mapping[str, tuple[Any, ValueDigest]],
        resources: Resources,
        metrics: MetricLog | None = None,
    ) -> None:
        self.request, self.inputs = request, inputs
        self._namespace, self._resources = namespace, resources
        self.before = NamespaceSnapshot(namespace, request.definition, request.writes)
        self.definitions = DefinitionNotes(request.definition, namespace)
        self._modules = ModuleSnapshot(request.module_uses)
        self._cached = CachedFunctions(namespace)
        self.collected = NamespaceChanges()
        self.reasons: list[Reason] = []
        self.seconds = 0.0
        self._running = ExitStack()
        self._recorder: EnvironmentRecorder | None = None
        self._evaluated: EvaluatedCode | None = None
        self._main_reads = MainReads({})
        self._figures = FigureRecorder()
        self.metrics = metrics or MetricLog()
        self._checks: OutputChecks | None = None
        self._loads: dict[str, str] = {}
        self._is_timed = False
        self._loaded: frozenset[str] = frozenset()
        self._started = time.perf_counter()

    def start(self, *contexts: AbstractContextManager[object]) -> None:
        """Prepare for the body: hide names it may or may not bind, record side effects, limit its time.

        Args:
            contexts: capture its output; entered before recording begins, and left at the end.

        Raises:
            UsageError: what its outputs are to be checked against is no schema.
        """
        checks, load = self.request.checks, self._resources.artifacts.load
        if checks is not None:
            with self._settings_kept():
                self._checks = OutputChecks(self.request.definition, checks, self._namespace, load)
        self.before.hide()
        self.definitions = DefinitionNotes(self.request.definition, self._namespace)
        for each in contexts:
            self._running.enter_context(each)
        self._running.enter_context(running(self.request.definition.name, self.metrics, self._loads))
        self._running.enter_context(time_limit(self.request.definition.options.timeout))
        # Recording begins last and so ends first: what the capture of output does (showing
        # figures) is not the step's doing.
        if self.request.evaluates:
            self._evaluated = self._running.enter_context(EvaluatedCode().recording())
        self._main_reads = self._running.enter_context(MainReads(self._namespace).recording())
        self._recorder = self._resources.environment.record(self._texts())
        self._running.callback(self._recorder.end)
        self._figures.start()
        self._running.callback(self._figures.stop)
        self._is_timed = True
        self._loaded = frozenset(sys.modules)
        self._started = time.perf_counter()

    @block
    def _settings_kept(self) -> Iterator[None]:
        """Take back what libraries set in the process when a check imports them; it is not the step's doing."""
        loaded, undo = len(sys.modules), self._resources.environment.undo()
        try:
            yield
        finally:
            if len(sys.modules) != loaded:  # else a step in another thread may have set something meanwhile
                undo()

    @warnings_remembered()
    def _texts(self) -> frozenset[str]:
        """Return the texts that the step can see, and in which files may be named that are opened out of sight."""
        texts = self.request.texts
        return (
            frozenset()
            if texts is None
            else texts | texts_in_values(each for each, _ in self.inputs.values())
        )

    def stop(self) -> None:
        """End what `start` began; calling it twice is fine."""
        if self._is_timed:
            self._is_timed = False
            self.seconds = time.perf_counter() - self._started
        self._running.__exit__(*sys.exc_info())  # with the error: figures are shown only if there is none

    @warnings_remembered()
    def finish(self, recording: Recording, results: Sequence[object] = ()) -> StepOutcome:
        """After the body: collect its changes, decide whether they may be reused, and store them.

        Args:
            recording: its output.
            results: the values it displayed, in order; the last ones come back as `_` and `__`.

        Raises:
            NotStorable: an output declared with `-o` is missing or cannot be stored.
            OutputCheckFailed: an output does not pass its `--check`.
        """
        assert self._recorder is not None
        # The order matters: end recording first, so that our own work is no side effect of the step; restore hidden
        # names next, so that they are not taken for deleted; judge before storing, since changes of a step that is
        # never reused are not stored.
        self.stop()
        put_back(self._namespace)
        self.before.show()
        request, namespace = self.request, self._namespace
        self.collected = collected = collect_changes(
            request.definition,
            namespace,
            before=self.before,
            inputs=self.inputs,
            shows=any(event["kind"] == "result" for event in recording),
            changes_itself=self.definitions.are_changed(),
            in_store=request.whole_inputs(),
            holders=request.holders,
        )
        self.reasons = reasons_against_reuse(
            request,
            collected,
            namespace,
            inputs=self.inputs,
            changed=self.definitions.changed(collected.defines) + self._modules.changed(collected),
            records_shell=self._resources.frontend.records_shell,
        )
        uses = usage_of_run(request.uses, recording, inputs=self.inputs, outputs=collected.values)
        observed, changes, reasons = self._recorder.side_effects(uses)
        observed = self._cached.with_sources(namespace, observed)
        observed = observed.with_calls(call.text for call in collected.calls)
        observed = replace(observed, settings={**observed.settings, **self._loads})
        observed = self._figures.noted(
            observed, {name: value for name, (value, _) in collected.values.items()}
        )
        self.reasons += reasons
        self.reasons += self._cached.reasons(
            namespace,
            values=collected.values,
            changed=[name for name in collected.values if name in self.inputs],
            draws=not changes.keys().isdisjoint(GENERATORS),
        )
        self.reasons += self._recorder.later_calls.reasons(
            modules=uses.modules,
            calls=[call.name for call in collected.calls],
            values=[value for value, _ in (*self.inputs.values(), *collected.values.values())],
        )
        if any(map(is_live, recording.widgets)):
            self.reasons.append(
                Reason("it shows a widget", "which works only in the kernel that made it", loses="result")
            )
        used = (*request.modules, *request.packages)
        if self._evaluated is not None and (unseen := self._evaluated.unseen(request.words, namespace, used)):
            self.reasons.append(Reason(f"{request.evaluates[0]}, and what it evaluates {unseen}"))
        self._main_reads.note_queries(used, self._recorder.tracer.texts_read())
        if unnamed := self._main_reads.unseen((*request.inputs, *request.names), request.reached):
            self.reasons.append(Reason(unnamed))
        self._note_secrets()
        packages = frozenset[str]().union(*(seen.packages for _, seen in self.collected.values.values()))
        if modules := loaded_since(self._loaded, packages):
            changes[MODULES] = modules
        if results:
            changes[SHOWN] = self._shown(results[-_REMEMBERED:])
        if not self.reasons:
            self._note_figures(changes)
        if self._checks is not None:
            outputs = {name: value for name, (value, _) in collected.values.items()}
            with self._settings_kept():
                self._checks.run(outputs, namespace, self.metrics)
        return self._stored(observed, changes, recording)

    def _postponed(
        self,
        unstorable: Mapping[str, Reason],
        observed: Observed,
        changes: Mapping[str, Any],
        recording: Recording,
    ) -> dict[str, Artifact]:
        """Return the artifacts of outputs that cannot be stored and are postponed; else add the reasons."""
        if not unstorable:
            return {}
        why = self.reasons or why_not_postponed(
            unstorable,
            request=self.request,
            observed=observed,
            changes=changes,
            collected=self.collected,
            namespace=self._namespace,
            inputs=self.inputs,
            recording=recording,
        )
        if why:  # first of all reasons: it helps most
            self.reasons[:0] = unstorable.values()
            return {}
        return postponed(
            {name: each.what for name, each in unstorable.items()},
            self._namespace,
            self._resources.artifacts.store,
        )

    def undo(self) -> list[str]:
        """After an error: restore the bindings from before; return the inputs whose content changed."""
        self.stop()
        if self._recorder is not None:
            self._recorder.discard()
        self._note_secrets()
        self.before.show()
        self.before.restore()
        return [name for name, (value, seen) in self.inputs.items() if _is_changed(name, value, seen)]

    def _note_secrets(self) -> None:
        """Note the secrets among the variables and in the code, to mask them in the output and in errors."""
        secrets = self._resources.environment.secrets
        secrets.note((*self.request.secrets, *self.request.definition.secrets.values))
        names = [name for name in list(self._namespace) if suspicion(name) is not Suspicion.NONE]
        names += [name for name in self.before.names if name in self._namespace]
        for name in dict.fromkeys(names):
            secrets.note(secrets_in(name, self._namespace[name]))
        self._resources.environment.note_secrets()

    def _shown(self, results: Sequence[object]) -> list[Note]:
        """Return how the values that the step displayed come back on reuse."""
        names = (*self.inputs, *self.collected.values, *self.collected.parts, *self.collected.defines)
        last = self.request.definition.tree.body[-1:]
        notes = noted(
            results,
            last[0].value if last and isinstance(last[0], ast.Expr) else None,
            named={name: self._namespace[name] for name in names if name in self._namespace},
            outputs=self.collected.values,
            storing=self._resources.artifacts,
        )
        return [
            (MISSING, "looks secret") if self._is_secret(value) else note
            for value, note in zip(results, notes, strict=True)
        ]

    def _note_figures(self, changes: dict[str, Any]) -> None:
        """Note the figures that the step left open in pyplot among its changes."""
        unstored = self.request.definition.options.no_store
        outputs = {name: value for name, (value, _) in self.collected.values.items() if name not in unstored}
        others = [
            value
            for name, value in self._namespace.items()
            if name not in outputs and not name.startswith("_")
        ]
        try:
            left = self._figures.left_open(outputs, others, self._resources.artifacts.dump_unnamed)
        except NotStorable as error:
            self.reasons.append(Reason(error.message, loses="result"))
        else:
            if left is not None:
                changes[PYPLOT] = left

    def _is_secret(self, value: object) -> bool:
        known = self._resources.environment.secrets
        is_masked = is_a(value, str) and known.mask(value) != value
        return is_masked or holds_secret("", value) or holds_known(value, known)

    def _stored(self, observed: Observed, changes: dict[str, Any], recording: Recording) -> StepOutcome:
        repository, options = self._resources.artifacts, self.request.definition.options
        saved = repository.save(self.collected.values)
        for name, why in saved.refused.items():
            if name in (options.outputs or ()) and name not in saved.secret:
                raise NotStorable(why, path=name)
            what, comma, so = why.partition(", which ")
            reason = Reason(what, f"which {so}" if comma else "", loses="result", output=name)
            self.reasons.append(reason)
        postponed_outputs = self._postponed(self.collected.unstorable, observed, changes, recording)
        carried: Carried | None = None
        # Asked after the outputs were saved, which may have added a reason: a step that always
        # runs has nothing to restore.
        if changes and not self.reasons:
            try:
                carried = repository.save_changes(changes)
            except NotStorable as error:
                why = f"it changes settings that cannot be stored: {error.message}"
                self.reasons.append(Reason(why, loses="result"))
        displays = self._stored_output(recording)
        reasons = tuple(map(str, self.reasons))
        return StepOutcome(
            artifacts={**saved.artifacts, **self._parts(), **postponed_outputs},
            defines=self.collected.defines,
            deletes=self.collected.deletes,
            displays=displays,
            metrics=self.metrics.metrics(),
            observed=observed,
            changes=changes,
            carried=carried,
            not_reusable=reasons or self.request.unclear or (() if options.cache else ("--no-cache",)),
            seconds=self.seconds,
            process=os.getpid(),
            continued=frozenset(self._recorder.tracer.continued) if self._recorder else frozenset(),
            held={name: self.collected.values[name][0] for name in saved.secret},
        )

    def _parts(self) -> dict[str, Artifact]:
        """Return the artifacts of outputs that are parts of inputs."""
        repository, inputs = self._resources.artifacts, self.request.inputs
        return {
            name: repository.part(name, part, inputs[part.whole])
            for name, part in self.collected.parts.items()
        }

    def _stored_output(self, recording: Recording) -> str:
        """Store what the step showed; return the blob, "" if there is none."""
        if not len(recording):
            return ""
        try:
            secrets = self._resources.environment.secrets
            return self._resources.artifacts.store.put([recording.dump(secrets)])
        except NotStorable as error:
            self.reasons.append(Reason(error.message, "which is not stored", loses="result"))
            return ""


def _is_changed(name: str, value: Any, seen: ValueDigest) -> bool:
    try:
        return digest_value(value, name=name).digest != seen.digest
    except CannotDigest:
        return True
