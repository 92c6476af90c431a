"""Owns the materializer for NumPy arrays: files that `np.load` can read, aligned for memory mapping."""

from __future__ import annotations

import ast
import re
import warnings
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from zennb.compat.arrays import as_often, as_once, file_behind, with_strides
from zennb.compat.instances import error_line
from zennb.errors import DamagedArtifact, NotStorable
from zennb.materializers.buffers import ALIGNMENT, private
from zennb.materializers.materializer import Buffer, Materializer, Scope

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["OWNED", "NumpyArrays", "array_from", "array_parts"]

OWNED = 1 << 12
"""Bytes of the largest array that owns its memory after loading, among other values; what is larger is mapped."""

_MAGIC = b"\x93NUMPY"
_KINDS = "biufcmMSUV"
_SMALL = 4096
_COMMENT = re.compile(rb"\}  # (read-only)?(?:, )?(strides [-0-9 ]+)?\s*$")


class NumpyArrays(Materializer):
    """Arrays of exactly `numpy.ndarray`, of any dtype that holds no Python objects."""

    name: ClassVar[str] = "numpy"
    exact: ClassVar[bool] = True

    def handles(self, value: object) -> bool:
        """Whether `value` is an array that is fully described by its dtype, shape and memory.

        One that shows elements more than once, by the million, is pickled: as a file it would be as large as it looks.
        """
        if type(value) is not np.ndarray or value.dtype.hasobject:
            return False
        return file_behind(value) is None and as_once(value) is None

    def dump(self, value: Any) -> Sequence[Buffer]:
        """Return an `.npy` header and the array's own memory (a copy only where it is not contiguous).

        Raises:
            NotStorable: the dtype cannot be written as text.
        """
        descr, shape, order, data = array_parts(value)
        return [_header(descr, shape, order, read_only=not value.flags.writeable), data.data]

    def load(self, buffer: Buffer, scope: Scope) -> Any:  # noqa: ARG002 - arrays need no names
        """Return an array that is a view of `buffer`, writable unless the stored one was not.

        Raises:
            DamagedArtifact: the bytes are no `.npy` file.
        """
        own = private(buffer)
        try:
            header, start = _read_header(own)
            said = _COMMENT.search(own[:start].tobytes())
            strides = said[2] if said is not None else None
            order = strides.decode() if strides else "F" if header["fortran_order"] else "C"
            array = array_from(header["descr"], header["shape"], order, own[start:])
            if array.nbytes < _SMALL and not strides and array.dtype.names is None:
                array = array.copy(order="K")  # memory of its own, as its flags said
            array.flags.writeable = said is None or said[1] is None
            return array
        except (ValueError, KeyError, TypeError, SyntaxError, IndexError) as error:
            raise DamagedArtifact(
                f"stored bytes are not an .npy file ({error_line(error)}); run the step again.", digest=""
            ) from error


def _describe(dtype: Any) -> Any:
    """Return a dtype as text or lists of text.

    Raises:
        NotStorable: the dtype holds objects, or writing it down would lose something (metadata, alignment).
    """
    refusal = NotStorable(f"arrays of dtype {dtype} are not stored in .npy layout.")
    # numpy writes some of these with a warning, and loses part of them.
    if dtype.hasobject or dtype.kind not in _KINDS or dtype.metadata or dtype.isalignedstruct:
        raise refusal
    if dtype.names is None and dtype.subdtype is None:
        return dtype.str
    # Python shows most warnings once for each line, and begins anew when filters change, as they do here.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            descr = np.lib.format.dtype_to_descr(dtype)
            same = np.lib.format.descr_to_dtype(descr) == dtype
        except (UserWarning, ValueError, TypeError) as error:
            raise refusal from error
    if not same:
        raise refusal
    return descr


def array_parts(value: Any) -> tuple[Any, tuple[int, ...], str, Any]:
    """Return what an array is made of: dtype as text, shape, memory order, and its bytes as an array.

    The order is C, F, or how far apart the elements are: `strides 40 8`; the bytes are without gaps in any case. A
    large array that shows elements more than once has them once in the bytes, and `along -1 0` says along which axes of
    them its own axes go.

    Raises:
        NotStorable: the dtype cannot be written as text.
    """
    descr = _describe(value.dtype)
    repeated = as_once(value)
    if repeated is not None:
        once, axes = repeated
        return descr, value.shape, f"along {' '.join(map(str, axes))}", _memory(np.ascontiguousarray(once))
    if not value.flags.forc:
        order = f"strides {' '.join(map(str, value.strides))}"
        return descr, value.shape, order, _memory(np.ascontiguousarray(value))
    order = "C" if value.flags.c_contiguous else "F"
    return descr, value.shape, order, _memory(value)


def _memory(array: Any) -> Any:
    if array.nbytes == 0:
        return np.empty(0, np.uint8)
    # In the order of memory: no copy for Fortran arrays either.
    return array.ravel(order="K").view(np.uint8)


def array_from(descr: Any, shape: Sequence[int], order: str, data: Buffer) -> Any:
    """Return the array that `array_parts` took apart, as a view of `data`.

    Raises:
        ValueError, TypeError: the parts do not fit together.
    """
    dtype = np.lib.format.descr_to_dtype(descr)
    if dtype.hasobject:  # stored bytes must never be read as references to objects
        raise ValueError("a stored array of Python objects is never read")
    memory = data if len(data) else None
    if order.startswith("along "):
        return as_often(
            np.frombuffer(data, np.uint8).view(dtype), tuple(shape), tuple(map(int, order.split()[1:]))
        )
    array: Any = np.ndarray(tuple(shape), dtype, buffer=memory, order="F" if order == "F" else "C")
    # Both must agree exactly. numpy itself only refuses memory that is too short.
    if array.nbytes != len(data):
        raise ValueError(f"{len(data)} bytes for an array of {array.nbytes}")
    if order.startswith("strides "):
        made = with_strides(array, tuple(map(int, order.split()[1:])))
        made.flags.writeable = array.flags.writeable
        return made
    return array


def _header(descr: Any, shape: tuple[int, ...], order: str, *, read_only: bool) -> bytes:
    """Return an `.npy` header, padded with blanks so that the data begin at a multiple of 64 bytes.

    The layout is NumPy's (numpy.lib.format); version 3 is 1 with UTF-8 text and a longer length field. That an
    array cannot be written to, and how far apart its elements were, stands in a comment, which NumPy skips.
    """
    text = f"{{'descr': {descr!r}, 'fortran_order': {order == 'F'}, 'shape': {shape!r}, }}"
    said = ["read-only"] * read_only + [order] * order.startswith("strides ")
    if said:
        text = f"{text.rstrip()}  # {', '.join(said)}"
    old = text.isascii() and len(text) < 65_000
    version, width = ((1, 0), 2) if old else ((3, 0), 4)
    body = text.encode("utf-8")
    fixed = len(_MAGIC) + 2 + width
    body += b" " * (-(fixed + len(body) + 1) % ALIGNMENT) + b"\n"
    return _MAGIC + bytes(version) + len(body).to_bytes(width, "little") + body


def _read_header(view: memoryview) -> tuple[dict[str, Any], int]:
    if view[:6] != _MAGIC:
        raise ValueError(f"they begin with {view[:6].tobytes()!r}")
    width, encoding = (2, "latin-1") if view[6] == 1 else (4, "utf-8")
    start = 8 + width
    end = start + int.from_bytes(view[8:start], "little")
    header = ast.literal_eval(view[start:end].tobytes().decode(encoding).strip())
    if not isinstance(header, dict):
        raise TypeError("the header is not a dict")
    return header, end
