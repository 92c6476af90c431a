"""Owns the shell lines whose effect is known: those that only read (`!ls data`, `!pwd`), and `!mkdir -p data`."""

from __future__ import annotations

import re
import shlex

__all__ = ["asks_folder", "files_named", "makes_folders"]

_LISTING = re.compile(r"-[1aA]+")
_READING = {
    "cat": re.compile(r"-[nbsA]+"),
    "head": re.compile(r"-\d+|-[nc]|-[nc]\d+|\d+"),
    "tail": re.compile(r"-\d+|-[nc]|-[nc]\d+|\d+"),
    "wc": re.compile(r"-[lwcm]+"),
}
_SHOWING = frozenset({"echo", "pwd"})
"""Programs that read no files."""

_SHELL = re.compile(r"[|&;<>()$`*?\[\]{}~!#\\\n=]")
"""Characters with a special meaning to the shell."""


def files_named(command: str) -> tuple[str, ...] | None:
    """Return the files and folders that a command reads; None when it may do anything else.

    Args:
        command: what follows `!`.
    """
    words = _words(command)
    if not words:
        return None
    program, *words = words
    if program in _SHOWING:
        return () if program == "echo" or not words else None
    if program == "ls":
        paths = [word for word in words if not _LISTING.fullmatch(word)]
        # An option that is not known, such as `ls -R`, may show more than the names in the folder.
        return None if any(path.startswith("-") for path in paths) else tuple(paths or ["."])
    options = _READING.get(program)
    if options is None:
        return None
    paths = [word for word in words if not options.fullmatch(word)]
    return None if not paths or any(path.startswith("-") for path in paths) else tuple(paths)


def makes_folders(command: str) -> bool:
    """Whether a command only makes folders, and does nothing where they are: `mkdir -p data/raw`."""
    program, *words = _words(command) or [""]
    options = [word for word in words if word.startswith("-")]
    return (
        program == "mkdir"
        and bool(options)
        and {*options} <= {"-p", "--parents"}
        and len(words) > len(options)
    )


def asks_folder(command: str) -> bool:
    """Whether a command or magic tells the working folder, or goes to another."""
    return _words(command) == ["pwd"] or command.split()[:1] == ["cd"]


def _words(command: str) -> list[str]:
    """Return the words of a command; none when it has characters with a special meaning."""
    # Even inside quotes, where most of these mean nothing: too careful only costs a run.
    if _SHELL.search(command):
        return []
    try:
        return shlex.split(command)
    except ValueError:
        return []
