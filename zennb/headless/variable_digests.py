"""Owns the cell that prints digests of a notebook's variables at the end of a run, and reading what it printed."""

from __future__ import annotations

import hashlib
import json
import types
from typing import TYPE_CHECKING, Any

from zennb.digests.digest import digest_value

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PRINTING", "SOURCE", "digests", "print_digests", "printed"]

PRINTING = "zennb-variables"
"""Id of the cell that is added at the end."""

SOURCE = f"from {__name__} import print_digests\nprint_digests(globals())"
# The word `globals` makes zennb load every large output first, as in any cell that uses it.

_MARK = "zennb-variables: "
_OF_IPYTHON = frozenset({"In", "Out", "exit", "quit", "open", "get_ipython", "print_digests"})


def print_digests(namespace: Mapping[str, Any]) -> None:
    """Print the digests of a notebook's variables on one line."""
    print(f"\n{_MARK}{json.dumps(digests(namespace))}")  # noqa: T201 - it is read from the cell's output


def printed(text: str) -> dict[str, str]:
    """Return name → digest from what the cell printed; {} when it did not get that far."""
    lines = [line for line in text.split("\n") if line.startswith(_MARK)]
    try:
        found: dict[str, str] = json.loads(lines[-1].removeprefix(_MARK)) if lines else {}
    except ValueError:
        return {}
    return found


def digests(namespace: Mapping[str, Any]) -> dict[str, str]:
    """Return a digest for each public variable; modules are left out, and what has no content is its type."""
    return {
        name: _digest(value)
        for name, value in list(namespace.items())
        if not name.startswith("_")
        and name not in _OF_IPYTHON
        and not issubclass(type(value), types.ModuleType)
    }


def _digest(value: object) -> str:
    try:
        # `isinstance` asks the object for its class, which it may make up, or refuse to tell.
        if type(value) is types.FunctionType:
            return _hashed(_code(value.__code__), value.__defaults__)
        if issubclass(type(value), type):
            return _class(value)  # type: ignore[arg-type]
        return f"{type(value).__name__} {digest_value(value).digest}"
    except Exception:  # noqa: BLE001 - objects of users raise whatever they like when they are looked at
        return type(value).__name__


def _class(cls: type) -> str:
    functions = {
        name: _code(each.__code__) for name, each in vars(cls).items() if isinstance(each, types.FunctionType)
    }
    return _hashed(cls.__name__, sorted(functions.items()))


def _code(code: types.CodeType) -> str:
    """Return a digest of what code does, wherever it stands."""
    inner = [
        _code(each) if isinstance(each, types.CodeType) else (type(each).__name__, repr(each))
        for each in code.co_consts
        if not isinstance(each, frozenset)  # written in the order of its hashes
    ]
    return _hashed(code.co_code.hex(), code.co_names, code.co_varnames, inner)


def _hashed(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode(errors="backslashreplace")).hexdigest()[:16]
