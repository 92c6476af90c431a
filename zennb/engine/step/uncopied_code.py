"""Owns what code that a step could not copy reads: variables of the notebook, not those that the step was given.

Functions and classes that hold a lock or an open file cannot be pickled, nor can an object that does. A step that runs
in this process gets the notebook's own, or those of an earlier step of the run.
"""

from __future__ import annotations

from types import FunctionType
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import is_a
from zennb.digests.digest import digest_value
from zennb.digests.function_source import function_body
from zennb.digests.reachability import code_in
from zennb.errors import CannotDigest, StepRefused
from zennb.packages.origin import Origin, origin

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from zennb.engine.step.definition import StepDefinition

__all__ = ["UncopiedCode"]

_ABSENT = object()


class UncopiedCode:
    """Compares what such code reads with what the step has under the same names.

    Args:
        definition: the step.
        given: name → what it was given as it is.
        namespace: its variables.
    """

    def __init__(
        self, definition: StepDefinition, given: Mapping[str, Any], namespace: Mapping[str, Any]
    ) -> None:
        self._definition, self._namespace = definition, namespace
        self._reads: dict[str, tuple[str, Mapping[str, Any]]] = {}
        for name, value in given.items():
            for read, scope in _reads(value, namespace):
                self._reads.setdefault(read, (name, scope))
        self._before = {read: _content(scope, read) for read, (_, scope) in self._reads.items()}

    def check_before(self) -> None:
        """Check that the code would read what the step was given, and that the step binds none of it.

        Raises:
            StepRefused: it would read something else.
        """
        analysis = self._definition.analysis
        bound = {*analysis.binds} - analysis.defines - analysis.imports
        for read, before in self._before.items():
            if read in bound or (read in self._namespace and _content(self._namespace, read) != before):
                raise self._refusal(read)

    def check_after(self) -> None:
        """Check that neither the code nor the step has changed what the other one reads.

        Raises:
            StepRefused: one of them has.
        """
        for read, before in self._before.items():
            here = _content(self._namespace, read) if read in self._namespace else before
            if not before == here == _content(self._reads[read][1], read):
                raise self._refusal(read)

    def _refusal(self, read: str) -> StepRefused:
        name, step = self._reads[read][0], self._definition.name
        return StepRefused(
            f"step '{step}' uses `{name}` as it is in the notebook, because it cannot be copied, so the two do not see "
            f"the same `{read}`. Give it `{read}` as an argument, or run the steps by their own cells."
        )


def _reads(value: object, namespace: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield what code inside a value reads or binds of another notebook than this namespace, name and variables."""
    seen: set[int] = set()
    waiting = code_in([value])
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        scope = each.__globals__ if is_a(each, FunctionType) else namespace
        if scope is namespace or origin(str(scope.get("__name__"))) is not Origin.NOTEBOOK:
            continue
        read = function_body(each.__code__).analysis
        for name in {*read.reads, *read.binds}:
            yield name, scope
            if name in scope:
                waiting += code_in([scope[name]])


def _content(scope: Mapping[str, Any], name: str) -> object:
    """Return what tells whether a variable has changed: its digest, the code of a function, or itself."""
    value = scope.get(name, _ABSENT)
    try:
        return digest_value(value, name=name).digest
    except CannotDigest:
        return value.__code__ if is_a(value, FunctionType) else id(value)
