from __future__ import annotations

import pytest

from zennb.core.records.component_types import COMPONENT_TYPES, REQUIRED_TYPES, component_type
from zennb.errors import UnknownName


def test_all_of_zenmls_component_types_are_there() -> None:
    assert {known.name for known in COMPONENT_TYPES} == {
        "alerter", "annotator", "artifact_store", "container_registry", "data_validator", "deployer",
        "experiment_tracker", "feature_store", "image_builder", "log_store", "model_deployer",
        "model_registry", "orchestrator", "sandbox", "step_operator",
    }  # fmt: skip


def test_every_purpose_is_one_line_in_the_same_voice() -> None:
    for known in COMPONENT_TYPES:
        assert known.purpose == known.purpose.strip().rstrip(".")
        assert known.purpose[0].islower()
        assert "\n" not in known.purpose


def test_a_stack_needs_an_orchestrator_and_an_artifact_store() -> None:
    assert REQUIRED_TYPES == ("orchestrator", "artifact_store")


@pytest.mark.parametrize("name", ["artifact_store", "artifact-store"])
def test_a_type_is_found_with_dashes_and_underscores(name: str) -> None:
    assert component_type(name).title == "artifact store"


def test_an_unknown_type_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match="did you mean 'artifact-store'"):
        component_type("artefact-store")
