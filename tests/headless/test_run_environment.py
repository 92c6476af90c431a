"""The surroundings that a run of a notebook file will have."""

from __future__ import annotations

from pathlib import Path

from zennb.core.records.records import Artifact, Status, Step
from zennb.headless.run_environment import Difference, RunEnvironment


def test_the_working_folder_is_told_as_the_kernel_will_tell_it(tmp_path: Path) -> None:
    (tmp_path / "real" / "sub").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    found = RunEnvironment(folder=tmp_path / "link", sealed=lambda _name, _value: "")
    assert found.folder_at("") == str(tmp_path / "real")
    assert found.folder_at("sub") == str(tmp_path / "real" / "sub")


def test_what_a_name_stands_for_is_that_of_a_reused_step_before_and_open_after_one_that_runs() -> None:
    environment = RunEnvironment(
        folder=Path("/"), sealed=lambda _name, value: str(value), loaded=lambda name: f"{name} now"
    )
    assert environment.load("x") == "x now"
    made = Step(name="make", status=Status.COMPLETED, notebook="", outputs={"x": artifact("x", "abc")})
    environment.reused(made, "")
    assert environment.load("x") == "abc"
    environment.will_run("other", None, "", is_known=True)
    found = environment.load("x")
    assert isinstance(found, Difference)
    assert (found.is_certain, found.waits) == (False, frozenset({"other"}))
    environment.reused(made, "")
    assert environment.load("x") == "abc"


def test_a_notebook_that_registers_models_leaves_open_what_their_names_stand_for() -> None:
    environment = RunEnvironment(
        folder=Path("/"), sealed=lambda _name, value: str(value), changes_models=True
    )
    found = environment.load("classifier@champion")
    assert isinstance(found, Difference)
    assert not found.is_certain


def artifact(name: str, digest: str) -> Artifact:
    return Artifact(name=name, digest=digest, blob="", materializer="plain", size=1, type="int")
