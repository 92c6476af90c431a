"""Digests that packages define: found by entry point, before or after our own, and named when they do not work."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import zennb
from tests.installed_packages import Packages
from zennb.core.records.records import Artifact
from zennb.digests import hooks as digest_hooks
from zennb.digests.digest import digest, digest_value
from zennb.errors import CannotDigest
from zennb.materializers.available import by_name, is_readable, make
from zennb.packages.entry_points import DIGESTS, MATERIALIZERS, OURS, load

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

ROOT = Path(__file__).parents[2]
GRIDS = """
import threading

class Grid:
    def __init__(self, cells):
        self.cells, self.lock = cells, threading.Lock()
"""
PLUGIN = """
from zennb.digests.hooks import by_content

def content(grid):
    return grid.cells

def handler(cls):
    return by_content(content) if cls.__name__ == "Grid" else None
"""


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Packages]:
    found = Packages(tmp_path, monkeypatch)
    found.install("grids", {}, grids=GRIDS)
    yield found
    found.forget()
    digest_hooks._hooks.clear()


@pytest.fixture
def grids(packages: Packages) -> ModuleType:
    import grids  # type: ignore[import-not-found] # installed just now

    return grids  # type: ignore[no-any-return] # as above


def plug_in(
    packages: Packages, key: str = "grids.Grid", *, name: str = "zennb-grids", text: str = PLUGIN
) -> None:
    module = name.replace("-", "_")
    packages.install(name, {DIGESTS: {key: f"{module}:handler"}}, **{module: text})


@pytest.mark.parametrize("key", ["grids.Grid", "grids"])
def test_a_package_defines_the_digest_of_its_type(key: str, packages: Packages, grids: ModuleType) -> None:
    with pytest.raises(CannotDigest, match="is a lock"):
        digest(grids.Grid([1]))
    plug_in(packages, key)
    assert digest(grids.Grid([1])) == digest(grids.Grid([1])) != digest(grids.Grid([2]))
    assert digest([grids.Grid([1])]) == digest([grids.Grid([1])])
    assert "zennb_grids" in digest_value(grids.Grid([1])).packages  # its version is part of the key
    packages.remove("zennb-grids")
    with pytest.raises(CannotDigest, match="is a lock"):
        digest(grids.Grid([1]))


def test_what_the_user_says_comes_before_what_a_package_says(packages: Packages, grids: ModuleType) -> None:
    plug_in(packages)
    zennb.digest(grids.Grid)(lambda _grid: "all alike")
    assert digest(grids.Grid([1])) == digest(grids.Grid([2]))


ROUNDED = """
from zennb.digests.hooks import by_content

def handler(cls):
    return by_content(lambda array: array.round().tolist())
"""


def test_a_package_comes_before_ours_only_for_the_type_it_names(packages: Packages) -> None:
    one, other = np.array([0.1]), np.array([0.2])
    before = digest(one)
    plug_in(packages, "numpy", text=ROUNDED)
    assert digest(one) == before
    plug_in(packages, "numpy.ndarray", name="rounded-arrays", text=ROUNDED)
    assert digest(one) == digest(other) != before
    assert digest(np.float64(0.1)) != digest(np.float64(0.2))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1 / 0", "importing zennb_grids raised ZeroDivisionError"),
        ("import no_such_library", "no_such_library"),
        ("Other = 1", "AttributeError"),
        ("handler = 3", "raised TypeError"),
        ("def handler(cls):\n    raise ValueError('no')", "zennb_grids:handler raised ValueError: no"),
        ("def handler(cls):\n    return 'text'", "returned 'text' instead of a handler or None"),
        ("def handler(cls):\n    return lambda walk, value: 1 / 0", "ZeroDivisionError"),
    ],
)
def test_a_package_that_does_not_work_is_named(
    text: str, said: str, packages: Packages, grids: ModuleType
) -> None:
    plug_in(packages, text=text)
    with pytest.raises(CannotDigest, match=said) as caught:
        digest_value(grids.Grid([1]), name="g")
    assert caught.value.path == "g"
    assert digest([1])


def test_two_packages_for_one_type_are_a_sentence(packages: Packages, grids: ModuleType) -> None:
    plug_in(packages, name="b-grids")
    plug_in(packages, name="a-grids")
    with pytest.raises(CannotDigest, match="whose digest the packages 'a-grids' and 'b-grids' define"):
        digest(grids.Grid([1]))


def test_nothing_is_imported_before_a_value_of_its_type_appears(packages: Packages) -> None:
    plug_in(packages, text="raise RuntimeError")
    program = (
        "import sys\n"
        "from zennb.digests.digest import digest\n"
        "digest([1, {2}, print, object()])\n"
        "print('zennb_grids' in sys.modules)"
    )
    path = f"{packages.folder}:{ROOT}"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={"PYTHONPATH": path}
    )
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("group", [DIGESTS, MATERIALIZERS])
def test_ours_go_through_the_entry_points_that_are_declared(group: str) -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"][group]
    assert {offer.name: offer.target for offer in OURS[group]} == declared
    for offer in OURS[group]:
        assert callable(load(offer, "it"))


def test_each_of_our_materializers_is_found_by_the_name_in_its_records() -> None:
    for name in ("numpy", "frame", "arrow_table", "plain", "picture"):
        assert make(by_name(name, artifact="v")).name == name
    assert by_name("pickle", artifact="v").target.endswith(":SignedPickles")


def test_frames_in_the_format_before_are_not_read_and_so_their_steps_run_again() -> None:
    stored = Artifact(name="v", digest="d", blob="b", materializer="arrow", size=9, type="pandas.DataFrame")
    assert not is_readable(stored)
