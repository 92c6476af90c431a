"""Owns the choice: which materializer stores a value, after proof that it comes back as it was."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from importlib import import_module
from itertools import combinations
from typing import TYPE_CHECKING, Any

from zennb.core.digest import digest as digest_of
from zennb.errors import CannotDigest, DamagedArtifact, MissingExtra, NotStorable, UnknownName
from zennb.materializers.buffers import joined, size
from zennb.materializers.pickle import SignedPickles
from zennb.materializers.summary import summarise, type_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from zennb.materializers.materializer import Buffer, Materializer, Scope
    from zennb.materializers.signer import Signer

__all__ = ["Dumped", "Materializers"]

_BUILT_IN = {
    "numpy": "zennb.materializers.numpy:NumpyArrays",
    "arrow": "zennb.materializers.arrow:ArrowTables",
    "plain": "zennb.materializers.plain:PlainData",
    "picture": "zennb.materializers.figure:Pictures",
}
_ORDER = {
    "numpy": ("numpy", "plain"),
    "pandas": ("arrow",),
    "polars": ("arrow",),
    "pyarrow": ("arrow",),
    "PIL": ("picture",),
}
"""Top-level package of a value's class → what is tried for it; plain data for all others; at last pickles."""

_WHOLE = 64 * 1024 * 1024
"""Bytes up to which the proof reads back everything; above, a sample of the same structure."""


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
    """

    materializer: str
    buffers: Sequence[Buffer]
    size: int
    type: str
    summary: Mapping[str, Any] = field(default_factory=dict)
    needs: tuple[str, ...] = ()


class Materializers:
    """Turns any value into bytes and back.

    Args:
        scope: names of the notebook, looked up when used: it may be the live namespace.
        signer: seals pickles and knows whose are trusted.
    """

    def __init__(self, scope: Scope, signer: Signer) -> None:
        self._scope = scope
        self._pickles = SignedPickles(scope, signer)
        self._made: dict[str, Materializer] = {}

    def dump(self, value: Any, *, digest: str, name: str) -> Dumped:
        """Return `value` as bytes, by the first materializer that handles it and keeps it exactly.

        Args:
            value: anything.
            digest: its canonical digest, which what is loaded must have too.
            name: what it is called, for errors.

        Raises:
            NotStorable: no materializer can store it; the error names the part at fault.
        """
        for candidate in self._candidates(value):
            buffers = self._attempt(candidate, value, digest)
            if buffers is not None:
                return _dumped(value, candidate.name, buffers)
        pickled = self._pickles.pickle(value, name=name)
        self._pickles.prove(value, pickled, name=name)
        return _dumped(value, self._pickles.name, self._pickles.pack(pickled), pickled.needs)

    def dump_together(self, values: Mapping[str, Any], *, name: str) -> Dumped:
        """Return values that share state as the bytes of one dictionary, in which they still share it.

        Raises:
            NotStorable: one of them cannot be stored, or two of them would not share it any more.
        """
        together = dict(values)
        pickled = self._pickles.pickle(together, name=name, together=True)
        again = self._pickles.prove(together, pickled, name=name)
        _check_sharing(together, again)
        return _dumped(together, self._pickles.name, self._pickles.pack(pickled), pickled.needs)

    def load(self, materializer: str, buffer: Buffer, *, name: str) -> Any:
        """Return the value that `materializer` wrote; `name` is what to call it in errors.

        Raises:
            UntrustedArtifact: loading it could run code, and nobody vouched for it.
            MissingDefinition: it needs a notebook class or function that has not been run.
            MissingExtra: it needs a library that is not installed.
            DamagedArtifact: the bytes are not what that materializer writes.
            UnknownName: there is no such materializer, perhaps because a newer zennb wrote it.
        """
        if materializer == self._pickles.name:
            return self._pickles.unpickle(buffer, self._scope, name=name)
        return self._materializer(materializer, name).load(buffer, self._scope)

    def _candidates(self, value: object) -> list[Materializer]:
        package = str(type(value).__module__).partition(".")[0]
        found = []
        for one in _ORDER.get(package, ("plain",)):
            try:
                found.append(self._materializer(one, one))
            except MissingExtra:  # a frame without pyarrow: pickles hold it as well
                continue
        return [one for one in found if one.handles(value)]

    def _materializer(self, known: str, name: str) -> Materializer:
        if known not in _BUILT_IN:
            raise UnknownName(
                "materializer", known, [*_BUILT_IN, self._pickles.name], hint="Is zennb up to date?"
            )
        if known not in self._made:
            module, _, kind = _BUILT_IN[known].partition(":")
            try:
                self._made[known] = getattr(import_module(module), kind)()
            except ModuleNotFoundError as error:
                raise MissingExtra(
                    f"artifact '{name}' is stored as {known}, which needs {error.name}, "
                    'and that is not installed; pip install "zennb[frames]", then try again.'
                ) from error
        return self._made[known]

    def _attempt(self, materializer: Materializer, value: Any, digest: str) -> Sequence[Buffer] | None:
        """Return the bytes of `value`, or None when this materializer would not keep it exactly."""
        try:
            buffers = materializer.dump(value)
            if materializer.exact:
                return buffers
            if size(buffers) <= _WHOLE:
                again = materializer.load(joined(buffers), self._scope)
                return buffers if digest_of(again) == digest else None
            sample = materializer.sample(value)
            again = materializer.load(joined(materializer.dump(sample)), self._scope)
            return buffers if digest_of(again) == digest_of(sample) else None
        except (NotStorable, CannotDigest, DamagedArtifact):
            return None


def _check_sharing(values: Mapping[str, Any], again: Mapping[str, Any]) -> None:
    """See to it that arrays that look into one memory do so after loading; other sharing is what pickles keep.

    Raises:
        NotStorable: two of them do not.
    """
    numpy = sys.modules.get("numpy")
    arrays = [] if numpy is None else [name for name in values if isinstance(values[name], numpy.ndarray)]
    for one, other in combinations(arrays, 2):
        share = numpy.may_share_memory  # type: ignore[union-attr]  # there are arrays, so numpy is there
        if share(values[one], values[other]) and not share(again[one], again[other]):
            raise NotStorable(
                f"`{one}` and `{other}` share memory, and would not after they are stored. Keep one of them in a name "
                "that starts with `_`, or make it a copy.",
                path=one,
            )


def _dumped(value: Any, name: str, buffers: Sequence[Buffer], needs: tuple[str, ...] = ()) -> Dumped:
    return Dumped(
        materializer=name,
        buffers=buffers,
        size=size(buffers),
        type=type_text(value),
        summary=summarise(value),
        needs=needs,
    )
