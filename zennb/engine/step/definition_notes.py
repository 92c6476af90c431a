"""Owns `DefinitionNotes`: whether the code of a cell changes the functions and classes that the cell defines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zennb.core.reading.definition_checks import defined_names
from zennb.digests.digest import digest_value
from zennb.engine.step.code_owned_outputs import code_kind
from zennb.errors import CannotDigest

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from zennb.engine.step.definition import StepDefinition

__all__ = ["DefinitionNotes"]


class DefinitionNotes:
    """The definitions of a cell as they were before code that reuse does not execute again."""

    def __init__(self, definition: StepDefinition, namespace: Mapping[str, Any]) -> None:
        self._definition, self._namespace = definition, namespace
        self._noted: dict[str, tuple[Any, str]] = {}
        self._changed: dict[str, str] = {}

    def check(self, *, is_start: bool) -> None:
        """Note the definitions, at the start of such code; compare them at its end."""
        self._compare()
        if is_start:
            names = defined_names(self._definition.tree.body)
            self._noted = {
                name: (self._namespace[name], self._content(name))
                for name in sorted(names)
                if name in self._namespace
            }

    def are_changed(self) -> bool:
        """Whether the code has changed a definition."""
        self._compare()
        return bool(self._changed)

    def changed(self, defines: Collection[str]) -> list[str]:
        """Return which of the names that reuse defines again the code has changed: ``class `Shape` ``."""
        self._compare()
        return [each for name, each in self._changed.items() if name in defines]

    def _compare(self) -> None:
        noted, self._noted = self._noted, {}
        for name, (value, content) in noted.items():
            if self._namespace.get(name) is value and self._content(name) != content:
                self._changed[name] = f"{code_kind(value)} `{name}`"

    def _content(self, name: str) -> str:
        try:
            return digest_value(self._namespace[name], name=name).digest
        except CannotDigest as error:  # steps that use it say so
            return f"{error.path} {error.why}"
