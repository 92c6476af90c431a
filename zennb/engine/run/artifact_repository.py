"""Owns `ArtifactRepository`: it saves values as artifacts to one artifact store, and loads them."""

from __future__ import annotations

import json
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import is_a, is_one_of
from zennb.core.records.observed import Carried
from zennb.core.records.records import Artifact
from zennb.core.records.signing import names_artifact
from zennb.core.secrets.texts import KnownSecrets, mask_json
from zennb.core.secrets.values import holds_known, holds_secret
from zennb.digests.digest import SCALARS, digest_value
from zennb.digests.immutable import is_immutable
from zennb.digests.stretches import shared_ranges
from zennb.engine.environment.execution_environment import RESULT, SHOWN
from zennb.engine.environment.open_figures import PYPLOT
from zennb.engine.run.saved_output import SavedOutput, Scalars, groups_of, kind_of, never_stored, renamed
from zennb.engine.step.input_parts import part_in
from zennb.engine.step.loaded_modules import MODULES, import_for
from zennb.errors import (
    CannotDigest,
    DamagedArtifact,
    MissingArtifact,
    NotStorable,
    UntrustedArtifact,
)
from zennb.materializers.parts import MemoryPart, quick_digest
from zennb.materializers.registry import Materializers
from zennb.materializers.sealed import seal, unseal
from zennb.materializers.summary import DISTRIBUTION, summarise_all, type_text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from zennb.components.component import ArtifactStore, Buffer
    from zennb.core.records.records import Step
    from zennb.digests.digest import ValueDigest
    from zennb.engine.step.input_parts import InputPart
    from zennb.materializers.registry import Dumped
    from zennb.materializers.signer import Signer

__all__ = ["ArtifactRepository"]

_unreadable: set[str] = set()
"""Blobs that did not load in this process. Equal values are stored again, or nobody could ever load them."""

_parts: dict[str, str] = {}
"""Quick digest of memory that was stored apart, or loaded, in this process → the blob with it."""

_SMALL = 1_000
"""Bytes up to which an immutable value is stored again without a look at what is stored already."""

_CHANGES = "changes of a step"
"""Takes the place of a materializer's name in the signature; no materializer has this name."""


@dataclass(frozen=True, kw_only=True)
class ArtifactRepository:
    """Saves values to one artifact store and loads them.

    Attributes:
        store: the opened artifact store.
        scope: where classes and functions written in the notebook are found.
        signer: signs serialized values whose loading could run code.
        known: returns digest → artifacts recorded with it, newest first, and the steps whose records name them; a value
            seen before is not written again.
        secrets: the secret values that this process has come across.
    """

    store: ArtifactStore
    scope: Mapping[str, Any]
    signer: Signer
    known: Callable[[Collection[str]], Mapping[str, Sequence[tuple[Artifact, Step]]]] = lambda _digests: {}
    secrets: KnownSecrets = field(default_factory=KnownSecrets)

    @cached_property
    def _materializers(self) -> Materializers:
        return Materializers(self.scope, self.signer, self._part)

    def save(
        self,
        values: Mapping[str, tuple[Any, ValueDigest]],
        *,
        kind: str = "output",
        scalars: Scalars | None = None,
    ) -> SavedOutput:
        """Store values; those that share mutable state are stored together, so that they still share it when loaded.

        A value that cannot be stored is refused by name and does not stop the others. Secrets are refused as well, with
        all that share state with them.

        Args:
            values: name → value.
            kind: of the artifacts.
            scalars: name and digest → artifact, of scalars that need not be stored again; new ones are added.
        """
        artifacts: dict[str, Artifact] = {}
        refused: dict[str, str] = {}
        dumps: list[tuple[dict[str, tuple[Any, ValueDigest]], Dumped]] = []
        groups = groups_of(values)
        of_groups = [(group, self._secret(group)) for group in groups]  # once for all names of a group
        secret = {name: each for group, each in of_groups for name in group if each}
        refused.update((name, never_stored(name, each)) for name, each in secret.items())
        groups = [group for group in groups if not group.keys() & secret.keys()]
        seen = self._seen(groups)
        if scalars is not None:
            keys = {
                name: (name, each.digest)
                for name, (value, each) in values.items()
                if is_one_of(value, SCALARS)
            }
            seen |= {name: scalars[key] for name, key in keys.items() if key in scalars}
        for group in groups:
            found = seen.get(next(iter(group)))
            if found is not None:
                artifacts.update({name: renamed(found, name, kind) for name in group})
                continue
            try:
                dumps.append((group, self._dump(group)))
            except NotStorable as error:
                refused.update(dict.fromkeys(group, error.message))
        pending = [(group, self._stored_parts(dumped)) for group, dumped in dumps]
        # In one call, which the local store answers with one transaction: a cell waits for each of them.
        blobs = self.store.put_all([whole.buffers for _, (whole, _) in pending]) if pending else []
        for (group, (whole, parts)), blob in zip(pending, blobs, strict=True):
            artifacts.update(self._records(group, whole, blob, parts, kind))
        if scalars is not None:
            scalars |= {key: artifacts[name] for name, key in keys.items() if name in artifacts}
        # Reused artifacts came before new ones; records keep the order in which the step bound its names.
        ordered = {name: artifacts[name] for name in values if name in artifacts}
        return SavedOutput(artifacts=ordered, refused=refused, secret=frozenset(secret))

    def capture_scalars(self, name: str, values: Iterable[tuple[Any, ValueDigest]], scalars: Scalars) -> None:
        """Store the scalars among values of one name ahead, all in one call; what is refused is left to `save`.

        Args:
            name: their name.
            values: the values.
            scalars: as for `save`.
        """
        dumps = {}
        for value, seen in values:
            group = {name: (value, seen)}
            if is_one_of(value, SCALARS) and (name, seen.digest) not in scalars and not self._secret(group):
                with suppress(NotStorable):
                    dumps[name, seen.digest] = group, *self._stored_parts(self._dump(group))
        blobs = self.store.put_all([whole.buffers for _, whole, _ in dumps.values()]) if dumps else []
        for (key, (group, whole, parts)), blob in zip(dumps.items(), blobs, strict=True):
            scalars[key] = self._records(group, whole, blob, parts, "captured")[name]

    def load(self, artifacts: Mapping[str, Artifact], modules: Collection[str] = ()) -> dict[str, Any]:
        """Return the values of artifacts; those stored together still share what they shared.

        Args:
            artifacts: name → artifact.
            modules: what the step that made them had loaded; imported before, where their types need it.

        Raises:
            MissingArtifact, DamagedArtifact, UntrustedArtifact, MissingDefinition: as store and materializers say.
        """
        import_for(artifacts.values(), modules)
        loaded: dict[str, Any] = {}
        shared = {artifact.blob for artifact in artifacts.values() if artifact.part_of}
        values: dict[str, Any] = {}
        for name, artifact in artifacts.items():
            # A part is the very object that is inside the whole, if both are loaded.
            whole = artifact.whole if artifact.part_of else artifact
            if whole.item is None and artifact.blob not in shared:
                values[name] = self._load_group(artifact)
                continue
            if artifact.blob not in loaded:
                loaded[artifact.blob] = self._load_group(artifact)
            group = loaded[artifact.blob]
            if whole.item is not None and (not is_a(group, dict) or whole.item not in group):
                raise DamagedArtifact(
                    f"{artifact.label} is not among what is stored with it; run its step again.",
                    digest=artifact.blob,
                )
            values[name] = part_in(group if whole.item is None else group[whole.item], artifact)
        return values

    def part(self, name: str, part: InputPart, whole: Artifact) -> Artifact:
        """Return the artifact of an output that is a part of an input, and stored as that."""
        where = {"of": part.whole, "item": whole.item, "digest": whole.digest, "type": whole.type}
        return replace(
            whole.unrecorded(),
            name=name,
            digest=part.digest.digest,
            # Equal values at two places are two artifacts: each is another object.
            item=json.dumps([whole.item, part.path]),
            type=type_text(part.value),
            summary={**mask_json(self._materializers.summary(part.value), self.secrets), "part": where},
            packages=tuple(sorted({*whole.packages, *part.digest.packages})),
            kind="output",
            created=time.time(),
        )

    def save_changes(self, changes: Mapping[str, Any]) -> Carried:
        """Store the settings, environment variables and small files that a step changed or wrote, signed.

        Applying them writes files and sets `sys.path`, so forged ones could run code, whatever their format.

        Raises:
            NotStorable: one of them cannot be stored.
        """
        found = dict(changes)
        try:
            seen = digest_value(found, name="settings")
        except CannotDigest as error:
            raise NotStorable(f"`{error.path}` is {error.why}", path=error.path) from error
        dumped = self._materializers.dump(found, digest=seen.digest, name="settings")
        blob = self.store.put(seal(dumped.buffers, materializer=_CHANGES, signer=self.signer))
        names = tuple(name for name in found if name not in {MODULES, PYPLOT, RESULT, SHOWN})
        return Carried(blob=blob, materializer=dumped.materializer, names=names)

    def load_changes(self, carried: Carried | None) -> Mapping[str, Any]:
        """Return what a step changed; nothing for None.

        Raises:
            MissingArtifact, DamagedArtifact, MissingDefinition: as the store and materializers raise them.
            UntrustedArtifact: they are not signed by this user.
        """
        if carried is None:
            return {}
        try:
            body = unseal(
                self.store.get(carried.blob), materializer=_CHANGES, signer=self.signer, name="settings"
            )
        except UntrustedArtifact as error:
            raise UntrustedArtifact(
                "the settings and files that the step left are not signed by you: somebody else ran it, or changed "
                "them. None of them was set or written."
            ) from error
        found: Mapping[str, Any] = self._materializers.load(carried.materializer, body, name="settings")
        return found

    def dump_unnamed(self, value: object, digest: str, *, largest: int) -> bytes:
        """Return a value that is no output as bytes, to be stored with what a step changed.

        Raises:
            NotStorable: it cannot be stored unchanged, or takes more than `largest` bytes.
        """
        return self._materializers.dump_small(value, digest=digest, largest=largest)

    def load_unnamed(self, data: bytes) -> Any:
        """Return the value that `dump_unnamed` wrote.

        Raises:
            UntrustedArtifact, DamagedArtifact, MissingDefinition: as materializers say.
        """
        return self._materializers.load_small(data)

    def _load_group(self, artifact: Artifact) -> Any:
        try:
            buffer = self.store.get(artifact.blob)
        except MissingArtifact as error:
            raise MissingArtifact(
                f"the bytes of {artifact.label} are not in this artifact store; run the step that makes it again.",
                digest=artifact.blob,
            ) from error
        try:
            return self._materializers.load(
                artifact.materializer,
                buffer,
                name=artifact.name,
                distribution=artifact.summary.get(DISTRIBUTION, ""),
            )
        except (DamagedArtifact, UntrustedArtifact):
            _unreadable.add(artifact.blob)
            raise

    def _secret(self, group: Mapping[str, tuple[Any, ValueDigest]]) -> str:
        """Return the first name in a group whose value is, or holds, a secret; "" for none."""
        for name, (value, _) in group.items():
            if holds_secret(name, value) or holds_known(value, self.secrets):
                return name
        return ""

    def _seen(self, groups: Iterable[Mapping[str, tuple[Any, ValueDigest]]]) -> dict[str, Artifact]:
        """Return name → an artifact that has the digest of the value and whose bytes are in this store.

        Values that share state are left out. So is what a package's materializer wrote, since the package may have
        changed or be broken by now.
        """
        alone = [next(iter(group.items())) for group in groups if len(group) == 1]
        wanted = {
            name: seen.digest
            for name, (value, seen) in alone
            # Storing small values again is faster than the query. What shares memory inside, an equal value need not.
            if not (is_immutable(value) and sys.getsizeof(value) < _SMALL) and not shared_ranges(seen.memory)
        }
        known = self.known(frozenset(wanted.values())) if wanted else {}
        found = {
            name: next((each for each, step in known.get(digest, ()) if self._is_sound(each, step)), None)
            for name, digest in wanted.items()
        }
        return {name: artifact for name, artifact in found.items() if artifact is not None}

    def _is_sound(self, artifact: Artifact, step: Step) -> bool:
        """Whether an artifact can take the place of an equal value: it would be loaded later, and is what it says."""
        stands_alone = artifact.item is None and DISTRIBUTION not in artifact.summary
        return (
            stands_alone
            and artifact.blob not in _unreadable
            # Touched, not only looked for: until its record is written, nothing else keeps it from a prune.
            and all(map(self.store.touch, artifact.blobs))
            and names_artifact(step, artifact)
            and self.signer.accepts(step)
        )

    def _dump(self, group: Mapping[str, tuple[Any, ValueDigest]]) -> Dumped:
        if len(group) == 1:
            ((name, (value, seen)),) = group.items()
            return self._materializers.dump(
                value, digest=seen.digest, name=name, memory=seen.memory, apart=True
            )
        together = {name: value for name, (value, _) in group.items()}
        memory = {name: seen.memory for name, (_, seen) in group.items()}
        return self._materializers.dump_together(
            together, name=" and ".join(group), memory=memory, apart=True
        )

    def _stored_parts(self, dumped: Dumped) -> tuple[Dumped, tuple[str, ...]]:
        """Store the large memory of a value that is not in the store yet; return the value, and the blobs with it."""
        if not dumped.parts:
            return dumped, ()
        quick = [quick_digest(part) for part in dumped.parts]
        new = {
            each: part
            for each, part in zip(quick, dumped.parts, strict=True)
            if each not in _parts or not self.store.touch(_parts[each])
        }
        names = self.store.put_all([[part] for part in new.values()]) if new else []
        stored = dict(zip(new, names, strict=True))
        found = [MemoryPart(blob=stored.get(each) or _parts[each], quick=each) for each in quick]
        # Of memory that another thread changed meanwhile, the digest is not that of what was written.
        _parts.update({each: stored[each] for each, part in new.items() if quick_digest(part) == each})
        return dumped.with_parts(found), tuple(dict.fromkeys(each.blob for each in found))

    def _part(self, part: MemoryPart) -> Buffer:
        found = self.store.get(part.blob)
        _parts[part.quick] = part.blob
        return found

    def _records(
        self,
        group: Mapping[str, tuple[Any, ValueDigest]],
        dumped: Dumped,
        blob: str,
        parts: tuple[str, ...],
        kind: str,
    ) -> dict[str, Artifact]:
        alone = len(group) == 1
        values = {name: value for name, (value, _) in group.items()}
        summaries = (
            dict.fromkeys(group, dumped.summary)
            if alone
            else summarise_all(values, self._materializers.summary)
        )
        return {
            name: Artifact(
                name=name,
                digest=seen.digest,
                blob=blob,
                parts=parts,
                item=None if alone else name,
                materializer=dumped.materializer,
                size=dumped.size,
                type=dumped.type if alone else type_text(value),
                summary=mask_json(summaries[name], self.secrets),
                needs=dumped.needs,
                packages=tuple(sorted(seen.packages)),
                kind=kind_of(kind, value),
                created=time.time(),
            )
            for name, (value, seen) in group.items()
        }
