"""Owns the materializer of last resort: signed pickles, with notebook classes and functions by name.

Loading a pickle can run any code. So a pickle is only loaded if its seal was made with the user's key, or if the user
trusts its digest (see `signer`).
"""

from __future__ import annotations

import hashlib
import importlib
import pickle
import sys
from dataclasses import dataclass
from functools import cache, partial
from types import FunctionType
from typing import TYPE_CHECKING, Any, ClassVar

import cloudpickle

from zennb.compat.frames import global_random_state
from zennb.compat.instances import error_line, is_a
from zennb.compat.iterators import lends_attributes
from zennb.compat.open_files import not_opened
from zennb.compat.slot_names import slots_unnoticed
from zennb.compat.tensors import is_compiled, torch
from zennb.compat.tracebacks import with_traceback
from zennb.digests.recipes import whole_recipe
from zennb.digests.stretches import shared_ranges
from zennb.errors import DamagedArtifact, MissingDefinition, NotStorable, ZennbError
from zennb.materializers import functions
from zennb.materializers.added_attributes import completed
from zennb.materializers.buffers import Collector, out_of_band, size
from zennb.materializers.closed_files import file_reduction
from zennb.materializers.constants import objects_of_libraries
from zennb.materializers.definitions import find, import_home, kind_of, own_name, refuse_stale, registered
from zennb.materializers.library_recipes import library_reduction
from zennb.materializers.live_resources import CopyChecks, refuse_open_resources
from zennb.materializers.materializer import Buffer, Materializer, Scope
from zennb.materializers.networks import model_roots
from zennb.materializers.not_a_number import NanWriter, holds_nan
from zennb.materializers.ordinary import is_ordinary
from zennb.materializers.parts import MemoryPart, part_table, read_part_table
from zennb.materializers.rebuilding import has_recipe_of_library, runs_when_loaded
from zennb.materializers.sealed import untrusted
from zennb.materializers.signature import Envelope, pack, unpack
from zennb.materializers.summary import type_text
from zennb.materializers.unpicklable import not_loaded, refusal, refuse_changed
from zennb.materializers.unpickling import unpickled
from zennb.packages.origin import module_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from zennb.digests.stretches import Stretch
    from zennb.materializers.signer import Signer
    from zennb.materializers.views import SharedMemory

__all__ = ["Pickled", "SignedPickles", "notebook_object", "random_state"]

_MAGIC = b"zennbPK\x01"
_MAGIC_WITH_PARTS = b"zennbPK\x02"
"""A pickle of which large memory is in other blobs; the last of its buffers names them."""


def notebook_object(name: str, kind: str) -> Any:
    """A placeholder in pickles for a class or function of the notebook; our unpickler resolves it."""
    raise MissingDefinition(f"{kind} `{name}` of a notebook is only loaded through zennb.load.", name=name)


def random_state() -> Any:
    """Return numpy's global random state. scipy's distributions refer to it, and share it again after loading."""
    importlib.import_module("numpy.random")
    return global_random_state()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pickled:
    """A pickled value before it is packed and sealed.

    Attributes:
        stream: the pickle.
        buffers: the out-of-band buffers: the value's own memory.
        needs: qualified names of the notebook classes and functions it refers to.
        parts: large memory of tensors, to be stored in blobs of its own.
        is_rebuilt: whether loading it runs methods that the user has written.
        by_recipes: whether libraries say in Python how some of it is made again, perhaps as a copy of what it shares.
    """

    stream: Sequence[Buffer]
    buffers: Sequence[memoryview]
    needs: tuple[str, ...]
    parts: Sequence[memoryview] = ()
    is_rebuilt: bool = False
    by_recipes: bool = False


class SignedPickles(Materializer):
    """Any value that cloudpickle can write and read.

    Args:
        scope: names of the notebook; classes and functions found there by name are stored as names.
        signer: seals what is written, and checks the seals of what is read.
    """

    name: ClassVar[str] = "pickle"
    runs_code: ClassVar[bool] = True

    def __init__(self, scope: Scope, signer: Signer) -> None:
        self._scope = scope
        self._signer = signer

    def handles(self, value: object) -> bool:  # noqa: ARG002 - it tries everything
        """Return True: only trying shows whether a value can be pickled."""
        return True

    def dump(self, value: Any) -> Sequence[Buffer]:
        """Return a sealed pickle; arrays in it are not copied.

        Raises:
            NotStorable: some part of it cannot be stored; the error names the part.
        """
        return self.pack(self.pickle(value, name="value"))

    def pickle(
        self,
        value: Any,
        *,
        name: str,
        together: bool = False,
        memory: Sequence[Stretch] = (),
        apart: bool = False,
    ) -> Pickled:
        """Return `value` as a pickle; `name` is what to call it in the error.

        With `together` it is a dictionary of values that share state. What shares some of the `memory` that is in it
        shares it again after loading. With `apart` the large memory of tensors is left out of it, as `parts`.

        Raises:
            NotStorable: as `dump`.
        """
        try:
            return _pickled(value, self._scope, together=together, memory=memory, apart=apart)
        except Exception as error:
            store = partial(_pickled, scope=self._scope)
            raise refusal(value, name, store, error, together=together) from error

    def dump_small(self, value: Any, *, largest: int) -> tuple[Sequence[Buffer], Any]:
        """Return `value` as a sealed pickle, and what it is when it is loaded.

        Raises:
            NotStorable: it cannot be stored, or takes more than `largest` bytes.
        """
        try:
            pickled = _pickled(value, self._scope, largest=largest)
            own = [] if size(pickled.buffers) > largest else [bytearray(one) for one in pickled.buffers]
            fits = len(own) == len(pickled.buffers)
            again = unpickled(b"".join(pickled.stream), own, self._scope, "value") if fits else None
        except OverflowError:
            again = None
        except Exception as error:
            raise NotStorable(f"cannot be stored ({error_line(error)})", path="") from error
        if again is None:
            raise NotStorable(f"has more than {largest / 1e6:.0f} MB", path="")
        return self.pack(pickled), again

    def pack(self, pickled: Pickled, parts: Sequence[MemoryPart] = ()) -> Sequence[Buffer]:
        """Return the sealed bytes of a pickle; `parts` are the blobs with what was left out of it."""
        if not pickled.parts:
            return pack(_MAGIC, pickled.stream, pickled.buffers, self._signer.sign)
        buffers: list[Buffer] = [*pickled.buffers, part_table(parts)]
        return pack(_MAGIC_WITH_PARTS, pickled.stream, buffers, self._signer.sign)

    def prove(self, value: Any, pickled: Pickled, *, name: str, together: bool = False) -> Any:
        """Load the pickle once to check it, and return the result.

        Raises:
            NotStorable: it cannot be loaded, or the result is of another type or content.
        """
        try:
            with not_opened():
                again = self._again(pickled)
        except Exception as error:
            raise not_loaded(value, name, error, together=together) from error
        if type_text(again) != type_text(value):
            raise NotStorable(
                f"`{name}` is a {type_text(value)}, but pickled and loaded it is a {type_text(again)}. "
                "Keep it in a name that starts with `_`, or convert it first.",
                path=name,
            )
        if pickled.is_rebuilt and not pickled.parts:
            refuse_changed(value, self.copy_of(pickled, largest=sys.maxsize), name)
        return again

    def copy_of(self, pickled: Pickled, *, largest: int) -> Any:
        """Return the value over memory of its own; above `largest` bytes that is zeros, which take none at first."""
        np: Any = sys.modules.get("numpy")
        is_small, own = np is None or size(pickled.buffers) <= largest, pickled.buffers
        buffers = [bytearray(one) if is_small else np.zeros(one.nbytes, "u1").data for one in own]
        stream, parts = b"".join(pickled.stream), pickled.parts
        return unpickled(stream, buffers, self._scope, "value", lambda at: parts[at])

    def _again(self, pickled: Pickled) -> Any:
        stream, parts = b"".join(pickled.stream), pickled.parts
        try:  # the value's own memory, read-only, so that no loader can write into it
            buffers = [one.toreadonly() for one in pickled.buffers]
            # Of what is stored apart only the size: to copy it would take as much memory again.
            return unpickled(stream, buffers, self._scope, "value", lambda _: b"")
        except Exception as error:
            # Some loaders insist on writable memory, and some look at what they load.
            if not parts and not isinstance(error, ValueError | TypeError | BufferError):
                raise
            copies = [bytearray(one) for one in pickled.buffers]
            return unpickled(stream, copies, self._scope, "value", lambda at: parts[at])

    def load(self, buffer: Buffer, scope: Scope) -> Any:
        """Return the value; arrays in it are writable views of `buffer`.

        Raises:
            UntrustedArtifact: neither sealed with the user's key nor trusted by the user.
            MissingDefinition: a notebook class or function, or a module, is not there.
            DamagedArtifact: the bytes are not a valid pickle, or do not fit the installed packages.
        """
        return self.unpickle(buffer, scope, name="NAME")

    def unpickle(
        self, buffer: Buffer, scope: Scope, *, name: str, part: Callable[[MemoryPart], Buffer] | None = None
    ) -> Any:
        """Return the value; `name` is what to call it in errors, which are those of `load`.

        `part` returns the content of a blob with memory that was stored apart.
        """
        with_parts = bytes(memoryview(buffer)[: len(_MAGIC)]) == _MAGIC_WITH_PARTS
        envelope = unpack(_MAGIC_WITH_PARTS if with_parts else _MAGIC, buffer)
        self._check(envelope, buffer, name)
        try:
            parts = read_part_table(envelope.buffers[-1]) if with_parts else []
            return unpickled(
                envelope.stream,
                envelope.buffers,
                scope,
                name,
                None if part is None else lambda at: part(parts[at]),
            )
        except ZennbError:
            raise
        except ImportError as error:
            raise MissingDefinition(
                f"artifact '{name}' needs the module `{error.name}` ({error}); install it or put it on "
                "sys.path, then try again.",
                name=error.name or "",
            ) from error
        except Exception as error:
            raise DamagedArtifact(
                f"artifact '{name}' cannot be loaded with what is installed now ({type(error).__name__}: "
                f"{error}); run its step again.",
                digest=hashlib.sha256(buffer).hexdigest(),
            ) from error

    def _check(self, envelope: Envelope, buffer: Buffer, name: str) -> None:
        if self._signer.verifies(envelope.sealed, envelope.seal):
            return
        if not self._signer.is_trusted(hashlib.sha256(buffer).hexdigest()):
            raise untrusted(name, "a pickle, which can run code when it is loaded")


class _NotebookPickler(cloudpickle.CloudPickler):  # type: ignore[misc] # cloudpickle ships no types
    """cloudpickle with notebook definitions by name, without open files, and without pyplot for figures."""

    def __init__(
        self,
        file: Collector,
        scope: Scope,
        keep: Callable[[pickle.PickleBuffer], object],
        *,
        shared: SharedMemory | None,
        apart: bool = False,
        by_structure: bool = False,
    ) -> None:
        super().__init__(file, protocol=5, buffer_callback=keep)
        self._by_structure = by_structure
        self.parts: list[memoryview] | None = [] if apart else None
        self._shared, self._scope, self._copies = shared, scope, CopyChecks()
        self._value: Any = None
        self._roots: list[Any] | None = None
        self._whole: frozenset[int] = frozenset()
        self.asked: dict[int, type] = {}
        self.needs: dict[str, None] = {}

    def dump_root(self, value: Any, *, together: bool) -> None:
        """Write `value`, or values `together`; functions among these by value, since nothing else defines them."""
        self._value, self._found = value, (cache(partial(model_roots, value)), cache(objects_of_libraries))
        # The values themselves, as opposed to what they refer to.
        self._whole = frozenset(map(id, value.values() if together else [value]))
        self.dump(value)

    def reducer_override(self, value: Any) -> Any:
        """Return the recipe for types that need special treatment; leave the rest to cloudpickle."""
        is_plain = is_ordinary(type(value)) and not self._by_structure
        if not is_plain and (code := self._code(value)) is not None:
            return code
        # Asked again within its own recipe, as a tuple with attributes is, its attributes are held by that recipe.
        if id(value) not in self.asked and lends_attributes(value):
            raise pickle.PicklingError("something else holds its attributes, as `vars(...)` returns them")
        self.asked[id(value)] = type(value)
        if is_plain:
            return NotImplemented
        self._copies.refuse(value)
        if (special := file_reduction(value) or self._special(value)) is None:
            refuse_open_resources(value)
        return completed(value, super().reducer_override(value) if special is None else special)

    def _memory_roots(self) -> list[Any]:
        """Return what is written and owns memory for tensors; looked for once, when it is asked."""
        if self._roots is None:
            from zennb.materializers.tensors import memory_roots

            self._roots = memory_roots(self._value)
        return self._roots

    def _special(self, value: Any) -> Any:
        """Return the recipe for library types with an unsuitable recipe of their own; None for anything else."""
        if "numpy.random" in sys.modules and value is global_random_state():
            return random_state, ()
        if torch() is not None:
            from zennb.materializers.tensors import tensor_reduction

            if (reduced := tensor_reduction(value, self._memory_roots, self.parts)) is not None:
                return reduced
        if "numpy" in sys.modules:
            from zennb.materializers.views import is_plain_array, memory_reduction

            reduced = memory_reduction(value, self._shared)
            if reduced is not None or is_plain_array(value):
                return reduced
        if "pandas" in sys.modules:
            from zennb.materializers.shared_tables import table_reduction

            if (reduced := table_reduction(value, self._shared)) is not None:
                return reduced
        known = library_reduction(value, *self._found, by_structure=self._by_structure)
        return with_traceback(value, known or whole_recipe(value))

    def _code(self, value: Any) -> Any:
        """Return the recipe for a class or function that is not imported, or a part of one; None for anything else."""
        if is_compiled(value):
            raise pickle.PicklingError("made by `torch.compile`; keep what it was made of")
        if (is_code := is_a(value, type | FunctionType)) and module_of(value) == "__main__":
            name = own_name(value, self._scope)
            # A function that is an output is stored whole: on reuse nothing else defines it.
            by_name = is_a(value, type) or id(value) not in self._whole
            if by_name and find(self._scope, name) is value:
                self.needs[name] = None
                return notebook_object, (name, kind_of(value, type(self._value)))
        if is_code:
            refuse_stale(value, self._scope)
        if (reduced := functions.code_reduction(value, self._scope, self.needs)) is None and is_code:
            import_home(value)
        return registered(value) if reduced is None else reduced


class _NanPickler(NanWriter, _NotebookPickler):
    """Writes values with NaNs among them."""


def _pickled(value: Any, scope: Scope, **options: Any) -> Pickled:
    try:
        found = _written(value, scope, **options)
        return _written(value, scope, kind=_NanPickler, **options) if holds_nan(found.stream) else found
    except NotImplementedError:  # as classes say that cannot be pickled yet
        return _written(value, scope, kind=_NanPickler, by_structure=True, **options)


def _written(
    value: Any,
    scope: Scope,
    *,
    together: bool = False,
    memory: Sequence[Stretch] = (),
    apart: bool = False,
    largest: int | None = None,
    by_structure: bool = False,
    kind: type[_NotebookPickler] = _NotebookPickler,
) -> Pickled:
    stream = Collector(largest)
    shared = None
    if shared_ranges(memory):
        from zennb.materializers.views import SharedMemory

        shared = SharedMemory(memory)
    with slots_unnoticed(), out_of_band() as buffers:
        pickler = kind(stream, scope, buffers.keep, shared=shared, apart=apart, by_structure=by_structure)
        pickler.dump_root(value, together=together)
        return Pickled(
            stream=stream.parts,
            buffers=buffers.views(),
            needs=tuple(pickler.needs),
            parts=pickler.parts or (),
            is_rebuilt=any(map(runs_when_loaded, set(pickler.asked.values()))),
            by_recipes=any(map(has_recipe_of_library, set(pickler.asked.values()))),
        )
