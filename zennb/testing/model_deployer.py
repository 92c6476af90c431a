"""Owns the contract of model deployers, as tests: inherit `ModelDeployerContract` and define its fixtures."""

from __future__ import annotations

import operator
import os
import signal
import time
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from zennb.components.models import ModelDeployer, ServedModel
from zennb.core.records.models import Deployment, ModelVersion
from zennb.core.records.records import Run, Status, Step
from zennb.digests.digest import digest_value
from zennb.engine.run.artifact_repository import ArtifactRepository
from zennb.errors import UnknownName, UsageError, ZennbError
from zennb.lifecycle.payload import ModelPayload, pack_payload
from zennb.registry.workspace import Workspace
from zennb.testing.component import ComponentContract

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["ModelDeployerContract"]


class ModelDeployerContract(ComponentContract):
    """The contract of every model deployer. The models are functions of arrays, so numpy has to be installed.

    Fixture to define:
        make: a function that returns a deployer; each call returns another one, as another kernel would open it.
    """

    @pytest.fixture
    def make(self) -> Callable[[], ModelDeployer]:
        """Return a function that returns a deployer."""
        pytest.fail("Give a fixture `make` that returns a function, which returns a deployer.")

    @pytest.fixture
    def workspace(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
        """Yield a home in which models are recorded."""
        monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
        monkeypatch.delenv("ZENNB_STACK", raising=False)
        opened = Workspace(tmp_path / "home")
        yield opened
        opened.close()

    @pytest.fixture
    def reopen(self, make: Callable[[], ModelDeployer], workspace: Workspace) -> Callable[[], ModelDeployer]:
        """Return a function that returns a deployer of the home."""

        def opened() -> ModelDeployer:
            found = make()
            found.use(workspace.home / "deployments")
            return found

        return opened

    @pytest.fixture
    def deployer(self, reopen: Callable[[], ModelDeployer]) -> Iterator[ModelDeployer]:
        """Yield a deployer; what it serves ends with the test."""
        found = reopen()
        yield found
        for each in found.deployments():
            found.delete(each.name)
        found.close()

    @pytest.fixture
    def component(self, deployer: ModelDeployer) -> ModelDeployer:
        """Apply the tests of every component to the deployer."""
        return deployer

    @pytest.fixture
    def served(self, workspace: Workspace) -> Callable[[object], ServedModel]:
        """Return a function that records a value as the next version of `classifier`, and returns it to be served."""

        def record(value: object) -> ServedModel:
            stack = workspace.open()
            repository = ArtifactRepository(store=stack.store, scope={}, signer=workspace.signer)
            kept = repository.save({"model": (value, digest_value(value))}).artifacts
            more: dict[str, Any] = {"notebook": "a.ipynb", "status": Status.COMPLETED, "started": time.time()}
            run = Run(stack=stack.spec, process=os.getpid(), **more)
            step = workspace.metadata.add(Step(name="train", outputs=kept, **more), run=run)
            made = step.outputs["model"]
            payload = ModelPayload(
                home=str(workspace.home),
                stack=stack.name,
                artifact=made.name,
                version=made.version,
                digest=made.digest,
            )
            version = ModelVersion(
                name="classifier",
                version=made.version,
                artifact=made.name,
                artifact_version=made.version,
                digest=made.digest,
            )
            sealed = pack_payload(payload, workspace.signer)
            return ServedModel(name="classifier", version=version, payload=sealed, load=lambda: value)

        return record

    def test_a_model_answers_when_it_is_deployed(
        self, deployer: ModelDeployer, served: Callable[[object], ServedModel]
    ) -> None:
        found = deployer.deploy(served(_times(2)))
        assert (found.name, found.label, found.state) == ("classifier", "classifier v1", "running")
        assert found.url == f"http://127.0.0.1:{found.port}"
        assert found.process > 0
        assert _asked(deployer) == [2.0, 4.0]
        assert deployer.find("classifier").requests == 1

    def test_another_kernel_lists_it_asks_it_and_stops_it(
        self,
        deployer: ModelDeployer,
        reopen: Callable[[], ModelDeployer],
        served: Callable[[object], ServedModel],
    ) -> None:
        found = deployer.deploy(served(_times(2)))
        other = reopen()
        assert other.deployments() == [found]
        assert _asked(other) == [2.0, 4.0]
        assert other.stop("classifier").state == "stopped"
        assert deployer.find("classifier").state == "stopped"
        with pytest.raises(ZennbError, match="stopped"):
            _asked(deployer)

    def test_a_new_version_takes_its_place(
        self, deployer: ModelDeployer, served: Callable[[object], ServedModel]
    ) -> None:
        before = deployer.deploy(served(_times(2)))
        after = deployer.deploy(served(_times(3)))
        assert (after.label, after.url) == ("classifier v2", before.url)
        assert _asked(deployer) == [3.0, 6.0]
        assert len(deployer.deployments()) == 1

    def test_what_cannot_be_loaded_leaves_the_one_before_as_it_is(
        self, deployer: ModelDeployer, served: Callable[[object], ServedModel]
    ) -> None:
        before = deployer.deploy(served(_times(2)))
        broken = served(_times(3))
        tampered = replace(broken, payload=broken.payload.replace(b'"artifact"', b'"Artifact"'))
        with pytest.raises(ZennbError, match="not as you deployed it"):
            deployer.deploy(tampered)
        assert deployer.find("classifier") == before
        assert _asked(deployer) == [2.0, 4.0]

    def test_what_cannot_be_loaded_at_first_is_not_listed(
        self, deployer: ModelDeployer, served: Callable[[object], ServedModel]
    ) -> None:
        with pytest.raises(ZennbError):
            deployer.deploy(replace(served(_times(2)), payload=b"nonsense"))
        assert deployer.deployments() == []

    def test_a_dead_one_is_said_to_be_dead_and_can_be_started_again(
        self, deployer: ModelDeployer, served: Callable[[object], ServedModel]
    ) -> None:
        before = deployer.deploy(served(_times(2)))
        token = deployer.token("classifier")
        os.kill(before.process, signal.SIGKILL)
        dead = _until(deployer, "dead")
        assert (dead.process, dead.problem != "") == (0, True)
        with pytest.raises(ZennbError, match="dead"):
            _asked(deployer)
        again = deployer.start("classifier")
        assert (again.state, again.url, again.label) == ("running", before.url, before.label)
        assert deployer.token("classifier") == token
        assert _asked(deployer) == [2.0, 4.0]

    def test_starting_and_stopping_twice_changes_nothing(
        self, deployer: ModelDeployer, served: Callable[[object], ServedModel]
    ) -> None:
        found = deployer.deploy(served(_times(2)))
        assert deployer.start("classifier") == found
        assert deployer.stop("classifier") == deployer.stop("classifier")
        assert deployer.start("classifier").state == "running"

    def test_it_listens_elsewhere_only_with_a_token(
        self, deployer: ModelDeployer, served: Callable[[object], ServedModel]
    ) -> None:
        with suppress(UsageError):  # a deployer without tokens
            deployer.deploy(served(_times(2)), host="0.0.0.0")
        if not deployer.deployments():
            return
        assert deployer.find("classifier").host == "0.0.0.0"
        assert deployer.token("classifier")
        assert _asked(deployer) == [2.0, 4.0]

    def test_a_model_that_raises_says_so_and_goes_on(
        self, deployer: ModelDeployer, served: Callable[[object], ServedModel]
    ) -> None:
        deployer.deploy(served(_times(2)))
        with pytest.raises(ZennbError, match="deployment 'classifier'"):
            deployer.predict("classifier", {"no": "array"})
        assert _asked(deployer) == [2.0, 4.0]

    def test_it_has_a_log_and_goes_with_it_when_it_is_deleted(
        self, deployer: ModelDeployer, served: Callable[[object], ServedModel]
    ) -> None:
        deployer.deploy(served(_times(2)))
        _asked(deployer)
        end = time.monotonic() + 30
        while not deployer.logs("classifier") and time.monotonic() < end:
            time.sleep(0.05)  # a request may be answered before it is written down
        assert deployer.logs("classifier")
        deployer.delete("classifier")
        assert deployer.deployments() == []

    def test_a_name_that_is_not_there_is_named(self, deployer: ModelDeployer) -> None:
        for call in (deployer.start, deployer.stop, deployer.delete, deployer.logs, deployer.find):
            with pytest.raises(UnknownName, match="no deployment 'classifer'"):
                call("classifer")


def _times(factor: float) -> object:
    """Return a model: a function that multiplies arrays, and loads anywhere."""
    return partial(operator.mul, factor)


def _asked(deployer: ModelDeployer) -> list[float]:
    import numpy as np

    return [float(each) for each in deployer.predict("classifier", np.array([1.0, 2.0]))]


def _until(deployer: ModelDeployer, state: str) -> Deployment:
    """Return the deployment once it is in a state; the system takes a moment to end a process."""
    for _ in range(500):
        found = deployer.find("classifier")
        if found.state == state:
            return found
        time.sleep(0.01)
    return found
