"""Owns what we use of keras: the layers and the optimizer of a model, and where in it a symbolic tensor comes from.

No other module asks keras for a private attribute. None of these imports it.
"""

from __future__ import annotations

import sys
from typing import Any

from zennb.compat.instances import is_a

__all__ = [
    "Place",
    "functional_at",
    "held_parts",
    "is_saved",
    "is_tensor_of",
    "is_variable",
    "layers_of",
    "model_parts",
    "new_functional",
    "put_numbers",
    "tensor_at",
    "tensor_place",
    "tensors_in",
    "unsaved_numbers",
]

Place = tuple[int, int, int]
"""Number of a layer in its model, of the call of this layer there, and of the tensor that the call returned."""


def _kind(module: str, name: str) -> Any:
    return getattr(sys.modules.get(module), name, ())


def is_saved(value: object) -> bool:
    """Whether keras saves an object as a copy: a model, layer, optimizer, loss or metric."""
    return is_a(value, _kind("keras.src.saving.keras_saveable", "KerasSaveable"))


def is_tensor_of(value: object) -> bool:
    """Whether an object is a symbolic tensor."""
    return is_a(value, _kind("keras.src.backend.common.keras_tensor", "KerasTensor"))


def put_numbers(value: Any, numbers: list[Any]) -> None:
    """Let the variables of an object hold these numbers."""
    for variable, number in zip(value.variables, numbers, strict=True):
        variable.assign(number)


def is_variable(value: object) -> bool:
    """Whether an object is a variable, as the weights of a layer are."""
    return is_a(value, _kind("keras", "Variable"))


def layers_of(value: Any) -> list[Any]:
    """Return the layers that a model or layer consists of, in an order that depends on nothing else; not itself."""
    if not is_a(value, _kind("keras.src.layers.layer", "Layer")):
        return []
    found: list[Any] = value._flatten_layers(include_self=False)  # noqa: SLF001 - `layers` lists one level only
    return found


def model_parts(value: Any) -> list[Any]:
    """Return what a model consists of and others may hold, too: its layers, its optimizer and variables."""
    variables = list(getattr(value, "variables", ()))
    if not is_a(value, _kind("keras.src.models.model", "Model")):
        return [*layers_of(value), *variables]
    optimizer = getattr(value, "optimizer", None)
    return [*layers_of(value), *([] if optimizer is None else [optimizer]), *variables]


def held_parts(value: Any) -> list[Any]:
    """Return the parts of a model, and the metrics that it was compiled with: of these a copy has others."""
    given = getattr(getattr(value, "_compile_metrics", None), "_user_metrics", None)
    return [*model_parts(value), *filter(is_saved, tensors_in(given))]


def unsaved_numbers(value: Any) -> list[Any]:
    """Return what the variables of an object hold that its copies lose: keras saves none of a metric."""
    if not is_a(value, _kind("keras.src.metrics.metric", "Metric")):
        return []
    return [sys.modules["keras"].ops.convert_to_numpy(each) for each in value.variables]


def tensor_place(model: Any, tensor: Any) -> Place | None:
    """Return where in a model a tensor comes from; None where it comes from elsewhere."""
    if (model := _graph(model)) is None:
        return None
    operation, node, number = tensor._keras_history  # noqa: SLF001 - nothing public tells it
    layer = next((at for at, each in enumerate(layers_of(model)) if each is operation), None)
    calls = [] if layer is None else _calls(model, operation)
    return (layer, calls.index(node), number) if layer is not None and node in calls else None


def tensor_at(model: Any, place: Place) -> Any:
    """Return the tensor of that place."""
    layer, call, number = place
    model = _graph(model)
    operation = layers_of(model)[layer]
    return operation._inbound_nodes[_calls(model, operation)[call]].output_tensors[number]  # noqa: SLF001


def _graph(model: Any) -> Any:
    """Return the functional model that a model is, or that is behind a sequential one; None for any other."""
    if is_a(model, _kind("keras.src.models.sequential", "Sequential")):
        return model._functional  # noqa: SLF001 - None until it knows the shape of its input
    return model if is_a(model, _kind("keras.src.models.functional", "Functional")) else None


def _calls(model: Any, operation: Any) -> list[int]:
    """Return which calls of a layer are in a model: the layer may have been called outside of it as well."""
    key: Any = _kind("keras.src.ops.function", "make_node_key")
    nodes = range(len(operation._inbound_nodes))  # noqa: SLF001
    return [at for at in nodes if key(operation, at) in model._nodes]  # noqa: SLF001


def functional_at(value: Any) -> tuple[Any, Any] | None:
    """Return inputs and outputs of a functional model that has nothing else of its own; None for anything else."""
    if type(value) is not _kind("keras.src.models.functional", "Functional") or value.compiled:
        return None
    return value._inputs_struct, value._outputs_struct  # noqa: SLF001


def tensors_in(ends: Any) -> list[Any]:
    """Return the tensors in inputs or outputs of a model, or what else is nested as these may be."""
    found: list[Any] = sys.modules["keras"].tree.flatten(ends)
    return found


def new_functional(inputs: Any, outputs: Any, name: str, *, is_trainable: bool) -> Any:
    """Return a functional model between these tensors."""
    return sys.modules["keras"].Model(inputs, outputs, name=name, trainable=is_trainable)
