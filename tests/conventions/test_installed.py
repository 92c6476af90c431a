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
from zennb.components.component import Component, Visibility
from zennb.components.orchestrators.local import LocalOrchestrator


class Dreams(LocalOrchestrator):
    flavor = "dreams"
    description = "runs steps at night"


class Bell(Component):
    type = "alerter"
    flavor = "bell"
    description = "rings"
    visibility = Visibility.MACHINE
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
    loaded = "plugins.load('orchestrator', 'dreams').flavor, plugins.load('alerter', 'bell').flavor"
    listing = f"from zennb import plugins; print({loaded}, *plugins.all_flavors()['orchestrator'])"
    known = subprocess.run([*run, listing], capture_output=True, text=True, check=True, env=env, cwd=ROOT)
    loaded_and_listed = known.stdout.split()
    assert loaded_and_listed[:2] == ["dreams", "bell"]
    assert "dreams" in loaded_and_listed[2:]
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
