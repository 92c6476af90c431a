from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest

import zennb
from zennb import api
from zennb.core.records.records import Run, Status, Step
from zennb.digests.digest import digest_value
from zennb.engine.run.artifact_repository import ArtifactRepository
from zennb.errors import (
    DamagedArtifact,
    MissingArtifact,
    MissingDefinition,
    MissingExtra,
    UnknownName,
    UntrustedArtifact,
)
from zennb.materializers.signer import Signer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from zennb.core.records.records import Artifact


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("ZENNB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    monkeypatch.delenv("ZENNB_STACK", raising=False)
    yield tmp_path / "home"
    api.set_scope(None)
    api.close()


def record(
    name: str, value: object, *, notebook: str = "study.ipynb", stack: str | None = None, step: str = "train"
) -> Artifact:
    """Store a value as the output of a step on a stack."""
    workspace = api.workspace()
    opened = workspace.open(stack)
    repository = ArtifactRepository(store=opened.store, scope=vars(sys.modules["__main__"]), signer=Signer())
    kept = repository.save({name: (value, digest_value(value))})
    run = Run(
        stack=opened.spec,
        notebook=notebook,
        status=Status.COMPLETED,
        started=time.time(),
        process=os.getpid(),
    )
    done = Step(
        name=step, notebook=notebook, status=Status.COMPLETED, started=time.time(), outputs=kept.artifacts
    )
    return workspace.metadata.add(done, run=run).outputs[name]


def second_stack(flavor: str = "local") -> None:
    registry = api.workspace().registry
    registry.register_component("artifact_store", "second", flavor)
    registry.register_stack("second", {"orchestrator": "default", "artifact_store": "second"})


def test_there_is_one_workspace_per_process(home: Path) -> None:
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(api.workspace())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(each) for each in found}) == 1
    assert found[0].home == home


def test_closing_lets_the_next_use_open_another(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    api.workspace()
    api.close()
    api.close()
    monkeypatch.setenv("ZENNB_HOME", str(home / "other"))
    assert api.workspace().home == home / "other"


def test_the_home_is_looked_for_from_where_it_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ZENNB_HOME")
    (tmp_path / "project" / ".zennb").mkdir(parents=True)
    (tmp_path / "project" / "notebooks").mkdir()
    assert api.workspace(tmp_path / "project" / "notebooks").home == tmp_path / "project" / ".zennb"


def test_the_environment_chooses_the_stack_of_this_process_only(monkeypatch: pytest.MonkeyPatch) -> None:
    second_stack()
    api.close()
    monkeypatch.setenv("ZENNB_STACK", "second")
    assert api.workspace().active == "second"
    assert api.workspace().registry.default_stack_name() == "default"
    api.close()
    monkeypatch.setenv("ZENNB_STACK", "secnd")
    with pytest.raises(UnknownName, match="no stack 'secnd'; did you mean 'second'"):
        api.workspace()


def test_a_value_is_loaded_by_name() -> None:
    record("rows", [1, 2, 3])
    assert zennb.load("rows") == [1, 2, 3]


def test_each_version_can_be_loaded() -> None:
    record("rows", [1])
    record("rows", [2])
    assert (zennb.load("rows"), zennb.load("rows", version=1)) == ([2], [1])


def test_the_latest_output_counts_even_when_an_older_version_was_reused() -> None:
    first = record("rows", [1])
    record("rows", [2])
    workspace = api.workspace()
    again = Step(
        name="train",
        notebook="study.ipynb",
        status=Status.CACHED,
        started=time.time(),
        outputs={"rows": first},
    )
    workspace.metadata.add(
        again, run=Run(stack=workspace.snapshot(), status=Status.CACHED, started=time.time())
    )
    assert zennb.load("rows") == [1]


def test_a_notebook_gets_its_own_artifacts_first() -> None:
    record("rows", [1], notebook="mine.ipynb")
    record("rows", [2], notebook="other.ipynb")
    assert zennb.load("rows") == [2]
    api.set_scope({}, notebook=lambda: "mine.ipynb")
    assert zennb.load("rows") == [1]


def test_another_stack_lends_what_the_active_one_does_not_have() -> None:
    second_stack()
    record("rows", [1], stack="second")
    assert api.workspace().active == "default"
    assert zennb.load("rows") == [1]


def test_bytes_that_are_nowhere_name_the_step_to_run_again() -> None:
    artifact = record("rows", [1])
    api.workspace().open().store.delete(artifact.blob)
    with pytest.raises(MissingArtifact) as caught:
        zennb.load("rows")
    assert str(caught.value) == (
        "the bytes of rows v1 are in no registered artifact store (looked in 'default'); run step 'train' again."
    )


def test_damaged_bytes_are_never_returned(home: Path) -> None:
    artifact = record("rows", "x" * 200_000)
    (file,) = [each for each in home.rglob(f"*{artifact.blob[4:]}*") if each.is_file()]
    file.chmod(0o600)
    file.write_bytes(b"y" * file.stat().st_size)
    api.close()
    with pytest.raises(DamagedArtifact):
        zennb.load("rows")


class Model:
    """A class that pickles can name."""

    def __init__(self, weight: float) -> None:
        self.weight = weight


def test_classes_are_found_in_the_scope_of_the_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    main = sys.modules["__main__"]
    monkeypatch.setattr(main, "Model", Model, raising=False)
    monkeypatch.setattr(Model, "__module__", "__main__")
    record("model", Model(2.0))
    assert zennb.load("model").weight == 2.0
    api.set_scope({})
    with pytest.raises(MissingDefinition, match="Model"):
        zennb.load("model")
    api.set_scope({"Model": Model})
    assert zennb.load("model").weight == 2.0


def test_what_another_user_pickled_is_loaded_once_it_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["__main__"], "Model", Model, raising=False)
    monkeypatch.setattr(Model, "__module__", "__main__")
    record("model", Model(2.0))
    api.close()
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "another user"))
    with pytest.raises(UntrustedArtifact, match="zennb trust model"):
        zennb.load("model")
    api.workspace().signer.trust(api.find_artifact(api.workspace(), "model").blob)
    assert zennb.load("model").weight == 2.0


def test_unknown_names_are_answered_with_the_nearest() -> None:
    record("rows", [1])
    with pytest.raises(UnknownName, match="no artifact 'row'; did you mean 'rows'"):
        zennb.load("row")
    with pytest.raises(UnknownName, match="no version of 'rows' numbered '7'; known: 1"):
        zennb.load("rows", version=7)
    with pytest.raises(UnknownName, match="no artifact 'row'; did you mean 'rows'"):
        zennb.artifacts("row")
    with pytest.raises(UnknownName, match="no artifact 'row'; did you mean 'rows'"):
        api.find_artifact(api.workspace(), "row")


def test_a_stack_is_active_inside_a_with_block() -> None:
    second_stack()
    with zennb.stack("second") as chosen:
        assert chosen.name == "second"
        assert api.workspace().active == "second"
    assert api.workspace().active == "default"


def test_a_stack_that_cannot_be_used_is_refused_at_the_with() -> None:
    with pytest.raises(UnknownName, match="no stack 'secnd'"), zennb.stack("secnd"):
        pass


def test_lists_are_sequences_of_records() -> None:
    second_stack()
    record("rows", [1])
    record("rows", [2])
    runs, artifacts, history, stacks = (
        zennb.runs(),
        zennb.artifacts(),
        zennb.artifacts("rows"),
        zennb.stacks(),
    )
    assert isinstance(runs, Sequence)
    assert [run.id for run in runs] == [2, 1]
    assert [run.id for run in runs[:1]] == [2]
    assert [run.id for run in zennb.runs(stack="second")] == []
    assert [run.id for run in zennb.runs("default", limit=1)] == [2]
    assert [(each.name, each.version) for each in artifacts] == [("rows", 2)]
    assert [each.version for each in history] == [2, 1]
    assert [each.name for each in stacks] == ["default", "second"]


def test_lists_show_themselves_as_text_and_html() -> None:
    record("<b>", [1])
    for listing in (zennb.runs(), zennb.artifacts(), zennb.stacks()):
        bundle = listing._repr_mimebundle_()
        assert repr(listing) == str(listing) == bundle["text/plain"]
        assert "<table" in bundle["text/html"]
        assert "<b>" not in bundle["text/html"]


def test_lists_become_frames() -> None:
    record("rows", [1])
    frame = zennb.runs().to_frame()
    assert list(frame["run"]) == [1]
    assert str(frame["started"].dtype).startswith("datetime64")
    assert list(zennb.artifacts().to_frame()["name"]) == ["rows"]
    assert len(zennb.runs(stack="none").to_frame()) == 0
    assert "status" in zennb.runs(stack="none").to_frame().columns


def test_without_pandas_the_extra_to_install_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtra, match=r'pip install "zennb\[frames\]"'):
        zennb.runs().to_frame()
