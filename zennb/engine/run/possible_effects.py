"""Owns `PossibleEffects`: which files, variables and settings a step that will run may change, judging by its code.

A plan needs this for steps without a valid record. An effect too many turns `fresh` into `may run`; an effect too few
would be a false `fresh`.
"""

from __future__ import annotations

import ast
from functools import cached_property
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import class_attributes, is_a, is_one_of, path_text
from zennb.core.magic_lines.effects import Effect
from zennb.core.reading.tree import nodes_in
from zennb.core.records.loaded_names import loaded_name
from zennb.core.records.observed import UNTOUCHED
from zennb.dependencies.library_calls import EVERYTHING, LibraryCall
from zennb.dependencies.library_effects import may_have_effects
from zennb.digests.classes import functions_in
from zennb.engine.remote.shipped_modules import shipped
from zennb.packages.imports import imported_by

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from zennb.core.records.records import Step
    from zennb.engine.step.resolve import ResolvedStep

__all__ = ["PossibleEffects"]

_WORDS = {
    "decimal context": ("decimal", "context"),
    "display of values": ("interactivity", "precision", "pprint", "InteractiveShell"),
    "logging levels": ("logging", "setLevel", "disable", "Config"),
    "matplotlib style": ("rc", "style", "set_theme", "set_context", "set_palette", "set_style", "sns"),
    "numpy error handling": ("seterr", "errstate"),
    "numpy print options": ("printoptions", "set_string_function"),
    "open figures": ("plt", "pyplot", "plot", "fig", "draw", "show", "close", "sns"),
    "pandas options": ("option",),
    "polars options": ("Config", "POLARS"),
    "scikit-learn configuration": ("config",),
    "torch options": ("default_dtype", "deterministic", "matmul_precision", "anomaly", "printoptions"),
    "torch options of a thread": ("set_grad_enabled", "default_device"),
    "warning filters": ("warn",),
    "warnings turned into errors": ("warn",),
}
"""Setting → parts of words, one of which occurs in any code that changes it."""

_MODELS = ("register_model", "set_alias", "delete_alias", "delete", "models")
"""Names that code uses to change what the name of a model stands for."""
_SEEDING = ("seed", "setstate", "set_state", "set_rng_state", "set_bit_generator")


class PossibleEffects:
    """The words in a step's code, in the functions and classes it uses, and in the text of its inputs.

    Args:
        resolved: the step; None if it could not be resolved, so that it may do anything.
        latest: its latest record; None if there is none.
    """

    def __init__(self, resolved: ResolvedStep | None, latest: Step | None = None) -> None:
        self._resolved, self._latest = resolved, latest
        self._is_known = resolved is not None and not _is_opaque(resolved)

    @cached_property
    def words(self) -> frozenset[str]:
        """Names, attributes and string constants."""
        return frozenset() if self._resolved is None else frozenset(_words(self._resolved))

    def may_mention(self, text: str) -> bool:
        """Whether the code contains a text, or could build it."""
        return not self._is_known or any(text in word for word in self.words)

    def may_write(self, path: str) -> bool:
        """Whether the code contains a part of a path, so that it may write the file."""
        base = path.rpartition("/")[2]
        return not self._is_known or any(
            # A part of the path is enough, since code may join it from pieces. Single letters would match every path.
            len(word) > 1 and (word in path or (base not in {"", "."} and base in word))
            for word in self.words
        )

    def may_set(self, setting: str, digest: str) -> bool:
        """Whether the code may change a setting.

        Args:
            setting: its name.
            digest: its expected state; an unseeded random generator stays unseeded unless the code seeds it.
        """
        if not self._is_known:
            return True
        if (loaded := loaded_name(setting)) is not None:
            name, _, alias = loaded.partition("@")
            return not self.words.isdisjoint({name, loaded, *_MODELS}) or bool(alias and alias in self.words)
        if setting.startswith("random state of "):
            # Drawing changes a seeded generator; one that nobody has seeded counts as unchanged.
            is_drawing = digest != UNTOUCHED and self._draws(setting.removeprefix("random state of "))
            return is_drawing or self._has(_SEEDING)
        return self._has(_WORDS.get(setting, (setting.partition(" ")[0],)))

    def may_call(self, used: Collection[str]) -> str:
        """Return the package of which the code may set something by a call, among those that another step uses.

        A step with the code of its latest record calls what it called then.
        """
        resolved, latest = self._resolved, self._latest
        if resolved is None:
            return ""  # nothing is known of its code; the step says why it cannot be resolved
        parts = None if latest is None or not latest.status.is_good else latest.parts
        if parts is not None and parts.code == resolved.parts.code and latest is not None:
            calls = [LibraryCall.parse(text) for text in latest.observed.calls]
            packages = {package for call in calls for package in call.packages}
        else:
            packages = set(resolved.used) if may_have_effects(resolved.definition.tree) else set()
        if "tzset" not in self.words:  # all else of `time` waits, or tells the time
            packages.discard("time")
        concerned = imported_by(used) | {EVERYTHING} if packages else frozenset()
        return min(packages & concerned, default="")

    def _has(self, parts: tuple[str, ...]) -> bool:
        return any(part in word for word in self.words for part in parts)

    def _draws(self, library: str) -> bool:
        assert self._resolved is not None
        draws = any("random" in word or "shuffle" in word for word in self.words)
        return draws or (library != "random" and bool(self._resolved.dependencies.packages))


def _is_opaque(resolved: ResolvedStep) -> bool:
    """Whether a step can do what its words do not show: a shell line, `exec`."""
    magics = resolved.definition.analysis.magics
    is_dynamic = bool(
        resolved.unclear or resolved.dependencies.evaluates or resolved.definition.analysis.dynamic
    )
    return is_dynamic or any(line.effect is Effect.UNSEEN for line in magics)


def _words(resolved: ResolvedStep) -> Iterator[str]:
    definition, found = resolved.definition, resolved.dependencies
    yield from _words_in(definition.tree)
    yield from (line.text for line in definition.analysis.magics)
    yield from resolved.uses.modules
    for value in found.definitions.values():
        yield from _words_of_code(value)
    # Texts in the inputs: `open(path, "w")` writes the file that the variable `path` names.
    for value in resolved.values.values():
        yield from _texts_in(value)
    imported = {".".join(path) for path in definition.analysis.modules}
    for module in shipped(found.uses | imported, list(found.definitions.values())).values():
        yield from _words_in(ast.parse(module.source or ""))


def _words_in(tree: ast.Module) -> Iterator[str]:
    for node in nodes_in(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.alias):
            yield node.name
        elif isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
            yield node.value if isinstance(node.value, str) else node.value.decode("utf-8", "replace")


def _words_of_code(value: object) -> Iterator[str]:
    if is_a(value, FunctionType):
        yield from _words_of(value.__code__)
        for part in (value.__defaults__ or (), (value.__kwdefaults__ or {}).values()):
            yield from _texts_in(list(part))
    elif is_a(value, type) and not is_a(value, ModuleType):
        for attribute in list(class_attributes(value).values()):
            yield from _texts_in(attribute)
            for function in functions_in(attribute):
                yield from _words_of(function.__code__)


def _words_of(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if is_a(constant, CodeType):
            yield from _words_of(constant)
        else:
            yield from _texts_in(constant)


def _texts_in(value: Any) -> Iterator[str]:
    """Yield a text, or the texts in small containers of plain data."""
    if text := path_text(value):
        yield text
    elif is_one_of(value, {list, tuple, set, frozenset}) and len(value) <= 100:
        for part in value:
            yield from _texts_in(part)
    elif type(value) is dict and len(value) <= 100:
        for pair in value.items():
            yield from _texts_in(pair)
