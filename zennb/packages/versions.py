"""Owns the versions of installed packages: import name → distribution → version, looked up once and on demand."""

from __future__ import annotations

import re
import sys
import time
from importlib import metadata
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["note_loaded", "versions"]

STARTED = time.time()
"""Import time of this module: a package installed later may differ from the one that is loaded."""

_HEADER = re.compile(r"^(Name|Version):[ \t]*(.*?)\s*$", re.MULTILINE)

_loaded_after: dict[str, float] = {}
"""Package → a time when it was not loaded yet; for those loaded before this module, `STARTED`."""

_looked = {"time": STARTED, "modules": 0.0}
"""When `note_loaded` looked last, and how many modules were loaded then."""

_known: dict[str, tuple[object, object, Mapping[str, str]]] = {}
"""Package → what its module was loaded by, which reloading replaces; the version it said, which autoreload may set in
place; and the versions found then."""


def note_loaded() -> None:
    """Note which packages are loaded by now, before code runs that may load or install others."""
    count = len(sys.modules)
    if count != _looked["modules"]:  # going through them takes a tenth of a millisecond
        loaded = {name for name in list(sys.modules) if "." not in name}
        for name in _loaded_after.keys() - loaded:
            del _loaded_after[name]
        for name in loaded - _loaded_after.keys():
            _loaded_after[name] = _looked["time"]
    _looked.update(time=time.time(), modules=count)


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Return the versions of the distributions that import names come from, and of Python.

    Standard library modules have no version besides `python`; a package that was not installed counts by its
    `__version__` when it has one. Each name is looked up once, and again when it has been imported or reloaded since:
    what is loaded does not change when something else is installed beside it.
    """
    found = {"python": f"{sys.version_info[0]}.{sys.version_info[1]}"}
    for package in packages:
        found.update(_versions_of(package))
    return found


def _versions_of(package: str) -> Mapping[str, str]:
    # Not `getattr`: it calls the module's own `__getattr__`, which in some packages warns about `__version__`.
    loaded: Mapping[str, Any] = getattr(sys.modules.get(package), "__dict__", {})
    spec, stated = loaded.get("__spec__"), loaded.get("__version__")
    known = _known.get(package)
    if known is None or known[0] is not spec or known[1] is not stated:
        known = _known[package] = (spec, stated, _find_versions(package))
    return known[2]


def _find_versions(package: str) -> dict[str, str]:
    if package in sys.stdlib_module_names:
        return {}
    try:
        return {package: _loaded_version(package, _installed(metadata.distribution(package)))}
    except metadata.PackageNotFoundError:
        pass
    installed = map(_installed, _distributions(package))
    found = {each.name: _loaded_version(package, each) for each in installed}
    return found or _own_version(package)


class _Installed(NamedTuple):
    """The name and version of a distribution, and the folder that it was installed into."""

    name: str
    version: str
    folder: Path


def _installed(distribution: metadata.Distribution) -> _Installed:
    """Return what the first lines of a package's metadata say: parsing the readme after them takes 10 ms."""
    text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
    said = dict(_HEADER.findall(text.partition("\n\n")[0]))
    if not said.keys() >= {"Name", "Version"}:
        said = {"Name": distribution.metadata["Name"], "Version": distribution.version}
    return _Installed(
        name=said["Name"], version=said["Version"], folder=Path(str(distribution.locate_file("")))
    )


def _loaded_version(package: str, installed: _Installed) -> str:
    """Return the installed version, or that of the loaded package if another one was installed meanwhile.

    A loaded package that states no version may be older than what lies on disk now, and nothing tells.
    """
    stated = _own_version(package).get(package)
    if stated == installed.version or package not in sys.modules:
        return installed.version
    if not _is_newer(installed, _loaded_after.get(package, _looked["time"])):
        return installed.version
    return stated or f"{installed.version} or earlier"


def _is_newer(installed: _Installed, moment: float) -> bool:
    """Whether a distribution was installed after a moment, in seconds since the epoch."""
    name = _normal(installed.name)
    try:
        folders = installed.folder.glob(f"*-{installed.version}.dist-info")
        return any(
            each.stat().st_ctime > moment for each in folders if _normal(each.name.partition("-")[0]) == name
        )
    except OSError:
        return False


def _normal(name: str) -> str:
    """Return the name of a distribution without what may be spelled in several ways."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _own_version(package: str) -> dict[str, str]:
    try:
        stated = getattr(sys.modules.get(package), "__version__", None)
    except Exception:  # noqa: BLE001 - a module's own `__getattr__` may raise anything
        stated = None
    return {package: stated} if isinstance(stated, str) else {}


def _distributions(package: str) -> list[metadata.Distribution]:
    """Return the distributions next to a package's folder that contain the package."""
    place = _folder(package)
    if place is None:
        return []
    infos: list[metadata.Distribution] = [
        metadata.Distribution.at(info) for info in sorted(place.glob("*.dist-info"))
    ]
    # `top_level.txt` is one short file for each package; RECORD lists every file, so it is read only if that fails.
    named = [info for info in infos if package in (info.read_text("top_level.txt") or "").split()]
    return named or [info for info in infos if _contains(info, package)]


def _contains(info: metadata.Distribution, package: str) -> bool:
    record = "\n" + (info.read_text("RECORD") or "")
    return f"\n{package}/" in record or f"\n{package}.py," in record or f"\n{package}." in record


def _folder(package: str) -> Path | None:
    """Return the folder a package lies in, without importing it."""
    try:
        spec = find_spec(package)
    except Exception:  # noqa: BLE001 - what is in `sys.modules` may be of the user
        return None
    if not isinstance(spec, ModuleSpec):
        return None
    if spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations))).parent
    return Path(spec.origin).parent if spec.origin and Path(spec.origin).is_file() else None
