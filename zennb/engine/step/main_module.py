"""Owns `__main__` while a step runs on copies: pickle looks classes up there, and has to find those of the step."""

from __future__ import annotations

import sys
import threading
from types import ModuleType
from typing import TYPE_CHECKING, Any

from zennb.engine.environment.main_reads import MISSING, note_read
from zennb.with_blocks import block

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["as_main"]


class _Main(ModuleType):
    """Shows the variables of a step, and what the notebook's own module has besides."""

    def __init__(self, namespace: dict[str, Any], outer: ModuleType) -> None:
        super().__init__("__main__")
        super().__setattr__("_step", (namespace, outer))

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override] # of a module it is an attribute
        found: dict[str, Any] = self._step[0]
        note_read("__dict__", found)
        return found

    def __getattr__(self, name: str) -> Any:
        namespace, outer = super().__getattribute__("_step")
        value = namespace[name] if name in namespace else getattr(outer, name, MISSING)
        note_read(name, value)
        if value is MISSING:
            raise AttributeError(f"module '__main__' has no attribute '{name}'", name=name, obj=self)
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        self._step[0][name] = value

    def __delattr__(self, name: str) -> None:
        if self._step[0].pop(name, self) is self:
            raise AttributeError(name)


@block
def as_main(namespace: dict[str, Any]) -> Iterator[None]:
    """Let `__main__` be the namespace of a step.

    Only in the main thread: steps in other threads run at the same time, and a process has one `__main__`.
    """
    outer = sys.modules.get("__main__")
    if outer is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    sys.modules["__main__"] = inner = _Main(namespace, outer)
    try:
        yield
    finally:
        if sys.modules.get("__main__") is inner:
            sys.modules["__main__"] = outer
