from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.components.model_deployers.requests import Asked, ask
from zennb.components.model_deployers.local import LocalModelDeployer
from zennb.errors import DeploymentFailed, UsageError
from zennb.testing.model_deployer import ModelDeployerContract

if TYPE_CHECKING:
    from collections.abc import Callable

    from zennb.components.models import ModelDeployer


class TestLocal(ModelDeployerContract):
    @pytest.fixture
    def make(self) -> Callable[[], ModelDeployer]:
        return lambda: LocalModelDeployer.from_config("default", {})

    def test_nobody_is_answered_without_the_token(self, deployer: ModelDeployer, served: Any) -> None:
        found = deployer.deploy(served(len))
        for token in ("", "wrong", deployer.token("classifier")[:-1]):
            assert ask(found.url + "/predict", b"[[1, 2]]", token=token).status == 401
        answer = ask(found.url + "/predict", b"[1, 2]", token=deployer.token("classifier"))
        assert answer == Asked(200, {"predictions": 2, "kind": "plain"})
        assert deployer.find("classifier").requests == 1

    def test_whatever_is_asked_gets_an_answer_in_json(self, deployer: ModelDeployer, served: Any) -> None:
        url = deployer.deploy(served(len)).url
        token = deployer.token("classifier")
        for method, path, body, status, says in (
            ("POST", "/predict", b"no json", 400, "no JSON"),
            ("POST", "/predict", b'{"rows": 1}', 400, "send JSON of one of these forms"),
            ("POST", "/predict", b'{"instances": [1], "method": "__class__"}', 400, "no method '__class__'"),
            ("POST", "/predict", b'{"instances": 3, "kind": "plain"}', 400, "TypeError"),
            ("POST", "/other", b"[]", 404, "POST /predict"),
            ("GET", "/other", None, 404, "GET /health"),
            ("GET", "/health", None, 200, "ok"),
            ("GET", "/", None, 200, "classifier"),
        ):
            answer = ask(url + path, body, token=token, method=method)
            assert (answer.status, type(answer.content)) == (status, dict), (path, body)
            assert says in str(answer.content)

    def test_a_token_that_was_lost_and_a_port_that_there_is_not_are_named(
        self, deployer: ModelDeployer, served: Any, workspace: Any
    ) -> None:
        model = served(len)
        with pytest.raises(UsageError, match="no port 99999; ports are numbers up to 65535"):
            deployer.deploy(model, port=99999)
        with pytest.raises(DeploymentFailed, match=r"cannot listen on no\.such\.host.*--port or --host"):
            deployer.deploy(model, host="no.such.host")
        assert deployer.deployments() == []
        deployer.deploy(model)
        (file,) = (workspace.home / "deployments").rglob("token")
        file.unlink()
        with pytest.raises(DeploymentFailed, match=r"another token.*%deployment stop classifier"):
            deployer.predict("classifier", [1])
        deployer.stop("classifier")
        deployer.start("classifier")
        assert deployer.predict("classifier", [1, 2]) == 2

    def test_only_this_user_can_read_the_token(
        self, deployer: ModelDeployer, served: Any, workspace: Any
    ) -> None:
        deployer.deploy(served(len))
        (file,) = (workspace.home / "deployments").rglob("token")
        assert file.stat().st_mode & 0o077 == 0
        assert deployer.token("classifier") not in repr(deployer.find("classifier"))
        assert deployer.token("classifier") not in deployer.logs("classifier")

    def test_what_was_changed_on_disk_is_not_loaded(
        self, deployer: ModelDeployer, served: Any, workspace: Any
    ) -> None:
        deployer.deploy(served(len))
        deployer.stop("classifier")
        (file,) = (workspace.home / "deployments").rglob("model.bin")
        file.write_bytes(file.read_bytes().replace(b'"path": []', b'"path": ["/tmp"]'))
        with pytest.raises(Exception, match="not as you deployed it"):
            deployer.start("classifier")
        assert deployer.find("classifier").state == "stopped"
