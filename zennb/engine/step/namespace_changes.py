"""Owns `NamespaceChanges`: which names a step bound, changed, defined or deleted."""

from __future__ import annotations

import ast
import types
import typing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import is_a, qualified_name
from zennb.compat.shared_memory import keep_mapped
from zennb.core.magic_lines.settings import magic_troubles
from zennb.core.reading.embedded_names import EVALUATES
from zennb.core.reading.source import definitions
from zennb.dependencies.callables import has_state, is_own_builtin, is_users_code
from zennb.digests.digest import ValueDigest, digest_cache
from zennb.digests.files import OPEN_FILE
from zennb.engine.step.code_owned_outputs import code_kind
from zennb.engine.step.external_mutations import external_mutations
from zennb.engine.step.library_steps import SETS_UP_LOGGING, calls_of_step
from zennb.engine.step.outcome import Reason
from zennb.engine.step.shared_state import take_open_files
from zennb.engine.step.shell_history import history_changes, without_history
from zennb.engine.step.step_outputs import StepOutputs
from zennb.errors import listing

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, MutableMapping

    from zennb.dependencies.library_calls import LibraryCall
    from zennb.engine.step.definition import StepDefinition
    from zennb.engine.step.input_parts import InputPart

__all__ = ["NamespaceChanges", "NamespaceSnapshot", "collect_changes", "is_code"]

_ABSENT = object()
_SHELL = frozenset({"In", "Out", "exit", "get_ipython", "quit"})
_CODE = (
    *(types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.MethodType, type),
    *(typing.NewType, typing.TypeVar, typing.ParamSpec),
)


def is_code(value: object) -> bool:
    """Whether a value is a module, function, method or class: executed again on reuse, never loaded."""
    return is_a(value, _CODE)


class NamespaceSnapshot:
    """The namespace as it was before a step ran, as far as the step may touch it.

    A name that the step may or may not bind, and does not read, is hidden while the step runs. Afterwards it is clear
    whether the step bound it.
    """

    def __init__(
        self, namespace: MutableMapping[str, Any], definition: StepDefinition, writes: Iterable[str]
    ) -> None:
        analysis = definition.analysis
        touched = {*analysis.binds, *analysis.deletes, *writes}
        # To see what code binds that the cell does not show: a library that puts names into the notebook.
        self._others = {name: value for name, value in namespace.items() if name not in touched}
        self._touched = touched
        self._namespace = namespace
        self.names = tuple(dict.fromkeys((*analysis.binds, *writes)))
        self._values = {name: namespace.get(name, _ABSENT) for name in touched}
        self._surely = analysis.surely
        # A `del` at the top level of a cell has run for certain: reuse unbinds that name even if it did not exist.
        self._deleting = {
            target.id
            for statement in definition.tree.body
            if isinstance(statement, ast.Delete)
            for target in statement.targets
            if isinstance(target, ast.Name)
        }
        certain = {*analysis.surely, *analysis.reads, *analysis.deletes, *writes}
        # Hiding tells a name that was bound again to an equal value from one that was left alone. What the step reads
        # or changes in place must stay visible.
        self._hidden = {name for name in analysis.binds if name in namespace and name not in certain}

    def hide(self) -> None:
        """Remove the names that the step may or may not bind."""
        for name in self._hidden:
            self._namespace.pop(name, None)

    def show(self) -> None:
        """Put back the names that the step left unbound: they are none of its outputs."""
        for name in [name for name in self._hidden if name not in self._namespace]:
            self._hidden.remove(name)
            self._namespace[name] = self._values[name]

    def bound(self) -> list[str]:
        """Return the names the step bound, in order of first binding."""
        return [name for name in self.names if self._was_bound(name)]

    def deleted(self) -> tuple[str, ...]:
        """Return the names that are gone and existed before, or that the step always deletes."""
        return tuple(
            name
            for name, value in self._values.items()
            if name not in self._namespace and (value is not _ABSENT or name in self._deleting)
        )

    def unseen(self) -> list[str]:
        """Return the names that were bound or deleted without being named in the code."""
        now, others = self._namespace, self._others
        bound = [
            name
            for name, value in list(now.items())
            if name not in self._touched and others.get(name, _ABSENT) is not value
        ]
        gone = [name for name in others if name not in now]
        return [name for name in (*bound, *gone) if not name.startswith("_") and name not in _SHELL]

    def restore(self, names: Iterable[str] | None = None) -> None:
        """Reset names (by default all that the step may change) to their values from before."""
        for name in self._values if names is None else names:
            value = self._values.get(name, _ABSENT)
            if value is _ABSENT:
                self._namespace.pop(name, None)
            else:
                self._namespace[name] = value

    def _was_bound(self, name: str) -> bool:
        value = self._namespace.get(name, _ABSENT)
        if value is _ABSENT:
            return False
        # A hidden name that is there again was bound by the step, even if it was bound to the very same object.
        return name in self._hidden or name in self._surely or value is not self._values[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class NamespaceChanges:
    """What a step changed in its namespace.

    Attributes:
        values: output name → value and content.
        defines: names bound to modules, functions and classes.
        deletes: names it deleted.
        own: names that stay the step's own (private ones that its cell binds, and those that `-o` leaves out).
        unchanged: inputs whose digest is the same afterwards.
        reasons: why the step cannot be reused; empty as a rule.
        parts: output that is a part of an unchanged input → where it is in there.
        unstorable: output that has no digest → why that rules out reuse, unless it is postponed.
        calls: what it called for its effect on libraries.
    """

    values: Mapping[str, tuple[Any, ValueDigest]] = field(default_factory=dict)
    defines: tuple[str, ...] = ()
    deletes: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    unchanged: frozenset[str] = frozenset()
    reasons: tuple[Reason, ...] = ()
    parts: Mapping[str, InputPart] = field(default_factory=dict)
    unstorable: Mapping[str, Reason] = field(default_factory=dict)
    calls: tuple[LibraryCall, ...] = ()


@digest_cache()
def collect_changes(
    definition: StepDefinition,
    namespace: Mapping[str, Any],
    *,
    before: NamespaceSnapshot,
    inputs: Mapping[str, tuple[Any, ValueDigest]],
    shows: bool = False,
    changes_itself: bool = True,
    in_store: Collection[str] = (),
    holders: Collection[str] = (),
) -> NamespaceChanges:
    """Find what a step changed in its namespace.

    Args:
        definition: the step.
        namespace: where its code ran.
        before: the namespace before.
        inputs: input name → value and content before.
        shows: whether the value of its last expression was displayed.
        changes_itself: whether it changed functions or classes that it defines.
        in_store: the inputs that can be loaded from the store.
        holders: as in `StepRequest`.

    Raises:
        NotStorable: a name given with `-o` is not bound, or has no digest.
    """
    options = definition.options
    outputs = StepOutputs(definition, namespace, without_history(inputs, namespace))
    bound = before.bound()
    stored = [name for name in bound if name not in options.no_store]
    # Code comes first: it is executed again on reuse, and so is neither stored nor compared as data.
    defines = [name for name in stored if _is_defined(name, definition, namespace)]
    rest = [name for name in stored if name not in defines]
    own = [name for name in rest if _is_own(name, definition)]
    keep_mapped(definition.name, own, namespace)
    for name in (each for each in rest if each not in own):
        outputs.add(name)
    unchanged = outputs.add_changed(skip=bound) - outputs.add_parted(holders)
    # After the changes: sharing is judged by the digests taken just now, not by those from before the step.
    outputs.add_partners(outputs.take_parts(in_store, bound))
    files = take_open_files(outputs.values, outputs.unstorable, bound, namespace)
    for name in files:
        outputs.unstorable[name] = Reason(f"`{name}` is {OPEN_FILE}", loses="result", output=name)
    values, reasons = outputs.values, outputs.reasons
    if options.outputs is not None:
        outputs.check_declared(options.outputs, defines)
        # An input that the step changed stays an output even if `-o` leaves it out: reuse would not repeat that.
        values = {name: found for name, found in values.items() if name in options.outputs or name in inputs}
        outputs.parts = {name: part for name, part in outputs.parts.items() if name in options.outputs}
    # From here on the code is judged, not the values: what a step does to a library leaves no trace in the namespace.
    set_outside = ", ".join(
        f"`{each}`" for each in external_mutations(definition, namespace, changes_itself=changes_itself)
    )
    if set_outside:
        reasons.append(Reason(f"it sets {set_outside}", loses="change"))
    called = calls_of_step(
        definition.tree, namespace, defines=defines, changed=values.keys() - unchanged, shows=shows
    )
    if called.trouble and not set_outside:
        lost: Any = "result" if called.trouble == SETS_UP_LOGGING else "change"
        reasons.append(Reason(called.trouble, loses=lost))
    reasons += history_changes(inputs, namespace, values)
    reasons += map(Reason, magic_troubles(definition.tree, definition.analysis))
    reasons += [
        Reason(f"it uses `{use}`")
        for use in definition.analysis.dynamic
        if not (use.startswith("%") or use == EVALUATES or is_own_builtin(use, namespace))
    ]
    # A magic or a star binds names by itself; what they do is judged above.
    unseen = [] if definition.analysis.stars or definition.analysis.magics else before.unseen()
    if unseen:
        shown = listing([f"`{name}`" for name in unseen], most=3)
        reasons.append(
            Reason(f"it binds or deletes {shown}", "which its code does not name", loses="binding")
        )
    if definitions(definition.tree, defines) is None:
        reasons.append(Reason(_made_by_call(definition.tree, namespace, defines), loses="result"))
    return NamespaceChanges(
        values={name: found for name, found in values.items() if name not in options.no_store},
        defines=tuple(defines),
        deletes=(*before.deleted(), *options.no_store),  # on reuse an older value must not stay bound
        own=tuple(own),
        unchanged=unchanged,
        reasons=tuple(reasons),
        parts=outputs.parts,
        unstorable=outputs.unstorable,
        calls=called.calls,
    )


def _is_defined(name: str, definition: StepDefinition, namespace: Mapping[str, Any]) -> bool:
    """Whether executing imports and definitions again on reuse rebuilds what the step bound to a name."""
    is_imported = name in definition.analysis.imports and definitions(definition.tree, [name]) is not None
    value = namespace[name]
    return is_imported or (is_code(value) and not _is_made(name, value, definition, namespace))


def _is_made(name: str, value: object, definition: StepDefinition, namespace: Mapping[str, Any]) -> bool:
    """Whether code must be stored like data, because executing definitions again would not rebuild it.

    Examples: functions that a call or a loop bound (`add = adder(5)`), methods of objects, and functions with state (a
    cache). Modules are never stored; classes of the notebook only under a second name.
    """
    if is_a(value, types.ModuleType):
        return False
    if is_a(value, type) and is_users_code(value):
        # `Alias = Model`: executing the definitions of the cell again would not bind `Alias`.
        own = qualified_name(value)
        return own != name and namespace.get(own) is value and definitions(definition.tree, [name]) is None
    return has_state(value) or definitions(definition.tree, [name]) is None


def _is_own(name: str, definition: StepDefinition) -> bool:
    """Whether a name is local to the step. What a function of another cell counts by (`global _n`) is not."""
    declared = definition.options.outputs
    if declared is not None:
        return name not in declared
    return name.startswith("_") and name in definition.analysis.binds


def _made_by_call(tree: ast.Module, namespace: Mapping[str, Any], defines: Iterable[str]) -> str:
    """Return a sentence that names the functions, classes and modules that only running the step rebuilds."""
    made = [name for name in defines if definitions(tree, [name]) is None] or list(defines)
    shown = ", ".join(f"`{name}`" for name in made)
    nouns = {code_kind(namespace.get(name)) for name in made}
    noun = nouns.pop() if len(nouns) == 1 else "function"
    if len(made) == 1:
        return f"{shown} is a {noun} made while the step runs"
    return f"{shown} are {noun}{'es' if noun == 'class' else 's'} made while the step runs"
