"""Owns `SharedReuse`: the cache decision on a step that only somebody else has run, and keeping their record here."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from zennb.core.planning.cache_decision import CacheDecision
from zennb.core.planning.expiry import expired
from zennb.core.records.seal import Seal
from zennb.core.records.shared import SHOWN_DIGITS, adopted_reason
from zennb.digests.digest import digest_value
from zennb.engine.run.lost_results import why_lost
from zennb.engine.sharing.foreign_results import bound_to_its_machine, needs_trust
from zennb.engine.step.cache_options import changed_beside, deletes_more
from zennb.errors import StoreError, ZennbError
from zennb.materializers.available import unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from zennb.core.records.records import Step
    from zennb.core.records.shared import SharedRecord
    from zennb.engine.environment.execution_environment import ExecutionEnvironment
    from zennb.engine.run.artifact_repository import ArtifactRepository
    from zennb.engine.sharing.shared_records import SharedRecords
    from zennb.engine.step.resolve import ResolvedStep
    from zennb.materializers.signer import Signer
    from zennb.metadata.store import MetadataStore

__all__ = ["SharedReuse", "adopted"]

_LONGEST = 300
"""Characters of why a result of somebody else is not reused."""


@dataclass(frozen=True, slots=True)
class SharedReuse:
    """Decides whether results of other people are reused.

    Attributes:
        records: what they have left.
        artifacts: loads their results.
        metadata: says what was deleted here on purpose.
        environment: the files and settings of this process.
    """

    records: SharedRecords
    artifacts: ArtifactRepository
    metadata: MetadataStore
    environment: ExecutionEnvironment

    def decision(
        self,
        resolved: ResolvedStep,
        own: CacheDecision,
        keys: Sequence[str],
        before: Iterable[Step],
        *,
        overlay: Mapping[str, str],
        is_plan: bool,
    ) -> CacheDecision:
        """Return the decision to reuse a result of somebody else; if none can be, the own one, which says why.

        Args:
            resolved: the step.
            own: the decision to run it, made without others.
            keys: its cache keys, the one to look for first in front.
            before: results with these keys that are on record here.
            overlay: as in `RunContext.decide`.
            is_plan: whether it is for a plan, which may take an answer of a moment ago.
        """
        refused, now = "", time.time()
        # Expired here, by its option or by hand: what is older must not come back from somebody else.
        over = max((each.expires for each in before if each.expires and each.expires <= now), default=0.0)
        for record in self.records.find(keys, is_plan=is_plan):
            expired_here = record.step.started < over
            why = "it has expired here" if expired_here else self._refusal(record, resolved, overlay)
            # Not for a plan, which loads nothing.
            why = why or ("" if is_plan else self._unproven(record.step))
            if not why:
                return self._reused(record)
            if why not in own.reason:
                # Cut: paths and names in it are as long as somebody likes.
                refused = refused or f"{record.origin} is not reused: {why[:_LONGEST]}"
        more = "; ".join(filter(None, (own.reason, refused, self.records.trouble())))
        return replace(own, reason=more)

    def _reused(self, record: SharedRecord) -> CacheDecision:
        """Return the decision to reuse a step, as it is then kept on record here."""
        step, origin = record.step, record.origin
        if not self.records.signer.accepts(step):
            # Without what it left in the process, what `_` held and which modules were loaded: both may be pickles. And
            # without inputs, whose bytes nobody has compared with their digests.
            step = replace(step, carried=None, inputs={})
            # Anybody can call themselves by another's name.
            origin = f"{origin} (key {record.signer[:SHOWN_DIGITS]})"
        step = replace(step, reason=adopted_reason(origin))
        return CacheDecision(reuse=step, reason=f"same code and inputs as {origin}")

    def _refusal(self, record: SharedRecord, resolved: ResolvedStep, overlay: Mapping[str, str]) -> str:
        """Return why the results of a record cannot be reused; "" when they can."""
        step = record.step
        why = (
            expired(step, within=resolved.definition.options.expires, now=time.time())
            or unreadable(step.outputs.values())
            or changed_beside(step, resolved.sharing_state)
            or deletes_more(step, resolved.deletes)
            or bound_to_its_machine(step)
            or self.environment.stale(step.observed, overlay)
        )
        return why or self.records.attempt(
            lambda: self._missing(record, resolved), "its store gives no answer"
        )

    def _unproven(self, step: Step) -> str:
        """Return which output of somebody who is not trusted is not the value that the record says; "" for none.

        Steps that read it have its digest in their keys. With that of another value, their results, computed and signed
        here, would be those of a wrong input.
        """
        if self.records.signer.accepts(step):
            return ""
        try:
            for name, value in self.artifacts.load(step.outputs).items():
                if digest_value(value, name=name).digest != step.outputs[name].digest:
                    return f"`{name}` is not the value that its record says"
        except ZennbError as error:
            return error.message.split(". ")[0].rstrip(".")
        return ""

    def _missing(self, record: SharedRecord, resolved: ResolvedStep) -> str:
        """Return what the store lacks of a step's results, or why they may be used only if its author is trusted."""
        step = record.step
        lost = why_lost(step, self.artifacts.store, self.metadata, name=self.records.name)
        if lost or self.records.signer.accepts(step):
            return lost
        try:
            found = needs_trust(step, self.artifacts.store, named=_named(resolved))
        except StoreError as error:
            return error.message.split(". ")[0].rstrip(".")
        if not found and self.records.only_trusted:
            found = "the option `sharing` of its store asks for trust"
        if not found:
            return ""
        if self.records.signer.is_trusted(record.signer):
            return f"{found}, and its record is of another version of zennb"
        key = record.signer[:SHOWN_DIGITS]
        return f"{found}, and you do not trust {key}; if you do, type `zennb trust --signer {key}`"


def adopted(step: Step, metadata: MetadataStore, signer: Signer, *, notebook: str) -> Step:
    """Record a step of somebody else as one of this notebook, and return it with ids; any other is returned as it is.

    What cannot be recorded, in a home that is read-only, is also returned as it is.
    """
    if step.id is not None or step.seal is None:
        return step
    try:
        new = metadata.encoded(replace(step, notebook=notebook, cell=""))
        seal = Seal(new.seal.message, signer.adopted(step.seal, new.seal.message))
        (added,) = metadata.add_new([replace(new, seal=seal)])
    except StoreError:
        return step
    return added


def _named(resolved: ResolvedStep) -> frozenset[str]:
    analysis = resolved.definition.analysis
    given = resolved.definition.options.outputs or ()
    return frozenset({*analysis.binds, *analysis.deletes, *analysis.reads, *resolved.inputs, *given})
