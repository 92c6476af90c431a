"""Owns the shell lines that only read the files they name: `!ls data`, `!head -n 2 data.csv`."""

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
"""Characters with a special meaning to the shell."""


def files_named(command: str) -> tuple[str, ...] | None:
    """Return the files and folders that a command reads; None when it may do anything else.

    Args:
        command: what follows `!`.
    """
    # Even inside quotes, where most of these mean nothing: too careful only costs a run.
    if _SHELL.search(command):
        return None
    try:
        program, *words = shlex.split(command) or [""]
    except ValueError:
        return None
    if program == "ls":
        paths = [word for word in words if not _LISTING.fullmatch(word)]
        # An option that is not known, such as `ls -R`, may show more than the names in the folder.
        return None if any(path.startswith("-") for path in paths) else tuple(paths or ["."])
    options = _READING.get(program)
    if options is None:
        return None
    paths = [word for word in words if not options.fullmatch(word)]
    return None if not paths or any(path.startswith("-") for path in paths) else tuple(paths)
