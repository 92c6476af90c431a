"""Buffers as one dimension of bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from zennb.components.content import flat


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0),
        np.arange(6.0).reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(6, dtype=">i4"),
        np.zeros(2, dtype=[("a", "i4"), ("b", "f8")]),
        np.array(7.0),
    ],
    ids=["plain", "two dimensions", "Fortran", "other byte order", "fields", "scalar"],
)
def test_any_contiguous_buffer_is_its_bytes(array: Any) -> None:
    (view,) = flat([memoryview(array)])
    assert (view.ndim, view.format, bytes(view)) == (1, "B", array.tobytes(order="A"))


def test_nothing_is_left_of_empty_buffers_and_no_plain_one_is_copied() -> None:
    memory = bytearray(b"abc")
    (view,) = flat([b"", np.zeros((0, 3)).data, memory])
    memory[0] = ord("x")
    assert bytes(view) == b"xbc"


def test_what_is_not_contiguous_is_refused() -> None:
    with pytest.raises(BufferError):
        flat([np.arange(6.0).data[::2]])


def test_a_flat_view_does_not_keep_the_buffer_of_the_view_it_came_from_in_use() -> None:
    chunk = memoryview(bytearray(b"abc"))
    kept = flat([chunk])
    chunk.release()  # raises BufferError while its buffer is in use
    assert bytes(kept[0]) == b"abc"
