from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from zennb.components.experiment_trackers.local import LocalExperimentTracker
from zennb.testing.experiment_tracker import ExperimentTrackerContract

if TYPE_CHECKING:
    from collections.abc import Callable


class TestLocalExperimentTracker(ExperimentTrackerContract):
    @pytest.fixture
    def tracker(self) -> LocalExperimentTracker:
        return LocalExperimentTracker.from_config("here", {})

    @pytest.fixture
    def known(self) -> Callable[[], list[dict[str, Any]] | None]:
        return lambda: None

    @pytest.fixture
    def broken(self) -> None:
        return None
