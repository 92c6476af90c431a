"""Owns the reading of pickles: notebook classes and functions by name, and memory of tensors from blobs of its own."""

from __future__ import annotations

import pickle
from functools import partial
from types import FunctionType
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import is_a
from zennb.compat.undisturbed import undisturbed
from zennb.errors import MissingDefinition
from zennb.materializers import functions
from zennb.materializers.buffers import Reader
from zennb.materializers.definitions import ClassRestorer, find
from zennb.materializers.not_a_number import NanReader

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from zennb.materializers.materializer import Buffer, Scope

__all__ = ["unpickled"]

_PICKLE = "zennb.materializers.pickle"
_TENSORS = "zennb.materializers.tensors"


class _NotebookUnpickler(NanReader, pickle.Unpickler):
    """Reads what `_NotebookPickler` wrote, resolving notebook definitions in a scope."""

    def __init__(
        self,
        stream: Buffer,
        buffers: Sequence[Buffer],
        scope: Scope,
        name: str,
        part: Callable[[int], Buffer] | None,
    ) -> None:
        super().__init__(Reader(stream), buffers=buffers)
        self._part = part
        self._scope = scope
        self._name = name
        self._classes = ClassRestorer()

    def find_class(self, module: str, name: str) -> Any:
        """Return the object of that name; for notebook definitions, a function that looks them up in the scope."""
        if module == _PICKLE and name == "notebook_object":
            return self._notebook_object
        if module == _TENSORS and name == "stored_part" and self._part is not None:
            return self._part
        if module == functions.__name__ and name == "make_function":
            return partial(functions.make_function, scope=self._scope)
        maker = self._classes.maker(module, name)
        if maker is not None:
            return maker
        return super().find_class(module, name)

    def _notebook_object(self, name: str, kind: str) -> Any:
        found = find(self._scope, name)
        if is_a(found, FunctionType if kind == "function" else type):
            return found
        relation = "is an instance of" if kind == "instance" else "needs"
        what = "function" if kind == "function" else "class"
        raise MissingDefinition(
            f"artifact '{self._name}' {relation} {name}, a {what} written in the notebook; run the cell that "
            f"defines {name.partition('.')[0]}, then try again.",
            name=name,
        )


def unpickled(
    stream: Buffer,
    buffers: Sequence[Buffer],
    scope: Scope,
    name: str,
    part: Callable[[int], Buffer] | None = None,
) -> Any:
    """Return the value in a pickle.

    Args:
        stream: the pickle.
        buffers: its out-of-band buffers.
        scope: where classes and functions of the notebook are found.
        name: what to call the value in errors.
        part: returns memory that was stored apart, by its number.

    Raises:
        MissingDefinition: a class or function of the notebook is not there.
    """
    with undisturbed():
        return _NotebookUnpickler(stream, buffers, scope, name, part).load()
