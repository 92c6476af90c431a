"""Owns `FoundDependencies`: what a search for dependencies has found so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zennb.digests.digest import digest_value
from zennb.digests.stream import text_digest
from zennb.errors import CannotDigest
from zennb.packages.origin import Origin, module_of, origin, top_level

if TYPE_CHECKING:
    from zennb.digests.digest import ValueDigest

__all__ = ["FoundDependencies"]


class FoundDependencies:
    """See `Dependencies` for the attributes.

    Attributes:
        cached: name → function behind `functools.lru_cache`.
        named: names that only text names, which some code may look up.
        missing: names that functions read of the notebook, and that it does not have.
        evaluates: which code calls `eval`, in short phrases.
    """

    def __init__(self) -> None:
        self.data: dict[str, Any] = {}
        self.constants: dict[str, str] = {}
        self.kinds: dict[str, str] = {}
        self.packages: set[str] = set()
        self.uses: set[str] = set()
        self.definitions: dict[str, Any] = {}
        self.writes: set[str] = set()
        self.unclear: dict[str, None] = {}
        self.cached: dict[str, Any] = {}
        self.named: set[str] = set()
        self.missing: set[str] = set()
        self.evaluates: dict[str, None] = {}
        self._digests: dict[str, set[str]] = {}

    def code(self) -> dict[str, str]:
        """Return one digest per qualified name; several code objects of one name count together."""
        return {
            name: next(iter(found)) if len(found) == 1 else text_digest(sorted(found))
            for name, found in sorted(self._digests.items())
        }

    def _digest(self, value: Any, name: str, how: Any = digest_value) -> ValueDigest | None:
        try:
            found: ValueDigest = how(value, name=name)
        except CannotDigest as error:
            self._unclear(f"`{error.path}` is {error.why}")
            return None
        self.packages |= found.packages
        return found

    def _add_code(self, name: str, digest: str, kind: str) -> None:
        # Of a class and a function of one name, the class gives the kind, whichever is met first.
        self.kinds[name] = min(kind, self.kinds[name]) if name in self._digests else kind
        self._digests.setdefault(name, set()).add(digest)

    def _add_constant(self, name: str, content: str, kind: str) -> None:
        self.constants[name] = content
        self.kinds.setdefault(name, kind)

    def _unclear(self, phrase: str) -> None:
        self.unclear[phrase] = None

    def _note_type(self, cls: type) -> None:
        """Note what a value of this type belongs to; one of `logging` says as much as the levels of loggers allow."""
        module = module_of(cls)
        self._note_package(module)
        if module == "logging":
            self.uses.add("logging.Logger")

    def _note_package(self, module: str) -> Origin:
        place = origin(module)
        if place is Origin.PACKAGE:
            self.packages.add(top_level(module))
        return place
