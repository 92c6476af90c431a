"""Owns the shell lines whose effect is known: those that only read (`!ls data | wc -l`), and `!mkdir -p data`."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["asks_folder", "files_named", "makes_folders"]

_LISTING = re.compile(r"-[1aA]+")


class _Program(NamedTuple):
    """A program that reads files, or what is piped into it, and prints.

    Attributes:
        options: the options that change nothing about that.
        takes: those of them that are followed by an argument.
        before: how many words come before the files: the pattern of `grep`.
        most: how many files it reads; `uniq` writes to the second one.
    """

    options: re.Pattern[str]
    takes: frozenset[str] = frozenset()
    before: int = 0
    most: int = 1_000


_COUNTED = re.compile(r"-\d+|-[nc]|-[nc]\d+|\d+")
_READING = {
    "cat": _Program(re.compile(r"-[nbsA]+")),
    "cut": _Program(re.compile(r"-[dfc]|-[fc][\d,-]+|-d."), takes=frozenset({"-d", "-f", "-c"})),
    "grep": _Program(re.compile(r"-[icnvwxEFohHlL]+"), before=1),
    "head": _Program(_COUNTED),
    "nl": _Program(re.compile(r"-ba")),
    "sort": _Program(re.compile(r"-[bdfghnruV]+|-k\d+(,\d+)?[bdfghnrV]*|-t.")),
    "tac": _Program(re.compile(r"(?!)")),
    "tail": _Program(_COUNTED),
    "uniq": _Program(re.compile(r"-[cdui]+"), most=1),
    "wc": _Program(re.compile(r"-[lwcm]+")),
}
_SHOWING = frozenset({"echo", "pwd"})
"""Programs that read no files."""

_SHELL = re.compile(r"[&;<>()$`\[\]{}~!#\\\n=]")
"""Characters with a special meaning to the shell."""

_WILD = re.compile(r"[*?]")


def files_named(command: str) -> tuple[str, ...] | None:
    """Return the files and folders that a command reads; None when it may do anything else.

    Names may contain wildcards: `*.csv` stands for the folder and all in it that has such a name.

    Args:
        command: what follows `!`.
    """
    first, *others = _pipeline(command) or [[]]
    # What follows a pipe reads only that.
    if not first or any(_read_by(each) != () for each in others):
        return None
    if not others and first[0] in _READING and not _read_by(first):
        return None  # it would wait for input
    return _read_by(first)


def _read_by(words: Sequence[str]) -> tuple[str, ...] | None:
    """Return the files and folders that one program reads; None when it may do anything else."""
    name, *rest = words
    if name in _SHOWING:
        is_plain = not any(map(_WILD.search, rest)) and (name == "echo" or not rest)
        return () if is_plain else None
    if name == "ls":
        paths = [word for word in rest if not _LISTING.fullmatch(word)]
        # An option that is not known, such as `ls -R`, may show more than the names in the folder.
        return None if any(path.startswith("-") for path in paths) else tuple(paths or ["."])
    program = _READING.get(name)
    if program is None:
        return None
    paths, before = [], ""
    for word in rest:
        if before not in program.takes and not program.options.fullmatch(word):
            paths.append(word)
        before = "" if before in program.takes else word
    if any(path.startswith("-") for path in paths) or len(paths) < program.before:
        return None
    paths = paths[program.before :]
    is_one = len(paths) <= program.most and (program.most > 1 or not any(map(_WILD.search, paths)))
    return tuple(paths) if is_one else None


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
    found = _pipeline(command)
    return found[0] if len(found) == 1 and not any(map(_WILD.search, found[0])) else []


def _pipeline(command: str) -> list[list[str]]:
    """Return the words of each program of a pipeline; none when it has characters with a special meaning."""
    # Even inside quotes, where most of these mean nothing: too careful only costs a run.
    if _SHELL.search(command):
        return []
    found: list[list[str]] = [[]]
    try:
        tokens = shlex.shlex(command, posix=False, punctuation_chars="|")
        tokens.whitespace_split, tokens.commenters = True, ""
        for token in tokens:
            if token == "|":
                found.append([])
            else:
                found[-1].append(_unquoted(token))
    except ValueError:
        return []
    return found if all(found) else []


def _unquoted(token: str) -> str:
    """Return a word without the quotes around it.

    Raises:
        ValueError: it is quoted in part, or what is in the quotes looks like a wildcard or a pipe.
    """
    quote = token[:1] if token[:1] in {"'", '"'} else ""
    text = token[1:-1] if quote and len(token) > 1 and token.endswith(quote) else token
    is_wild = bool(quote) and (_WILD.search(text) is not None or "|" in text)
    if is_wild or not token.strip("|") or "'" in text or '"' in text:
        raise ValueError(token)
    return text
