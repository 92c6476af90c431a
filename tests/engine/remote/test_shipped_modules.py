"""Local modules travel to another process by value, and one that is another there is loaded again."""

from __future__ import annotations

import importlib
import linecache
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import cloudpickle
import pytest

from zennb.engine.remote.shipped_modules import (
    ShippedModule,
    ShippedModules,
    constants_of,
    set_constants,
    shipped,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a folder of modules on the path; afterwards all modules are what they were.

    `install` forgets all local modules, and tests are such.
    """
    modules, finders = dict(sys.modules), list(sys.meta_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # files of one second would be taken for each other
    yield tmp_path
    for name in [each for each in sys.modules if each.startswith("ship_")]:
        del sys.modules[name]
    sys.modules.pop("__mp_main__", None)
    sys.modules.update(modules)
    sys.meta_path[:] = finders


def write(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        (folder / f"{name}.py").write_text(text)
    importlib.invalidate_caches()


def module(source: str | None, path: Path, *, is_package: bool = False) -> ShippedModule:
    return ShippedModule(source=source, path=str(path), is_package=is_package)


def test_a_module_is_shipped_with_all_local_ones_that_it_uses(folder: Path) -> None:
    write(
        folder,
        ship_base="def helper(): pass\n",
        ship_middle="import ship_base\nimport json\nimport numpy\n",
        ship_top="from ship_base import helper\nimport ship_middle\n",
        ship_apart="X = 1\n",
    )
    importlib.import_module("ship_top")
    importlib.import_module("ship_apart")
    found = shipped(["ship_top.run"], [])
    assert set(found) == {"ship_top", "ship_middle", "ship_base"}
    assert found["ship_base"] == module("def helper(): pass\n", folder / "ship_base.py")


def test_what_was_imported_from_a_module_brings_that_module(folder: Path) -> None:
    write(folder, ship_things="class Model: pass\ndef f(): pass\n")
    things = importlib.import_module("ship_things")
    for thing in (things, things.Model, things.f):
        assert set(shipped([], [thing])) == {"ship_things"}
    assert shipped(["json.dumps", "nowhere.f"], [len, json_dumps()]) == {}


def json_dumps() -> Any:
    import json

    return json.dumps


def test_a_module_inside_packages_brings_the_packages(folder: Path) -> None:
    (folder / "ship_space" / "inner").mkdir(parents=True)
    (folder / "ship_space" / "inner" / "__init__.py").write_text("")
    (folder / "ship_space" / "inner" / "leaf.py").write_text("X = 1\n")
    importlib.import_module("ship_space.inner.leaf")
    found = shipped(["ship_space.inner.leaf.X"], [])
    assert found == {
        "ship_space": module(None, folder / "ship_space", is_package=True),
        "ship_space.inner": module("", folder / "ship_space" / "inner" / "__init__.py", is_package=True),
        "ship_space.inner.leaf": module("X = 1\n", folder / "ship_space" / "inner" / "leaf.py"),
    }


def test_a_module_whose_text_nobody_has_is_not_shipped(folder: Path) -> None:
    write(folder, ship_gone="X = 1\n")
    gone = importlib.import_module("ship_gone")
    (folder / "ship_gone.py").unlink()
    assert gone.__spec__ is not None
    assert shipped(["ship_gone.X"], []) == {}


def test_versions_are_told_apart_by_text_and_by_place(folder: Path) -> None:
    one = module("X = 1\n", folder / "a.py")
    assert one.digest == replace(one).digest
    assert one.digest != replace(one, source="X = 2\n").digest
    assert one.digest != replace(one, path=str(folder / "b.py")).digest


# Where they arrive


def test_a_shipped_module_is_found_before_one_on_disk_and_keeps_its_place(folder: Path) -> None:
    write(folder, ship_one="X = 'on disk'\n")
    ShippedModules().install({"ship_one": module("X = 'shipped'\n", folder / "ship_one.py")})
    found = importlib.import_module("ship_one")
    assert (found.X, found.__file__) == ("shipped", str(folder / "ship_one.py"))


def test_a_module_from_another_machine_can_be_imported_and_its_lines_are_known(folder: Path) -> None:
    there = folder / "not" / "here"
    modules = {
        "ship_far": module("", there / "ship_far" / "__init__.py", is_package=True),
        "ship_far.leaf": module("def f():\n    return 1 / 0\n", there / "ship_far" / "leaf.py"),
        "ship_far_space": module(None, there / "ship_far_space", is_package=True),
    }
    ShippedModules().install(modules)
    leaf = importlib.import_module("ship_far.leaf")
    assert linecache.getline(leaf.__file__ or "", 2) == "    return 1 / 0\n"
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("ship_far_space")  # a folder without text is not there to be found


def test_a_package_finds_the_files_beside_it(folder: Path) -> None:
    (folder / "ship_data").mkdir()
    (folder / "ship_data" / "words.txt").write_text("yes")
    ShippedModules().install({"ship_data": module("", folder / "ship_data" / "__init__.py", is_package=True)})
    found = importlib.import_module("ship_data")
    assert found.__loader__ is not None
    assert found.__loader__.get_data(str(folder / "ship_data" / "words.txt")) == b"yes"  # type: ignore[attr-defined] # a source loader


def test_a_module_that_is_another_now_is_loaded_again_with_those_that_refer_to_it(folder: Path) -> None:
    base, user = (
        module("X = 1\n", folder / "ship_b.py"),
        module("from ship_b import X\n", folder / "ship_u.py"),
    )
    finder = ShippedModules()
    finder.install({"ship_b": base, "ship_u": user})
    first = importlib.import_module("ship_u")
    assert first.X == 1

    finder.install({"ship_b": base, "ship_u": user})
    assert importlib.import_module("ship_u") is first  # nothing is another: what was loaded stays

    finder.install({"ship_b": replace(base, source="X = 2\n"), "ship_u": user})
    again = importlib.import_module("ship_u")
    assert again is not first
    assert again.X == 2


def test_a_module_that_is_not_shipped_any_more_is_forgotten(folder: Path) -> None:
    finder = ShippedModules()
    finder.install({"ship_x": module("X = 1\n", folder / "ship_x.py")})
    importlib.import_module("ship_x")
    finder.install({})
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("ship_x")


def test_a_module_that_the_process_had_imported_itself_gives_way_to_the_shipped_one(folder: Path) -> None:
    write(folder, ship_mine="X = 'of the worker'\n")
    assert importlib.import_module("ship_mine").X == "of the worker"
    ShippedModules().install({"ship_mine": module("X = 'shipped'\n", folder / "ship_mine.py")})
    assert importlib.import_module("ship_mine").X == "shipped"


def test_a_module_that_changed_on_disk_is_loaded_again(folder: Path) -> None:
    import os

    write(folder, ship_disk="X = 1\n")
    finder = ShippedModules()
    assert importlib.import_module("ship_disk").X == 1
    finder.install({})  # looked at for the first time
    assert "ship_disk" in sys.modules
    write(folder, ship_disk="X = 2\n")
    os.utime(folder / "ship_disk.py", (1, 1))
    finder.install({})
    assert "ship_disk" not in sys.modules
    assert importlib.import_module("ship_disk").X == 2


def test_packages_and_the_main_module_are_left_alone(folder: Path) -> None:
    import numpy as np

    finder = ShippedModules()
    finder.install({"ship_y": module("X = 1\n", folder / "ship_y.py")})
    importlib.import_module("ship_y")
    sys.modules["__mp_main__"] = sys.modules["__main__"]
    finder.install({"ship_y": module("X = 2\n", folder / "ship_y.py")})
    assert "ship_y" not in sys.modules
    assert sys.modules["numpy"] is np
    assert "__main__" in sys.modules
    assert "__mp_main__" in sys.modules


def test_installing_again_does_not_add_another_finder(folder: Path) -> None:
    finder, before = ShippedModules(), len(sys.meta_path)
    finder.install({})
    finder.install({})
    assert len(sys.meta_path) == before + 1
    assert sys.meta_path[0] is finder


# Constants


def test_constants_of_local_modules_travel_with_the_value_they_have_now(folder: Path) -> None:
    write(folder, ship_k="RATE = 1\nLOCK = __import__('threading').Lock()\n")
    found: Any = importlib.import_module("ship_k")
    found.RATE = 5
    constants = constants_of(["ship_k.RATE", "ship_k.LOCK", "ship_k.ABSENT", "nowhere.X", "math.pi"])
    assert {name: cloudpickle.loads(value) for name, value in constants.items()} == {"ship_k.RATE": 5}
    found.RATE = 9
    set_constants(constants)
    assert found.RATE == 5
