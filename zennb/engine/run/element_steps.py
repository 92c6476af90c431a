"""Owns `ElementSteps`: the steps of a mapped step, one per element, with what each depends on; runs nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from zennb.components.component import Visibility
from zennb.digests.digest import ValueDigest, digest_cache, digest_value
from zennb.engine.environment.element_random import ElementRandom, RandomStart
from zennb.engine.environment.random_state import GENERATORS
from zennb.engine.step.elements import element_name, elements_of, short_repr
from zennb.engine.step.resolve import ResolvedStep, resolve_step
from zennb.errors import StepRefused

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from zennb.core.planning.cache_decision import CacheDecision
    from zennb.core.records.records import Artifact
    from zennb.engine.run.run_context import RunContext
    from zennb.engine.run.run_request import RunRequest

__all__ = ["ElementSteps"]

_NEEDS_A_SEED = frozenset(
    {"default_rng", "Generator", "RandomState", "SeedSequence", "Random", "SystemRandom"}
)
"""What makes a random generator of its own, and leaves the global one alone."""


class ElementSteps:
    """The steps that a mapped step consists of.

    Args:
        resolved: the mapped step.
        request: the run it is part of.
        context: the stack it runs on.
        asked: a user's option that forces all elements to run; "" for none.

    Raises:
        StepRefused: the variable has no elements in an order.
        StoreError, UntrustedArtifact: the variable is an artifact that cannot be loaded.
    """

    def __init__(
        self, resolved: ResolvedStep, request: RunRequest, context: RunContext, *, asked: str = ""
    ) -> None:
        self.name = resolved.definition.options.map
        self._resolved, self._request, self._context, self._asked = resolved, request, context, asked
        if self.name in resolved.values:
            value = resolved.values[self.name]
        elif self.name in resolved.artifacts:
            value = context.artifacts.load({self.name: resolved.artifacts[self.name]})[self.name]
        else:  # a class or function, which is code and no value
            value = request.namespace[self.name]
        self.values = elements_of(value, self.name)
        remote = context.orchestrator.visibility is not Visibility.PROCESS
        # A worker goes back to the same state before each step, so its generators must be told where to begin.
        loads = {"numpy"} if remote and resolved.packages else set[str]()
        self.random = RandomStart(context.environment.settings, loads & _installed())
        self._states: dict[int, ElementRandom] = {}

    def __len__(self) -> int:
        return len(self.values)

    @property
    def may_draw(self) -> bool:
        """Whether the code seems to draw from a generator of the whole process."""
        return any(_draws(use) for use in self._resolved.uses.modules)

    def label(self, number: int) -> str:
        """Return how an element is named in messages: element 3 (`files[3]` = 'c.csv')."""
        return f"element {number} (`{element_name(self.name, number)}` = {short_repr(self.values[number])})"

    def resolve(self, number: int) -> ResolvedStep:
        """Return what one element's step depends on.

        Raises:
            StepRefused: as `resolve_step` says; or code that the step calls reads the whole variable.
        """
        definition, value = self._resolved.definition, self.values[number]
        options = replace(definition.options, map="", after=())
        name = element_name(definition.name, number)

        def digest(each: str, found: Any) -> tuple[ValueDigest, Artifact | None]:
            if each != self.name:
                return self._request.value_digest(each, found)
            # An element is a copy of its own: it shares no state with the notebook's variables.
            return replace(digest_value(value, name=name), mutable=frozenset()), None

        def partners(
            digests: Mapping[str, ValueDigest], holders: Collection[Any]
        ) -> Mapping[str, Any] | None:
            found = self._request.partners(
                {each: seen for each, seen in digests.items() if each != self.name}, holders
            )
            return found and {each: shared for each, shared in found.items() if each != self.name}

        with digest_cache():
            resolved = resolve_step(
                replace(definition, name=name, options=options, element_of=self.name),
                {**self._request.namespace, self.name: value},
                value_digest=digest,
                partners=partners,
                given={
                    each: artifact
                    for each, artifact in self._resolved.artifacts.items()
                    if each not in self._resolved.values and each != self.name
                },
                overrides={each: v for each, v in self._request.overrides.items() if each != self.name},
                patches=self._request.patches,
                calls=self._request.calls,
            )
        if resolved.values.get(self.name, value) is not value:
            raise StepRefused(
                f"step '{definition.name}' runs once per element of `{self.name}`, but code that it calls reads "
                f"`{self.name}` as a whole; hand it over as an argument, under another name."
            )
        content = resolved.parts.inputs.get(self.name, resolved.cache_key)
        self._states[number] = self.random.of(resolved.parts.code, content)
        return resolved

    def state(self, number: int) -> ElementRandom:
        """Return the random state that an element begins with, once it is resolved."""
        return self._states[number]

    def decide(
        self, number: int, resolved: ResolvedStep, overlay: Mapping[str, str] | None = None
    ) -> CacheDecision:
        """Decide whether to reuse or run an element; runs and records nothing.

        Args:
            number: the element.
            resolved: its step.
            overlay: what earlier steps of a plan would leave.
        """
        found = dict(overlay or {})
        # A state that a step before it will leave is known by its digest only, from which none can be derived.
        derived = {name: mark for name, mark in self.state(number).digests.items() if name not in found}
        unknown = {name: "not known before it runs" for name in GENERATORS if name in found}
        return self._context.decide(resolved, asked=self._asked, overlay={**found, **derived, **unknown})


def _draws(use: str) -> bool:
    parts = use.split(".")
    if parts[:2] == ["numpy", "random"]:
        return len(parts) > 2 and parts[2] not in _NEEDS_A_SEED
    if parts[0] == "random":
        return len(parts) > 1 and parts[1] not in _NEEDS_A_SEED
    return parts[0] == "torch" and any("rand" in part or part == "seed" for part in parts[1:])


def _installed() -> frozenset[str]:
    from importlib.util import find_spec

    return frozenset(name for name in ("numpy",) if find_spec(name) is not None)
