"""Owns every error zennb raises: one tree, drawn here at the top.

ZennbError
├── UsageError (ValueError)             a magic or command has wrong arguments
├── UnknownName (LookupError)           no stack, component, flavor, step, run or artifact of that name
├── NameTaken (ValueError)              the name exists with another configuration
├── InUse (ValueError)                  something else still needs it
├── InvalidConfiguration (ValueError)   a component's option has a wrong name or value
├── UnfitStack (ValueError)             the artifact store cannot be reached from where the orchestrator runs
├── MissingExtra (ImportError)          an optional library is not installed
├── BrokenLibrary (ImportError)         a library is imported only by half; restarting the kernel helps
├── NotStorable (TypeError)             a value cannot be serialized and restored
├── CannotDigest (TypeError)            a value has no content that could be digested
├── BrokenNotebook (ValueError)         a file cannot be read as a Python notebook
├── StoreError (OSError)
│   ├── DamagedArtifact                 stored bytes are not what was stored; they are quarantined
│   ├── MissingArtifact (KeyError)      stored bytes are missing
│   ├── LostOutput                      the value of a variable is damaged or missing; its step has to run again
│   ├── StoreBusy                       another process holds the store for too long
│   ├── StoreFull                       there is no room left for what was to be stored
│   ├── StoreReadOnly                   the home or the store can be read, but not written to
│   ├── StoreGone                       the open database was deleted, moved or replaced
│   └── ForeignStore                    the directory is no store of ours, or has a newer format
├── UntrustedArtifact (PermissionError) loading it could run code, and it is not trusted
├── MissingDefinition (LookupError)     a value needs a notebook class or function that has not been run
├── PlanError (ValueError)              the steps do not form a pipeline (cycle, unknown step)
├── StepRefused (RuntimeError)          a step cannot run here; raised before it starts
├── OutputCheckFailed (ValueError)      an output of a step does not pass its `--check`
├── StepTimeout (TimeoutError)          a step ran longer than its --timeout
├── WorkerLost (RuntimeError)           the process that ran a step has died, or none can be reached
├── DeploymentFailed (RuntimeError)     a model cannot be served, or does not answer
├── RunFailed (RuntimeError)            a notebook file failed or was interrupted
└── CheckFailed (AssertionError)        a notebook shows something else when its cells are steps

Each message says what happened, what was seen and what to do next; the parts are attributes.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "BrokenLibrary",
    "BrokenNotebook",
    "CannotDigest",
    "CheckFailed",
    "DamagedArtifact",
    "DeploymentFailed",
    "ForeignStore",
    "InUse",
    "InvalidConfiguration",
    "LostOutput",
    "MissingArtifact",
    "MissingDefinition",
    "MissingExtra",
    "NameTaken",
    "NotStorable",
    "OutputCheckFailed",
    "PlanError",
    "RunFailed",
    "StepRefused",
    "StepTimeout",
    "StoreBusy",
    "StoreError",
    "StoreFull",
    "StoreGone",
    "StoreReadOnly",
    "UnfitStack",
    "UnknownName",
    "UntrustedArtifact",
    "UsageError",
    "WorkerLost",
    "ZennbError",
    "listing",
    "nearest",
]


def _size(count: int) -> str:
    """Return a number of bytes as text, rounded: `8 MB`."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:.0f} {unit}"
    return f"{count} bytes"


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name closest to `name`, or None when nothing is close. No number is close to another."""
    found = [] if name.isdigit() else get_close_matches(name, list(known), n=1, cutoff=0.6)
    return found[0] if found else None


def listing(names: Iterable[str], *, most: int) -> str:
    """Return names joined by commas, with the number of those left out: `a, b and 3 more`."""
    known = list(names)
    if len(known) <= most + 1:  # `and 1 more` is no shorter than the name
        return ", ".join(known)
    return f"{', '.join(known[:most])} and {len(known) - most} more"


class ZennbError(Exception):
    """Root of the tree; its text is one or more sentences for the user."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return self.message

    @property
    def first_sentence(self) -> str:
        """The error as the reason for a decision: its first sentence, without the full stop."""
        return self.message.split(". ")[0].rstrip(".")

    def _render_traceback_(self) -> list[str]:
        """Make IPython show the message and notes alone, without our frames."""
        notes = map(str, getattr(self, "__notes__", ()))
        return [f"{type(self).__name__}: {self.message}", *notes]


class UsageError(ZennbError, ValueError):
    """A magic or command has wrong arguments."""


class UnknownName(ZennbError, LookupError):
    """There is nothing of that name.

    Attributes:
        kind: what was looked for, e.g. "stack".
        name: the name that was typed.
        known: the names that exist.
        nearest: the known name closest to it; None when none is close.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str] = (), *, hint: str = "") -> None:
        self.kind, self.name, self.known = kind, name, tuple(known)
        self.nearest = nearest(name, self.known)
        if self.nearest is not None:
            advice = f"; did you mean '{self.nearest}'?"
        elif self.known:
            advice = f"; known: {listing(self.known, most=8)}."
        else:
            advice = "; there are none yet."
        super().__init__(f"no {kind} '{name}'{advice}{' ' + hint if hint else ''}")


class NameTaken(ZennbError, ValueError):
    """The name is registered with another configuration."""


class InUse(ZennbError, ValueError):
    """Something cannot be deleted because something else still needs it."""


class InvalidConfiguration(ZennbError, ValueError):
    """A component was given an option that its flavor does not have, or a value the option refuses.

    Attributes:
        option: the option's name, or None when no single option is at fault.
    """

    def __init__(self, message: str, *, option: str | None = None) -> None:
        super().__init__(message)
        self.option = option


class UnfitStack(ZennbError, ValueError):
    """The stack's artifact store cannot be reached from where its orchestrator runs steps."""


class MissingExtra(ZennbError, ImportError):
    """A flavor or materializer needs a library that is not installed."""


class BrokenLibrary(ZennbError, ImportError):
    """A library that a stored value needs is imported only by half, as after an interrupt while it was imported."""


class NotStorable(ZennbError, TypeError):
    """A value cannot be stored.

    Attributes:
        path: where in the value the problem is, e.g. `loader.connection`.
    """

    def __init__(self, message: str, *, path: str = "") -> None:
        super().__init__(message)
        self.path = path


class CannotDigest(ZennbError, TypeError):
    """A value has no content that could be digested (a generator, a socket, a lock).

    Attributes:
        path: where in the value the problem is, e.g. `loader.connection`.
        why: the problem in a few words, e.g. "a generator".
    """

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"`{path}` is {why}, which has no content to compare or store.")
        self.path, self.why = path, why


class BrokenNotebook(ZennbError, ValueError):
    """A file cannot be read as a Python notebook."""


class StoreError(ZennbError, OSError):
    """The artifact store or the metadata store could not do what was asked."""

    @property
    def brief(self) -> str:
        """The error as a phrase for a status line: its first sentence, without the full stop."""
        return self.message.split(". ")[0].split("; ")[0].rstrip(".")


class DamagedArtifact(StoreError):
    """Stored bytes are not the bytes that were stored.

    Attributes:
        digest: name of the bytes.
    """

    def __init__(self, message: str, *, digest: str) -> None:
        super().__init__(message)
        self.digest = digest


class MissingArtifact(StoreError, KeyError):
    """Stored bytes are missing.

    Attributes:
        digest: name of the bytes.
    """

    def __init__(self, message: str, *, digest: str) -> None:
        super().__init__(message)
        self.digest = digest


class LostOutput(StoreError):
    """The value of a variable, which nothing has read yet, is damaged or missing.

    Attributes:
        step: the step that computes it again.
    """

    def __init__(self, message: str, *, step: str) -> None:
        super().__init__(message)
        self.step = step


class StoreBusy(StoreError):
    """Another process has held the store longer than the deadline allows."""


class StoreFull(StoreError):
    """There is no room left.

    Attributes:
        limit: what is used up: `disk full`, `disk quota reached`, `file size limit reached`.
        short: bytes that found no room; 0 when unknown.
    """

    def __init__(self, message: str, *, limit: str = "disk full", short: int = 0) -> None:
        super().__init__(message)
        self.limit, self.short = limit, short

    @property
    def brief(self) -> str:
        """What is used up, and how much is missing: `disk full, 8 MB short`."""
        return f"{self.limit}, {_size(self.short)} short" if self.short else self.limit


class StoreReadOnly(StoreError):
    """The home or the store can be read, but not written to.

    Attributes:
        what: what cannot be written to: `the home`, `the artifact store`.
    """

    def __init__(self, message: str, *, what: str) -> None:
        super().__init__(message)
        self.what = what

    @property
    def brief(self) -> str:
        """`the home is read-only`."""
        return f"{self.what} is read-only"


class StoreGone(StoreError):
    """The database that this process has open is not the one at its path any more, or was cut short.

    Attributes:
        what: what happened: `zennb's home /home/ada/.zennb was deleted or moved`.
        is_cut: whether it is still there, and a part of its content is gone.
    """

    def __init__(self, message: str, *, what: str, is_cut: bool = False) -> None:
        super().__init__(message)
        self.what, self.is_cut = what, is_cut

    @property
    def brief(self) -> str:
        """What happened, and the way out."""
        return f"{self.what}; `%zennb reopen` opens the home again"


class ForeignStore(StoreError):
    """A directory is not a store of ours, has a newer format, or has been tampered with."""


class UntrustedArtifact(ZennbError, PermissionError):
    """Loading these bytes could run code, and they are not signed by a key this user trusts."""


class MissingDefinition(ZennbError, LookupError):
    """A stored value is an instance of a notebook class (or names a notebook function) that has not been run.

    Attributes:
        name: the class or function that is missing.
    """

    def __init__(self, message: str, *, name: str) -> None:
        super().__init__(message)
        self.name = name


class PlanError(ZennbError, ValueError):
    """The steps do not form a pipeline."""


class StepRefused(ZennbError, RuntimeError):
    """A step cannot run as asked; nothing was started."""


class OutputCheckFailed(ZennbError, ValueError):
    """An output of a step does not pass its `--check`; nothing of the step was bound or stored."""


class StepTimeout(ZennbError, TimeoutError):
    """A step ran longer than its `--timeout`.

    Args:
        rest: what goes on all the same: "its code goes on running on ..."; "" for nothing.
    """

    def __init__(
        self,
        message: str = "the step ran longer than its --timeout; what was running is not kept.",
        *,
        rest: str = "",
    ) -> None:
        super().__init__(f"{message[:-1]}, but {rest}." if rest else message)


class WorkerLost(ZennbError, RuntimeError):
    """The process that ran a step has died, or none can be reached."""


class DeploymentFailed(ZennbError, RuntimeError):
    """A model cannot be served, or its deployment does not answer or answers with an error."""


class RunFailed(ZennbError, RuntimeError):
    """A notebook file failed or was interrupted.

    Attributes:
        notebook: its file.
        cell: the number beside the cell that failed, as in its traceback; None when no cell did.
        step: the step that failed in it; "" when it was no step.
        cause: name of the exception's class in the notebook; "" when there was none.
        traceback: as the notebook shows it, without colour codes.
        run: the run, where one was recorded; else None.
    """

    def __init__(
        self,
        message: str,
        *,
        notebook: str,
        cell: int | None = None,
        step: str = "",
        cause: str = "",
        traceback: str = "",
        run: Any = None,
    ) -> None:
        super().__init__(message)
        self.notebook, self.cell, self.step = notebook, cell, step
        self.cause, self.traceback, self.run = cause, traceback, run


class CheckFailed(ZennbError, AssertionError):
    """A notebook shows different output when its cells are steps, or could not be compared completely."""
