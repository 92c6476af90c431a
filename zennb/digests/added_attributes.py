"""Owns the attributes that somebody has added to a table or array, as in `df.name = "sales"`.

What pandas, numpy and polars store of their values leaves them out.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from zennb.compat.instances import attributes_of, bases_of, class_attribute, class_attributes, slot_values
from zennb.packages.origin import Origin, module_of, origin, top_level

if TYPE_CHECKING:
    from zennb.digests.walker import DigestWalker, Steps

__all__ = ["added_attributes", "added_parts", "library_of", "own_slots"]

_OWN = {
    "numpy": frozenset(
        {"_baseclass", "_basedict", "_fill_value", "_getitem", "_hardmask", "_isfield", "_mask", "_mmap"}
        | {"_optinfo", "_sharedmask", "filename", "mode", "offset"}
    ),
    "pandas": frozenset(
        {"_attrs", "_cache", "_cacher", "_codes", "_data", "_dtype", "_flags", "_freq", "_id", "_is_copy"}
        | {
            "_item_cache",
            "_left",
            "_levels",
            "_mask",
            "_mgr",
            "_name",
            "_names",
            "_ndarray",
            "_pa_array",
            "_range",
        }
        | {"_readonly", "_references", "_right", "_sparse_index", "_sparse_values", "_typ", "sortorder"}
    ),
    "polars": frozenset({"_accessors", "_df", "_ldf", "_s"}),
}
"""Library → attributes in which it keeps the content of its tables and arrays, and what follows from that."""

_ACCESSORS = "pandas.core.accessor"


def library_of(cls: type) -> str:
    """Return the import name of the package that a class is of, or that the user has derived it from."""
    if (known := _libraries.get(cls)) is None:
        found = (module_of(each) for each in bases_of(cls))
        known = top_level(next((each for each in found if origin(each) is Origin.PACKAGE), ""))
        _libraries[cls] = known
    return known


_libraries: WeakKeyDictionary[type, str] = WeakKeyDictionary()
"""Class → what `library_of` says: a list of small tables asks for each of them."""


def added_attributes(value: Any) -> dict[str, Any]:
    """Return the attributes of a table or array that are neither its content nor declared by its class to pandas."""
    cls: Any = type(value)
    found, home = attributes_of(value), library_of(cls)
    own = _OWN.get(home)
    if origin(module_of(cls)).is_users:
        found = found | own_slots(value)
    if own is None:  # of another package, which alone knows what its private ones are for
        names = [name for name in found if not name.startswith("_")]
    else:
        # A loaded table of pandas 2 has its class's `_metadata` as its own.
        is_copied = found.get("_metadata", ()) == getattr(cls, "_metadata", None)
        names = [name for name in found if name not in own and not (is_copied and name == "_metadata")]
    declared = getattr(cls, "_metadata", ()) if names and home != "numpy" else ()
    return {
        name: found[name] for name in sorted(names) if name not in declared and not _is_derived(cls, name)
    }


def added_parts(walker: DigestWalker, value: Any) -> Steps:
    """Yield the attributes that somebody has added to a table or array."""
    for name, part in added_attributes(value).items():
        walker.sink.text(name)
        yield part, f".{name}"


def _is_derived(cls: type, name: str) -> bool:
    """Whether an attribute is kept in the place of what made it: an accessor, such as `df.plot`."""
    maker = type(class_attribute(cls, name))
    return maker is cached_property or module_of(maker) == _ACCESSORS


def own_slots(value: object) -> dict[str, Any]:
    """Return the attributes that are held in slots of the user's classes."""
    users = [class_attributes(each) for each in bases_of(type(value)) if origin(module_of(each)).is_users]
    names = {name for held in users if "__slots__" in held for name in held}
    return {name: part for name, part in slot_values(value).items() if name in names} if names else {}
