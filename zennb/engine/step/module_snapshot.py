"""Owns `ModuleSnapshot`: what modules hold before a step, to see which names of the user's own ones it binds anew.

Which names code sets in a module cannot be read off the code for certain (`setattr`, `sys.modules`, `vars`), and reuse
sets none of them. What names hold is compared by the digests of what the step reaches (`reusability`).
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import is_a, is_one_of
from zennb.dependencies.callables import is_code
from zennb.digests.digest import digest_value
from zennb.digests.walker import SCALARS
from zennb.engine.step.library_data import LibraryData
from zennb.errors import CannotDigest
from zennb.packages.origin import Origin, origin

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from zennb.engine.step.namespace_changes import NamespaceChanges

__all__ = ["ModuleSnapshot"]

_seen: set[str] = set()
_local: set[str] = set()
"""Names of imported modules, and which of them are the user's own. Asking all of them anew would take milliseconds."""


class ModuleSnapshot:
    """The names of all imported modules of the user, as they are when it is made.

    Args:
        uses: dotted names of what a step uses of modules, of which libraries may hold data.
    """

    def __init__(self, uses: Iterable[str] = ()) -> None:
        self._before = {name: (module, dict(vars(module))) for name, module in _modules()}
        self._data = LibraryData(uses)

    def changed(self, did: NamespaceChanges | None = None) -> list[str]:
        """Return which names are bound to something else now, or not at all, as `constant `lib.RATE``.

        Args:
            did: what the step did. Data of libraries is looked at only if nothing else speaks against reuse.
        """
        data = [] if did is None or did.reasons else self._data.changed(did.calls)
        found = [f"constant `{use}`" for use in data]
        for name, (module, before) in self._before.items():
            if sys.modules.get(name) is not module:
                continue
            now = vars(module)
            if now.get("__spec__") is not before.get("__spec__"):
                found.append(f"module `{name}`")  # loaded again
                continue
            found += [
                f"constant `{name}.{key}`"
                for key in before | now
                if not key.startswith("__") and _differs(before, now, key, name)
            ]
        return found


def _modules() -> Iterator[tuple[str, ModuleType]]:
    new = set() if _seen.issuperset(sys.modules) else sys.modules.keys() - _seen  # the first copies no names
    _seen.update(new)
    _local.update(name for name in new if _is_local(name))
    for name in list(_local):
        module = sys.modules.get(name)
        if type(module) is ModuleType:
            yield name, module
        else:  # imported again later, it may be another one
            _local.discard(name)
            _seen.discard(name)


def _is_local(name: str) -> bool:
    module = sys.modules.get(name)
    # Its dictionary first: a module may do anything when it is asked for an attribute that it does not have.
    is_from_file = type(module) is ModuleType and isinstance(vars(module).get("__file__"), str)
    return is_from_file and origin(name) is Origin.LOCAL


def _differs(before: dict[str, Any], now: dict[str, Any], key: str, module: str) -> bool:
    if key not in before:  # importing a module binds its name in the package around it
        return sys.modules.get(f"{module}.{key}") is not now[key]
    if key not in now:
        return True
    old, new = before[key], now[key]
    if old is new:
        return False
    if type(old) is not type(new) or is_a(old, ModuleType) or is_code(old):
        return True
    if is_one_of(old, SCALARS):
        return bool(old != new)
    try:
        return digest_value(old).digest != digest_value(new).digest
    except CannotDigest:
        return True
