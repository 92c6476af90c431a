"""Owns the pickle recipes of what models of keras share: layers, optimizers, tensors, and models of the same layers.

keras writes each of them as a copy. Where a model is written with them, they are found in it again.
"""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import attributes_of, elements_of, is_a, is_one_of
from zennb.compat.networks import (
    functional_at,
    is_saved,
    is_tensor_of,
    is_variable,
    layers_of,
    model_parts,
    new_functional,
    put_numbers,
    tensor_at,
    tensor_place,
    tensors_in,
    unsaved_numbers,
)
from zennb.packages.origin import module_of, origin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from zennb.compat.networks import Place

_DEEPEST = 4
"""Containers in one another in which models are looked for."""

__all__ = [
    "functional_model",
    "model_roots",
    "network_reduction",
    "part_of_model",
    "tensor_of_model",
    "with_numbers",
]


def model_roots(value: Any) -> list[Any]:
    """Return the models in a value: itself, or in containers and objects; those with most layers first."""
    found, level = dict[int, tuple[int, Any]](), [value]
    for _ in range(_DEEPEST):
        found |= {id(each): (len(layers_of(each)), each) for each in level if is_saved(each)}
        level = [part for each in level for part in _inside(each)]
    return [each for count, each in sorted(found.values(), key=lambda pair: -pair[0]) if count]


def _inside(value: Any) -> Iterable[Any]:
    if is_one_of(value, {dict, list, tuple}):
        return elements_of(value)
    is_users = origin(module_of(type(value))).is_users
    return list(attributes_of(value).values()) if is_users and not is_a(value, ModuleType | type) else ()


def network_reduction(value: Any, roots: Sequence[Any]) -> tuple[Any, ...] | None:
    """Return the recipe of what one of the `roots` shares with it; None for anything else."""
    is_tensor = is_tensor_of(value)
    if not is_tensor and not is_saved(value) and not is_variable(value):
        return None
    for root in roots:
        if root is value:  # those that follow are smaller, and may be a part of it
            return None
        if is_tensor:
            if (place := tensor_place(root, value)) is not None:
                return tensor_of_model, (root, place)
            continue
        parts = model_parts(root)
        at = next((at for at, each in enumerate(parts) if each is value), None)
        if at is not None:
            return part_of_model, (root, at, value.name)
        ends, own = functional_at(value), {id(each) for each in layers_of(value)}
        if ends is None or not own <= {id(each) for each in parts}:
            continue
        if all(tensor_place(root, each) is not None for each in tensors_in(ends)):
            return functional_model, (root, *ends, value.name, value.trainable)
    return (with_numbers, (*value.__reduce__()[:2], numbers)) if (numbers := unsaved_numbers(value)) else None


def with_numbers(make: Callable[..., Any], arguments: tuple[Any, ...], numbers: list[Any]) -> Any:
    """Return a metric as keras makes it, with the numbers of its variables."""
    made = make(*arguments)
    put_numbers(made, numbers)
    return made


def part_of_model(model: Any, at: int, name: str) -> Any:
    """Return a layer or the optimizer of a model, or a variable."""
    found = model_parts(model)[at]
    if found.name != name:
        raise ValueError(f"the model has {found.name} in the place of {name}")
    return found


def tensor_of_model(model: Any, place: Place) -> Any:
    """Return a tensor of a model."""
    return tensor_at(model, place)


def functional_model(_model: Any, inputs: Any, outputs: Any, name: str, is_trainable: bool) -> Any:
    """Return a model of layers of another one."""
    return new_functional(inputs, outputs, name, is_trainable=is_trainable)
