"""Owns the `local` experiment tracker: zennb's own records, which hold all that a tracker is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.components.component import Visibility
from zennb.components.experiment_tracker import ExperimentTracker

if TYPE_CHECKING:
    from zennb.components.experiment_tracker import TrackedStep

__all__ = ["LocalExperimentTracker"]


class LocalExperimentTracker(ExperimentTracker):
    """Keeps metrics and parameters in the records of the home: `%runs show`, `%runs compare`, `%runs chart`."""

    flavor = "local"
    description = (
        "keeps metrics and parameters in the records of the home, for `%runs compare` and `%runs chart`"
    )
    visibility = Visibility.MACHINE

    def log_step(self, step: TrackedStep) -> None:
        """Do nothing: the record of the step was written before."""
