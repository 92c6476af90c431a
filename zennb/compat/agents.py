"""Owns what mesa counts beside a model: the number of its next agent, in an attribute of a class. Never imports it."""

from __future__ import annotations

import sys
from itertools import count
from typing import Any

__all__ = ["model_recipe", "numbers_agents", "put_model"]


def numbers_agents(cls: type) -> bool:
    """Whether instances of a class are models of mesa."""
    model: Any = getattr(sys.modules.get("mesa.model"), "Model", None)
    return model is not None and issubclass(cls, model)


def model_recipe(value: Any) -> tuple[Any, ...] | None:
    """Return the pickle recipe of a model with the number of its next agent; None where its own says everything."""
    if not numbers_agents(type(value)):
        return None
    counted = next((each for model, each in _counters().items() if model is value), None)
    make, arguments, state, *rest = (*value.__reduce_ex__(4), None)[:6]
    if counted is None or any(each is not None for each in rest):
        return None
    return make, arguments, (state, int(repr(counted)[len("count(") : -1])), None, None, put_model


def put_model(value: Any, state: tuple[Any, int]) -> None:
    """Give a model that is loaded its state, and its agents the numbers that come next."""
    own, number = state
    if (put := getattr(value, "__setstate__", None)) is not None:
        put(own)
    else:
        attributes, slots = own if type(own) is tuple else (own, None)
        vars(value).update(attributes or {})
        for name, each in (slots or {}).items():
            setattr(value, name, each)
    _counters()[value] = count(number)


def _counters() -> dict[Any, Any]:
    found = getattr(getattr(sys.modules.get("mesa.agent"), "Agent", None), "_ids", None)
    return found if isinstance(found, dict) else {}
