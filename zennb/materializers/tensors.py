"""Owns the serialization of torch's tensors: memory that several share is stored once, and stays shared."""

from __future__ import annotations

import importlib
import pickle
import sys
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import is_one_of, module_name
from zennb.compat.tensors import (
    bytes_of,
    extras_of,
    inference,
    is_foreign,
    is_optimizer,
    is_tensor,
    memory_of,
    new_storage,
    optimizer_state,
    put_extras,
    put_optimizer_state,
    recipe_of,
    refusal,
    storage_over,
    storage_under,
    torch,
    typed,
    untyped,
)
from zennb.digests.memory import BUFFERS, memory_bounds
from zennb.digests.reachability import FAR, parts_of
from zennb.digests.walker import SCALARS
from zennb.errors import MissingDefinition
from zennb.materializers.parts import PART_SIZE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = [
    "inference_tensor",
    "make_array",
    "make_generator",
    "make_storage",
    "memory_roots",
    "storage_in",
    "stored_part",
    "tensor_reduction",
]


def tensor_reduction(
    value: Any, roots: Callable[[], Iterable[Any]], parts: list[memoryview] | None
) -> tuple[Any, ...] | None:
    """Return the recipe of a tensor, of memory of tensors, or of what torch itself pickles incompletely.

    Args:
        value: anything.
        roots: returns what is stored with it and owns memory in which tensors may lie (see `memory_roots`).
        parts: where large memory goes that is to be stored apart; None when all of it belongs into the pickle.

    Raises:
        pickle.PicklingError: it cannot be stored.
    """
    cls, found = type(value), torch()
    if is_tensor(cls):
        return _tensor(value)
    if is_optimizer(cls):
        return object.__new__, (cls,), optimizer_state(value), None, None, put_optimizer_state
    if issubclass(cls, found.UntypedStorage):
        return (_in_root(value, roots()) if is_foreign(value) else None) or _storage(value, parts)
    if issubclass(cls, found.storage.TypedStorage):
        return typed, (untyped(value), value.dtype)
    if issubclass(cls, found.layout | found.memory_format | found.qscheme):
        return getattr, (found, str(value).removeprefix("torch."))
    if issubclass(cls, found.Generator):
        return _generator(value)
    return _array(value) if module_name(cls) == "numpy" else None


def memory_roots(value: Any) -> list[Any]:
    """Return what is inside a value and owns memory: buffers, arrays of numpy, and storages, the largest first."""
    np = sys.modules.get("numpy")
    seen: dict[int, Any] = {}
    level = [value]
    while np is not None and level and len(seen) < FAR:
        fresh = {
            id(part): part
            for part in parts_of(level)
            if not is_one_of(part, SCALARS) and id(part) not in seen
        }
        seen.update(fresh)
        level = list(fresh.values())
    arrays = [
        part for part in seen.values() if type(part) in BUFFERS or (np is not None and _is_root(part, np))
    ]
    held = (storage_under(part) for part in seen.values())
    storages = {id(each): each for each in held if each is not None and each.device.type == "cpu"}
    return [*arrays, *sorted(storages.values(), key=lambda each: -each.nbytes())]


def _is_root(value: Any, np: Any) -> bool:
    return (
        type(value) is np.ndarray
        and not isinstance(value.base, np.ndarray)
        and storage_under(value) is None
        and value.flags.forc
        and value.nbytes > 0
        and not value.dtype.hasobject
    )


def _in_root(storage: Any, roots: Iterable[Any]) -> tuple[Any, ...] | None:
    """Return the recipe of a storage that lies in memory of something else; None when it lies in none of these."""
    start, size = storage.data_ptr(), storage.nbytes()
    for root in roots:
        if root is storage:  # those before it are as large
            return None
        low, high = _bounds(root)
        if low <= start and start + size <= high:
            return storage_in, (root, start - low, size)
    return None


def _bounds(root: Any) -> tuple[int, int]:
    if type(root) in BUFFERS:
        return memory_bounds(root)
    is_storage = isinstance(root, torch().UntypedStorage)
    low = root.data_ptr() if is_storage else root.__array_interface__["data"][0]
    return low, low + (root.nbytes() if is_storage else root.nbytes)


def storage_in(root: Any, offset: int, size: int) -> Any:
    """Return a storage in the memory of an array, a buffer, or another storage."""
    found = importlib.import_module("torch")
    np = importlib.import_module("numpy")
    if isinstance(root, found.UntypedStorage):
        return storage_over(bytes_of(root)[offset : offset + size])
    owner = root.T if isinstance(root, np.ndarray) and not root.flags.c_contiguous else root
    return storage_over(np.ndarray((size,), np.uint8, buffer=owner, offset=offset))


def _storage(value: Any, parts: list[memoryview] | None) -> tuple[Any, ...]:
    memory, where = memory_of(value), (value.nbytes(), str(value.device), value.is_shared())
    if parts is None or len(memory) < PART_SIZE:
        return make_storage, (pickle.PickleBuffer(memory), *where)
    parts.append(memory)
    return make_storage, (_StoredPart(len(parts) - 1), *where)


class _StoredPart:
    """Memory that is stored apart, by its number."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __reduce__(self) -> tuple[Any, ...]:
        return stored_part, (self._number,)


def stored_part(number: int) -> Any:
    """Stand in a pickle for memory that is stored apart; our unpickler fetches it."""
    raise MissingDefinition(
        f"part {number} of a stored tensor can only be loaded through zennb.load.", name="torch"
    )


def _tensor(value: Any) -> tuple[Any, ...]:
    why = refusal(value)
    if why:
        raise pickle.PicklingError(why)
    make, args, *rest = recipe_of(value)
    extras = extras_of(value)
    if extras.pop("inference", False):
        make, args = inference_tensor, (make, *args)
    if not extras:
        return (make, args, *rest)
    if any(rest):  # a subclass with a recipe of its own
        raise pickle.PicklingError(f"a {type(value).__name__} with a gradient or hooks")
    # The gradient is set afterwards, since it may lead back to the tensor.
    return make, args, extras, None, None, put_extras


def inference_tensor(make: Any, *args: Any) -> Any:
    """Return a tensor that is made for inference only."""
    with inference(is_wanted=True):
        return make(*args)


def make_storage(memory: Any, size: int, device: str, is_shared: bool) -> Any:
    """Return a storage with the stored bytes; `size` of them."""
    importlib.import_module("torch")
    made = new_storage(memory, size, device)
    return made.share_memory_() if is_shared else made


def make_generator(device: str, state: bytes | None) -> Any:
    """Return a random generator in that state; torch's own one for None."""
    found = importlib.import_module("torch")
    if state is None:
        return found.default_generator
    made = found.Generator(device)
    made.set_state(found.tensor(list(state), dtype=found.uint8, device="cpu"))
    return made


def _generator(value: Any) -> tuple[Any, ...]:
    state = None if value is torch().default_generator else bytes(value.get_state().tolist())
    return make_generator, (str(value.device), state)


def make_array(
    storage: Any, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], dtype: Any, *, writable: bool
) -> Any:
    """Return an array of numpy in the memory of a storage; `offset` and `strides` are in bytes."""
    np = importlib.import_module("numpy")
    memory = bytes_of(storage)
    array = np.ndarray(shape, dtype, buffer=memory, offset=offset, strides=strides)
    array.flags.writeable = writable
    return array


def _array(value: Any) -> tuple[Any, ...] | None:
    """Return the recipe of an array of numpy in the memory of a tensor; None for anything else."""
    storage = storage_under(value)
    if storage is None or type(value) is not importlib.import_module("numpy").ndarray:
        return None
    offset = value.__array_interface__["data"][0] - storage.data_ptr()
    make = _array_maker if value.flags.writeable else _read_only_maker
    return make, (storage, offset, value.shape, value.strides, value.dtype)


def _array_maker(*args: Any) -> Any:
    return make_array(*args, writable=True)


def _read_only_maker(*args: Any) -> Any:
    return make_array(*args, writable=False)
