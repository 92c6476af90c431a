"""Owns the decision whether the results of a step that has just run may be reused."""

from __future__ import annotations

import ast
import re
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import is_a, name_of_module
from zennb.core.magic_lines.effects import Effect
from zennb.core.reading.tree import nodes_in
from zennb.dependencies.definition_effects import effects_when_defined
from zennb.dependencies.dependencies import resolve_dependencies
from zennb.digests.code import function_name
from zennb.digests.digest import contents
from zennb.digests.reachability import is_reachable
from zennb.engine.step.cache_options import changed_although_left_out
from zennb.engine.step.code_owned_outputs import (
    changed_parts,
    outputs_owned_by_code,
    weak_holder,
    weakly_referred,
)
from zennb.engine.step.outcome import Reason
from zennb.engine.step.shared_state import kept_by_libraries
from zennb.errors import StepRefused
from zennb.packages.origin import module_of, top_level

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from zennb.digests.digest import ValueDigest
    from zennb.engine.step.definition import StepDefinition
    from zennb.engine.step.namespace_changes import NamespaceChanges
    from zennb.engine.step.request import StepRequest
    from zennb.engine.step.resolve import ResolvedStep

__all__ = ["changed_code", "earlier_code", "reasons_against_reuse", "refused_copies", "refused_parts"]


def reasons_against_reuse(
    request: StepRequest,
    collected: NamespaceChanges,
    namespace: Mapping[str, Any],
    *,
    inputs: Mapping[str, tuple[Any, ValueDigest]],
    changed: Collection[str] = (),
    records_shell: bool,
) -> list[Reason]:
    """Return why the results of a step must not be reused, judged by its namespace; empty as a rule.

    `StepExecution` adds the reasons found in its side effects (settings, files, programs) and what cannot be stored.

    Args:
        request: the step.
        collected: what it left in the namespace.
        namespace: where its code ran.
        inputs: input name → value and content before.
        changed: what it changed of its own definitions, and bound anew in modules of the user.
        records_shell: whether what `!shell` lines print is recorded.
    """
    definition = request.definition
    found = list(collected.reasons)
    if not records_shell and any(line.effect is Effect.FILES for line in definition.analysis.magics):
        found.append(Reason("its shell lines print through the terminal itself"))
    found += _of_this_process(request.module_uses)
    if any(map(_ATTACHES.search, definition.analysis.texts.union(request.texts or ()))):
        found.append(Reason("it attaches a database", "whose file its code does not name"))
    code = changed_code(definition, request.reached, namespace, inputs=inputs)
    is_notebooks = any(_is_notebooks(each, namespace) for each in code)
    code += [each for each in changed if each not in code][:_SHOWN]
    if code:
        found.append(
            Reason(f"it modifies {', '.join(code)}", loses="definition" if is_notebooks else "change")
        )
    found += map(Reason, changed_although_left_out(definition, collected.values, inputs))
    if collected.defines:
        repeated = effects_when_defined(definition.tree, collected.defines, namespace)
        repeated = repeated or _changed_by_definitions(definition.tree, collected, inputs)
        found += [Reason(repeated, "and reuse would define it again")] if repeated else []
    changed_inputs = {name: each for name, each in collected.values.items() if name in inputs}
    for name, error in request.holders.items() if changed_inputs else ():
        shares = f"shares state with `{min(changed_inputs)}`, which it changes"
        found.append(Reason(f"`{name}`, {error.why}, {shares}"))
    # What a library has got hold of in this step alone is told by the call.
    known = {name: each for name, each in changed_inputs.items() if name not in request.alone}
    if not found and known:
        for each in kept_by_libraries(known):
            found.append(Reason(f"a library keeps `{each}` too", "so reuse would give a copy", loses="part"))
    others = {name: value for name, value in namespace.items() if name not in collected.values}
    for each in weakly_referred(changed_inputs, others):
        found.append(Reason(each, "and reuse would give another one", loses="part"))
    shared = _shared_with_code(request, collected, namespace, inputs)
    for each in shared:
        holder = each.split("`")[-2]
        is_copied = holder not in collected.defines and module_of(namespace.get(holder)) == "__main__"
        found.append(Reason(each, "so reuse would give a copy", loses="part" if is_copied else "result"))
    return found


_OF_LAST_ERROR = frozenset(
    {
        "pdb.pm",
        "sys.last_exc",
        "sys.last_traceback",
        "sys.last_type",
        "sys.last_value",
        "traceback.print_last",
    }
)


def _of_this_process(uses: Collection[str]) -> Iterator[Reason]:
    """Yield what a step asks Python for that is none of its inputs, and another one in the next process."""
    if any(top_level(use) == "linecache" for use in uses):
        yield Reason("it asks `linecache`, which keeps files as they were when it first read them")
    if last := sorted(_OF_LAST_ERROR.intersection(uses)):
        yield Reason(f"it asks `{last[0]}` for the last error, which is none of its inputs")


_ATTACHES = re.compile(r"(?i)^\s*attach\s+(?:database\s+)?(?:[?:@$]|[\"']?$)")
"""SQL that attaches the file of a parameter, or of a text that is put together."""

_SHOWN = 3
"""Names in modules that a reason lists: reading a module again binds all of them."""

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
_QUIET = (ast.Assign, ast.AnnAssign, ast.Pass, ast.Expr, ast.Name, ast.Constant, ast.Tuple, ast.expr_context)


def _changed_by_definitions(
    tree: ast.Module, collected: NamespaceChanges, inputs: Mapping[str, tuple[Any, ValueDigest]]
) -> str:
    """Return which input the definitions of a cell have changed, where nothing else in it can have done that."""
    changed = [  # an input that shares state with an output is stored with it, changed or not
        name
        for name, (_, seen) in collected.values.items()
        if name in inputs and seen.digest != inputs[name][1].digest
    ]
    others = [node for node in tree.body if not isinstance(node, _DEFINITIONS)]
    if not changed or not all(isinstance(each, _QUIET) for node in others for each in nodes_in(node)):
        return ""
    return f"defining `{min(collected.defines)}` changes `{changed[0]}`"


def _shared_with_code(
    request: StepRequest,
    collected: NamespaceChanges,
    namespace: Mapping[str, Any],
    inputs: Mapping[str, tuple[Any, ValueDigest]],
) -> list[str]:
    """Return which outputs are part of code: of what the step reaches and, if it changed an input, of any other."""
    defined = {name: namespace[name] for name in collected.defines}
    reached = {name: namespace[name] for name in request.names if name in namespace}
    changed = {name: seen for name, seen in collected.values.items() if name in inputs}
    others = {name: value for name, value in namespace.items() if name not in collected.values}
    return outputs_owned_by_code(
        collected.values, request.module_uses, {**reached, **defined}
    ) or changed_parts(changed, others)


def refused_parts(
    resolved: ResolvedStep, outputs: Collection[str], namespace: Mapping[str, Any]
) -> StepRefused | None:
    """Return an error if a step changed copies of inputs whose originals belong to code, or are in what has no copy.

    Args:
        resolved: the step.
        outputs: names of its outputs; an input among them was changed, or is stored with one that was.
        namespace: the notebook's variables.
    """
    # Of an input that a step has made, the step got a version from the store: the notebook's own one tells the sharing.
    held = {name: namespace[name] for name in outputs if name in resolved.inputs and name in namespace}
    values = {**held, **resolved.values}
    missing = {name: value for name, value in held.items() if name not in resolved.digests}
    digests = {**{name: seen for name, (_, seen) in contents(missing).items()}, **resolved.digests}
    changed = {name: (values[name], digests[name]) for name in outputs if name in digests and name in values}
    others = {name: value for name, value in namespace.items() if name not in outputs}
    if weak := weakly_referred(changed, others):
        return StepRefused(
            f"step '{resolved.definition.name}' was given a copy, and {weak[0]}, which stays as it was. Change it in a "
            "plain cell, or run the step as a cell on a stack that runs in the kernel."
        )
    if parted := _parted(resolved, changed):
        return StepRefused(
            f"step '{resolved.definition.name}' has a copy of `{parted[0]}` here and `{parted[1]}`, which cannot be "
            "stored and goes on with the notebook's own, and one of them was changed. Run the step as a cell on a "
            "stack that runs in the kernel."
        )
    found = changed_parts(changed, others) if changed else []
    if not found:
        return None
    return StepRefused(
        f"step '{resolved.definition.name}' was given a copy, and what it changed is part of code: {found[0]}, "
        "which goes on with it as it was. Change it in a plain cell, or run the step as a cell on a stack that runs "
        "in the kernel."
    )


def _parted(resolved: ResolvedStep, changed: Mapping[str, tuple[Any, ValueDigest]]) -> tuple[str, str] | None:
    """Return an input that was copied, and what was handed over as it is and holds it, such as a generator over it.

    Only if the copy or the original was changed.
    """
    holders = resolved.values.keys() - resolved.digests.keys() - resolved.artifacts.keys()
    originals = {name: value for name, value in resolved.values.items() if name in resolved.digests}
    for name, (_, seen) in {**changed, **(contents(originals) if holders else {})}.items():
        if name in changed or seen.digest != resolved.digests[name].digest:
            for holder in sorted(holders):
                if is_reachable(resolved.values[holder], seen.mutable, seen.memory):
                    return name, holder
    return None


def refused_copies(resolved: ResolvedStep) -> StepRefused | None:
    """Return an error if a step cannot run on copies of what it reads and uses."""
    return earlier_code(resolved) or _reads_unstored(resolved) or _refers_weakly(resolved)


def earlier_code(resolved: ResolvedStep) -> StepRefused | None:
    """Return an error if a step cannot run on copies, because it or an input holds code that was redefined since."""
    if not resolved.earlier:
        return None
    kind, _, name = resolved.earlier[0].removeprefix("earlier ").partition(" ")
    return StepRefused(
        f"step '{resolved.definition.name}' uses {kind} `{name}` as it was before it was defined anew, and a copy "
        "would be of today's. Run the cells again that make what the step reads, or run it as a cell on a stack that "
        "runs in the kernel."
    )


def _reads_unstored(resolved: ResolvedStep) -> StepRefused | None:
    """Return an error if a step reads what another one makes and cannot store, and the notebook does not have it."""
    if not resolved.unstored:
        return None
    return StepRefused(
        f"step '{resolved.definition.name}' reads `{resolved.unstored[0]}`, which cannot be stored. Run its cell: "
        "that makes it again first."
    )


def _refers_weakly(resolved: ResolvedStep) -> StepRefused | None:
    """Return an error if a step cannot run on copies, because they would lose what they refer to weakly."""
    holder = weak_holder(resolved.dependencies.definitions)
    if not holder:
        return None
    return StepRefused(
        f"step '{resolved.definition.name}' uses {holder}, which refers weakly to objects (`weakref`), and a copy "
        "would not. Run the step as a cell on a stack that runs in the kernel."
    )


def changed_code(
    definition: StepDefinition,
    before: Mapping[str, str],
    namespace: Mapping[str, Any],
    *,
    inputs: Mapping[str, tuple[Any, ValueDigest]],
) -> list[str]:
    """Return which of the functions, classes and constants that a step depends on it has changed.

    Definitions in the cell itself do not count, as reuse executes them again. Nor do functions that are inputs.

    Args:
        definition: the step.
        before: what its code reached when it began, as `function clean` → digest.
        namespace: where its code ran.
        inputs: input name → value and content before.
    """
    if all(_is_module(known, digest, namespace) for known, digest in before.items()):
        return []  # as in most cells, which use no code or constants of the user
    # `before` covers code found in the inputs, so the search has to begin with the same code to find the same things.
    extra = tuple(code for _, seen in inputs.values() for code in seen.code)
    after = resolve_dependencies(definition.analysis, namespace, extra=extra).digests
    own = set(inputs)
    own |= {function_name(value) for value, _ in inputs.values() if is_a(value, FunctionType)}
    found = []
    for known, digest in before.items():
        kind, _, name = known.partition(" ")
        root = name.split(".")[0]
        # Nor is what the cell binds to the name of a function, as in `fib = lru_cache(fib)`, a change of the function.
        is_own = name in own or root in definition.analysis.defines
        is_own = is_own or (kind == "function" and root in definition.analysis.surely)
        if after.get(known, digest) != digest and not is_own:
            found.append(f"{kind} `{name}`")
    return found


def _is_notebooks(known: str, namespace: Mapping[str, Any]) -> bool:
    """Whether a dependency (`class `Model``) is defined in the notebook, and not in a module or library."""
    root = known.partition("`")[2].rstrip("`").partition(".")[0]
    return root in namespace and not is_a(namespace[root], ModuleType)


def _is_module(known: str, digest: str, namespace: Mapping[str, Any]) -> bool:
    """Whether a dependency is a variable that holds the same module as before (`module np` → `numpy`)."""
    kind, _, name = known.partition(" ")
    value = namespace.get(name)
    return kind == "module" and is_a(value, ModuleType) and name_of_module(value) == digest
