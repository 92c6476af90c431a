"""Owns which versions a run records."""

from __future__ import annotations

import functools
import platform
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["run_versions"]


def run_versions(packages: Mapping[str, str]) -> dict[str, str]:
    """Return the versions that a run records: python, zennb, platform, and the packages its steps used."""
    return {**packages, **_platform_versions()}


@functools.cache
def _platform_versions() -> dict[str, str]:
    from importlib.metadata import version

    return {"python": platform.python_version(), "zennb": version("zennb"), "platform": platform.platform()}
