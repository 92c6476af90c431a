"""Owns the settings of Python itself: warning filters, decimals, folder, paths, locale, limits, log levels."""

from __future__ import annotations

import builtins
import decimal
import locale
import logging
import os
import sys
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zennb.compat.python import recursion_limit
from zennb.core.records.observed import UNTOUCHED
from zennb.core.records.setting_names import (
    FOLDER,
    FOLDER_PATH,
    MODULE_PATH,
    RECURSION_LIMIT,
    WARNING_FILTERS,
)
from zennb.engine.environment.settings import content
from zennb.errors import StoreError
from zennb.packages.origin import origin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["OF_KERNELS", "PROCESS_STATE", "ProcessSetting", "forget_own_path", "repeated_filters"]

_own_path = list(sys.path)
"""Where this process looked for modules before any code of the user's had run; of a worker, where its kernel did."""

OF_KERNELS = frozenset(
    {"MPLBACKEND", "TERM", "CLICOLOR", "CLICOLOR_FORCE", "FORCE_COLOR", "PAGER", "GIT_PAGER"}
)
"""Environment variables by which a kernel says how output looks, before any code runs. Workers that something else has
started lack them."""


def forget_own_path() -> None:
    """Take every entry of the module path for one that code has added: some code ran before anybody looked."""
    _own_path.clear()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSetting:
    """One setting of Python (a `Setting`): a row of the table below, which `Setting` describes field by field.

    By default a change is the new state as a whole.
    """

    name: str
    read: Callable[[], Any]
    apply: Callable[[Any], None]
    digest: Callable[[Any], str] = lambda seen: content(list(seen))
    change: Callable[[Any, Any], Any] = lambda _before, after: after
    modules: frozenset[str] = frozenset()
    matters: bool = True
    is_per_context: bool = False


# Warnings


def _warnings_change(before: tuple[Any, ...] | None, after: tuple[Any, ...]) -> dict[str, Any]:
    gone = before is None or any(each not in after for each in before)
    # Filters that were only added, or moved to the front by being set again, are set again on reuse, on top of whatever
    # filters there are then, or behind them. If some were taken away, the list is replaced as a whole.
    count = len(after)
    while before is not None and count and after[count - 1] not in before:
        count -= 1
    if before is None or gone or not count:
        first, last = after, after[:0]
    else:
        first, last = _in_front(before, after[:count]), after[count:]
    return {
        "all": gone,
        "filters": [_plain(each) for each in first if _is_named(each[2])],
        "last": [_plain(each) for each in last if _is_named(each[2])],
    }


def _in_front(before: tuple[Any, ...], after: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the first filters, up to those that stand in the order from before."""
    rest, count = list(before), len(after)
    for each in reversed(after):
        while rest and rest[-1] != each:
            rest.pop()
        if not rest:
            break
        rest.pop()
        count -= 1
    return after[:count]


def repeated_filters(
    before: Mapping[str, Any], after: Mapping[str, Any], texts: Iterable[str], uses: Iterable[str]
) -> dict[str, dict[str, Any]]:
    """Return how a step changes the filters, with those that it sets although they were set already.

    Args:
        before: the settings when it began, the filters among them.
        after: those at its end.
        texts: what its code says: of a filter that it sets the action, the message and the module.
        uses: dotted names of what it uses of modules: of such a filter the category.
    """
    change = _warnings_change(before[WARNING_FILTERS], after[WARNING_FILTERS])
    said, named, own, is_first = {*texts, ""}, {use.rpartition(".")[2] for use in uses}, [], True
    for entry in after[WARNING_FILTERS]:
        plain = _plain(entry)
        # A step depends on the broad filters that it finds, so what it adds to them is seen. What it sets again stands
        # before all that others have set.
        is_said = plain[1] or plain[3] or entry[2].__name__ in named or origin(entry[2].__module__).is_users
        is_again = {plain[0], plain[1], plain[3]} <= said and not _is_broad(entry) and _is_named(entry[2])
        is_again = is_again and bool(is_said)
        is_first = is_first and (is_again or plain in change["filters"])
        if is_first or plain in change["filters"]:
            own.append(plain)
    change["filters"] = own
    return {WARNING_FILTERS: change} if any(change.values()) else {}


def _set_warnings(change: dict[str, Any]) -> None:
    if change["all"]:
        warnings.resetwarnings()
    # Each call puts its filter in front, so the last one of the list goes first.
    each: Any
    for append, each in [(False, each) for each in reversed(change["filters"])] + [
        (True, each) for each in change.get("last", ())
    ]:
        action, message, category, module, line = each
        kind = _category(category)
        if kind is None:  # its module is not imported here, so no such warning can be raised
            continue
        if message or module:
            warnings.filterwarnings(action, message, kind, module, line, append)
        else:
            warnings.simplefilter(action, kind, line, append)


def _errors(filters: Any) -> list[Any]:
    """Return the filters that raise errors: of the broad ones their categories, of each other one all it says."""
    narrow = [_plain(each) for each in filters if each[0] == "error" and not _is_broad(each)]
    return [*(kind for action, kind in _broad(filters) if action == "error"), *narrow]


def _broad(filters: Any) -> list[tuple[str, str]]:
    """Return action and category of the filters that match every message of every module."""
    return [(entry[0], entry[2].__name__) for entry in filters if _is_broad(entry)]


def _is_broad(entry: Any) -> bool:
    _action, message, category, module, line = entry
    return message is None and module is None and line == 0 and category.__module__ == "builtins"


def _plain(entry: Any) -> tuple[str, str, str, str, int]:
    action, message, category, module, line = entry
    name = f"{category.__module__}:{category.__qualname__}"
    texts = [getattr(each, "pattern", each) or "" for each in (message, module)]
    return action, texts[0], name, texts[1], line


def _is_named(category: type) -> bool:
    return _category(f"{category.__module__}:{category.__qualname__}") is category


def _category(name: str) -> Any:
    module, _, qualname = name.partition(":")
    found: Any = builtins if module == "builtins" else sys.modules.get(module)
    for part in qualname.split("."):
        found = getattr(found, part, None)
    return found


# Decimals


def _decimal(context: decimal.Context) -> tuple[Any, ...]:
    # The arguments that it is pickled with: reading its attributes one by one takes three times as long.
    *plain, _flags, traps = context.__reduce__()[1]
    return (*plain, sorted([signal.__name__ for signal in traps]))


def _set_decimal(change: list[Any]) -> None:
    context = decimal.getcontext()
    context.prec, context.rounding, context.Emin, context.Emax, context.capitals, context.clamp, traps = (
        change
    )
    for signal in context.traps:
        context.traps[signal] = signal.__name__ in traps


# Folder and paths


def _folder() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:  # deleted while the process is in it
        return _GONE


def _folder_change(before: str | None, after: str) -> str:
    if before is None or _GONE in {before, after}:
        return after
    # Relative where possible: the project may lie elsewhere when the step is reused. `/data`
    # from `/home` stays absolute.
    inside = os.path.commonpath([before, after]) not in {os.sep, ""}
    return os.path.relpath(after, before) if inside else after


def _set_folder(change: str) -> None:
    if change == _GONE:
        raise StoreError("it ends in a folder that it has deleted.")
    try:
        os.chdir(change)
    except OSError as error:
        raise StoreError(f"it goes to the folder {change}, which cannot be entered ({error}).") from error


def _path_change(before: tuple[str, ...] | None, after: tuple[str, ...]) -> dict[str, Any]:
    if before is None:  # for a new process: all of it, in order
        return {"all": list(after), "own": [path for path in after if path in _own_path], "added": []}
    added = [(place, path) for place, path in enumerate(after) if path not in before]
    # An entry at the end stays at the end (-1), however long the path is where the change is applied.
    places = [(place if place < len(after) - len(added) else -1, path) for place, path in added]
    return {"added": places, "gone": [path for path in before if path not in after]}


def _set_path(change: dict[str, Any]) -> None:
    if "all" in change:  # entries of this process stay, at the end: its packages may be in other folders
        others = [path for path in sys.path if path not in change["all"]]
        sys.path[:] = [*change["all"], *others]
        _own_path[:] = [*change["own"], *others]
    for path in change.get("gone", ()):
        while path in sys.path:
            sys.path.remove(path)
    for place, path in change["added"]:
        if path not in sys.path:
            sys.path.insert(len(sys.path) if place < 0 else place, path)


def _path_digest(seen: tuple[str, ...]) -> str:
    """Return the digest of what was added and taken away; kernel and workers, each with its own path, agree on it."""
    added = [path for path in dict.fromkeys(seen) if path not in _own_path]
    gone = [path for path in _own_path if path not in seen]
    return content([added, gone] if added or gone else None)


def _set_locale(change: str) -> None:
    locale.setlocale(locale.LC_ALL, change)


# Logging

_GONE = "a folder that does not exist any more"
_NO_LEVELS = (logging.WARNING, 0)


def _log_levels() -> tuple[Any, ...]:
    loggers = [
        each for each in list(logging.root.manager.loggerDict.values()) if isinstance(each, logging.Logger)
    ]
    found = [(each.name, each.level, each.disabled) for each in loggers if each.level or each.disabled]
    return (logging.root.level, logging.root.manager.disable, *sorted(found))


def _log_change(before: tuple[Any, ...] | None, after: tuple[Any, ...]) -> dict[str, Any]:
    was, now = (before or _NO_LEVELS)[2:], after[2:]
    # Loggers whose level was set back are not listed in `now`.
    gone = {name: (0, False) for name, _, _ in was} | {name: (level, off) for name, level, off in now}
    levels = {name: state for name, state in gone.items() if (name, *state) not in was}
    return {"root": after[:2], "levels": levels}


def _set_log_levels(change: dict[str, Any]) -> None:
    level, disabled = change["root"]
    logging.root.setLevel(level)
    logging.disable(disabled)
    for name, (level, disabled) in change["levels"].items():
        logger = logging.getLogger(name)
        logger.setLevel(level)
        logger.disabled = disabled


PROCESS_STATE: tuple[ProcessSetting, ...] = (
    ProcessSetting(
        name=WARNING_FILTERS,
        modules=frozenset({"warnings"}),
        read=lambda: tuple(warnings.filters),
        digest=lambda seen: content(_broad(seen)),  # a filter for one library's messages changes no result
        change=_warnings_change,
        apply=_set_warnings,
    ),
    ProcessSetting(  # matters to every step, unlike the other filters
        name="warnings turned into errors",
        read=lambda: _errors(warnings.filters),
        digest=content,
        change=lambda _before, _after: None,
        apply=lambda _change: None,  # `warning filters` sets them
    ),
    ProcessSetting(
        name="decimal context",
        is_per_context=True,
        read=lambda: _decimal(decimal.getcontext()),
        digest=lambda seen: UNTOUCHED if seen == _decimal(decimal.DefaultContext) else content(list(seen)),
        change=lambda _before, after: list(after),
        apply=_set_decimal,
    ),
    ProcessSetting(  # a step depends on the files that it opens, not on where their folder is
        name=FOLDER,
        matters=False,
        read=_folder,
        digest=str,
        change=_folder_change,
        apply=_set_folder,
    ),
    ProcessSetting(  # counts only for steps whose code may ask for it or set it: see `StaticUsage.settings`
        name=FOLDER_PATH,
        matters=False,
        read=_folder,
        digest=str,
        change=lambda _before, _after: None,
        apply=lambda _change: None,
    ),
    ProcessSetting(  # what is imported from there is a dependency of its own
        name=MODULE_PATH,
        matters=False,
        read=lambda: tuple(sys.path),
        digest=_path_digest,
        change=_path_change,
        apply=_set_path,
    ),
    ProcessSetting(
        name="locale",
        modules=frozenset({"locale"}),
        read=lambda: locale.setlocale(locale.LC_ALL),
        digest=str,
        apply=_set_locale,
    ),
    ProcessSetting(
        name=RECURSION_LIMIT,
        matters=False,
        read=recursion_limit,
        digest=str,
        apply=sys.setrecursionlimit,
    ),
    ProcessSetting(
        name="logging levels",
        modules=frozenset({"logging"}),
        read=_log_levels,
        digest=lambda seen: UNTOUCHED if seen == _NO_LEVELS else content(list(seen)),
        change=_log_change,
        apply=_set_log_levels,
    ),
)
"""Settings of Python itself."""
