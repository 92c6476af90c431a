"""Owns what the elements of a mapped step make together: lists of their outputs, and all of their side effects."""

from __future__ import annotations

import ast
import dis
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from zennb.core.records.observed import UNTOUCHED, Observed
from zennb.dependencies.library_calls import LibraryCall
from zennb.digests.bytecode import nested
from zennb.digests.digest import digest_cache, digest_value
from zennb.engine.environment.execution_environment import (
    ENVIRONMENT,
    FILES,
    RESULT,
    SHOWN,
    UNSTORED_VARIABLE,
)
from zennb.engine.environment.random_state import GENERATORS
from zennb.engine.step.library_steps import code_again, statements_again
from zennb.engine.step.loaded_modules import MODULES
from zennb.engine.step.outcome import StepOutcome
from zennb.engine.step.recording import Recording
from zennb.engine.step.streams import redirected
from zennb.errors import CannotDigest, MissingDefinition, NotStorable, StepRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from zennb.core.records.records import Artifact, Step
    from zennb.digests.digest import ValueDigest
    from zennb.engine.run.artifact_repository import ArtifactRepository
    from zennb.engine.step.definition import StepDefinition

__all__ = ["ElementResult", "combine", "lost_names", "written_by_several"]


_LOADS = frozenset({"LOAD_NAME", "LOAD_GLOBAL", "LOAD_CLASSDEREF", "LOAD_FROM_DICT_OR_GLOBALS"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementResult:
    """What became of one element.

    Attributes:
        step: its record.
        changes: settings, environment variables and files that it changed.
        held: name → value, of what it bound and nothing stores.
        not_reusable: why it must not be reused; empty as a rule.
        ran: whether it ran; else it was reused.
    """

    step: Step
    changes: Mapping[str, Any] = field(default_factory=dict)
    held: Mapping[str, Any] = field(default_factory=dict, repr=False)
    not_reusable: tuple[str, ...] = ()
    ran: bool = True


def lost_names(definition: StepDefinition, result: ElementResult) -> str:
    """Return why what an element made cannot become a part of lists; "" if all of it can.

    Args:
        definition: the mapped step.
        result: of the element.
    """
    step, mapped = result.step, definition.options.map
    inputs = {} if step.parts is None else step.parts.inputs
    for name, artifact in step.outputs.items():
        is_bound = name in definition.analysis.binds or name == mapped
        if not is_bound and name in inputs and inputs[name] != artifact.digest:
            return (
                f"it changes `{name}` in place, and each element has a copy of its own, so nothing would keep the "
                "change. Bind a new name instead: it becomes the list of the results."
            )
    for why in result.not_reusable:
        if why.endswith(UNSTORED_VARIABLE):
            return (
                f"{why}, and each element begins with the variables of the notebook, so nothing would keep the change. "
                "Set it in a cell above, or bind a name instead: it becomes the list of the results."
            )
    known = {*step.outputs, *step.defines, *step.deletes, *result.held}
    for name in _public(definition):
        if name in definition.analysis.surely and name not in known:
            why = step.unusable_because or f"`{name}` cannot be stored"
            return f"{why}. Turn it into data, or begin its name with an underscore."
    return ""


def written_by_several(results: Iterable[ElementResult]) -> dict[str, bytes | None]:
    """Return the files that more than one element wrote, as a loop over the elements leaves them."""
    found: dict[str, bytes | None] = {}
    several: set[str] = set()
    for each in results:
        files = each.changes.get(FILES, {})
        several |= found.keys() & files.keys()
        found |= files
    return {path: found[path] for path in several}


def combine(
    definition: StepDefinition,
    results: Sequence[ElementResult],
    *,
    namespace: Mapping[str, Any],
    repository: ArtifactRepository,
    random: Mapping[str, str],
    draws_in_place: bool,
) -> tuple[StepOutcome, dict[str, int]]:
    """Return what the elements make together, and how many of them did not bind a name that others bound.

    Args:
        definition: the mapped step.
        results: of its elements, in their order.
        namespace: the notebook's variables.
        repository: loads and saves values.
        random: generator → digest of the state in which the step began.
        draws_in_place: whether elements have drawn from these generators themselves, one after another.

    Raises:
        StepRefused: what the elements call for its effect on a library differs from element to element.
        StoreError, UntrustedArtifact: a result cannot be loaded.
    """
    defines = _defines(definition, results)
    calls = _calls(definition, results)
    scope = _scope(definition, results, defines, namespace)
    repository = replace(repository, scope=scope)
    lists, held, absent = _lists(definition, results, repository)
    reasons = [
        f"element {number}: {each.step.unusable_because}"
        for number, each in enumerate(results)
        if not each.step.reusable
    ]
    digests: dict[str, tuple[Any, ValueDigest]] = {}
    with redirected(Recording()), digest_cache():  # what values print while they are looked at
        for name, values in lists.items():
            try:
                digests[name] = (values, digest_value(values, name=name))
            except CannotDigest as error:
                reasons.append(f"`{error.path}` is {error.why}")
                held[name] = values
        saved = repository.save(digests)
    reasons += saved.refused.values()
    held.update({name: lists[name] for name in saved.refused})
    changes = _changes(results, draws_in_place=draws_in_place)
    carried = None
    if changes and not reasons:
        try:
            carried = repository.save_changes(changes)
        except NotStorable as error:
            reasons.append(f"it changes settings that cannot be stored: {error.message}")
    artifacts: dict[str, Artifact] = dict(saved.artifacts)
    outcome = StepOutcome(
        artifacts=artifacts,
        defines=defines,
        deletes=tuple(dict.fromkeys(name for each in results for name in each.step.deletes)),
        observed=_observed(results, random, draws_in_place=draws_in_place).with_calls(calls),
        changes=changes,
        carried=carried,
        not_reusable=tuple(reasons),
        held=held,
    )
    return outcome, absent


def _public(definition: StepDefinition) -> list[str]:
    """Return the names of data that the cell makes, in the order in which it binds them."""
    analysis, declared = definition.analysis, definition.options.outputs
    names = [name for name in analysis.binds if name not in analysis.imports and not name.startswith("_")]
    return [name for name in names if declared is None or name in declared]


def _lists(
    definition: StepDefinition, results: Sequence[ElementResult], repository: ArtifactRepository
) -> tuple[dict[str, list[Any]], dict[str, Any], dict[str, int]]:
    """Return name → results in order, of what is stored and of what is not, and how many elements lack a name."""
    bound = [*_public(definition), *(definition.options.outputs or ())]
    found = dict.fromkeys(bound)
    made: list[dict[str, Any]] = []
    for number, each in enumerate(results):
        outputs = {name: artifact for name, artifact in each.step.outputs.items() if name in found}
        try:
            with redirected(Recording()):
                values = repository.load(outputs, each.changes.get(MODULES, ()))
        except MissingDefinition as error:
            raise StepRefused(
                f"element {number}: {error.message} Define the class in a cell above: what a mapped step defines for "
                "one element only is not known outside of it."
            ) from error
        made.append({**values, **{name: value for name, value in each.held.items() if name in found}})
    sure = definition.analysis.surely - definition.analysis.defines if not made else frozenset[str]()
    names = [name for name in found if name in sure or any(name in each for each in made)]
    lists = {name: [each.get(name) for each in made] for name in names}
    absent = {name: sum(name not in each for each in made) for name in names}
    secret = {name for each in results for name in each.held}
    held = {name: values for name, values in lists.items() if name in secret}
    stored = {name: values for name, values in lists.items() if name not in secret}
    return stored, held, {name: many for name, many in absent.items() if many}


def _defines(definition: StepDefinition, results: Sequence[ElementResult]) -> tuple[str, ...]:
    """Return the imports, functions and classes that do not use the element, nor what is made of it.

    The others differ from element to element, and stay within them.
    """
    own = {
        *_public(definition),
        *definition.analysis.binds,
        definition.options.map,
    } - definition.analysis.imports
    found = dict.fromkeys(name for each in results for name in each.step.defines)
    own -= found.keys() & definition.analysis.defines
    return tuple(name for name in found if not _reads(code_again(definition.tree, [name], ()), own))


def _calls(definition: StepDefinition, results: Sequence[ElementResult]) -> tuple[str, ...]:
    """Return what the elements called for its effect on libraries.

    Raises:
        StepRefused: they call it with the element, or what is made of it.
    """
    calls = tuple(dict.fromkeys(text for each in results for text in each.step.observed.calls))
    if calls:
        again = statements_again(definition.tree, map(LibraryCall.parse, calls))
        own = {*_public(definition), definition.options.map}
        if _reads(again, own):
            raise StepRefused(
                f"step '{definition.name}' calls `{LibraryCall.parse(calls[0]).name}` with a part of the element, "
                "which sets something of the library for all of them; make that call in a cell above."
            )
    return calls


def _reads(statements: Sequence[ast.stmt], names: set[str]) -> bool:
    """Whether statements use one of these names, also in the functions that they define."""
    module = ast.fix_missing_locations(ast.Module(body=[*statements], type_ignores=[]))
    codes = nested(compile(module, "<definitions>", "exec", dont_inherit=True))
    return any(
        each.opname in _LOADS and each.argval in names
        for code in codes
        for each in dis.get_instructions(code)
    )


def _scope(
    definition: StepDefinition,
    results: Sequence[ElementResult],
    defines: Sequence[str],
    namespace: Mapping[str, Any],
) -> Mapping[str, Any]:
    """Return where the classes of the results are found: the notebook, or the notebook with what the cell defines."""
    needs = {
        need.split(".")[0] for each in results for one in each.step.outputs.values() for need in one.needs
    }
    if needs.isdisjoint(defines):
        return namespace
    scope = dict(namespace)
    module = ast.fix_missing_locations(
        ast.Module(body=code_again(definition.tree, defines, ()), type_ignores=[])
    )
    try:
        with redirected(Recording()):
            exec(definition.compiled(module, "exec"), scope)
    except Exception as error:
        raise StepRefused(
            f"the classes of step '{definition.name}' could not be defined ({type(error).__name__}: {error}); "
            "define them in a cell above."
        ) from error
    return scope


def _changes(results: Sequence[ElementResult], *, draws_in_place: bool) -> dict[str, Any]:
    """Return the changes of all elements: as after a loop over them, except for the random state."""
    found: dict[str, Any] = {}
    for each in results:
        for name, change in each.changes.items():
            if name in {FILES, ENVIRONMENT}:
                found[name] = {**found.get(name, {}), **change}
            elif name == MODULES:
                found[name] = list(dict.fromkeys([*found.get(name, ()), *change]))
            elif name not in {RESULT, SHOWN} and (draws_in_place or name not in GENERATORS):
                found[name] = change
    return found


def _observed(
    results: Sequence[ElementResult], random: Mapping[str, str], *, draws_in_place: bool
) -> Observed:
    """Return what all elements depended on and left, as the observation of one step."""
    each = [result.step.observed for result in results]
    written = {path: state for one in each for path, state in one.written.items()}
    restored = {path: state for one in each for path, state in one.restored.items()}
    settings = {name: digest for one in reversed(each) for name, digest in one.settings.items()}
    left = {name: state for one in each for name, state in one.left.items() if not name.startswith("call ")}
    return Observed(
        # What one element writes and another reads, it reads as that element left it.
        files={
            path: state
            for one in reversed(each)
            for path, state in one.files.items()
            if path in one.written or path in one.restored or not (path in written or path in restored)
        },
        written=written,
        restored=restored,
        environment={name: seal for one in each for name, seal in one.environment.items()},
        settings={
            name: random.get(name, UNTOUCHED) if name in GENERATORS else digest
            for name, digest in settings.items()
        },
        left={name: state for name, state in left.items() if draws_in_place or name not in GENERATORS},
    )
