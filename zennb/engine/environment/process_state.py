"""Owns what else of a process cells change for all that follow: warnings, decimals, folder, paths, locale, limits."""

from __future__ import annotations

import builtins
import decimal
import locale
import logging
import os
import sys
import warnings
from typing import Any

from zennb.core.records.observed import UNTOUCHED
from zennb.engine.environment.settings import content
from zennb.errors import StoreError

__all__ = ["PROCESS_STATE"]

_ALWAYS: frozenset[str] = frozenset()


class _Warnings:
    """The filters of `warnings`; a step depends on those that are not about one library's module or message."""

    name = "warning filters"
    modules = frozenset({"warnings"})
    matters = True
    is_per_context = False

    def read(self) -> tuple[Any, ...]:
        return tuple(warnings.filters)

    def digest(self, seen: tuple[Any, ...]) -> str:
        broad = [(action, category.__name__) for action, category in _broad(seen)]
        return content(broad)

    def change(self, before: tuple[Any, ...] | None, after: tuple[Any, ...]) -> dict[str, Any]:
        if before is None:
            return {"all": True, "filters": [_plain(each) for each in after if _is_named(each[2])]}
        gone = [each for each in before if each not in after]
        kept = after if gone else [each for each in after if each not in before]
        return {"all": bool(gone), "filters": [_plain(each) for each in kept if _is_named(each[2])]}

    def apply(self, change: dict[str, Any]) -> None:
        if change["all"]:
            warnings.resetwarnings()
        for action, message, category, module, line in reversed(change["filters"]):
            kind = _category(category)
            if kind is None:  # of a module that nobody has imported here, so nothing of it is warned of
                continue
            if message or module:
                warnings.filterwarnings(action, message, kind, module, line)
            else:
                warnings.simplefilter(action, kind, line)


class _RaisedWarnings:
    """Whether warnings are errors, which matters to every step (`warnings.simplefilter("error")`)."""

    name = "warnings turned into errors"
    modules = _ALWAYS
    matters = True
    is_per_context = False

    def read(self) -> tuple[str, ...]:
        return tuple(
            [category.__name__ for action, category in _broad(warnings.filters) if action == "error"]
        )

    def digest(self, seen: tuple[str, ...]) -> str:
        return content(seen)

    def change(self, before: object, after: object) -> None:  # noqa: ARG002 - the filters themselves are carried
        return None

    def apply(self, change: object) -> None:
        """Do nothing: `warning filters` sets them."""


class _Decimals:
    """The context of `decimal`."""

    name = "decimal context"
    modules = _ALWAYS
    matters = True
    is_per_context = True

    def read(self) -> tuple[Any, ...]:
        return _decimal(decimal.getcontext())

    def digest(self, seen: tuple[Any, ...]) -> str:
        return UNTOUCHED if seen == _decimal(decimal.DefaultContext) else content(list(seen))

    def change(self, before: object, after: tuple[Any, ...]) -> list[Any]:  # noqa: ARG002 - it is set as a whole
        return list(after)

    def apply(self, change: list[Any]) -> None:
        context = decimal.getcontext()
        context.prec, context.rounding, context.Emin, context.Emax, context.capitals, context.clamp, traps = (
            change
        )
        for signal in context.traps:
            context.traps[signal] = signal.__name__ in traps


class _Folder:
    """The working folder. A step that opens files there depends on those files, not on where the folder lies."""

    name = "current folder"
    modules = _ALWAYS
    matters = False
    is_per_context = False

    def read(self) -> str:
        return os.getcwd()

    def digest(self, seen: str) -> str:
        return seen

    def change(self, before: str | None, after: str) -> str:
        if before is None:
            return after
        inside = os.path.commonpath([before, after]) not in {os.sep, ""}
        return os.path.relpath(after, before) if inside else after

    def apply(self, change: str) -> None:
        try:
            os.chdir(change)
        except OSError as error:
            raise StoreError(f"it goes to the folder {change}, which cannot be entered ({error}).") from error


class _ModulePath:
    """`sys.path`. What is imported from it counts by itself."""

    name = "module path"
    modules = _ALWAYS
    matters = False
    is_per_context = False

    def read(self) -> tuple[str, ...]:
        return tuple(sys.path)

    def digest(self, seen: tuple[str, ...]) -> str:
        return content(list(seen))

    def change(self, before: tuple[str, ...] | None, after: tuple[str, ...]) -> dict[str, Any]:
        if before is None:  # for a new process: all of it, in order
            return {"all": list(after), "added": []}
        added = [(place, path) for place, path in enumerate(after) if path not in before]
        return {"added": [(place if place < len(after) - len(added) else -1, path) for place, path in added]}

    def apply(self, change: dict[str, Any]) -> None:
        if (
            "all" in change
        ):  # what this process found by itself stays at the end: packages may be elsewhere here
            sys.path[:] = [*change["all"], *(path for path in sys.path if path not in change["all"])]
        for place, path in change["added"]:
            if path not in sys.path:
                sys.path.insert(len(sys.path) if place < 0 else place, path)


class _Locale:
    """The locale of numbers, dates and sorting."""

    name = "locale"
    modules = frozenset({"locale"})
    matters = True
    is_per_context = False

    def read(self) -> str:
        return locale.setlocale(locale.LC_ALL)

    def digest(self, seen: str) -> str:
        return seen

    def change(self, before: str, after: str) -> str:  # noqa: ARG002 - it is set as a whole
        return after

    def apply(self, change: str) -> None:
        locale.setlocale(locale.LC_ALL, change)


class _Recursion:
    """The limit of recursion."""

    name = "recursion limit"
    modules = _ALWAYS
    matters = False
    is_per_context = False

    def read(self) -> int:
        return sys.getrecursionlimit()

    def digest(self, seen: int) -> str:
        return str(seen)

    def change(self, before: int, after: int) -> int:  # noqa: ARG002 - it is set as a whole
        return after

    def apply(self, change: int) -> None:
        sys.setrecursionlimit(change)


class _LogLevels:
    """The levels of loggers: what is logged at all."""

    name = "logging levels"
    modules = frozenset({"logging"})
    matters = True
    is_per_context = False

    def read(self) -> tuple[Any, ...]:
        loggers = [
            each
            for each in list(logging.root.manager.loggerDict.values())
            if isinstance(each, logging.Logger)
        ]
        found = [(each.name, each.level, each.disabled) for each in loggers if each.level or each.disabled]
        return (logging.root.level, logging.root.manager.disable, *sorted(found))

    def digest(self, seen: tuple[Any, ...]) -> str:
        return UNTOUCHED if seen == (logging.WARNING, 0) else content(list(seen))

    def change(self, before: tuple[Any, ...] | None, after: tuple[Any, ...]) -> dict[str, Any]:
        was, now = (before or (logging.WARNING, 0))[2:], after[2:]
        gone = {name: (0, False) for name, _, _ in was} | {name: (level, off) for name, level, off in now}
        return {
            "root": after[:2],
            "levels": {name: state for name, state in gone.items() if (name, *state) not in was},
        }

    def apply(self, change: dict[str, Any]) -> None:
        level, disabled = change["root"]
        logging.root.setLevel(level)
        logging.disable(disabled)
        for name, (level, disabled) in change["levels"].items():
            logger = logging.getLogger(name)
            logger.setLevel(level)
            logger.disabled = disabled


def _broad(filters: Any) -> list[tuple[str, type]]:
    """Return action and category of the filters that are about all messages of all modules."""
    return [
        (action, category)
        for action, message, category, module, line in filters
        if message is None and module is None and line == 0 and category.__module__ == "builtins"
    ]


def _plain(entry: Any) -> tuple[str, str, str, str, int]:
    action, message, category, module, line = entry
    name = f"{category.__module__}:{category.__qualname__}"
    return (
        action,
        getattr(message, "pattern", message) or "",
        name,
        getattr(module, "pattern", module) or "",
        line,
    )


def _is_named(category: type) -> bool:
    return _category(f"{category.__module__}:{category.__qualname__}") is category


def _category(name: str) -> Any:
    module, _, qualname = name.partition(":")
    found: Any = builtins if module == "builtins" else sys.modules.get(module)
    for part in qualname.split("."):
        found = getattr(found, part, None)
    return found


def _decimal(context: decimal.Context) -> tuple[Any, ...]:
    # What it is pickled as: reading its attributes one by one takes three times as long.
    *plain, _flags, traps = context.__reduce__()[1]
    return (*plain, sorted([signal.__name__ for signal in traps]))


PROCESS_STATE = (
    _Warnings(),
    _RaisedWarnings(),
    _Decimals(),
    _Folder(),
    _ModulePath(),
    _Locale(),
    _Recursion(),
    _LogLevels(),
)
"""State of Python itself."""
