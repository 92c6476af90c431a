"""Owns the materializer of last resort: signed pickles, with notebook classes and functions by name.

Loading a pickle can run any code. So a pickle is only loaded if its seal was made with the user's key, or if the user
trusts its digest (see `signer`).
"""

from __future__ import annotations

import hashlib
import importlib
import io
import pickle
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from types import CellType, FunctionType
from typing import TYPE_CHECKING, Any, ClassVar

import cloudpickle

from zennb.compat.code_pickling import is_importable, with_annotations
from zennb.compat.frames import copies_on_write, detached, global_random_state
from zennb.compat.python import CachedFunction, iterator_recipe
from zennb.errors import DamagedArtifact, MissingDefinition, NotStorable, ZennbError
from zennb.materializers import functions
from zennb.materializers.buffers import Collector, OutOfBand, Reader
from zennb.materializers.closed_files import closed_reduction
from zennb.materializers.definitions import ClassRestorer, find, refuse_stale
from zennb.materializers.matches import match_recipe
from zennb.materializers.materializer import Buffer, Materializer, Scope
from zennb.materializers.previews import figure_state, is_figure
from zennb.materializers.sealed import untrusted
from zennb.materializers.signature import Envelope, pack, unpack
from zennb.materializers.summary import type_text
from zennb.materializers.unpicklable import find_unpicklable
from zennb.packages.origin import Origin, module_of, origin

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from zennb.materializers.signer import Signer

__all__ = ["Pickled", "SignedPickles", "notebook_object", "random_state"]

_MAGIC = b"zennbPK\x01"


def notebook_object(name: str, kind: str) -> Any:
    """A placeholder in pickles for a class or function of the notebook; our unpickler resolves it."""
    raise MissingDefinition(
        f"{kind} `{name}` of a notebook can only be loaded through zennb.load.", name=name
    )


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
    """

    stream: Sequence[Buffer]
    buffers: Sequence[memoryview]
    needs: tuple[str, ...]


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

    def pickle(self, value: Any, *, name: str, together: bool = False) -> Pickled:
        """Return `value` as a pickle; `name` is what to call it in the error.

        With `together` it is a dictionary of values that share state: arrays that look into another array's memory
        share it again after loading.

        Raises:
            NotStorable: as `dump`.
        """
        try:
            return _pickled(value, self._scope, together=together)
        except Exception as error:
            raise self._refusal(value, name, error) from error

    def _refusal(self, value: Any, name: str, error: Exception) -> NotStorable:
        path, part, why = find_unpicklable(value, name, lambda one: _pickled(one, self._scope), error)
        return NotStorable(
            f"`{path}` is a {type_text(part)}, which cannot be stored ({why}). Keep it in a name that starts "
            "with `_`, which is the step's own, or name with -o the outputs to store.",
            path=path,
        )

    def pack(self, pickled: Pickled) -> Sequence[Buffer]:
        """Return the sealed bytes of a pickle."""
        return pack(_MAGIC, pickled.stream, pickled.buffers, self._signer.sign)

    def prove(self, value: Any, pickled: Pickled, *, name: str) -> Any:
        """Load the pickle once to check it, and return the result.

        Raises:
            NotStorable: it cannot be loaded, or the result has another type.
        """
        try:
            again = self._again(pickled)
        except Exception as error:
            raise NotStorable(
                f"`{name}` is a {type_text(value)}, which can be pickled but not loaded again "
                f"({type(error).__name__}: {error}). Keep it in a name that starts with `_`, "
                "or store its parts.",
                path=name,
            ) from error
        if type_text(again) != type_text(value):
            raise NotStorable(
                f"`{name}` is a {type_text(value)}, but pickled and loaded it is a {type_text(again)}. "
                "Keep it in a name that starts with `_`, or convert it first.",
                path=name,
            )
        return again

    def _again(self, pickled: Pickled) -> Any:
        stream = b"".join(pickled.stream)
        try:  # the value's own memory, read-only, so that no loader can write into it
            return _unpickle(stream, [one.toreadonly() for one in pickled.buffers], self._scope, "value")
        except (ValueError, TypeError, BufferError):  # some loaders insist on writable memory
            return _unpickle(stream, [bytearray(one) for one in pickled.buffers], self._scope, "value")

    def load(self, buffer: Buffer, scope: Scope) -> Any:
        """Return the value; arrays in it are writable views of `buffer`.

        Raises:
            UntrustedArtifact: neither sealed with the user's key nor trusted by the user.
            MissingDefinition: a notebook class or function, or a module, is not there.
            DamagedArtifact: the bytes are not a valid pickle, or do not fit the installed packages.
        """
        return self.unpickle(buffer, scope, name="NAME")

    def unpickle(self, buffer: Buffer, scope: Scope, *, name: str) -> Any:
        """Return the value; `name` is what to call it in errors, which are those of `load`."""
        envelope = unpack(_MAGIC, buffer)
        self._check(envelope, buffer, name)
        try:
            return _unpickle(envelope.stream, envelope.buffers, scope, name)
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
        self, file: Collector, scope: Scope, keep: Callable[[pickle.PickleBuffer], object], *, views: bool
    ) -> None:
        super().__init__(file, protocol=5, buffer_callback=keep)
        self._views = views and "numpy" in sys.modules
        self._scope = scope
        self._root: type | None = None
        self._whole: frozenset[int] = frozenset()
        self.needs: dict[str, None] = {}

    def dump_root(self, value: Any, *, together: bool) -> None:
        """Write `value`, or values `together`; functions among these by value, since nothing else defines them."""
        self._root = type(value)
        # The values themselves, as opposed to what they refer to.
        self._whole = frozenset(map(id, value.values() if together else [value]))
        self.dump(value)

    def reducer_override(self, value: Any) -> Any:
        """Return the recipe for types that need special treatment; leave the rest to cloudpickle."""
        if isinstance(value, type | FunctionType) and value.__module__ == "__main__":
            name = _own_name(value, self._scope)
            # A function that is an output is stored whole: on reuse nothing else defines it.
            by_name = isinstance(value, type) or id(value) not in self._whole
            if by_name and find(self._scope, name) is value:
                self.needs[name] = None
                return notebook_object, (name, _kind(value, self._root))
        if isinstance(value, type | FunctionType):
            refuse_stale(value, self._scope)
        code = self._code(value)
        if code is not None:
            return code
        if isinstance(value, type | FunctionType):
            _import_home(value)
        special = closed_reduction(value) or self._special(value)
        if special is None:
            _refuse_open_resources(value)
        return with_annotations(value, super().reducer_override(value)) if special is None else special

    def _special(self, value: Any) -> Any:
        """Return the recipe for library types with an unsuitable recipe of their own; None for anything else."""
        if "numpy.random" in sys.modules and value is global_random_state():
            return random_state, ()
        if self._views:
            from zennb.materializers.views import view_reduction

            reduced = view_reduction(value)
            if reduced is not None:
                return reduced
        if "pandas" in sys.modules and copies_on_write():
            table = detached(value, deep=self._views)
            if table is not None:
                return table.__reduce_ex__(5)
        return figure_state(value) if is_figure(value) else match_recipe(value) or iterator_recipe(value)

    def _code(self, value: Any) -> Any:
        """Return the recipe for a function that cannot be found by name, or a part of one; None for anything else."""
        if isinstance(value, FunctionType) and value.__globals__.get("__name__") == "__main__":
            for name in functions.names_read(value.__code__):
                found = self._scope.get(name)
                if isinstance(found, type | FunctionType) and found.__module__ == "__main__":
                    self.needs[name] = None
            return functions.function_reduction(value)
        if isinstance(value, FunctionType) and not is_importable(value):
            return functions.module_function_reduction(value)
        if isinstance(value, CellType):
            return functions.cell_reduction(value)
        return functions.cached_reduction(value) if isinstance(value, CachedFunction) else None


def _refuse_open_resources(value: object) -> None:
    """Refuse open files and memory views.

    Raises:
        pickle.PicklingError: it is an open file, or a view of another value's memory.
    """
    if isinstance(value, io.IOBase) and not isinstance(value, io.BytesIO | io.StringIO):
        raise pickle.PicklingError("an open file")
    if isinstance(value, memoryview):
        raise pickle.PicklingError("a view of another value's memory")


def _import_home(value: type | FunctionType) -> None:
    """Import the `__module__` of a package's class or function (`numpy.rec`).

    The class may be defined in a private module. Without this import, cloudpickle would store a copy of it.
    """
    module = module_of(value)
    if module and module not in sys.modules and origin(module) is Origin.PACKAGE:
        with suppress(ImportError):
            importlib.import_module(module)


def _own_name(value: type | FunctionType, scope: Scope) -> str:
    """Return the qualified name of a class or function; for a lambda, the notebook variable that holds it."""
    if value.__qualname__ != "<lambda>":
        return value.__qualname__
    return next((name for name, found in scope.items() if found is value), "")


def _kind(value: object, root: type | None) -> str:
    if isinstance(value, type):
        return "instance" if value is root else "class"
    return "function"


def _pickled(value: Any, scope: Scope, *, together: bool = False) -> Pickled:
    stream = Collector()
    with OutOfBand() as buffers:
        pickler = _NotebookPickler(stream, scope, buffers.keep, views=together)
        pickler.dump_root(value, together=together)
        return Pickled(stream=stream.parts, buffers=buffers.views(), needs=tuple(pickler.needs))


class _NotebookUnpickler(pickle.Unpickler):
    """Reads what `_NotebookPickler` wrote, resolving notebook definitions in a scope."""

    def __init__(self, stream: Buffer, buffers: Sequence[Buffer], scope: Scope, name: str) -> None:
        super().__init__(Reader(stream), buffers=buffers)
        self._scope = scope
        self._name = name
        self._classes = ClassRestorer()

    def find_class(self, module: str, name: str) -> Any:
        """Return the object of that name; for notebook definitions, a function that looks them up in the scope."""
        if module == __name__ and name == "notebook_object":
            return self._notebook_object
        if module == functions.__name__ and name == "make_function":
            return partial(functions.make_function, scope=self._scope)
        maker = self._classes.maker(module, name)
        if maker is not None:
            return maker
        return super().find_class(module, name)

    def _notebook_object(self, name: str, kind: str) -> Any:
        found = find(self._scope, name)
        if isinstance(found, FunctionType if kind == "function" else type):
            return found
        relation = "is an instance of" if kind == "instance" else "needs"
        what = "function" if kind == "function" else "class"
        raise MissingDefinition(
            f"artifact '{self._name}' {relation} {name}, a {what} written in the notebook; run the cell that "
            f"defines {name.partition('.')[0]}, then try again.",
            name=name,
        )


def _unpickle(stream: Buffer, buffers: Sequence[Buffer], scope: Scope, name: str) -> Any:
    return _NotebookUnpickler(stream, buffers, scope, name).load()
