"""Owns the shipping of local modules to a worker: their source, and the values of their constants.

A worker outlives many edits, so it checks its modules at every step: a module whose source differs from the driver's
is loaded again from the shipped source.
"""

from __future__ import annotations

import importlib.abc
import importlib.util
import linecache
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import cloudpickle

from zennb.compat.instances import attributes_of, is_a, module_attribute, name_of_module
from zennb.digests.stream import text_digest
from zennb.engine.environment.settings import with_packages
from zennb.engine.step.recording import Recording
from zennb.engine.step.streams import redirected
from zennb.packages.origin import Origin, module_of, origin

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from importlib.machinery import ModuleSpec

__all__ = ["ShippedModule", "ShippedModules", "constants_of", "set_constants", "shipped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippedModule:
    """One local module.

    Attributes:
        source: its text; None for a folder without `__init__.py`.
        path: its file, for tracebacks and for finding the files beside it.
        is_package: whether modules may be inside it.
    """

    source: str | None
    path: str
    is_package: bool

    @property
    def digest(self) -> str:
        """A digest of source and path."""
        return text_digest([self.source or "", self.path])


def shipped(names: Iterable[str], things: Iterable[object]) -> dict[str, ShippedModule]:
    """Return the local modules that code uses, with all local modules that those use.

    Args:
        names: dotted names of what is used of modules: `mylib.clean`.
        things: functions, classes and modules that are used.
    """
    waiting = {part for name in names for part in with_packages(name)}
    waiting |= {module_of(thing) for thing in things}
    waiting |= {name_of_module(thing) for thing in things if is_a(thing, ModuleType)}
    found: dict[str, ShippedModule] = {}
    met: set[str] = set()  # including those without source, such as compiled ones
    while waiting:
        name = waiting.pop()
        module = sys.modules.get(name)
        if name in met or module is None or origin(name) is not Origin.LOCAL:
            continue
        met.add(name)
        if (one := _shipped(module)) is not None:
            found[name] = one
        waiting.update(with_packages(name))
        # `from helpers import clean` leaves no module in the namespace, but a function that says where it comes from.
        for value in attributes_of(module).values():
            waiting.add(name_of_module(value) if is_a(value, ModuleType) else module_of(value))
    return found


def _shipped(module: ModuleType) -> ShippedModule | None:
    path, file = module_attribute(module, "__path__"), module_attribute(module, "__file__")
    if not isinstance(file, str):
        folders = list(path or ())
        return ShippedModule(source=None, path=folders[0], is_package=True) if folders else None
    ask = getattr(getattr(module_attribute(module, "__spec__"), "loader", None), "get_source", None)
    try:
        source = None if ask is None else ask(name_of_module(module))
    except (ImportError, OSError):
        source = None
    if source is None:
        try:
            source = Path(file).read_text(encoding="utf-8")
        except (OSError, ValueError):
            return None
    return ShippedModule(source=source, path=file, is_package=path is not None)


class ShippedModules(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds and loads, in a worker, the modules that were shipped with a step; installed once per process."""

    def __init__(self) -> None:
        self._known: dict[str, ShippedModule] = {}
        # Modules of packages: a process has thousands, and none of them becomes a local one.
        self._of_packages: dict[str, ModuleType] = {}

    def install(self, modules: Mapping[str, ShippedModule]) -> None:
        """Make these importable; unload modules whose source differs or changed on disk."""
        if self not in sys.meta_path:
            # First, so that the shipped source wins over a file of that name on the worker's path.
            sys.meta_path.insert(0, self)
        before, self._known = self._known, dict(modules)
        if any(self._is_other(name, before.get(name)) for name in self._local()):
            self.forget()  # all of them: unchanged modules refer to changed ones
            # Finders remember what folders contain, also that a file was not there.
            importlib.invalidate_caches()
        for module in modules.values():
            if module.source is not None and not Path(module.path).exists():  # on another machine
                lines = module.source.splitlines(keepends=True)
                linecache.cache[module.path] = (len(module.source), None, lines, module.path)

    def load(self) -> bool:
        """Import these modules without their output, as the notebook did before; return whether any was imported."""
        found = False
        # Sorted, so that a package comes before its modules.
        for name in sorted(self._known.keys() - sys.modules.keys()):
            with redirected(Recording()), suppress(Exception):
                found = True
                importlib.import_module(name)  # if it raises, the step's own import raises it again
        return found

    def forget(self) -> None:
        """Unload all local modules, so that changes made by a failed step do not stay."""
        for name in self._local():
            if name != "__mp_main__":
                del sys.modules[name]

    def _local(self) -> list[str]:
        """Return the names of the local modules that are imported."""
        found = []
        for name, module in list(sys.modules.items()):
            if self._of_packages.get(name) is module and module is not None:
                continue
            if origin(name) is Origin.LOCAL:
                found.append(name)
            else:
                self._of_packages[name] = module
        return found

    def _is_other(self, name: str, before: ShippedModule | None) -> bool:
        now = self._known.get(name)
        if now is not None:
            return before is None or before.digest != now.digest
        loaded = sys.modules.get(name)
        return before is not None or _changed_on_disk(loaded)

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 - the import system's signature
        target: ModuleType | None = None,  # noqa: ARG002 - as above
    ) -> ModuleSpec | None:
        """Return how to load a module that was shipped; None for all others."""
        found = self._known.get(fullname)
        if found is None or found.source is None:
            return None
        folders = [str(Path(found.path).parent)] if found.is_package else None
        return importlib.util.spec_from_file_location(
            fullname, found.path, loader=_Source(found), submodule_search_locations=folders
        )


class _Source(importlib.abc.SourceLoader):
    """Loads one module from its shipped text."""

    def __init__(self, module: ShippedModule) -> None:
        self._module = module

    def get_filename(self, fullname: str) -> str:  # noqa: ARG002 - the import system's signature
        """Return the file the module was read from."""
        return self._module.path

    def get_data(self, path: str) -> bytes:
        """Return the module's text, or a file beside it."""
        if path == self._module.path:
            return (self._module.source or "").encode()
        return Path(path).read_bytes()


_seen: dict[str, tuple[object, float]] = {}


def _changed_on_disk(module: ModuleType | None) -> bool:
    """Whether the file of a module that this process imported itself has changed since the first check."""
    file = module_attribute(module, "__file__")
    if module is None or not isinstance(file, str):
        return False
    try:
        written = Path(file).stat().st_mtime
    except OSError:
        return False
    before = _seen.get(name_of_module(module))
    _seen[name_of_module(module)] = (module, written)
    return before is not None and before[0] is module and before[1] != written


def constants_of(names: Iterable[str]) -> dict[str, bytes]:
    """Return the pickled values of constants of local modules, including those that the notebook has set.

    Args:
        names: dotted names: `mylib.RATE`. Those that are none, or cannot be pickled, are left out.
    """
    found = {}
    for name in names:
        module, _, attribute = name.rpartition(".")
        values = vars(sys.modules[module]) if module in sys.modules else {}
        if origin(module) is Origin.LOCAL and attribute in values:
            try:
                found[name] = cloudpickle.dumps(values[attribute])
            except Exception:  # noqa: BLE001 - whatever pickling somebody's value raises; the digests are compared
                continue
    return found


def set_constants(values: Mapping[str, bytes]) -> None:
    """Give constants of local modules the values they have in the driver."""
    for name, pickled in values.items():
        module, _, attribute = name.rpartition(".")
        value: Any = cloudpickle.loads(pickled)
        setattr(sys.modules[module], attribute, value)
