"""Owns `OwnFiles`: which files of a home are zennb's own, and no data of the user."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from zennb.engine.environment.callers import is_ours
from zennb.engine.environment.files import resolved

__all__ = ["NO_FILES", "OwnFiles"]

_DATABASE = r"db(?:-journal|-shm|-wal)?"
_STORE = (
    rf"STORE\.json|cache\.{_DATABASE}"
    r"|blobs(?:/[0-9a-f]{2}(?:/[0-9a-f]{64})?)?"
    r"|quarantine(?:/[0-9a-f]{64}.*)?"
    rf"|tmp(?:/\d+-[0-9a-f]{{32}}\.(?:part|new(?:/cache\.{_DATABASE})?))?"
)
_OF_ONE_PATH = (
    *("open", "sqlite3.connect"),
    *(
        f"os.{name}"
        for name in ("chmod", "listdir", "mkdir", "remove", "rmdir", "scandir", "stat", "truncate", "utime")
    ),
)
_PATHS = dict.fromkeys(_OF_ONE_PATH, 1) | dict.fromkeys(("os.link", "os.rename"), 2)
"""Audit events of files → how many of their arguments, from the first on, are paths."""

_OWN = re.compile(
    r"STORE\.json(?:\.[0-9a-f]{32})?"
    rf"|metadata\.{_DATABASE}"
    r"|annotations/[0-9a-f]{16}\.(?:json|part)"
    rf"|artifacts/(?:{_STORE})"
    r"|background/run-\d+\.(?:curves|jsonl?|txt)[.\w]*"
    rf"|backups/metadata-\d{{8}}T\d{{9}}-[0-9a-f]{{8}}\.{_DATABASE}(?:\.part)?"
    r"|damaged/\d{4}-\d\d-\d\d-\d{6}(?:/.*)?"
    r"|deployments/\w+/[0-9a-f]{16}(?:/.*)?"
    r"|outbox/\d{20}-[0-9a-f]{8}\.(?:json|part|sending)[.\w]*"
    rf"|stores/[0-9a-f]{{12}}(?:/(?:{_STORE}))?",
    re.DOTALL,
)
"""The paths that zennb writes in a home, by their form.

With `ZENNB_HOME=.` the home is the folder of a project: a folder `artifacts` or `annotations` in it may hold the user's
data beside what zennb put there.
"""


@dataclass(frozen=True, slots=True)
class OwnFiles:
    """The files that zennb keeps in a home, which are no inputs of any step.

    Attributes:
        home: the home directory; "" for none, which has no such files.
    """

    home: str = ""

    def __contains__(self, path: str) -> bool:
        """Whether an absolute path is one of them."""
        home = self.home.rstrip(os.sep) + os.sep
        if not self.home or not path.startswith(home):
            return False
        return _OWN.fullmatch(path[len(home) :].rstrip(os.sep).replace(os.sep, "/")) is not None

    def is_own_work(self, event: str, arguments: tuple[object, ...]) -> bool:
        """Whether zennb itself causes an audit event in its home, as when it makes a folder or asks for one.

        A step's code may do the same, since what else is in these folders is the user's.
        """
        paths = arguments[: _PATHS.get(event, 0)] if self.home else ()
        home = self.home.rstrip(os.sep) + os.sep
        return bool(paths) and all(resolved(path).startswith(home) for path in paths) and is_ours()

    def names_in(self, folder: str) -> frozenset[str]:
        """Return the names of those that a folder holds."""
        if not self.home or not (folder + os.sep).startswith(self.home.rstrip(os.sep) + os.sep):
            return frozenset()
        try:
            return frozenset(name for name in os.listdir(folder) if os.path.join(folder, name) in self)
        except OSError:
            return frozenset()


NO_FILES = OwnFiles()
"""Those of no home."""
