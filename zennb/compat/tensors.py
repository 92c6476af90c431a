"""Owns what we use of torch: whether a value is a tensor or has a graph, and the memory of storages. Never imports it.

No other module asks torch for a private attribute.
"""

from __future__ import annotations

import ctypes
import sys
import warnings
import weakref
from contextlib import nullcontext
from functools import wraps
from types import FunctionType
from typing import TYPE_CHECKING, Any

from zennb.compat.arrays import owners
from zennb.compat.instances import is_a

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "OPTIMIZER_STEP",
    "bytes_of",
    "extras_of",
    "inference",
    "is_compiled",
    "is_foreign",
    "is_optimizer",
    "is_tensor",
    "memory_of",
    "new_storage",
    "optimizer_state",
    "put_extras",
    "put_optimizer_state",
    "recipe_of",
    "refusal",
    "storage_over",
    "storage_under",
    "torch",
    "typed",
    "untyped",
]

OPTIMIZER_STEP = "step"
"""The attribute of an optimizer in which a scheduler puts a function that notes its calls."""

_HOOKS = ("_backward_hooks", "_post_accumulate_grad_hooks")


def torch() -> Any:
    """Return torch if it is loaded, else None."""
    found = sys.modules.get("torch")
    return found if hasattr(found, "UntypedStorage") else None  # it may be half imported


def is_tensor(cls: type) -> bool:
    """Whether a type is that of tensors, parameters, or a subclass."""
    found = torch()
    return found is not None and issubclass(cls, found.Tensor)


def is_optimizer(cls: type) -> bool:
    """Whether a type is that of optimizers which leave it to torch how they are pickled."""
    found = torch()
    base = None if found is None else found.optim.Optimizer
    own = ("__getstate__", "__reduce__", "__reduce_ex__")
    return (
        base is not None and issubclass(cls, base) and all(getattr(cls, n) is getattr(base, n) for n in own)
    )


def is_compiled(value: object) -> bool:
    """Whether `torch.compile` made a module or function."""
    found = torch()
    if found is None or "torch._dynamo" not in sys.modules:
        return False
    if not issubclass(type(value), found.nn.Module | FunctionType):
        return False
    state = vars(value)
    return "_torchdynamo_orig_callable" in state or state.get("_compiled_call_impl") is not None


def refusal(tensor: Any) -> str:
    """Return why a tensor cannot be stored, as a phrase; "" when it can."""
    if tensor.grad_fn is not None:
        return "a tensor with a graph (`grad_fn`); `.detach()` or `.item()` gives what can be stored"
    if tensor.layout is not torch().strided and tensor.is_nested:
        return "a nested tensor"
    return ""


def recipe_of(tensor: Any) -> tuple[Any, ...]:
    """Return torch's own recipe for a tensor, without gradient and hooks."""
    with warnings.catch_warnings():  # it warns that hooks are left out
        warnings.simplefilter("ignore")
        make, args, *rest = tensor.__reduce_ex__(2)
    if args and type(args[0]) is torch().UntypedStorage:
        # The function that makes such a tensor expects what `torch.load` gives it: a storage with a type.
        args = (typed(args[0], torch().uint8), *args[1:])
    return (make, args, *rest)


def extras_of(tensor: Any) -> dict[str, Any]:
    """Return what torch's recipe leaves out: the gradient, hooks, and whether it was made for inference only."""
    found = {name: value for name in _HOOKS if (value := getattr(tensor, name, None))}
    if tensor.is_inference():
        found["inference"] = True
    elif tensor.is_leaf and tensor.grad is not None:
        found["grad"] = tensor.grad
    return found


def put_extras(tensor: Any, extras: Mapping[str, Any]) -> None:
    """Set what `extras_of` returned, apart from `inference`, which a tensor is made with."""
    if "grad" in extras:
        tensor.grad = extras["grad"]
    for name in _HOOKS:
        if name in extras:
            setattr(tensor, name, extras[name])


def inference(*, is_wanted: bool) -> Any:
    """Return a context in which tensors are made for inference only, if wanted."""
    return torch().inference_mode() if is_wanted else nullcontext()


def storage_under(value: Any) -> Any:
    """Return the storage whose memory a tensor or an array of numpy uses; None when there is none.

    The storage is one object as long as its memory lives, however many tensors use it.
    """
    found = torch()
    if found is None:
        return None
    owner = value if is_tensor(type(value)) else _tensor_under(value)
    if owner is None:
        return None
    try:
        return owner.untyped_storage()
    except RuntimeError:  # sparse tensors consist of others
        return None


def _tensor_under(value: Any) -> Any:
    np = sys.modules.get("numpy")
    arrays = owners(value) if np is not None and is_a(value, np.ndarray | np.void) else ()
    return next((owner for owner in arrays if is_tensor(type(owner))), None)


def typed(storage: Any, dtype: Any) -> Any:
    """Return a storage with a type, as torch's own recipes expect it."""
    return torch().storage.TypedStorage(wrap_storage=storage, dtype=dtype, _internal=True)


def untyped(storage: Any) -> Any:
    """Return the memory of a storage with a type; the public ways warn."""
    return storage._untyped_storage  # noqa: SLF001


def is_foreign(storage: Any) -> bool:
    """Whether the memory of a storage may belong to an array of numpy or another buffer."""
    return storage.device.type == "cpu" and not storage.resizable() and storage.nbytes() > 0


def memory_of(storage: Any) -> memoryview:
    """Return the bytes of a storage: its own memory, or a copy when it is not in that of the processor."""
    if storage.device.type != "cpu":
        storage = storage.cpu()
    size = storage.nbytes()
    if not size:
        return memoryview(b"")
    # Not by way of numpy: a tensor that was an array for a moment cannot be resized any more.
    found = (ctypes.c_ubyte * size).from_address(storage.data_ptr())
    found.owner = storage  # kept alive with the memory
    return memoryview(found).cast("B")


def new_storage(memory: memoryview | bytes, size: int, device: str) -> Any:
    """Return a new storage of `size` bytes that begins with a copy of `memory`."""
    found = torch()
    made = found.UntypedStorage(size)
    if len(memory):
        memory_of(made)[: len(memory)] = memory
    return made if device == "cpu" else found.UntypedStorage(size, device=device).copy_(made)


def bytes_of(storage: Any) -> Any:
    """Return the bytes of a storage as an array of numpy."""
    found = torch()
    return found.empty(0, dtype=found.uint8, device="cpu").set_(storage).numpy()


def storage_over(memory: Any) -> Any:
    """Return a storage in the memory of a flat array of bytes."""
    with warnings.catch_warnings():  # of memory that cannot be written to
        warnings.simplefilter("ignore")
        return torch().from_numpy(memory).untyped_storage()


def optimizer_state(optimizer: Any) -> dict[str, Any]:
    """Return all that belongs to an optimizer; `step` is True where a scheduler has put its function there."""
    state = dict(vars(optimizer))
    if hasattr(state.get(OPTIMIZER_STEP), "_wrapped_by_lr_sched"):
        state[OPTIMIZER_STEP] = True
    return state


def put_optimizer_state(optimizer: Any, state: dict[str, Any]) -> None:
    """Set what `optimizer_state` returned."""
    is_counted = state.get(OPTIMIZER_STEP) is True
    rest = {name: value for name, value in state.items() if name != OPTIMIZER_STEP or not is_counted}
    optimizer.__setstate__(rest)
    if is_counted:
        optimizer.step = _counted(optimizer)


def _counted(optimizer: Any) -> Any:
    """Return the function that a scheduler puts in the place of `step`, so that it sees whether it was called."""
    reference, step = weakref.ref(optimizer), type(optimizer).step

    @wraps(step)
    def counted(*args: Any, **kwargs: Any) -> Any:
        own: Any = reference()
        own._opt_called = True  # noqa: SLF001 - a scheduler reads it
        return step.__get__(own, type(own))(*args, **kwargs)

    vars(counted)["_wrapped_by_lr_sched"] = True
    return counted
