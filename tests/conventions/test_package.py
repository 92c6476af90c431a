"""What `import zennb` gives."""

from __future__ import annotations

import importlib
import pkgutil
from importlib.metadata import version

import pytest

import zennb


def test_the_version_is_that_of_the_distribution() -> None:
    assert zennb.__version__ == version("zennb")


@pytest.mark.parametrize("name", ["artifacts", "load", "runs", "stack", "stacks"])
def test_names_for_code_are_those_of_the_api(name: str) -> None:
    api = importlib.import_module("zennb.api")
    assert getattr(zennb, name) is getattr(api, name)
    assert name in dir(zennb)


@pytest.mark.parametrize("name", ["plan", "run"])
def test_running_and_planning_are_those_of_the_commands(name: str) -> None:
    program = importlib.import_module("zennb.commands.program")
    assert getattr(zennb, name) is getattr(program, name)
    assert name in dir(zennb)


def test_panels_are_fetched_when_they_are_asked_for() -> None:
    assert zennb.StackPicker is importlib.import_module("zennb.jupyter.panels.public").StackPicker
    assert "StackPicker" in dir(zennb)


def test_no_public_name_hides_a_package() -> None:
    folders = {module.name for module in pkgutil.iter_modules(zennb.__path__)}
    assert sorted(folders & set(zennb.__all__)) == []


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'zennb' has no attribute 'nothing'"):
        _ = zennb.nothing
