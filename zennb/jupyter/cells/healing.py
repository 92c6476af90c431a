"""Owns what is done when a stored output is damaged or gone at the moment a cell reads it: its steps run again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from zennb.errors import LostOutput

if TYPE_CHECKING:
    from collections.abc import Iterable

    from zennb.jupyter.cells.lazy_outputs import LazyOutputs

__all__ = ["Remaker", "load_or_remake"]


class Remaker(Protocol):
    """Whatever can run steps of this kernel again."""

    def step_names(self) -> list[str]:
        """Return the names of the steps it knows."""

    def remake(self, name: str) -> None:
        """Run a step again, with those before it that must run for it."""


def load_or_remake(pending: LazyOutputs, names: Iterable[str], pipeline: Remaker | None) -> list[str]:
    """Bind outputs that nothing has read yet; run again the steps whose outputs turn out to be damaged or gone.

    Args:
        pending: the outputs.
        names: those to be bound.
        pipeline: the steps of this kernel; None where there is none, and nothing can be made again.

    Returns:
        The steps that ran again.

    Raises:
        LostOutput: an output cannot be had, not even by running its step again.
    """
    __tracebackhide__ = True
    wanted, made = list(names), list[str]()
    while True:
        try:
            pending.load(wanted)
        except LostOutput as lost:
            if pipeline is None or lost.step in made or lost.step not in pipeline.step_names():
                raise
            made.append(lost.step)
            try:
                pipeline.remake(lost.step)
            except Exception as error:
                raise lost from error
        else:
            return made
