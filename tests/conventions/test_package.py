"""What `import zennb` gives."""

from __future__ import annotations

import importlib
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


def test_stacks_stays_the_function_when_the_sub_package_is_loaded() -> None:
    registry = importlib.import_module("zennb.registry.stack_registry")
    assert callable(zennb.stacks)
    from zennb.registry.stack_registry import Registry

    assert Registry is registry.Registry


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'zennb' has no attribute 'nothing'"):
        _ = zennb.nothing
