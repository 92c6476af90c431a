"""Owns the global options of torch that steps can set."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from zennb.engine.environment.settings import LibraryOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["TORCH_OPTIONS"]

_USED_BY = frozenset({"torch"})
_PRINTING = {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80, "sci_mode": None}
_DEFAULTS = {
    "default_dtype": "float32",
    "deterministic": [False, False],
    "matmul_precision": "highest",
    "anomalies": [False, True],
    "printing": _PRINTING,
}


def _torch() -> Any:
    return sys.modules["torch"]


def _values() -> list[Any]:
    torch = _torch()
    return [
        str(torch.get_default_dtype()).removeprefix("torch."),
        [torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()],
        torch.get_float32_matmul_precision(),
        [torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()],
        _printing(torch),
    ]


def _printing(torch: Any) -> dict[str, Any]:
    found = getattr(torch._tensor_str, "PRINT_OPTS", None)  # noqa: SLF001 - there is no public way to read them
    return _PRINTING if found is None else asdict(found)


def _count_hooks(torch: Any, number: int) -> None:
    handle = torch.utils.hooks.RemovableHandle
    handle.next_id = max(handle.next_id, number)


CUDNN = ("benchmark", "deterministic", "enabled")
"""Attributes of `torch.backends.cudnn` that notebooks set beside the seeds."""


def _put_cudnn(options: Mapping[str, Any]) -> None:
    for name, value in options.items():  # `deterministic` is also the name of another option
        setattr(_torch().backends.cudnn, name, value)


_SETTERS: dict[str, Callable[[Any, Any], object]] = {
    "default_dtype": lambda torch, value: torch.set_default_dtype(getattr(torch, value)),
    "deterministic": lambda torch, value: torch.use_deterministic_algorithms(value[0], warn_only=value[1]),
    "matmul_precision": lambda torch, value: torch.set_float32_matmul_precision(value),
    "anomalies": lambda torch, value: torch.autograd.set_detect_anomaly(value[0], check_nan=value[1]),
    "printing": lambda torch, value: torch.set_printoptions(**value),
    "gradients": lambda torch, value: torch.set_grad_enabled(value),
    "device": lambda torch, value: torch.set_default_device(None if value == "cpu" else value),
    "threads": lambda torch, value: torch.set_num_threads(value),
    "hooks": _count_hooks,
}


def _put(options: Mapping[str, Any]) -> None:
    for name, value in options.items():
        _SETTERS[name](_torch(), value)


def _hook_number() -> int:
    return int(_torch().utils.hooks.RemovableHandle.next_id)


def _thread_default() -> int:
    """Return how many threads torch takes when nobody has set it, as far as can be told afterwards."""
    torch = _torch()
    found = torch.__config__.parallel_info()
    default = next((line for line in found.splitlines() if "hardware_concurrency" in line), "")
    count = int(default.rpartition(":")[2]) if default.rpartition(":")[2].strip().isdigit() else 0
    now: int = torch.get_num_threads()
    return now if now in {count, count // 2} else count


TORCH_OPTIONS: tuple[LibraryOptions, ...] = (
    LibraryOptions(
        name="torch options",
        module="torch",
        modules=_USED_BY,
        keys=lambda: _DEFAULTS,
        values=_values,
        defaults=lambda: _DEFAULTS,
        put=_put,
    ),
    LibraryOptions(
        name="torch options of a thread",
        is_per_context=True,
        module="torch",
        modules=_USED_BY,
        keys=lambda: ("gradients", "device"),
        values=lambda: (_torch().is_grad_enabled(), str(_torch().get_default_device())),
        defaults=lambda: {"gradients": True, "device": "cpu"},
        put=_put,
    ),
    LibraryOptions(
        name="torch options of cudnn",
        module="torch",
        modules=_USED_BY,
        keys=lambda: CUDNN,
        values=lambda: [getattr(_torch().backends.cudnn, name) for name in CUDNN],
        defaults=lambda: dict(zip(CUDNN, (False, False, True), strict=True)),
        put=_put_cudnn,
    ),
    LibraryOptions(  # results may differ in the last digit; that is no reason to run again on another machine
        name="threads of torch",
        matters=False,
        module="torch",
        modules=_USED_BY,
        keys=lambda: ("threads",),
        values=lambda: (_torch().get_num_threads(),),
        defaults=lambda: {"threads": _thread_default()},
        put=_put,
    ),
    # Hooks are numbered, and the numbers of those that reuse brings back must not be given again: a new hook would
    # take the place of an old one.
    LibraryOptions(
        name="hooks of torch",
        matters=False,
        module="torch",
        modules=_USED_BY,
        keys=lambda: ("hooks",),
        values=lambda: (_hook_number(),),
        defaults=lambda: {"hooks": 0},
        put=_put,
    ),
)
"""Options of torch, once it is loaded."""
