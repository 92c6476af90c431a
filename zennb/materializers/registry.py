"""Owns the choice of the materializer that serializes a value, after a check that the value loads unchanged."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import attributes_of, bases_of, class_attributes
from zennb.digests.digest import digest as digest_of
from zennb.digests.digest import digest_cache, digest_value
from zennb.digests.owned_memory import with_owners
from zennb.digests.stretches import is_memory_shared, is_overlapping, shared_ranges
from zennb.errors import CannotDigest, DamagedArtifact, MissingExtra, NotStorable, ZennbError
from zennb.materializers.available import by_name, candidates, make
from zennb.materializers.buffers import joined, size
from zennb.materializers.pickle import SignedPickles
from zennb.materializers.plain import PlainData
from zennb.materializers.sealed import seal, unseal
from zennb.materializers.summary import DISTRIBUTION, summary_by, type_text
from zennb.packages.entry_points import OWN, refresh
from zennb.packages.half_imported import naming_half_imported
from zennb.packages.origin import module_of, origin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from zennb.digests.stretches import Stretch
    from zennb.materializers.materializer import Buffer, Materializer, Scope
    from zennb.materializers.parts import MemoryPart
    from zennb.materializers.pickle import Pickled
    from zennb.materializers.signer import Signer
    from zennb.packages.entry_points import Offer

__all__ = ["LEFT_OUT", "Dumped", "Materializers"]

LEFT_OUT = "left_out"
"""Entry of a stored summary: the attributes that are not stored."""

_DECIDING = frozenset({"__getstate__", "__reduce__", "__reduce_ex__", "__setstate__"})
_WHOLE = 64 * 1024 * 1024
"""Up to this many bytes the check loads the whole value; above, a sample of the same structure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dumped:
    """A value as bytes.

    Attributes:
        materializer: name of the materializer that wrote it.
        buffers: the bytes, to be written one after another; large ones are the value's own memory.
        size: bytes in all.
        type: the value's type as text, e.g. `pandas.DataFrame`.
        summary: what can be shown without loading it.
        needs: notebook classes and functions, by qualified name, that loading it refers to.
        parts: large memory that goes into blobs of its own, first; then `with_parts` gives the bytes.
    """

    materializer: str
    buffers: Sequence[Buffer]
    size: int
    type: str
    summary: Mapping[str, Any] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    parts: Sequence[memoryview] = ()
    pack: Callable[[Sequence[MemoryPart]], Sequence[Buffer]] | None = None

    def with_parts(self, parts: Sequence[MemoryPart]) -> Dumped:
        """Return the value as bytes that refer to these blobs."""
        if self.pack is None:
            return self
        buffers = self.pack(parts)
        return replace(self, buffers=buffers, size=self.size + size(buffers), pack=None)


class Materializers:
    """Serializes any value to bytes, and loads it.

    Args:
        scope: names of the notebook, looked up when used: it may be the live namespace.
        signer: seals bytes that could run code when loaded, and checks whether bytes are trusted.
        part: returns the content of a blob with memory that was stored apart; None where none may be.
    """

    def __init__(
        self, scope: Scope, signer: Signer, part: Callable[[MemoryPart], Buffer] | None = None
    ) -> None:
        self._part = part
        self._scope = scope
        self._signer = signer
        self._pickles = SignedPickles(scope, signer)
        self._made: dict[Offer, Materializer] = {}
        refresh()  # created for every step cell, so a package installed in one cell counts in the next

    def dump(
        self, value: Any, *, digest: str, name: str, memory: Sequence[Stretch] = (), apart: bool = False
    ) -> Dumped:
        """Return `value` as bytes, from the first materializer that handles it and loads it unchanged.

        Args:
            value: anything.
            digest: its canonical digest, which the loaded value must have too.
            name: what it is called, for errors.
            memory: the memory that it stands on.
            apart: whether large memory of tensors may go into blobs of its own.

        Raises:
            NotStorable: no materializer can store it; the error names the part at fault, or the package.
        """
        shares = bool(shared_ranges(memory))
        for offer, candidate in self._candidates(value, name):
            if shares and offer.source == OWN and candidate.name == PlainData.name:
                continue  # plain data has no views: what shares memory inside a list would not after loading
            with _naming_package(offer, name):
                buffers = self._attempt(candidate, value, digest, trusted=offer.source == OWN)
            if buffers is not None:
                return self._dumped(value, candidate, buffers, source=offer.source)
        pickled = self._pickles.pickle(value, name=name, memory=memory, apart=apart)
        again = self._pickles.prove(value, pickled, name=name)
        dumped = self._pickled(value, pickled)
        if lost := _left_out(value, again):
            return replace(dumped, summary={**dumped.summary, LEFT_OUT: lost})
        return dumped

    def dump_together(
        self,
        values: Mapping[str, Any],
        *,
        name: str,
        memory: Mapping[str, Sequence[Stretch]] | None = None,
        apart: bool = False,
    ) -> Dumped:
        """Return values that share state as the bytes of one dictionary, so that they share it after loading.

        Args:
            values: name → value.
            name: what they are called, for errors.
            memory: name → the memory that the value stands on, where that is known.
            apart: as for `dump`.

        Raises:
            NotStorable: one of them cannot be stored, or two of them would no longer share state.
        """
        together = dict(values)
        before = memory or {each: digest_value(value, name=each).memory for each, value in together.items()}
        used = with_owners([stretch for each in before.values() for stretch in each])
        pickled = self._pickles.pickle(together, name=name, together=True, memory=used, apart=apart)
        again = self._pickles.prove(together, pickled, name=name, together=True)
        if pickled.by_recipes:
            _check_parts(together, again)
        # What no other value stands on is a value's own matter: the parts of a figure share memory with each other.
        if shared_ranges(used) and (sharing := _with_partners(before)):
            _check_sharing(sharing, self._pickles.copy_of(pickled, largest=_WHOLE))
        return self._pickled(together, pickled, summary={})  # each of them gets its own

    def _pickled(self, value: Any, pickled: Pickled, *, summary: Mapping[str, Any] | None = None) -> Dumped:
        packed = () if pickled.parts else self._pickles.pack(pickled)
        found = self._dumped(value, self._pickles, packed, needs=pickled.needs, summary=summary)
        if not pickled.parts:
            return found
        return replace(
            found, size=size(pickled.parts), parts=pickled.parts, pack=partial(self._pickles.pack, pickled)
        )

    def dump_small(self, value: Any, *, digest: str, largest: int) -> bytes:
        """Return a value that has no name as bytes for `load_small`.

        Raises:
            NotStorable: it cannot be stored unchanged, or takes more than `largest` bytes.
        """
        buffers, again = self._pickles.dump_small(value, largest=largest)
        if digest_of(again) != digest:
            raise NotStorable("cannot be stored unchanged", path="")
        return bytes(joined(buffers))

    def load_small(self, data: bytes) -> Any:
        """Return the value that `dump_small` wrote."""
        with naming_half_imported("a value cannot be loaded"):
            return self._pickles.unpickle(data, self._scope, name="_")

    def load(self, materializer: str, buffer: Buffer, *, name: str, distribution: str = "") -> Any:
        """Return the value that `materializer` wrote.

        Args:
            materializer: its name in the record.
            buffer: the bytes.
            name: what to call the value in errors.
            distribution: the package that brought the materializer when it wrote them; "" for ours or where unknown.

        Raises:
            UntrustedArtifact: loading it could run code, and it is not trusted.
            MissingDefinition: it needs a notebook class or function that has not been run.
            MissingExtra: it needs a library, or a materializer, that is not installed or does not work.
            BrokenLibrary: it needs a library that is imported only by half in this process.
            DamagedArtifact: the bytes are not valid for that materializer.
            UnknownName: there is no such materializer, perhaps because a newer zennb wrote it.
        """
        with naming_half_imported(f"artifact '{name}' cannot be loaded"):
            return self._load(materializer, buffer, name, distribution)

    def _load(self, materializer: str, buffer: Buffer, name: str, distribution: str) -> Any:
        if materializer == self._pickles.name:
            return self._pickles.unpickle(buffer, self._scope, name=name, part=self._part)
        offer = by_name(materializer, artifact=name, distribution=distribution)
        found = self._materializer(offer, name)
        if offer.source == OWN:
            return found.load(buffer, self._scope)
        # Before anything of it is read: the seal covers the bytes, not what they turn into.
        if found.runs_code:
            buffer = unseal(buffer, materializer=materializer, signer=self._signer, name=name)
        try:
            return found.load(buffer, self._scope)
        except ZennbError:
            raise
        except Exception as error:
            raise DamagedArtifact(
                f"artifact '{name}' cannot be loaded by the materializer '{materializer}' of the package "
                f"'{offer.source}' ({type(error).__name__}: {error}); run its step again.",
                digest=hashlib.sha256(buffer).hexdigest(),
            ) from error

    def summary(self, value: Any) -> dict[str, Any]:
        """Return the summary of a value, from the materializer for its type; never raises."""
        try:
            found = next((candidate for _, candidate in self._candidates(value, "value")), self._pickles)
        except ZennbError:
            found = self._pickles
        return summary_by(found.summary, value)

    def _candidates(self, value: object, name: str) -> Iterator[tuple[Offer, Materializer]]:
        """Yield the materializers for a value, best first.

        Raises:
            NotStorable: two packages bring a materializer for it, or that of one does not work.
        """
        for offers in filter(None, candidates(type(value)).levels()):
            fitting = []
            for offer in offers:
                with _naming_package(offer, name):
                    try:
                        made = self._materializer(offer, name)
                    except MissingExtra:  # a frame without pyarrow: pickles hold it as well
                        if offer.source == OWN:
                            continue
                        raise
                    if made.handles(value):
                        fitting.append((offer, made))
            sources = sorted({offer.source for offer, _ in fitting})
            if len(sources) > 1:
                both = " and ".join(f"'{source}'" for source in sources)
                raise NotStorable(
                    f"`{name}` is a {type_text(value)}, for which the packages {both} each bring a materializer; "
                    "uninstall one of them.",
                    path=name,
                )
            yield from fitting

    def _materializer(self, offer: Offer, name: str) -> Materializer:
        if offer not in self._made:
            try:
                self._made[offer] = make(offer)
            except MissingExtra as error:
                cause = error.__cause__
                if offer.source != OWN or not isinstance(cause, ModuleNotFoundError):
                    raise
                raise MissingExtra(
                    f"artifact '{name}' is stored as {offer.name.partition('.')[0]}, which needs {cause.name}, "
                    'and that is not installed; pip install "zennb[frames]", then try again.'
                ) from cause
        return self._made[offer]

    def _attempt(
        self, materializer: Materializer, value: Any, digest: str, *, trusted: bool
    ) -> Sequence[Buffer] | None:
        """Return the bytes of `value`, or None when this materializer would change it.

        Only zennb's own materializers skip the check when they are `exact`.
        """
        try:
            buffers = list(materializer.dump(value))
            # The check loads the bytes and digests the result, which takes longer than
            # everything else for large values.
            if materializer.exact and trusted:
                return buffers
            if size(buffers) <= _WHOLE:
                again = materializer.load(joined(buffers), self._scope)
                return buffers if digest_of(again) == digest else None
            sample = materializer.sample(value)
            again = materializer.load(joined(materializer.dump(sample)), self._scope)
            return buffers if digest_of(again) == digest_of(sample) else None
        except (NotStorable, CannotDigest, DamagedArtifact):
            return None

    def _dumped(
        self,
        value: Any,
        materializer: Materializer,
        buffers: Sequence[Buffer],
        *,
        source: str = OWN,
        needs: tuple[str, ...] = (),
        summary: Mapping[str, Any] | None = None,
    ) -> Dumped:
        summary = summary_by(materializer.summary, value) if summary is None else summary
        if source != OWN:
            summary = {**summary, DISTRIBUTION: source}
            if materializer.runs_code:
                buffers = seal(buffers, materializer=materializer.name, signer=self._signer)
        return Dumped(
            materializer=materializer.name,
            buffers=buffers,
            size=size(buffers),
            type=type_text(value),
            summary=summary,
            needs=needs,
        )


@contextmanager
def _naming_package(offer: Offer, name: str) -> Iterator[None]:
    """Turn an unexpected error of a package's materializer into a sentence that names the package; not one of ours."""
    try:
        yield
    except (NotStorable, DamagedArtifact, CannotDigest):
        raise
    except Exception as error:
        if offer.source == OWN:
            raise
        why = error.message if isinstance(error, ZennbError) else f"{type(error).__name__}: {error}"
        raise NotStorable(
            f"`{name}` cannot be stored by the materializer '{offer.name.partition('.')[0]}' of the package "
            f"'{offer.source}' ({why.rstrip('.')}); update or uninstall that package.",
            path=name,
        ) from error


def _left_out(value: object, again: object) -> list[str]:
    """Return the attributes that an object of a class of the user does not bring back, as its class decides."""
    own = [each for each in bases_of(type(value)) if origin(module_of(each)).is_users]
    if not any(class_attributes(each).keys() & _DECIDING for each in own):
        return []
    before, after = attributes_of(value), attributes_of(again)
    return [name for name, part in before.items() if name not in after or _differ(part, after[name])]


def _differ(one: object, other: object) -> bool:
    try:
        return digest_of(one) != digest_of(other)
    except CannotDigest:  # a lock is as good as another one
        return type(one) is not type(other)


def _with_partners(memory: Mapping[str, Sequence[Stretch]]) -> dict[str, Sequence[Stretch]]:
    """Return the values some of whose memory another one stands on, too."""
    on_memory = {name: stretches for name, stretches in memory.items() if stretches}
    pairs = (
        pair for pair in combinations(on_memory, 2) if is_overlapping(*(on_memory[name] for name in pair))
    )
    names = {name for pair in pairs for name in pair}
    return {name: stretches for name, stretches in on_memory.items() if name in names}


def _check_parts(before: Mapping[str, Any], again: Mapping[str, Any]) -> None:
    """Check that values share objects after loading as before, where recipes of libraries may have made copies.

    Raises:
        NotStorable: two of them do not.
    """
    with digest_cache():
        was, now = (
            {name: digest_value(value, name=name).mutable for name, value in values.items()}
            for values in (before, again)
        )
    for one, other in combinations(before, 2):
        if was[one].isdisjoint(was[other]) < now[one].isdisjoint(now[other]):
            raise NotStorable(
                f"`{one}` and `{other}` share state, and would not after they are stored. Keep one of them in a name "
                "that starts with `_`, or make it a copy.",
                path=one,
            )


def _check_sharing(before: Mapping[str, Sequence[Stretch]], again: Mapping[str, Any]) -> None:
    """Check that values share the same memory after loading as before.

    Raises:
        NotStorable: two of them do not.
    """
    with digest_cache():
        after = {name: digest_value(again[name], name=name).memory for name in before}
    for one, other in combinations(before, 2):
        if is_memory_shared(before[one], before[other]) != is_memory_shared(after[one], after[other]):
            raise NotStorable(
                f"`{one}` and `{other}` share memory, and would not after they are stored. Keep one of them in a name "
                "that starts with `_`, or make it a copy.",
                path=one,
            )
