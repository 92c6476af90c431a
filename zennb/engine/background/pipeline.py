"""Owns the process of a pipeline run in the background: `python -m zennb.engine.background.pipeline`.

It sets up the notebook's state from a snapshot, as a worker does for a step, and runs the pipeline as a kernel does.
"""

from __future__ import annotations

import pickle
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cloudpickle

from zennb.core.planning.cache_key import differences
from zennb.dependencies.dependencies import resolve_dependencies
from zennb.digests.digest import digest_cache, digest_value
from zennb.digests.homes import at_home
from zennb.engine.background.live_curves import CurveWriter
from zennb.engine.background.process import announce, prepare_process, refuse_start
from zennb.engine.background.run_files import OutputLog, RunFiles, RunState
from zennb.engine.remote.missing_data import MissingData
from zennb.engine.remote.namespace_pickling import unpack
from zennb.engine.remote.shipped_modules import set_constants
from zennb.engine.remote.worker import WorkerState
from zennb.engine.run.artifact_repository import ArtifactRepository
from zennb.engine.run.other_stores import OtherStores
from zennb.engine.run.pipeline_run import PipelineRun
from zennb.engine.run.run_context import RunContext
from zennb.engine.run.run_request import RunRequest
from zennb.engine.run.saved_output import known_in
from zennb.engine.run.services import StackServices
from zennb.engine.run.variable_tracker import VariableTracker
from zennb.engine.sharing.shared_records import shared_records
from zennb.engine.step.cancellation import interrupts_raise
from zennb.engine.step.running import listen
from zennb.errors import CannotDigest, StepRefused, StoreError, ZennbError
from zennb.registry.registered_models import loaded_digest
from zennb.registry.stores import artifact_stores
from zennb.registry.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zennb.core.records.records import Run, Step
    from zennb.core.secrets.texts import KnownSecrets
    from zennb.engine.background.snapshot import RunSnapshot
    from zennb.engine.run.run_request import FinishedRun
    from zennb.engine.step.recording import Event
    from zennb.engine.step.resolve import ResolvedStep
    from zennb.registry.stack import Stack

__all__ = ["main", "run_in_background"]


def main() -> int:
    """Run the pipeline whose snapshot is on the standard input; return the exit code."""
    payload = prepare_process()
    try:
        snapshot: RunSnapshot = pickle.loads(payload)  # of the kernel that has started this process
        finished = run_in_background(snapshot)
    except ZennbError as error:
        refuse_start(error.message)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0 if finished.error is None else 1


def run_in_background(snapshot: RunSnapshot) -> FinishedRun:
    """Run a pipeline in this process, and announce the run when it has begun.

    Raises:
        ZennbError: it did not begin.
        KeyboardInterrupt: it was interrupted; what had finished is recorded.
    """
    workspace = Workspace(Path(snapshot.home), stack=snapshot.stack.name)
    try:
        opened = workspace.open(snapshot.stack.name)
        if opened.spec != snapshot.stack:
            raise StepRefused(f"stack '{snapshot.stack.name}' has just been changed; start the run again.")
        namespace: dict[str, Any] = {"__name__": "__main__"}
        with at_home(namespace):
            return _run(snapshot, workspace, opened, namespace)
    finally:
        workspace.close()


def _run(
    snapshot: RunSnapshot, workspace: Workspace, opened: Stack, namespace: dict[str, Any]
) -> FinishedRun:
    request, context = _prepared(snapshot, workspace, opened, namespace)
    log = _LoggedRun(snapshot, workspace.home, context.environment.secrets)
    run = PipelineRun(request, run_context=context, on_change=log, on_output=log.output, pause=0.0)
    curves = CurveWriter(lambda: log.files)
    stop_listening = listen(curves.note)
    try:
        with interrupts_raise():
            return run.execute()
    finally:
        stop_listening()
        curves.close()
        log.close()


def _prepared(
    snapshot: RunSnapshot, workspace: Workspace, opened: Stack, namespace: dict[str, Any]
) -> tuple[RunRequest, RunContext]:
    """Set up the notebook's state in this process; return the run, and the stack it runs on."""
    worker = WorkerState(snapshot.process)
    worker.trust([*snapshot.inputs.values(), *snapshot.stored.values()])  # the kernel could load them
    store = opened.store
    resources = worker.ready(snapshot.process, store)
    environment = resources.environment
    environment.take_as_set(snapshot.process.environment)
    environment.settings.loaded = partial(loaded_digest, workspace, notebook=snapshot.notebook or None)
    metadata = workspace.metadata
    repository = ArtifactRepository(
        store=store,
        scope=namespace,
        signer=resources.artifacts.signer,
        secrets=environment.secrets,
        known=known_in(metadata),
    )
    variables = _variables(snapshot, namespace, repository)
    _set_constants(snapshot, namespace)
    context = RunContext(
        spec=snapshot.stack,
        store=store,
        orchestrator=opened.orchestrator,
        artifacts=repository,
        metadata=metadata,
        environment=environment,
        frontend=resources.frontend,
        operator=partial(workspace.step_operator, opened),
        notebook=snapshot.notebook,
        others=OtherStores(lambda: artifact_stores(workspace)),
        shared=shared_records(store, repository.signer),
        unstored=lambda: {name for each in snapshot.definitions.values() for name in each.options.no_store},
        folder=Path(snapshot.folder) if snapshot.folder else None,
        traced=lambda _resolved, step: _with_provenance(step, snapshot),
        services=StackServices(workspace, opened, secrets=environment.secrets, say=_say),
    )
    request = RunRequest(
        definitions=snapshot.definitions,
        plan=snapshot.plan,
        chosen=snapshot.chosen,
        namespace=namespace,
        value_digest=variables.digest,
        partners=lambda digests, holders: variables.partners_unless_alone(digests, namespace, holders),
        overrides=cloudpickle.loads(snapshot.overrides) if snapshot.overrides else {},
        patches=snapshot.patches,
        calls=snapshot.calls,
        parameters=snapshot.parameters,
        last=snapshot.last,
        previous=snapshot.previous,
        rerun=snapshot.rerun,
        notify=snapshot.notify,
        binds=snapshot.binds,
        origins=snapshot.origins,
        process=snapshot.process,
        refused=lambda resolved: _refused(resolved, snapshot),
    )
    return request, context


def _say(sentence: str) -> None:
    pass


def _with_provenance(step: Step, snapshot: RunSnapshot) -> Step:
    found = snapshot.provenance.get(step.name)
    return replace(step, provenance=found) if found and step.status.is_good else step


def _variables(
    snapshot: RunSnapshot, namespace: dict[str, Any], repository: ArtifactRepository
) -> VariableTracker:
    """Bind what the steps use of the notebook; return which artifact each variable is."""
    data, values = MissingData(namespace, snapshot.stored, repository), dict[str, Any]()

    def load_data(name: str) -> None:
        if name in snapshot.stored:
            data.load(name)
        elif snapshot.values and not values:
            values.update(cloudpickle.loads(snapshot.values))
            namespace.update(values)

    if snapshot.code:
        unpack(snapshot.code, namespace, load_data)
    data.load_rest()
    load_data("")
    namespace.update(values)
    variables = VariableTracker()
    with digest_cache():
        for name, artifact in snapshot.inputs.items():
            try:
                variables.bind(name, namespace[name], artifact, digest_value(namespace[name], name=name))
            except CannotDigest:
                continue
    return variables


def _set_constants(snapshot: RunSnapshot, namespace: Mapping[str, Any]) -> None:
    """Give constants of local modules that the notebook has set the values that they have there."""
    constants = snapshot.process.constants
    for name in snapshot.chosen if constants else ():
        here = resolve_dependencies(snapshot.definitions[name].analysis, namespace).digests
        then = snapshot.expected[name].reached
        other = {
            known.partition(" ")[2] for known, digest in then.items() if here.get(known, digest) != digest
        }
        # Only those that differ: other modules may hold the same object, and a copy would part them.
        set_constants({known: constants[known] for known in other & constants.keys()})


def _refused(resolved: ResolvedStep, snapshot: RunSnapshot) -> StepRefused | None:
    """Return an error if a step would run other code here than the notebook has, or with other inputs.

    Its results would be recorded as what they are, and its cell would not find them.
    """
    name = resolved.definition.name
    if snapshot.keys.get(name, resolved.cache_key) in {resolved.cache_key, resolved.key_without_maybe_reads}:
        then, now = snapshot.expected[name].reached, resolved.parts.reached
        # What is reached through results of other steps can be known only now.
        other = [each for each in then.keys() & now.keys() if then[each] != now[each]]
        found = [f"{each.partition(' ')[0]} `{each.partition(' ')[2]}`" for each in sorted(other)]
    else:
        found = differences(snapshot.expected[name], resolved.parts) or ["what it depends on"]
    if not found:
        return None
    return StepRefused(
        f"step '{name}' would not run the same in the background as in the notebook: {found[0]} is another one there. "
        "Define it in the notebook or in a module of its own, and change no library in place; or run it without "
        "--background."
    )


class _LoggedRun:
    """Announces a run when it is on record, and writes what it does and shows.

    Args:
        snapshot: the run.
        home: the home with its record.
        secrets: masked in what is written.
    """

    def __init__(self, snapshot: RunSnapshot, home: Path, secrets: KnownSecrets) -> None:
        self._snapshot, self._home, self._secrets = snapshot, home, secrets
        self._log: OutputLog | None = None
        self.files: RunFiles | None = None

    def __call__(self, run: Run, steps: Mapping[str, Step]) -> None:
        """Note the state of the run."""
        if self._log is None:
            self._log = self._begun(run)
        for step in steps.values():
            failure = step.failure
            self._log.step(
                step.name,
                step.status.value,
                reason=step.reason,
                seconds=step.seconds,
                outputs=list(step.outputs),
                failure=None if failure is None else [failure.type, failure.message, failure.traceback],
            )

    def output(self, step: str, event: Event) -> None:
        """Note output of a step."""
        if self._log is not None:
            self._log.step(step, "running")
            self._log.output(step, event)

    def close(self) -> None:
        """End the log."""
        if self._log is not None:
            self._log.close()

    def _begun(self, run: Run) -> OutputLog:
        if run.id is None:
            raise StoreError("the run cannot be recorded, so nobody would find it again; nothing was run.")
        files = self.files = RunFiles(self._home, run.id)
        state = RunState(started=run.started, steps=self._snapshot.chosen, keys=self._snapshot.keys)
        log = OutputLog(files, state, self._secrets)
        announce(files)
        return log


if __name__ == "__main__":
    sys.exit(main())
