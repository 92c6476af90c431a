"""Every component type: either it has flavors, commands, a contract class and a page, or a sentence says why not."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import zennb
from zennb import plugins
from zennb.commands.catalogue import tree
from zennb.commands.interface import Interface
from zennb.commands.syntax import Command
from zennb.core.records.component_types import COMPONENT_TYPES

Commands = Any

DOCS = Path(__file__).parents[2] / "docs"
ROWS = {
    "orchestrator": ("orchestrator.OrchestratorContract", "stacks.md", "run"),
    "artifact_store": ("artifact_store.ArtifactStoreContract", "stacks.md", "load"),
    "experiment_tracker": ("experiment_tracker.ExperimentTrackerContract", "experiments.md", "log"),
    "model_registry": ("model_registry.ModelRegistryContract", "models.md", "register_model"),
    "model_deployer": ("model_deployer.ModelDeployerContract", "models.md", "deploy"),
    "data_validator": ("data_validator.DataValidatorContract", "checks.md", "run"),
    "alerter": ("alerter.AlerterContract", "checks.md", "run"),
    "annotator": ("annotator.AnnotatorContract", "checks.md", "annotate"),
    "step_operator": ("orchestrator.OrchestratorContract", "stacks.md", "run"),
}
"""Type → its contract class, its page, and the function of Python in which it is used."""


def test_each_type_is_either_supported_or_explained() -> None:
    known = plugins.all_flavors()
    assert {each.name for each in COMPONENT_TYPES if each.name in known} == ROWS.keys()
    for each in COMPONENT_TYPES:
        assert (each.name in known) != bool(each.instead), each.name
        assert each.purpose


@pytest.mark.parametrize("kind", list(ROWS))
def test_a_supported_type_has_commands_a_contract_a_page_and_an_embedded_default(
    command: Commands, kind: str
) -> None:
    contract, page, function = ROWS[kind]
    module, name = contract.split(".")
    assert isinstance(getattr(import_module(f"zennb.testing.{module}"), name), type)
    assert f"zennb.testing.{module}" in (DOCS / "components.md").read_text()
    title = kind.replace("_", " ")
    assert title in (DOCS / page).read_text().lower()
    assert callable(getattr(zennb, function))
    noun = kind.replace("_", "-")
    for interface in Interface:
        part = tree().part(noun, interface)
        assert isinstance(part, Command)
        assert {"list", "describe", "register", "update", "delete", "flavor"} <= set(part.names(interface))
        assert "local" in [each["name"] for each in command.data(noun, "flavor", "list", interface=interface)]
        command(noun, "register", f"mine_{interface}", "--flavor=local", interface=interface)
        assert f"mine_{interface}" in command.text(noun, "list", interface=interface)
