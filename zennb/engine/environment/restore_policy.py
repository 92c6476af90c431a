"""Owns `RestorePolicy`: which files, variables and module paths reuse may restore, whatever a record says.

Signatures already keep forged records from being reused. This is the second line of defence: reuse does nothing to the
machine that the step's own code does not say, so that a stolen key or a mistake of ours cannot plant a program.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import PurePath

__all__ = ["RestorePolicy"]

_NEVER = re.compile(
    r"(sitecustomize|usercustomize|conftest)\.py|.+\.pth|(ipython|jupyter)_.*config\.(py|json)|kernel\.json|startup|autostart",
    re.IGNORECASE,
)
"""Names of files and folders whose content runs, or takes effect, when some program starts."""

_PROGRAM = re.compile(
    r".+\.(pyw?|pyc|so|pyd|dll|dylib|sh|bat|cmd|ps1|ipynb|egg|whl|exe|jar|desktop|service|plist|mk)"
    r"|(gnu)?makefile|dockerfile|justfile|(pyproject|setup|pytest|tox|mypy|ruff)\.(toml|cfg|ini)",
    re.IGNORECASE,
)
"""Names of what can be imported or run, or says what a program runs; in the notebook's folder it could replace one."""

_LONGEST = 4096
"""Characters of the longest text that is taken for a path."""


@dataclass(frozen=True, slots=True)
class RestorePolicy:
    """What the code of a step allows reuse to restore.

    Attributes:
        texts: text constants in the step's own code.
        names: these, the text constants of functions it calls, and text among its inputs.
        folder: the working folder.
    """

    texts: frozenset[str]
    names: frozenset[str]
    folder: str

    def allows_file(self, path: str) -> bool:
        """Whether a file or folder may be written.

        It has to lie below the working folder, or the step has to name it or a folder it lies in. Files that can be
        imported or run have to be named; hidden files, and those that run when a program starts, are never restored.
        """
        where = self._whole(path)
        inside = _below(where, self.folder)
        parts = PurePath(where if inside is None else inside).parts
        if any(_NEVER.fullmatch(part) or part.startswith(".") for part in parts):
            return False
        if _PROGRAM.fullmatch(PurePath(where).name):
            return where in self._places() or (inside is not None and parts[-1] in self._basenames())
        return inside is not None or self._is_named(where)

    def allows_variable(self, name: str, value: str | None) -> bool:
        """Whether an environment variable may be set, or deleted (None): name and value stand in the code."""
        return any(name in text for text in self.names) and (
            value is None or any(value in text for text in self.texts)
        )

    def allows_folder(self, path: str) -> bool:
        """Whether the step may go to a folder, or put it on the module path: programs are found there.

        The step names it, or it is the working folder or around or below it and not everybody can write to it.
        """
        where = self._whole(path)
        if self._is_named(where):
            return True
        is_near = _below(where, self.folder) is not None or _below(self.folder, where) is not None
        return (is_near or PurePath(where).name in self._basenames()) and not _is_open_to_all(where)

    def _whole(self, path: str) -> str:
        return os.path.normpath(os.path.join(self.folder, os.path.expanduser(path)))

    def _is_named(self, where: str) -> bool:
        """Whether a text names a path or a folder it lies in; `"/"`, which stands in most code, names no place."""
        return any(
            named == where or (_below(where, named) is not None and not self._is_wide(named))
            for named in self._places()
        )

    def _is_wide(self, named: str) -> bool:
        return any(_below(place, named) is not None for place in (self.folder, os.path.expanduser("~")))

    def _places(self) -> set[str]:
        """Return the paths that texts can stand for."""
        return {self._whole(text) for text in self.names if _is_like_a_path(text)}

    def _basenames(self) -> set[str]:
        return {PurePath(text).name for text in self.names if _fits(text)}


def _fits(text: str) -> bool:
    return 0 < len(text) <= _LONGEST and "\0" not in text and "\n" not in text


def _is_like_a_path(text: str) -> bool:
    return _fits(text) and ("/" in text or os.sep in text or "." in text)


def _below(path: str, folder: str) -> str | None:
    """Return the path relative to a folder, "" for the folder itself; None when it lies elsewhere."""
    if path == folder:
        return ""
    prefix = folder.rstrip(os.sep) + os.sep
    return path.removeprefix(prefix) if path.startswith(prefix) else None


def _is_open_to_all(path: str) -> bool:
    try:
        return bool(os.stat(path).st_mode & stat.S_IWOTH)
    except OSError:
        return False
