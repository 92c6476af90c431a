"""Owns what the record of a run says at its end: its duration, its parameters, and the versions it ran with."""

from __future__ import annotations

import functools
import platform
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from zennb.compat.shown_warnings import warnings_remembered
from zennb.core.secrets.parameters import small_inputs

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from zennb.core.records.records import Run, Status, Step

__all__ = ["ended_run", "run_versions"]


def ended_run(run: Run, status: Status, steps: Collection[Step], packages: Mapping[str, str]) -> Run:
    """Return the record of a run that ends now.

    Args:
        run: the record so far.
        status: how it ended.
        steps: its steps; their small inputs are its parameters, unless `-p` gave others.
        packages: the versions of the packages that they used.
    """
    return replace(
        run,
        status=status,
        seconds=time.time() - run.started,
        versions=run_versions(packages),
        parameters={**small_inputs(*steps), **run.parameters},
    )


def run_versions(packages: Mapping[str, str]) -> dict[str, str]:
    """Return the versions that a run records: python, zennb, platform, and the packages its steps used."""
    return {**packages, **_platform_versions()}


@functools.cache
@warnings_remembered()
def _platform_versions() -> dict[str, str]:
    from importlib.metadata import version

    return {"python": platform.python_version(), "zennb": version("zennb"), "platform": platform.platform()}
