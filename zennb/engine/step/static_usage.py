"""Owns `StaticUsage`: the modules, seeds, texts and files that a step uses, found by reading its code; and its run."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, replace
from types import BuiltinFunctionType, FunctionType
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import class_attributes, is_a, path_text
from zennb.core.magic_lines.effects import Effect
from zennb.core.magic_lines.shell_lines import asks_folder, files_named
from zennb.core.records.setting_names import FOLDER_PATH, MODULE_PATH, RECURSION_LIMIT, WARNING_FILTERS
from zennb.dependencies.callables import is_users_code
from zennb.digests.bytecode import nested
from zennb.digests.classes import functions_in
from zennb.engine.step.definition import nodes
from zennb.engine.step.seeding import generator_function, seeds
from zennb.packages.origin import module_of, top_level

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from zennb.dependencies.dependencies import Dependencies
    from zennb.digests.digest import ValueDigest
    from zennb.engine.step.definition import StepDefinition
    from zennb.engine.step.recording import Recording

__all__ = ["StaticUsage", "static_usage", "usage_of_run"]

_OWN_GENERATORS = frozenset(
    {"BitGenerator", "Generator", "MT19937", "PCG64", "PCG64DXSM", "Philox", "RandomState", "SFC64"}
    | {"Random", "SeedSequence", "SystemRandom", "default_rng"}
)
"""Names in `numpy.random` and `random` that do not use the global generators."""

_SETTINGS = {
    **dict.fromkeys(
        [
            "getcwd",
            "getcwdb",
            "cwd",
            "abspath",
            "absolute",
            "realpath",
            "relpath",
            "resolve",
            "chdir",
            "fchdir",
        ],
        FOLDER_PATH,
    ),
    "addsitedir": MODULE_PATH,
    **dict.fromkeys(["getrecursionlimit", "setrecursionlimit"], RECURSION_LIMIT),
    "filterwarnings": WARNING_FILTERS,
    "simplefilter": WARNING_FILTERS,
}
"""Names of functions and methods → the setting that they tell or set.

A step that sets what is set already would seem to do nothing, so it depends on the state before.
"""

_CALL_LATER = frozenset(
    {"asyncio", "concurrent", "multiprocessing", "signal", "thread", "threading", "weakref"}
)

_LONGEST = 4096
"""Characters of the longest text that can be a path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticUsage:
    """What a step uses of its environment, known before it runs.

    Attributes:
        modules: dotted names of the modules it uses, also through functions it calls.
        seeds: random generators that it seeds first, so that their previous state does not matter.
        texts: string constants in its code.
        files: files and folders that its shell lines read.
        settings: settings that it may ask for or set, of those that other steps do not depend on.
        names: the texts, those in functions it calls, and text among its inputs; paths and variables it may name.
    """

    modules: frozenset[str] = frozenset()
    seeds: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()
    files: tuple[str, ...] = ()
    settings: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()


def static_usage(
    definition: StepDefinition,
    dependencies: Dependencies,
    packages: Iterable[str],
    values: Iterable[object] = (),
) -> StaticUsage:
    """Return what a step uses of its environment.

    Args:
        definition: the step.
        dependencies: what its code depends on.
        packages: import names of the packages in its inputs.
        values: its inputs.
    """
    texts = nodes(definition.tree).texts
    found = {".".join(path) for path in _used(definition.analysis.modules)} | dependencies.uses
    found |= {name for value in dependencies.definitions.values() if (name := generator_function(value))}
    found |= {_name_of(value) for value in dependencies.definitions.values() if _calls_later(value)}
    return StaticUsage(
        # Packages of inputs count as used: printing a frame depends on pandas' options without any
        # name of pandas in the code.
        modules=frozenset({*filter(_is_use, found), *packages, *dependencies.packages}),
        seeds=seeds(definition.tree, dependencies.definitions),
        texts=texts,
        settings=_settings(definition, dependencies, found),
        names=texts.union(
            *(_constants(each) for each in dependencies.definitions.values()),
            (text for each in values if 0 < len(text := path_text(each)) <= _LONGEST),
        ),
        files=tuple(
            path
            for line in definition.analysis.magics
            if line.effect is Effect.FILES
            for path in files_named(_command(line.text)) or ()
        ),
    )


def _calls_later(value: object) -> bool:
    """Whether this is one of Python's functions and classes that call others later, imported by its name."""
    is_named = is_a(value, type | FunctionType | BuiltinFunctionType)
    return is_named and top_level(module_of(value)).lstrip("_") in _CALL_LATER


def _name_of(value: Any) -> str:
    return f"{module_of(value)}.{value.__name__}"


def usage_of_run(
    uses: StaticUsage,
    recording: Recording,
    *,
    inputs: Mapping[str, tuple[Any, ValueDigest]],
    outputs: Mapping[str, tuple[Any, ValueDigest]],
) -> StaticUsage:
    """Return what a step uses with what only its run shows: types of outputs, figures, warnings, files in inputs.

    Args:
        uses: what its code shows.
        recording: what it showed.
        inputs: name → value and content before.
        outputs: name → value and content.
    """
    modules = {*uses.modules}.union(*[seen.packages for _, seen in outputs.values()])
    if len(recording) and any("image/png" in event.get("data", ()) for event in recording):
        modules.add("matplotlib")
    if len(recording) and recording.text("stderr"):
        modules.add("warnings")
    # What reads an open file does not open it.
    files = {path for _, seen in inputs.values() for path in seen.files}.difference(uses.files)
    if modules == uses.modules and not files:
        return uses
    return replace(uses, modules=frozenset(modules), files=(*uses.files, *sorted(files)))


def _settings(definition: StepDefinition, dependencies: Dependencies, used: Iterable[str]) -> frozenset[str]:
    """Return the settings of `_SETTINGS` that code tells or sets: `os.getcwd`, `path.resolve()`, `sys.path.append`.

    By name alone: what is missed would be reused in another state, and what counts too much is only run again there.
    """
    names = {*nodes(definition.tree).names, *(use.rpartition(".")[2] for use in dependencies.uses)}
    for value in dependencies.definitions.values():
        is_own_class = is_a(value, type) and is_users_code(value)
        parts = class_attributes(value).values() if is_own_class else (value,)
        codes = [function.__code__ for part in parts for function in functions_in(part)]
        names.update(name for code in codes for each in nested(code) for name in each.co_names)
        if is_a(value, FunctionType | BuiltinFunctionType):
            names.add(value.__name__)  # `from os import getcwd as here`
    found = {setting for name, setting in _SETTINGS.items() if name in names}
    if any(asks_folder(_command(line.text)) for line in definition.analysis.magics):
        found.add(FOLDER_PATH)
    if any(use == "sys.path" or use.startswith("sys.path.") for use in used):
        found.add(MODULE_PATH)
    # Filters that are set for a block are gone at its end.
    return frozenset(found - ({WARNING_FILTERS} if "catch_warnings" in names else set()))


def _command(text: str) -> str:
    """Return the command of a shell line as typed: `pwd` of `where = %pwd`, `!pwd` and `!!pwd`."""
    return re.sub(r"^[^%!]*[%!]+", "", text)


def _constants(value: object) -> Iterable[str]:
    """Return the text constants of a function."""
    if not is_a(value, FunctionType):  # other values may do anything when they are asked
        return ()
    return [each for each in value.__code__.co_consts if is_a(each, str)]


def _used(paths: frozenset[tuple[str, ...]]) -> Iterable[tuple[str, ...]]:
    """Return the longest dotted paths: `numpy.random.rand`, without `numpy.random`."""
    paths = frozenset(path[:-1] if path[-1] == "*" else path for path in paths)
    inner = {path[:length] for path in paths for length in range(1, len(path))}
    return paths - inner


def _is_use(name: str) -> bool:
    """Whether a name uses something of a module that settings can affect, and is not only an import."""
    if name in sys.modules or "." not in name:
        return False
    module, _, last = name.rpartition(".")
    return not (last in _OWN_GENERATORS and module.startswith(("numpy.random", "random")))
