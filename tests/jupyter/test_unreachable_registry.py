"""A model registry that cannot be reached stops no step that does not ask it, and makes no status falsely fresh."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from zennb import plugins
from zennb.components.models import ModelRegistry
from zennb.errors import StoreBusy
from zennb.plugins import FlavorInfo

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook


class DownRegistry(ModelRegistry):
    """Answers nobody."""

    flavor = "down"
    description = "for tests"
    asked: ClassVar[list[str]] = []

    def _answer(self, *_arguments: Any, **_more: Any) -> Any:
        self.asked.append("once")
        raise StoreBusy("the registry did not answer within 20 s; check that it runs.")

    register = versions = set_alias = delete_alias = delete = describe = _answer


@pytest.fixture(autouse=True)
def down(monkeypatch: pytest.MonkeyPatch) -> None:
    load = plugins.load
    info = FlavorInfo(type="model_registry", name="down", target="", description="for tests")
    monkeypatch.setattr(plugins, "_OURS", (*plugins._OURS, info))
    monkeypatch.setattr(
        plugins, "load", lambda type, flavor: DownRegistry if flavor == "down" else load(type, flavor)
    )
    monkeypatch.setattr(DownRegistry, "asked", [])


DOWN = (
    "%model-registry register far --flavor=down",
    "%stack register other -o default -a default --model-registry=far --set",
)


def test_steps_that_load_artifacts_do_not_ask_it(notebook: Notebook) -> None:
    steps = ("%%step a\nx = 1", "%%step b\nimport zennb\ny = zennb.load('x') + 1")
    notebook.run(*DOWN)
    DownRegistry.asked.clear()  # it was tried out when it was registered
    assert [each.status for each in notebook.run(*steps)] == ["completed", "completed"]
    assert [each.status for each in notebook.run(*steps)] == ["cached", "cached"]
    notebook.run("%pipeline status", "%pipeline run", "%runs", "%artifacts")
    assert DownRegistry.asked == []


def test_a_step_that_loads_a_model_is_not_said_to_be_fresh_and_fails_in_one_sentence(
    notebook: Notebook,
) -> None:
    cell = "%%step b\nimport zennb\ny = zennb.load('m@champion') + 1"
    notebook.run("%%step a\nx = 1", "%model register m --from x --alias champion", cell)
    assert notebook.cell(cell).status == "cached"
    notebook.run(*DOWN)
    assert "fresh" not in str(notebook.cell("%pipeline explain b").displays)
    ran = notebook.cell(cell)
    assert ran.status == "failed"
    assert "the registry did not answer" in str(ran.error)
    notebook.run("%stack set default")
    assert notebook.cell(cell).status == "cached", "nothing was lost"
    assert notebook.ns["y"] == 2
