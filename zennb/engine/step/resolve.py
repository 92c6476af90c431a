"""Owns the resolution of a step: its inputs, everything its code depends on, and its cache key. Runs nothing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import FunctionType
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import is_a
from zennb.core.planning.cache_key import cache_key
from zennb.core.reading.reflection import Reflection
from zennb.core.records.records import CacheKeyParts
from zennb.core.secrets.literals import mask_source
from zennb.dependencies.callables import has_state, stateful
from zennb.dependencies.dependencies import Dependencies, DependencySearch, without_cleared
from zennb.dependencies.library_calls import digests_of
from zennb.digests.reachability import code_in
from zennb.digests.stream import text_digest
from zennb.engine.environment.files import file_digest
from zennb.engine.step.cache_options import check_unstored, ignored_inputs, options_in_key, without_reads
from zennb.engine.step.earlier_definitions import earlier_definitions
from zennb.engine.step.elements import check_mapped, mapped_value
from zennb.engine.step.output_checks import checked_outputs
from zennb.engine.step.sealed_parts import seal_parts
from zennb.engine.step.shared_state import groups
from zennb.engine.step.static_usage import StaticUsage, static_usage
from zennb.errors import CannotDigest, StepRefused
from zennb.materializers.not_stored import why_unknown
from zennb.packages.origin import module_of, top_level
from zennb.packages.versions import versions

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from zennb.core.records.records import Artifact
    from zennb.dependencies.library_calls import LibraryCall, LibraryCalls
    from zennb.dependencies.patches import Patch
    from zennb.digests.digest import ValueDigest
    from zennb.engine.step.definition import StepDefinition
    from zennb.engine.step.shared_state import Partners

__all__ = ["ResolvedStep", "resolve_step"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedStep:
    """A step with everything that a cache decision needs.

    Attributes:
        definition: the step.
        dependencies: everything its code reaches.
        digests: input name → content.
        artifacts: input name → the artifact it is; inputs that are not artifacts yet are absent.
        values: input name → value, of inputs that are in memory.
        parts: the parts of the cache key.
        cache_key: digest of the parts.
        key_without_maybe_reads: the key without the names that the cell reads only where it may have bound them itself
            (`for x in xs: best = x` and then `best`); "" when there are none. A step recorded under it ran while
            these names were absent, so it bound them first, and so it will again.
        unclear: why the key may not cover everything that matters; empty as a rule.
        holders: variables that it does not read, that have no content and that hold state of an input → why they have
            none. They matter only where an input is changed.
        earlier: classes and functions that were redefined after its inputs or other names got hold of them, so that
            a copy would use the new ones: `earlier class Model`.
        uses: what its code uses of its environment.
        packages: import names of the packages that its code or its inputs use.
        used: import names of all that it uses, parts of Python among them.
        calls: what the notebook called for its effect on these.
        secrets: the secret texts in its code and inputs; their digests in the parts are sealed.
        unstored: inputs that another step makes and cannot store.
        rebound: inputs only because they share state with another one, and that the step may bind anew.
        deletes: names that exist and that it may delete, though it does not read them (`except E as name`).
        alone: inputs of which nothing else held a part, no library either, when the step was resolved.
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
    packages: frozenset[str]
    used: frozenset[str] = frozenset()
    calls: tuple[LibraryCall, ...] = ()
    secrets: tuple[str, ...] = field(default=(), repr=False)
    unstored: tuple[str, ...] = ()
    rebound: frozenset[str] = frozenset()
    deletes: frozenset[str] = frozenset()
    holders: Mapping[str, CannotDigest] = field(default_factory=dict)
    alone: frozenset[str] = frozenset()

    @property
    def unclear_in_kernel(self) -> tuple[str, ...]:
        """As `unclear`, for a run in this kernel: what holds state of inputs shows whether these are changed."""
        return tuple(why for why in self.unclear if why not in map(_reads, self.holders.values()))

    @property
    def sharing_state(self) -> frozenset[str]:
        """The names that share state with inputs, and that results which replace such an input must bind as well."""
        return self.rebound.union(self.holders)

    @property
    def inputs(self) -> frozenset[str]:
        """The names of all inputs, those that `--ignore` leaves out of the key among them."""
        return frozenset((*self.digests, *self.artifacts, *self.parts.inputs))


def resolve_step(
    definition: StepDefinition,
    namespace: Mapping[str, Any],
    *,
    value_digest: Callable[[str, Any], tuple[ValueDigest, Artifact | None]],
    partners: Partners = lambda *_: {},
    given: Mapping[str, Artifact] | None = None,
    overrides: Mapping[str, Any] | None = None,
    patches: Collection[Patch] = (),
    calls: LibraryCalls | None = None,
) -> ResolvedStep:
    """Determine what a step depends on in this namespace.

    Args:
        definition: the step.
        namespace: the notebook's variables.
        value_digest: returns a variable's digest and the artifact it is, if any (`VariableTracker.digest`).
        partners: returns the variables that share mutable state with given ones (`VariableTracker.partners`); they are
            inputs too, since a change of one is a change of the other.
        given: inputs from other steps of a run; they replace variables of the same name.
        overrides: values that replace variables.
        patches: attributes of packages' modules and classes that the notebook replaced.
        calls: what the notebook called for its effect on libraries.

    Raises:
        StepRefused: a file named with `--depends-on`, or a name given with `-i`, does not exist; or another option
            cannot be followed.
    """
    given, overrides = given or {}, overrides or {}
    given = {n: each for n, each in given.items() if not _is_at_hand(n, each, namespace, value_digest)}
    # Bad options are refused before the inputs are digested, which may take seconds.
    check_unstored(definition)
    checked_outputs(definition)
    analysis = _with_inputs(definition, namespace, given)
    if mapped := definition.options.map:
        check_mapped(definition, {**given, **namespace})
        if mapped not in given:
            overrides = {mapped: mapped_value(namespace[mapped]), **overrides}
    ignored = ignored_inputs(definition, analysis, namespace, given)
    # Only after the check above: it needs the reads as they are, to refuse a name that nothing reads.
    analysis = without_reads(analysis, ignored, in_functions=True)
    # Whatever they hold, the step will not see it. Hidden are those that it may bind (see `doubtful` below).
    surely = analysis.surely - analysis.reads.keys()
    overwritten = surely | analysis.hidden.intersection(analysis.binds) - analysis.reads.keys()
    # Also those that wait in the store beside an input, or the key of a new kernel would be another one.
    given = {name: each for name, each in given.items() if name not in surely}
    opaque = {n: why_unknown(e) for n, e in given.items() if not e.is_stored and n not in ignored}
    given = {name: each for name, each in given.items() if each.is_stored}
    inputs = _Inputs(artifacts=dict(given), value_digest=value_digest, opaque=dict(opaque))
    for name, artifact in given.items():
        # The code in a stored value cannot be looked at without loading it. Its record names what it needs.
        inputs.code.update({} if name in ignored else _needed(artifact, namespace))
    search = DependencySearch(analysis, namespace, patches=patches)
    # -1, so that the search runs at least once even when no code was found in data.
    followed, beside = -1, set[str]()
    while followed < len(inputs.code):  # code found in data is followed, and may lead to more data
        search.follow(list(inputs.code.values())[max(followed, 0) :])
        followed = len(inputs.code)
        names: Mapping[str, Any] = {**search.data, **stateful(search.definitions)}
        # Each name is digested once, also one without a digest: digests are what takes the time here.
        while names := {n: v for n, v in names.items() if not (n in inputs or n in given or n in ignored)}:
            inputs.add_all({name: overrides.get(name, value) for name, value in names.items()})
            # Partners come last, when all that is read is known: what shares state with an input is an input.
            names = {
                n: v for n, v in inputs.partners(partners, search.data, names).items() if n not in overwritten
            }
            beside |= names.keys()
    found = search.found()
    in_key = {name: artifact for name, artifact in inputs.artifacts.items() if name not in ignored}
    earlier = earlier_definitions(inputs.digests, found.definitions, namespace)
    # Not what is an input only because it shares state with an ignored one, which comes below.
    rebound = {*inputs.values, *given} & {*analysis.binds} - {*analysis.hidden, *analysis.reads, *search.data}
    # The key is made before ignored inputs are added: the step gets them, but they must not count.
    more = {**dict.fromkeys(earlier, ""), **_own_text(definition, search.reflections)}
    used = _used(definition, found, inputs)
    concerning = calls.concerning(used, code=definition.code) if calls else []
    more |= digests_of(concerning)
    parts = _parts(definition, found, inputs.digests, in_key, more)
    parts, secrets = seal_parts(parts, definition, inputs.values, namespace)
    unclear = (*without_cleared(found.unclear, definition.tree), *map(_reads, inputs.opaque.values()))
    beside.difference_update(search.data, stateful(search.definitions), analysis.reads, analysis.binds)
    scope = {**namespace, **overrides}
    names = {name: scope[name] for name in ignored if name in scope and name not in inputs.artifacts}
    # An ignored input may share state with other variables. A worker that got it alone would change a copy of that
    # state, so its partners are handed over too, and theirs.
    while names:
        added = {
            name: digest for name, value in names.items() if (digest := inputs.add(name, value)) is not None
        }
        shared = (partners(added, ()) if added else None) or {}
        names = {n: v for n, v in shared.items() if n not in inputs.values and n not in inputs.artifacts}
    # Once more, as if the doubtful names were not bound yet, as they were when the cell first ran. Otherwise a cell
    # that binds such a name changes its own key by running, and its second run is not cached.
    doubtful = (
        analysis.doubtful | search.named.intersection(analysis.binds)
    ) & inputs.values.keys() | rebound
    reduced = (
        resolve_step(
            replace(definition, analysis=without_reads(definition.analysis, doubtful)),
            namespace,
            value_digest=value_digest,
            partners=partners,
            given={name: each for name, each in given.items() if name not in rebound},
            overrides=overrides,
            patches=patches,
            calls=calls,
        )
        if doubtful
        else None
    )
    packages = {*found.packages, *inputs.packages}
    return ResolvedStep(
        definition=definition,
        dependencies=found,
        digests=inputs.digests,
        artifacts=inputs.artifacts,
        values=inputs.values,
        parts=parts,
        cache_key=cache_key(parts),
        # A function that the cell calls may read such a name as well. Then it is an input for certain.
        key_without_maybe_reads=""
        if reduced is None or doubtful & reduced.parts.inputs.keys()
        else reduced.cache_key,
        unclear=unclear,
        earlier=tuple(what for what, matters in earlier.items() if matters),
        uses=static_usage(definition, found, packages, inputs.values.values()),
        packages=frozenset(packages),
        used=used,
        calls=tuple(concerning),
        secrets=secrets,
        rebound=frozenset(rebound),
        deletes=definition.analysis.deletes & scope.keys() - inputs.values.keys(),
        unstored=tuple(opaque),
        alone=inputs.alone,
        holders={name: inputs.opaque[name] for name in sorted(beside) if name in inputs.opaque},
    )


@dataclass(slots=True, kw_only=True)
class _Inputs:
    """The inputs found so far, and the code found in them (by id)."""

    value_digest: Callable[[str, Any], tuple[ValueDigest, Artifact | None]]
    artifacts: dict[str, Artifact]
    values: dict[str, Any] = field(default_factory=dict)
    digests: dict[str, ValueDigest] = field(default_factory=dict)
    opaque: dict[str, CannotDigest] = field(default_factory=dict)
    code: dict[int, object] = field(default_factory=dict)
    alone: frozenset[str] = frozenset()

    def __contains__(self, name: str) -> bool:
        return name in self.digests or name in self.opaque

    @property
    def packages(self) -> set[str]:
        """The packages that they need."""
        of_values = (package for seen in self.digests.values() for package in seen.packages)
        return {*of_values, *(package for each in self.artifacts.values() for package in each.packages)}

    def partners(self, ask: Partners, *holders: Mapping[str, Any]) -> Mapping[str, Any]:
        """Ask for what shares state with them; note whether nothing at all does."""
        found = ask(self.digests, [self.values, *holders])
        self.alone = frozenset(self.digests if found is None else ())
        return found or {}

    def add_all(self, values: Mapping[str, Any]) -> None:
        """Add variables."""
        for name, value in values.items():
            self.add(name, value)

    def add(self, name: str, value: Any) -> ValueDigest | None:
        """Add a variable; return its digest, or None when it has none."""
        self.values[name] = value
        try:
            digest, artifact = self.value_digest(name, value)
        except CannotDigest as error:
            self.opaque[name] = error.with_traceback(None)  # its frames would keep values alive
            self.code |= {id(code): code for code in code_in([value])}
            return None
        self.digests[name] = digest
        if artifact is not None:
            self.artifacts[name] = artifact
        self.code.update({id(code): code for code in digest.code})
        return digest


def _reads(error: CannotDigest) -> str:
    return f"it reads `{error.path}`, {error.why}"


def _used(definition: StepDefinition, found: Dependencies, inputs: _Inputs) -> frozenset[str]:
    """Return the import names of all that a step uses, parts of Python among them."""
    uses = {top_level(use) for use in found.uses} | {path[0] for path in definition.analysis.modules}
    uses |= {
        top_level(module_of(type(value))) for value in inputs.values.values()
    }  # also those that have no digest
    # `from csv import reader`: a function of `_csv`.
    uses |= {top_level(module_of(value)).lstrip("_") for value in found.definitions.values()}
    return frozenset(uses | found.packages | inputs.packages) - {"", "builtins", "main__"}


def _is_at_hand(
    name: str,
    artifact: Artifact,
    namespace: Mapping[str, Any],
    value_digest: Callable[[str, Any], tuple[ValueDigest, Artifact | None]],
) -> bool:
    """Whether an artifact is a function that the notebook also has: then it counts as code, as in a cell."""
    value = namespace.get(name)
    if not is_a(value, FunctionType) or has_state(value):
        return False
    return value_digest(name, value)[0].digest == artifact.digest


def _with_inputs(
    definition: StepDefinition, namespace: Mapping[str, Any], given: Mapping[str, Artifact]
) -> Any:
    """Return the analysis with the names given by `-i` among what the cell reads."""
    analysis = definition.analysis
    for name in definition.options.inputs:
        if name not in namespace and name not in given:
            checks = definition.options.checks.values()
            option = "--map" if name == definition.options.map else "--check" if name in checks else "-i"
            raise StepRefused(
                f"step '{definition.name}' has `{option} {name}`, but the notebook has no variable `{name}` yet."
            )
    added = {name: frozenset[str]() for name in definition.options.inputs if name not in analysis.reads}
    if not added:
        return analysis
    chains = analysis.chains | {(name,) for name in added}
    return replace(analysis, reads={**analysis.reads, **added}, chains=chains)


def _needed(artifact: Artifact, namespace: Mapping[str, Any]) -> dict[int, object]:
    """Return the notebook's classes and functions that a stored value refers to."""
    roots = [namespace[name] for need in artifact.needs if (name := need.split(".")[0]) in namespace]
    return {id(root): root for root in roots}


def _parts(
    definition: StepDefinition,
    found: Dependencies,
    value_digests: Mapping[str, ValueDigest],
    artifacts: Mapping[str, Artifact],
    more: Mapping[str, str],
) -> CacheKeyParts:
    packages = set(found.packages)
    inputs = {}
    for name in sorted({*value_digests, *artifacts}):
        source = artifacts[name] if name in artifacts else value_digests[name]
        inputs[name] = source.digest
        packages.update(source.packages)
    options = definition.options
    return CacheKeyParts(
        code=definition.code,
        outputs=options.outputs or (),
        inputs=inputs,
        reached=dict(more)
        | found.digests
        | {f"sharing {', '.join(names)}": "" for names in _sharing(value_digests, artifacts)},
        packages=versions(packages),
        options={
            **{f"depends-on {path}": file_digest(path, definition.name) for path in options.depends_on},
            **options_in_key(definition),
        },
    )


def _own_text(definition: StepDefinition, reads: Collection[Reflection]) -> dict[str, str]:
    """Return what counts of the cell's own docstrings and comments: nothing, unless code is read as a value."""
    if Reflection.SOURCE in reads:
        return {"text of the cell": text_digest([mask_source(definition.text)])}
    if Reflection.DOCSTRINGS in reads and definition.analysis.docstrings:
        return {"docstrings of the cell": text_digest(sorted(definition.analysis.docstrings))}
    return {}


def _sharing(
    value_digests: Mapping[str, ValueDigest], artifacts: Mapping[str, Artifact]
) -> list[tuple[str, ...]]:
    """Return which inputs share state: `b.append(1)` does something else if `a` is the same list."""
    together: dict[str, list[str]] = {}
    waiting = sorted(artifacts.keys() - value_digests.keys())
    whole = {artifacts[name].blob for name in waiting if artifacts[name].part_of}
    for name in waiting:
        if artifacts[name].item is not None or artifacts[name].blob in whole:
            together.setdefault(artifacts[name].blob, []).append(name)
    return [*groups(value_digests), *(tuple(names) for names in together.values() if len(names) > 1)]
