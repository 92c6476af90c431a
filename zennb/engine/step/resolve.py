"""Owns what a step depends on: its inputs proven, everything its code reaches, and its cache key. Runs nothing."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import dataclass, replace
from types import FunctionType
from typing import TYPE_CHECKING, Any

from zennb.core.planning.cache_key import cache_key
from zennb.core.records.records import CacheKeyParts
from zennb.dependencies.callables import has_state
from zennb.dependencies.dependencies import Dependencies, DependencySearch
from zennb.engine.environment.files import file_digest
from zennb.engine.step.cache_options import check_unstored, counted, ignored_inputs, unstored
from zennb.engine.step.shared_state import groups
from zennb.engine.step.static_usage import StaticUsage, static_usage
from zennb.errors import CannotDigest, StepRefused
from zennb.materializers.definitions import find
from zennb.packages.versions import versions

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from zennb.core.records.records import Artifact
    from zennb.dependencies.patches import Patch
    from zennb.digests.digest import ValueDigest
    from zennb.engine.step.definition import StepDefinition

__all__ = ["ResolvedStep", "resolve_step"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedStep:
    """A step with all that deciding on it needs.

    Attributes:
        definition: the step.
        dependencies: everything its code reaches.
        digests: input name → content.
        artifacts: input name → the artifact it is; inputs that are not artifacts yet are absent.
        values: input name → the value itself, where it is at hand.
        parts: what the key is made of.
        cache_key: digest of the parts.
        key_without_maybe_reads: the key without the names that the cell reads only where it may have bound them itself
            (`for x in xs: best = x` and then `best`); "" when there are none. A step recorded under it ran while
            these names were absent, so it bound them first, and so it will again.
        unclear: why the key cannot be trusted to cover all that matters; empty as a rule.
        earlier: classes and functions it would find otherwise in another namespace, since they were defined anew
            since its inputs or other names got hold of them: `earlier class Model`.
        uses: what its code uses of its surroundings.
    """

    definition: StepDefinition
    dependencies: Dependencies
    digests: Mapping[str, ValueDigest]
    artifacts: Mapping[str, Artifact]
    values: Mapping[str, Any]
    parts: CacheKeyParts
    cache_key: str
    key_without_maybe_reads: str
    unclear: tuple[str, ...]
    earlier: tuple[str, ...]
    uses: StaticUsage

    @property
    def packages(self) -> frozenset[str]:
        """The import names of the packages that its code or its inputs use."""
        return frozenset(self.dependencies.packages).union(
            *(value_digest.packages for value_digest in self.digests.values()),
            *(artifact.packages for artifact in self.artifacts.values()),
        )

    @property
    def inputs(self) -> frozenset[str]:
        """The names of all inputs, those that `--ignore` leaves out of the key among them."""
        return frozenset((*self.digests, *self.artifacts, *self.parts.inputs))


def resolve_step(
    definition: StepDefinition,
    namespace: Mapping[str, Any],
    *,
    value_digest: Callable[[str, Any], tuple[ValueDigest, Artifact | None]],
    partners: Callable[[Mapping[str, ValueDigest]], Mapping[str, Any]] = lambda _looks: {},
    given: Mapping[str, Artifact] | None = None,
    overrides: Mapping[str, Any] | None = None,
    patches: Collection[Patch] = (),
) -> ResolvedStep:
    """Work out what a step depends on in this namespace.

    Args:
        definition: the step.
        namespace: the notebook's variables.
        value_digest: returns a variable's content and the artifact it is, if any (`VariableTracker.look`).
        partners: returns the variables that share mutable state with some that were looked at
            (`VariableTracker.partners`); they are inputs too, since a change of one is a change of the other.
        given: inputs that come from other steps of a run, whatever the namespace holds under their names.
        overrides: values that take the place of variables.
        patches: what the notebook put into modules and classes of packages.

    Raises:
        StepRefused: a file named with `--depends-on`, or a name given with `-i`, does not exist.
    """
    given, overrides = given or {}, overrides or {}
    given = {
        name: artifact
        for name, artifact in given.items()
        if not _is_at_hand(name, artifact, namespace, value_digest)
    }
    values: dict[str, Any] = {}
    check_unstored(definition)
    analysis = _with_inputs(definition, namespace)
    ignored = ignored_inputs(definition, analysis, namespace, given)
    analysis = counted(analysis, ignored)
    value_digests: dict[str, ValueDigest] = {}
    artifacts: dict[str, Artifact] = dict(given)
    opaque: dict[str, str] = {}
    extra: dict[int, object] = {}
    for name, artifact in given.items():
        extra.update({} if name in ignored else _needed(artifact, namespace))
    overwritten = analysis.surely - analysis.reads.keys()  # whatever they hold, the step will not see it
    search = DependencySearch(analysis, namespace, patches=patches)
    followed = -1
    while followed < len(extra):  # code that turns up in data is followed, and may lead to more data
        search.follow(list(extra.values())[max(followed, 0) :])
        followed = len(extra)
        names: Mapping[str, Any] = {**search.data, **_stateful(search.definitions)}
        while names := {
            n: v
            for n, v in names.items()
            if not (n in value_digests or n in opaque or n in given or n in ignored)
        }:
            for name, value in names.items():
                try:
                    values[name] = overrides.get(name, value)
                    value_digests[name], artifact_now = value_digest(name, values[name])
                except CannotDigest as error:
                    opaque[name] = f"it reads `{error.path}`, {error.why}"
                    continue
                if artifact_now is not None:
                    artifacts[name] = artifact_now
                extra.update({id(code): code for code in value_digests[name].code})
            names = {n: v for n, v in partners(value_digests).items() if n not in overwritten}
    found = search.found()
    in_key = {name: artifact for name, artifact in artifacts.items() if name not in ignored}
    earlier = _earlier(value_digests, found.definitions, namespace)
    parts = _parts(definition, found, dict(value_digests), in_key, dict.fromkeys(earlier, ""))
    if ignored:
        scope = {**namespace, **overrides}
        _add_ignored(
            ignored, scope, values, value_digests, artifacts, value_digest=value_digest, partners=partners
        )
    doubtful = analysis.doubtful & values.keys()
    lean = (
        resolve_step(
            _without(definition, doubtful),
            namespace,
            value_digest=value_digest,
            partners=partners,
            given=given,
            overrides=overrides,
            patches=patches,
        )
        if doubtful
        else None
    )
    return ResolvedStep(
        definition=definition,
        dependencies=found,
        digests=value_digests,
        artifacts=artifacts,
        values=values,
        parts=parts,
        cache_key=cache_key(parts),
        key_without_maybe_reads="" if lean is None or doubtful & lean.parts.inputs.keys() else lean.cache_key,
        unclear=(*found.unclear, *opaque.values()),
        earlier=tuple(what for what, matters in earlier.items() if matters),
        uses=static_usage(
            definition,
            found,
            {
                *(package for seen in value_digests.values() for package in seen.packages),
                *(package for artifact in artifacts.values() for package in artifact.packages),
            },
        ),
    )


def _add_ignored(
    names: Collection[str],
    namespace: Mapping[str, Any],
    values: dict[str, Any],
    value_digests: dict[str, ValueDigest],
    artifacts: dict[str, Artifact],
    *,
    value_digest: Callable[[str, Any], tuple[ValueDigest, Artifact | None]],
    partners: Callable[[Mapping[str, ValueDigest]], Mapping[str, Any]],
) -> None:
    """Add the inputs that do not count in the key, and what shares state with them: the step is given them, too.

    Args:
        names: the ignored inputs.
        namespace: the notebook's variables, with what takes the place of some.
        values: all inputs so far, as are `value_digests` and `artifacts`; added to.
        value_digests: see `values`.
        artifacts: see `values`.
        value_digest: see `resolve_step`.
        partners: see `resolve_step`.
    """
    waiting = {name: namespace[name] for name in names if name in namespace and name not in artifacts}
    while waiting:
        values.update(waiting)
        seen: dict[str, ValueDigest] = {}
        for name, value in waiting.items():
            with suppress(CannotDigest):
                seen[name], artifact = value_digest(name, value)
                artifacts.update({} if artifact is None else {name: artifact})
        value_digests.update(seen)
        near = partners(seen) if seen else {}
        waiting = {n: v for n, v in near.items() if n not in values and n not in artifacts}


def _stateful(definitions: Mapping[str, Any]) -> dict[str, Any]:
    """Return the functions of the notebook that calls can change; they are inputs, and outputs when changed."""
    return {name: value for name, value in definitions.items() if has_state(value)}


def _is_at_hand(
    name: str,
    artifact: Artifact,
    namespace: Mapping[str, Any],
    value_digest: Callable[[str, Any], tuple[ValueDigest, Artifact | None]],
) -> bool:
    """Whether an artifact is a function that the notebook has: then it counts as code, as in a cell."""
    value = namespace.get(name)
    if not isinstance(value, FunctionType) or has_state(value):
        return False
    return value_digest(name, value)[0].digest == artifact.digest


def _without(definition: StepDefinition, names: frozenset[str]) -> StepDefinition:
    """Return the definition as if the cell did not read these names."""
    analysis = definition.analysis
    return replace(
        definition,
        analysis=replace(
            analysis,
            reads={name: bound for name, bound in analysis.reads.items() if name not in names},
            chains=frozenset(chain for chain in analysis.chains if chain[0] not in names),
            doubtful=analysis.doubtful - names,
        ),
    )


def _with_inputs(definition: StepDefinition, namespace: Mapping[str, Any]) -> Any:
    """Return the analysis with the names given by `-i` among what the cell reads."""
    analysis = definition.analysis
    for name in definition.options.inputs:
        if name not in namespace:
            raise StepRefused(
                f"step '{definition.name}' has `-i {name}`, but the notebook has no variable `{name}` yet."
            )
    added = {name: frozenset[str]() for name in definition.options.inputs if name not in analysis.reads}
    if not added:
        return analysis
    return replace(
        analysis,
        reads={**analysis.reads, **added},
        chains=analysis.chains | {(name,) for name in added},
    )


def _needed(artifact: Artifact, namespace: Mapping[str, Any]) -> dict[int, object]:
    """Return the notebook's classes and functions that a stored value refers to."""
    roots = [namespace[name] for need in artifact.needs if (name := need.split(".")[0]) in namespace]
    return {id(root): root for root in roots}


def _parts(
    definition: StepDefinition,
    found: Dependencies,
    value_digests: Mapping[str, ValueDigest],
    artifacts: Mapping[str, Artifact],
    earlier: dict[str, str],
) -> CacheKeyParts:
    packages = set(found.packages)
    inputs = {}
    for name in sorted({*value_digests, *artifacts}):
        if name in artifacts:
            inputs[name] = artifacts[name].digest
            packages.update(artifacts[name].packages)
        else:
            inputs[name] = value_digests[name].digest
            packages.update(value_digests[name].packages)
    options = definition.options
    return CacheKeyParts(
        code=definition.code,
        outputs=options.outputs or (),
        inputs=inputs,
        reached=found.digests
        | {f"sharing {', '.join(names)}": "" for names in _sharing(value_digests, artifacts)}
        | earlier,
        packages=versions(packages),
        options={
            **{f"depends-on {path}": file_digest(path, definition.name) for path in options.depends_on},
            **unstored(definition),
        },
    )


def _earlier(
    value_digests: Mapping[str, ValueDigest], definitions: Mapping[str, Any], namespace: Mapping[str, Any]
) -> dict[str, bool]:
    """Return what inputs hold and code names (`old = Model`) that was defined anew since, even if it reads the same.

    `isinstance(model, Model)` says no then; what is loaded from the store would be of the class of today. With each
    comes whether it matters which one is called: of functions that read the same it does not.
    """
    found: dict[str, bool] = {}
    things = [*(code for seen in value_digests.values() for code in seen.code), *definitions.values()]
    for thing in {id(thing): thing for thing in things}.values():
        if isinstance(thing, type | FunctionType) and "<" not in thing.__qualname__:
            scope = (
                namespace if thing.__module__ == "__main__" else vars(sys.modules.get(thing.__module__, sys))
            )
            today = find(scope, thing.__qualname__)
            if isinstance(today, type | FunctionType) and today is not thing:
                kind = "class" if isinstance(thing, type) else "function"
                what = f"earlier {kind} {thing.__qualname__}"
                same = isinstance(thing, FunctionType) and thing.__code__ == getattr(today, "__code__", None)
                found[what] = found.get(what, False) or not same
    return found


def _sharing(
    value_digests: Mapping[str, ValueDigest], artifacts: Mapping[str, Artifact]
) -> list[tuple[str, ...]]:
    """Return which inputs share state: `b.append(1)` does something else where `a` is the same list."""
    together: dict[str, list[str]] = {}
    for name in sorted(artifacts.keys() - value_digests.keys()):
        if artifacts[name].item is not None:
            together.setdefault(artifacts[name].blob, []).append(name)
    return [*groups(value_digests), *(tuple(names) for names in together.values() if len(names) > 1)]
