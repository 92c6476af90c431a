"""Owns `StepOutputs`: the outputs of a step while they are collected, and which of its inputs it changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zennb.digests.digest import ValueDigest, digest_value
from zennb.digests.immutable import is_immutable
from zennb.digests.reachability import is_reachable
from zennb.engine.step.input_parts import InputPart, parts_of_inputs
from zennb.engine.step.outcome import Reason
from zennb.engine.step.shared_state import share
from zennb.errors import CannotDigest, NotStorable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from zennb.engine.step.definition import StepDefinition

__all__ = ["StepOutputs"]


class StepOutputs:
    """The outputs of a step that were found so far, and the reasons against reusing them."""

    def __init__(
        self,
        definition: StepDefinition,
        namespace: Mapping[str, Any],
        inputs: Mapping[str, tuple[Any, ValueDigest]],
    ) -> None:
        self._definition, self._namespace, self._inputs = definition, namespace, inputs
        self.values: dict[str, tuple[Any, ValueDigest]] = {}
        self.reasons: list[Reason] = []
        self.unstorable: dict[str, Reason] = {}
        self.parts: dict[str, InputPart] = {}
        # Equal content, but perhaps in other objects and other memory than before: a model that was fitted again.
        self._unchanged: dict[str, ValueDigest] = {}

    def add(self, name: str) -> bool:
        """Add a variable; return whether it has a digest."""
        return self._add(name, self._namespace[name])

    def _add(self, name: str, value: Any, before: str = "") -> bool:
        try:
            digest = digest_value(value, name=name)
        except CannotDigest as error:
            reason = Reason(f"`{error.path}` is {error.why}", loses="result", output=name)
            # Nobody knows how the step has changed it. What a digest function of the user raises is no kind of value.
            if name in self._inputs or "digest function" in error.why:
                self.reasons.append(reason)
            else:
                self.unstorable[name] = reason
            return False
        if digest.digest != before:
            self.values[name] = (value, digest)
        else:
            self._unchanged[name] = digest
        return True

    def add_changed(self, skip: Collection[str]) -> frozenset[str]:
        """Add every input whose digest changed; return those that are surely unchanged."""
        unchanged = set()
        for name, (value, seen) in self._inputs.items():
            if name in skip or name not in self._namespace:
                continue
            # What cannot be digested afterwards is not held to be what it was; `_add` has noted the reason.
            if is_immutable(value) or (self._add(name, value, seen.digest) and name not in self.values):
                unchanged.add(name)
        return frozenset(unchanged)

    def add_parted(self, holders: Collection[str]) -> frozenset[str]:
        """Add and return every input that is equal to what it was, and has lost parts that others go on with.

        `xs[0] = list(xs[0])` after `first = xs[0]`: if reuse left `xs` as it is, a change of `first` would change it.
        """
        others = [self._namespace[name] for name in holders if name in self._namespace]
        known = {**self._unchanged, **{name: seen for name, (_, seen) in self.values.items()}}
        befores = {name: seen.mutable for name, (_, seen) in self._inputs.items() if name in known}
        found = set()
        for name, now in self._unchanged.items():
            gone = befores[name] - now.mutable
            kept = (gone & befores[each] & known[each].mutable for each in befores if each != name)
            if gone and (any(kept) or any(is_reachable(each, gone) for each in others)):
                found.add(name)
        self.values.update({name: (self._namespace[name], self._unchanged.pop(name)) for name in found})
        return frozenset(found)

    def take_parts(self, in_store: Collection[str], bound: Collection[str]) -> dict[str, InputPart]:
        """Take out the outputs that are parts of an input that is stored and unchanged, and return them."""
        inputs = {
            name: value
            for name, (value, _) in self._inputs.items()
            if name in in_store and name not in self.values and self._namespace.get(name) is value
        }
        outputs = {name: found for name, found in self.values.items() if name in bound}
        parts = parts_of_inputs(outputs, inputs) if inputs and outputs else {}
        for name in parts:
            del self.values[name]
        return parts

    def add_partners(self, parts: Mapping[str, InputPart]) -> None:
        """Add unchanged inputs that share state with an output: stored together, they share it again on reuse.

        Inputs that share state only with such an input are added, too.

        Args:
            parts: outputs that need not be stored, unless the input that they are a part of is.
        """
        self._add_partners()
        while back := {name: part for name, part in parts.items() if part.whole in self.values}:
            self.values.update({name: (part.value, part.digest) for name, part in back.items()})
            parts = {name: part for name, part in parts.items() if name not in back}
            self._add_partners()
        self.parts = dict(parts)

    def _add_partners(self) -> None:
        waiting = {
            name: (value, self._unchanged.get(name, seen))
            for name, (value, seen) in self._inputs.items()
            if name not in self.values and not is_immutable(value) and self._namespace.get(name) is value
        }
        fresh = dict(self.values)
        while fresh and waiting:
            digests = [digest for _, digest in fresh.values()]
            fresh = {
                n: found for n, found in waiting.items() if any(share(found[1], each) for each in digests)
            }
            self.values.update(fresh)
            waiting = {name: found for name, found in waiting.items() if name not in fresh}

    def check_declared(self, declared: Iterable[str], defines: Collection[str]) -> None:
        """Add the names given with `-o` that are no outputs yet.

        Raises:
            NotStorable: one of them is not bound, or has no digest.
        """
        step = self._definition.name
        for name in declared:
            known = name in self.values or name in self.parts or name in defines
            if known or name in self._definition.options.no_store:
                continue
            if name not in self._namespace:
                raise NotStorable(
                    f"step '{step}' declares `-o {name}` but its code did not bind `{name}`; "
                    "bind it, or take it out of `-o`.",
                    path=name,
                )
            if not self.add(name):
                reason = self.unstorable.get(name) or self.reasons[-1]
                raise NotStorable(
                    f"step '{step}' declares `-o {name}`, but {reason}, which cannot be stored; "
                    "turn it into data first (a list, an array), or take it out of `-o`.",
                    path=name,
                )
