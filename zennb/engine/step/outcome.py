"""Owns `StepOutcome`, what executing a step produced, and `Reason`, why its results must not be reused."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from zennb.core.records.observed import Carried, Observed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from zennb.core.records.metrics import Metric
    from zennb.core.records.records import Artifact

__all__ = ["Reason", "StepOutcome"]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why the results of a step must not be reused.

    Attributes:
        what: what was observed: "it sets up logging".
        so: why that rules out reuse: "so reuse would give a copy"; "" where `what` says it all.
        loses: what would be lost when a worker executed the step: a change to the notebook's own definitions, of which
            each step outside its cell has copies, a name that it binds in its own namespace, a change to modules or
            libraries, a result that shares state with a copy, or one that cannot leave the process; "" for nothing.
        output: the variable that cannot be stored; "" for other reasons.
    """

    what: str
    so: str = ""
    loses: Literal["", "definition", "binding", "change", "part", "result"] = ""
    output: str = ""

    def __str__(self) -> str:
        return f"{self.what}, {self.so}" if self.so else self.what


@dataclass(frozen=True, slots=True, kw_only=True)
class StepOutcome:
    """The outcome of a step, ready to be recorded; all bytes are in the artifact store already, or come with it.

    Attributes:
        artifacts: output name → artifact, not recorded yet.
        defines: names bound to modules, functions and classes.
        deletes: names it deleted.
        displays: blob of its output; "" for none.
        metrics: name → what it logged.
        observed: its side effects, for the record.
        changes: settings, environment variables and files it changed, for `ExecutionEnvironment.adopt`.
        carried: where these changes are stored; None when there are none.
        not_reusable: why its results must not be reused, the most important reason first; empty as a rule.
        seconds: duration of its code.
        error: what it raised; None when it ended well. From a worker, a `RemoteError` until it is restored.
        process: id of the process that executed it.
        stand_in: root of the folder that stood in for the notebook's, on a machine that lacks that; "" for none.
        continued: files that did not exist there, and where it may have gone on with what they hold elsewhere.
        held: name → value, of what it bound and is not stored: secrets, and what cannot be stored.
        shared: name → value, of its inputs and outputs that share state with what cannot be stored, or may do so.
        changed: names of inputs that it changed in place.
        unstored: blob → content, and why, in brief, the artifact store of a worker has not taken it.
    """

    artifacts: Mapping[str, Artifact] = field(default_factory=dict)
    defines: tuple[str, ...] = ()
    deletes: tuple[str, ...] = ()
    displays: str = ""
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    observed: Observed = field(default_factory=Observed)
    changes: Mapping[str, Any] = field(default_factory=dict)
    carried: Carried | None = None
    not_reusable: tuple[str, ...] = ()
    seconds: float = 0.0
    error: BaseException | None = None
    process: int = 0
    stand_in: str = ""
    continued: frozenset[str] = frozenset()
    held: Mapping[str, Any] = field(default_factory=dict, repr=False)
    shared: Mapping[str, Any] = field(default_factory=dict, repr=False)
    changed: frozenset[str] = frozenset()
    unstored: Mapping[str, tuple[bytes, str]] = field(default_factory=dict, repr=False)
