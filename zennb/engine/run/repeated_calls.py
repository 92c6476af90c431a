"""Owns repeating what a reused step of a run called for its effect on libraries, before later steps run."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from zennb.core.planning.cache_decision import CacheDecision
from zennb.core.reading.source import analyse
from zennb.dependencies.library_calls import LibraryCall
from zennb.engine.step.library_steps import code_again, statements_again
from zennb.engine.step.recording import Recording
from zennb.engine.step.streams import redirected
from zennb.errors import StepRefused, ZennbError

if TYPE_CHECKING:
    from zennb.core.records.records import Step
    from zennb.dependencies.library_calls import LibraryCalls
    from zennb.engine.run.artifact_repository import ArtifactRepository
    from zennb.engine.run.run_context import RunContext
    from zennb.engine.run.run_request import RunRequest
    from zennb.engine.step.resolve import ResolvedStep

__all__ = ["note_calls", "with_calls_repeated"]


def note_calls(calls: LibraryCalls, step: Step) -> None:
    """Note what a step that ran, is reused or is taken to run called for its effect on libraries."""
    code = "" if step.parts is None else step.parts.code
    calls.note(map(LibraryCall.parse, step.observed.calls), code=code)


def with_calls_repeated(
    resolved: ResolvedStep, decision: CacheDecision, request: RunRequest, context: RunContext
) -> CacheDecision:
    """Repeat what a reused step of a run called for its effect on libraries; return a decision to run if that fails.

    Calls that this process has made already are not repeated: the run works on copies of what the notebook has.
    """
    source, made, repository = decision.reuse, request.calls, context.artifacts
    if source is None or made is None or not source.observed.calls:
        return decision
    calls = [LibraryCall.parse(text) for text in source.observed.calls]
    definition = resolved.definition
    again = statements_again(definition.tree, calls)
    if not again or made.has(calls):
        return decision
    try:
        _execute(
            code_again(definition.tree, source.defines, again),
            definition.filename,
            source,
            request,
            repository,
        )
        # Once more, as in a cell: such a call may have set what the step has set otherwise since.
        context.environment.restore(repository.load_changes(source.carried), resolved.uses)
    except ZennbError as error:
        return CacheDecision(reason=error.message.split(". ")[0].rstrip("."))
    return decision


def _execute(
    body: list[ast.stmt], filename: str, source: Step, request: RunRequest, repository: ArtifactRepository
) -> None:
    module = ast.fix_missing_locations(ast.Module(body=body, type_ignores=[]))
    reads = analyse(module).reads
    outputs = {name: artifact for name, artifact in source.outputs.items() if name in reads}
    # Not in the notebook's own namespace: what the step binds is bound when the run has ended.
    scope = {**request.namespace, **repository.load(outputs)}
    try:
        with redirected(Recording()):
            exec(compile(module, filename, "exec", dont_inherit=True), scope)
    except Exception as error:
        raise StepRefused(
            f"what it calls could not be called again ({type(error).__name__}: {error})"
        ) from error
