"""Owns the postponing of outputs that cannot be stored: whether running their step again would make the same.

Reuse leaves such a name unbound. Before a cell that really runs reads it, the step runs once more beside the notebook,
and only that name is taken from it. So nothing else may depend on the object, and the step may have no other effect.
"""

from __future__ import annotations

import gc
import re
import time
import uuid
import weakref
from functools import lru_cache
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import bases_of, is_a, is_one_of
from zennb.core.records.observed import UNTOUCHED
from zennb.core.records.records import NOT_STORED, Artifact
from zennb.digests.digest import ValueDigest, digest_value
from zennb.digests.immutable import is_immutable
from zennb.digests.reachability import Search, parts_of
from zennb.digests.transparency import is_transparent
from zennb.engine.environment.open_figures import PYPLOT
from zennb.engine.environment.random_state import GENERATORS
from zennb.engine.step.code_owned_outputs import changed_parts
from zennb.engine.step.shared_state import own_parts
from zennb.engine.step.shell_history import is_shells
from zennb.errors import CannotDigest
from zennb.materializers.not_stored import stand_in
from zennb.materializers.summary import type_text
from zennb.packages.origin import full_name, module_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from zennb.components.component import ArtifactStore
    from zennb.core.records.observed import Observed
    from zennb.engine.run.unit_of_work import WriteBuffer
    from zennb.engine.step.namespace_changes import NamespaceChanges
    from zennb.engine.step.recording import Recording
    from zennb.engine.step.request import StepRequest

__all__ = ["copied_class", "postponed", "sharers", "why_not_postponed"]

_FAR = 100_000
"""Objects inside a value that are looked at; what holds more is not postponed."""

_CODE = (type, ModuleType, FunctionType, BuiltinFunctionType, CodeType)

_OF_CACHES = {
    id(each): each for each in gc.get_referents(lru_cache(maxsize=1)(lambda: None)) if type(each) is object
}
"""What all caches of `functools` share, that of a database connection too; by id."""

_DIFFERS = re.compile(
    r"^(?:time\.(?!sleep|strftime|strptime)|uuid\.|secrets\.|datetime\.|os\.(?:urandom|getpid)|tempfile\.)"
    r"|\.(?:now|utcnow|today|urandom)$"
)
"""What gives something else at each call."""

_OUTSIDE = frozenset({"_asyncio.Future", "socket.socket", "threading.Thread"})
"""What works on outside the notebook: making it again does more than giving back an object."""


def why_not_postponed(
    names: Collection[str],
    *,
    request: StepRequest,
    observed: Observed,
    changes: Mapping[str, Any],
    collected: NamespaceChanges,
    namespace: Mapping[str, Any],
    inputs: Collection[str],
    recording: Recording,
) -> str:
    """Return why outputs that cannot be stored must not be postponed; "" if they may.

    Args:
        names: the outputs.
        request: the step.
        observed: its side effects.
        changes: settings and files that it changed.
        collected: what it left in the namespace.
        namespace: where its code ran.
        inputs: the names of its inputs.
        recording: what it showed.
    """
    is_clear = not (request.unclear or request.evaluates)
    if not request.postpones or not is_clear or not request.definition.options.cache:
        return "its step runs every time"
    return (
        _effect(request, observed, changes, recording)
        or _lost_input(request, inputs)
        or _shared({name: namespace[name] for name in names}, request, collected, namespace)
    )


def _effect(
    request: StepRequest, observed: Observed, changes: Mapping[str, Any], recording: Recording
) -> str:
    """Return what running the step again would do besides making its outputs, or would make otherwise."""
    analysis = request.definition.analysis
    if analysis.magics or analysis.awaits or analysis.stars:
        return "its step cannot be run again beside the notebook"
    if observed.written or observed.restored:
        return f"its step writes {next(iter({**observed.written, **observed.restored}))}"
    if observed.calls or any(name.startswith("$") for name in observed.left):
        return "its step changes the process"
    if PYPLOT in changes or any("image/png" in event.get("data", ()) for event in recording):
        return "its step draws"
    for name in GENERATORS:
        # A state that was never set is another one the next time.
        if name in changes and name not in request.uses.seeds and _is_unseeded(name, observed):
            return "its step draws random numbers, and no seed is set"
    used = sorted({*request.uses.modules, *request.modules})
    differs = next((each for each in used if _DIFFERS.search(each)), "")
    return f"its step uses {differs}" if differs else ""


def _is_unseeded(name: str, observed: Observed) -> bool:
    return observed.settings.get(name, UNTOUCHED) == UNTOUCHED


def _lost_input(request: StepRequest, inputs: Collection[str]) -> str:
    lost = [name for name in inputs if name not in request.inputs or not request.inputs[name].is_stored]
    return f"`{lost[0]}`, which its step reads, is not stored" if lost else ""


def _shared(
    values: Mapping[str, Any],
    request: StepRequest,
    collected: NamespaceChanges,
    namespace: Mapping[str, Any],
) -> str:
    """Return what else the values are a part of, or hold: made again, they would be, or hold, a copy of it."""
    for name, value in values.items():
        if _works_outside(value):
            return f"`{name}` works outside the notebook"
    try:
        inside, seen = _state_of(values, namespace)
    except CannotDigest as error:
        return f"`{error.path}` holds {error.why}"
    # Defined again, a class would be another one: `isinstance` would say so.
    own = request.definition.analysis.defines
    again = next((name for name in own if id(namespace.get(name, inside)) in inside), "")
    if again:
        return f"it uses `{again}`, which the same step defines"
    skipped = {*values, *collected.own}
    others = {n: v for n, v in namespace.items() if n not in skipped and not is_shells(n)}
    if not _holder(seen, others):
        return ""
    # Only now, as it looks through all libraries: what belongs to them is nobody's.
    return _holder(own_parts({"": seen})[""], others)


def sharers(values: Mapping[str, Any], others: Mapping[str, Any], namespace: Mapping[str, Any]) -> list[str]:
    """Return which other variables share state with values that cannot be stored, or may do so where nobody can tell.

    Args:
        values: name → value that cannot be stored.
        others: name → value, of the variables that are asked about.
        namespace: where both are.
    """
    changeable = {
        name: each for name, each in others.items() if not is_a(each, _CODE) and not is_immutable(each)
    }
    if not values or not changeable:
        return []
    try:
        _, seen = _state_of(values, namespace)
    except CannotDigest:
        return list(changeable)
    search = Search(seen.mutable, seen.memory)
    return [name for name, each in changeable.items() if search.finds(each)]


def copied_class(value: object, namespace: Mapping[str, Any]) -> str:
    """Return the name of a class of the notebook that a value holds instances of, or makes when it goes on; else "".

    Args:
        value: what a step has bound that cannot be stored.
        namespace: where the step ran, on copies of the notebook's classes and functions.
    """
    classes = {
        id(each): name
        for name, each in namespace.items()
        if is_a(each, type) and module_of(each) == "__main__"
    }
    if not classes:
        return ""
    try:
        inside, _ = _inside(value, namespace)
    except CannotDigest:
        inside = {id(type(value)): type(value)}
    seen: set[int] = set()
    waiting = list(inside.values())
    while waiting:
        each = waiting.pop()
        if id(each) in classes:
            return classes[id(each)]
        code = (
            each
            if is_a(each, CodeType)
            else getattr(each, "__code__", None)
            if is_a(each, FunctionType)
            else None
        )
        if is_a(code, CodeType) and id(code) not in seen:
            seen.add(id(code))
            waiting += [*code.co_consts, *(namespace[name] for name in code.co_names if name in namespace)]
    return ""


def _state_of(
    values: Mapping[str, Any], namespace: Mapping[str, Any]
) -> tuple[dict[int, object], ValueDigest]:
    """Return all objects inside some values, by id, and what of these can be changed, as a digest.

    Raises:
        CannotDigest: with the name as path: it holds something of which nobody can tell what it refers to.
    """
    inside: dict[int, object] = {}
    parts, memory = set[int](), list[Any]()
    for name, value in values.items():
        try:
            found, known = _inside(value, namespace)
        except CannotDigest as error:
            raise CannotDigest(name, error.why) from error
        inside |= found
        parts |= {key for key, each in found.items() if not is_a(each, _CODE) and not is_immutable(each)}
        parts -= _OF_CACHES.keys()
        for digest in known:
            parts |= digest.mutable
            memory += digest.memory
    seen = ValueDigest(
        digest="", code=(), packages=frozenset(), mutable=frozenset(parts), memory=tuple(memory)
    )
    return inside, seen


def _holder(seen: ValueDigest, others: Mapping[str, Any]) -> str:
    """Return what holds some of these objects or memory: a variable, or code of the user."""
    search = Search(seen.mutable, seen.memory)
    holders = (name for name, each in others.items() if search.finds(each))
    if (name := next(holders, "")) != "":
        return f"`{name}` shares state with it"
    return next(iter(changed_parts({"it": (None, seen)}, others)), "")


def _works_outside(value: object) -> bool:
    """Whether a value, or a part of it, works on by itself; the threads of a pool only wait for work."""
    if module_of(type(value)).startswith("multiprocessing."):
        return False
    kinds = [type(each) for each in (value, *parts_of([value]))]
    return any(full_name(base) in _OUTSIDE for kind in kinds for base in bases_of(kind))


def _inside(value: object, namespace: Mapping[str, Any]) -> tuple[dict[int, object], list[ValueDigest]]:
    """Return all objects inside a value, by id, itself among them, and the digests of those that only these tell of.

    Raises:
        CannotDigest: it holds something of which nobody can tell what it refers to, or too much.
    """
    found: dict[int, object] = {}
    known: list[ValueDigest] = []
    kinds: dict[int, bool] = {}
    level: Sequence[object] = [value]
    while level:
        fresh = {id(each): each for each in level if id(each) not in found and not is_one_of(each, _PLAIN)}
        found |= fresh
        if len(found) > _FAR:
            raise CannotDigest("it", "too many objects")
        further = []
        for each in fresh.values():
            # A function of the notebook is the same one when the step runs again.
            if is_a(each, FunctionType) and namespace.get(each.__name__) is each:
                continue
            cls = type(each)
            if id(cls) not in kinds:
                kinds[id(cls)] = is_a(each, type) or is_transparent(cls)
            if kinds[id(cls)]:
                further.append(each)
            else:
                digest = digest_value(each, name="it")
                known.append(digest)
                found |= {id(code): code for code in digest.code}
        level = [*parts_of(further), *(each() for each in further if is_a(each, weakref.ref))]
    return found, known


_PLAIN = frozenset({type(None), bool, int, float, complex, str, bytes})


def postponed(
    reasons: Mapping[str, str], namespace: Mapping[str, Any], store: ArtifactStore | WriteBuffer
) -> dict[str, Artifact]:
    """Return the artifacts of outputs that cannot be stored.

    Args:
        reasons: output name → why it cannot be stored.
        namespace: where their step ran.
        store: takes what stands for them.
    """
    found = {}
    for name, why in reasons.items():
        digest = uuid.uuid4().hex  # each run makes another object, and nobody can tell whether it is the same
        data = stand_in(name, why, digest)
        found[name] = Artifact(
            name=name,
            digest=digest,
            blob=store.put([data]),
            materializer=NOT_STORED,
            size=len(data),
            type=type_text(namespace[name]),
            summary={"kind": "object", "text": f"not stored: {why}", "attributes": []},
            created=time.time(),
        )
    return found
