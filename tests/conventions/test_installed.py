"""The tests are green whatever packages for zennb are installed beside it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.conventions.offenders import ROOT
from tests.installed_packages import Packages

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

MODULE = """
from zennb.components.component import Component, Reach
from zennb.components.orchestrators.local import LocalOrchestrator


class Dreams(LocalOrchestrator):
    flavor = "dreams"
    description = "runs steps at night"


class Bell(Component):
    type = "alerter"
    flavor = "bell"
    description = "rings"
    reach = Reach.MACHINE
"""
POINTS = {
    "zennb.flavors": {"orchestrator.dreams": "dreamland:Dreams", "alerter.bell": "dreamland:Bell"},
    "zennb.digests": {"pandas": "dreamland:nothing"},
}


def test_an_installed_flavor_changes_no_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packages = Packages(tmp_path, monkeypatch)
    packages.install("zennb-dreamland", POINTS, dreamland=MODULE)
    env = {**os.environ, "PYTHONPATH": str(packages.folder)}
    run = [sys.executable, "-c"]
    listing = "from zennb import plugins; print(*plugins.all_flavors()['orchestrator'], *plugins.flavors('alerter'))"
    known = subprocess.run([*run, listing], capture_output=True, text=True, check=True, env=env, cwd=ROOT)
    assert {"dreams", "bell"} <= set(known.stdout.split()), (
        "the package is installed as far as zennb can tell"
    )
    tests = ["tests/test_plugins.py", "tests/commands/verbs/test_component.py", "tests/commands/test_json.py"]
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        *tests,
        "-k",
        "flavor or words_here",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env, cwd=ROOT)
    assert done.returncode == 0, done.stdout
