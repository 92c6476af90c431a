"""Owns the shell lines that only read what they name: `!ls data`, `!head -n 2 data.csv`. All others may do anything."""

from __future__ import annotations

import re
import shlex

__all__ = ["files_named"]

_LISTING = re.compile(r"-[1aA]+")
_READING = {
    "cat": re.compile(r"-[nbsA]+"),
    "head": re.compile(r"-\d+|-[nc]|-[nc]\d+|\d+"),
    "tail": re.compile(r"-\d+|-[nc]|-[nc]\d+|\d+"),
    "wc": re.compile(r"-[lwcm]+"),
}
_SHELL = re.compile(r"[|&;<>()$`*?\[\]{}~!#\\\n=]")
"""What makes a shell do more than run one program on the words of a line."""


def files_named(command: str) -> tuple[str, ...] | None:
    """Return the files and folders that a command reads, when it does nothing else; None when it may.

    Args:
        command: what follows `!`.
    """
    if _SHELL.search(command):
        return None
    try:
        program, *words = shlex.split(command) or [""]
    except ValueError:
        return None
    if program == "ls":
        paths = [word for word in words if not _LISTING.fullmatch(word)]
        return None if any(path.startswith("-") for path in paths) else tuple(paths or ["."])
    options = _READING.get(program)
    if options is None:
        return None
    paths = [word for word in words if not options.fullmatch(word)]
    return None if not paths or any(path.startswith("-") for path in paths) else tuple(paths)
