"""Owns the digests of torch's tensors, storages, optimizers and generators. Imported on demand."""

from __future__ import annotations

from typing import Any

from zennb.compat.tensors import (
    extras_of,
    is_compiled,
    is_optimizer,
    is_tensor,
    memory_of,
    optimizer_state,
    recipe_of,
    refusal,
    torch,
    untyped,
)
from zennb.digests.memory import memory_parts
from zennb.digests.objects import by_recipe, changeable
from zennb.digests.walker import HIDDEN, STATE, DigestWalker, Handler, Steps

__all__ = ["handler", "note_memory"]

_NAMES = ("dtype", "layout", "memory_format", "qscheme", "device")
"""Types whose instances are known by how they are written."""


def handler(cls: type) -> Handler | None:
    """Return the handler of one of torch's types, if it needs its own."""
    found = torch()
    if issubclass(cls, found.Tensor):
        return _tensor
    if issubclass(cls, found.UntypedStorage):
        return _storage
    if issubclass(cls, found.storage.TypedStorage):
        return _typed_storage
    if issubclass(cls, tuple(getattr(found, name) for name in _NAMES)):
        return _name
    if issubclass(cls, found.Generator):
        return _generator
    if issubclass(cls, found.nn.Module):
        return _module
    return _optimizer if issubclass(cls, found.optim.Optimizer) else None


def note_memory(walker: DigestWalker, value: Any) -> None:
    """Note the memory that a tensor or array uses: whatever uses it changes with this one."""
    parts = list(map(id, memory_parts(value)))
    walker.owners.update(parts)
    if is_tensor(type(value)):
        # Sharing memory of tensors always counts, so no search for a library that owns it is needed.
        walker.owners.update(-each for each in parts)


def _tensor(walker: DigestWalker, value: Any) -> Steps:
    if walker.seen(value):
        return
    why = refusal(value)
    if why:
        raise walker.refuse(why)
    note_memory(walker, value)
    yield from by_recipe(walker, value, recipe_of(value)) or ()
    # The gradient is content: the next step of an optimizer depends on it. Torch's own recipe leaves it out.
    extras = extras_of(value)
    walker.sink.number(len(extras))
    for name, part in extras.items():
        walker.sink.text(name)
        yield part, f".{name}"


def _storage(walker: DigestWalker, value: Any) -> None:
    if walker.seen(value):
        return
    walker.mark("storage")
    walker.packages.add("torch")
    walker.sink.text(str(value.device))
    walker.sink.buffer(memory_of(value))


def _typed_storage(walker: DigestWalker, value: Any) -> Steps:
    walker.mark("typed storage")
    walker.sink.text(str(value.dtype))
    yield untyped(value), HIDDEN


def _name(walker: DigestWalker, value: Any) -> None:
    walker.mark("name in torch", type(value))
    walker.packages.add("torch")
    walker.sink.text(str(value))


def _generator(walker: DigestWalker, value: Any) -> Steps:
    if walker.seen(value):
        return
    # The global one is a place, not a value.
    if value is torch().default_generator:
        walker.mark("torch's random generator")
        return
    walker.mark("generator", type(value))
    walker.sink.text(str(value.device))
    walker.sink.number(value.initial_seed())
    yield bytes(value.get_state().tolist()), HIDDEN


def _module(walker: DigestWalker, value: Any) -> Steps | None:
    if is_compiled(value):
        raise walker.refuse("a module that `torch.compile` made; keep the one it was made of")
    return changeable(walker, value)


def _optimizer(walker: DigestWalker, value: Any) -> Steps | None:
    if not is_optimizer(type(value)):
        return changeable(walker, value)
    return None if walker.seen(value) else _optimizer_parts(walker, value)


def _optimizer_parts(walker: DigestWalker, value: Any) -> Steps:
    walker.mark("optimizer", type(value))
    state = optimizer_state(value)
    walker.keep(state)
    yield state, STATE
