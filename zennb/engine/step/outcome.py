"""Owns `StepOutcome`: what came of performing a step, as plain data that can cross processes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from zennb.core.records.observed import Carried, Observed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from zennb.core.records.records import Artifact

__all__ = ["StepOutcome"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepOutcome:
    """What a performed step leaves to be recorded; all bytes are in the artifact store already.

    Attributes:
        artifacts: output name → artifact, not recorded yet.
        defines: names bound to modules, functions and classes.
        deletes: names it deleted.
        displays: blob of what it showed; "" for nothing.
        observed: what it touched outside its inputs and outputs.
        changes: settings, environment variables and files it changed, as `ExecutionEnvironment.adopt` takes them.
        carried: where these changes are stored; None when there are none.
        not_reusable: why its results must not be reused, the most telling reason first; empty as a rule.
        seconds: duration of its code.
        error: what it raised; None when it ended well. In another process, a `PortableError` until it is restored.
        process: id of the process that performed it.
    """

    artifacts: Mapping[str, Artifact] = field(default_factory=dict)
    defines: tuple[str, ...] = ()
    deletes: tuple[str, ...] = ()
    displays: str = ""
    observed: Observed = field(default_factory=Observed)
    changes: Mapping[str, Any] = field(default_factory=dict)
    carried: Carried | None = None
    not_reusable: tuple[str, ...] = ()
    seconds: float = 0.0
    error: BaseException | None = None
    process: int = 0
