"""Which classes tell all that their instances refer to."""

from __future__ import annotations

import ctypes
import mmap
from abc import ABC
from collections import OrderedDict, UserDict, deque
from collections.abc import Mapping
from fractions import Fraction
from typing import Generic, TypeVar

import numpy as np
import pytest

from zennb.digests.transparency import is_transparent

T = TypeVar("T")


class Empty(ABC):  # noqa: B024 - as a library may write it
    """Without anything of its own."""


class View(Empty, Mapping[str, int]):
    """With slots, below classes with attributes."""

    __slots__ = ("graph",)


class Held(Generic[T]):
    """A generic class."""


@pytest.mark.parametrize(
    "cls", [Empty, View, Held, dict, OrderedDict, UserDict, deque, Fraction, memoryview, type(len)]
)
def test_what_python_code_makes_and_pythons_own_types_tell_all(cls: type) -> None:
    assert is_transparent(cls)


@pytest.mark.parametrize("cls", [mmap.mmap, ctypes.c_int, np.ndarray, np.random.Generator, type(iter([]))])
def test_what_is_written_in_c_does_not(cls: type) -> None:
    assert not is_transparent(cls)


def test_what_is_derived_from_such_a_class_does_not_either() -> None:
    assert not is_transparent(type("Derived", (np.ndarray,), {"total": lambda _: 0}))


def test_packages_can_be_trusted() -> None:
    assert is_transparent(np.ndarray, trusted={"numpy"})
