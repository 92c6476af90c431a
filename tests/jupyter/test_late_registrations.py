"""A registry that cannot be reached fails no step: what it was to register is kept, and `sync` delivers it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import zennb
from tests.late_registry import FarRegistry, seen
from zennb import api, plugins
from zennb.engine.delivery import outbox
from zennb.engine.delivery.outbox import Outbox
from zennb.errors import StoreBusy, StoreError
from zennb.plugins import FlavorInfo

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

STEP = "%%step ship\nimport zennb\nmade = zennb.register_model('m', 'x', alias='champion', note='n', tags={'a': 'b'})"
SETUP = (
    "%model-registry register far --flavor=far",
    "%stack register other -o default -a default --model-registry=far --set",
    "%%step make\nx = 1",
    "%%step other\ny = 2",
)


@pytest.fixture(autouse=True)
def far(monkeypatch: pytest.MonkeyPatch) -> None:
    load = plugins.load
    info = FlavorInfo(type="model_registry", name="far", target="", description="for tests")
    monkeypatch.setattr(plugins, "_OURS", (*plugins._OURS, info))
    monkeypatch.setattr(
        plugins, "load", lambda type, flavor: FarRegistry if flavor == "far" else load(type, flavor)
    )
    monkeypatch.setattr(outbox, "_failing", set())
    monkeypatch.setattr(outbox, "_silent", {})
    FarRegistry.empty()


def _pending() -> int:
    return len(Outbox(api.workspace().home).pending())


def _sync(notebook: Notebook) -> str:
    FarRegistry.is_down = False
    return seen(notebook.cell("%zennb sync").displays)


def test_a_step_that_registers_is_completed_and_what_it_registers_is_delivered_once(
    notebook: Notebook,
) -> None:
    notebook.run(*SETUP)
    FarRegistry.is_down = True
    ran = notebook.cell(STEP)
    assert (ran.status, ran.error) == ("completed", None)
    said = (
        "model 'm' was not registered in the model registry 'far': the registry did not answer within 20 s; check "
        "that it runs. It is kept, and so are later ones, of which nothing is said; `%zennb sync` sends them again."
    )
    assert " ".join(seen(ran.displays).split()).count(said) == 1
    assert notebook.ns["made"].version == 0
    assert notebook.ns["made"].load() == 1
    again = notebook.cell(STEP.replace("'x'", "'y'").replace("ship", "more"))
    assert again.status == "completed"
    assert "was not registered in" not in seen(again.displays)
    assert _pending() == 2
    assert "2 messages sent." in _sync(notebook)
    assert [(each.version, each.artifact, each.note, each.tags["a"]) for each in FarRegistry.rows] == [
        (1, "x", "n", "b"),
        (2, "y", "n", "b"),
    ]
    assert FarRegistry.aliases("m") == {"champion": 2}, "the later request"
    assert "nothing to be sent" in _sync(notebook)
    assert zennb.load("m@champion") == 2


def test_a_failed_delivery_stays_and_nothing_is_registered_twice(notebook: Notebook) -> None:
    notebook.run(*SETUP)
    FarRegistry.is_down = True
    notebook.run(STEP)
    assert notebook.cell("%zennb sync").displays
    assert _pending() == 1
    (message,) = Outbox(api.workspace().home).pending()
    _sync(notebook)
    registry = api.workspace().own_component("model_registry")
    registry.register("m", api.find_artifact(api.workspace(), "y"))  # type: ignore[attr-defined]
    assert registry.deliver(message.payload) == ""  # type: ignore[attr-defined]
    assert [each.artifact for each in FarRegistry.rows] == ["x", "y"]


@pytest.mark.parametrize("behind", [0.0, 600.0])
def test_an_alias_that_was_given_to_a_newer_version_meanwhile_is_not_moved_back(
    notebook: Notebook, behind: float
) -> None:
    FarRegistry.behind = behind
    notebook.run(*SETUP, "%model register m --from y --alias champion")
    FarRegistry.is_down = True
    notebook.run(STEP)
    FarRegistry.is_down = False
    notebook.run("%%step newer\nz = 3", "%model register m --from z --alias champion")
    if behind:  # so is the clock of whoever gave it
        FarRegistry.times["m", "champion"] -= behind
    said = " ".join(_sync(notebook).split())
    assert (
        "1 message sent. Alias 'champion' was not given to m v3: it was given to m v2, perhaps after the step had "
        "asked for it; `%model alias m@3 champion` does it all the same."
    ) in said
    assert FarRegistry.aliases("m") == {"champion": 2}
    assert FarRegistry.rows[-1].artifact == "x", "it is registered all the same"


def test_an_alias_that_was_set_before_is_moved(notebook: Notebook) -> None:
    notebook.run(*SETUP, "%model register m --from y --alias champion")
    FarRegistry.is_down = True
    notebook.run(STEP)
    assert "Alias" not in _sync(notebook)
    assert FarRegistry.aliases("m") == {"champion": 2}


def test_an_alias_set_in_a_step_waits_too(notebook: Notebook) -> None:
    notebook.run(*SETUP, "%model register m --from y", "%model register m --from x")
    notebook.run("import zennb\nhandle = zennb.models('m')[1]")
    FarRegistry.is_down = True
    ran = notebook.cell("%%step name\nhandle.set_alias('champion')\ndone = 1")
    assert (ran.status, ran.error) == ("completed", None)
    assert "alias 'champion' was not given to m v1" in " ".join(seen(ran.displays).split())
    ran = notebook.cell("%%step by_magic\n%model alias m@2 candidate\ndone2 = 1")
    assert (ran.status, ran.error) == ("completed", None)
    assert "2 messages sent." in _sync(notebook)
    assert FarRegistry.aliases("m") == {"champion": 1, "candidate": 2}


def test_outside_of_steps_and_for_what_is_loaded_it_is_an_error(notebook: Notebook) -> None:
    notebook.run(*SETUP)
    FarRegistry.is_down = True
    for line in ("%model register m --from x", "import zennb\nzennb.register_model('m', 'x')"):
        assert isinstance(notebook.cell(line).error, StoreBusy)
    ran = notebook.cell("%%step read\nimport zennb\nw = zennb.load('m@champion')")
    assert (ran.status, type(ran.error)) == ("failed", StoreBusy)
    ran = notebook.cell("%%step read2\nimport zennb\nw = zennb.load('m')")
    assert ran.status == "failed"
    assert "the registry did not answer within 20 s" in str(ran.error)
    assert _pending() == 0


def test_what_cannot_be_kept_fails_the_step(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    notebook.run(*SETUP)
    FarRegistry.is_down = True
    monkeypatch.setattr(Outbox, "_write", lambda *_arguments: False)
    ran = notebook.cell(STEP)
    assert (ran.status, isinstance(ran.error, StoreError)) == ("failed", True)


@pytest.mark.parametrize("is_known", [True, False])
def test_an_alias_that_was_given_to_an_older_version_since_or_may_have_been_stays(
    notebook: Notebook, is_known: bool
) -> None:
    notebook.run(*SETUP, "%model register m --from y", "%%step newer\nz = 3", "%model register m --from z")
    FarRegistry.is_down = True
    notebook.run(STEP)
    FarRegistry.is_down = False
    notebook.run("%model alias m@1 champion")
    if not is_known:
        FarRegistry.times.clear()
    assert "Alias 'champion' was not given to m v3: it was given to m v1" in " ".join(_sync(notebook).split())
    assert FarRegistry.aliases("m") == {"champion": 1}
