"""Models as services of BentoML, behind zennb's token; skipped where bentoml is not installed."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

from tests.components.model_deployers.requests import ask
from zennb.components.model_deployers.bentoml import BentomlModelDeployer
from zennb.errors import DeploymentFailed
from zennb.testing.model_deployer import ModelDeployerContract

if TYPE_CHECKING:
    from collections.abc import Callable

    from zennb.components.models import ModelDeployer

pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # those of bentoml and its libraries
    pytest.mark.skipif(find_spec("bentoml") is None, reason="bentoml is not installed"),
]


class TestBentoml(ModelDeployerContract):
    @pytest.fixture
    def make(self) -> Callable[[], ModelDeployer]:
        return lambda: BentomlModelDeployer.from_config("mine", {})

    def test_bentoml_answers_those_with_the_token_and_nobody_else(
        self, deployer: ModelDeployer, served: Any
    ) -> None:
        url = deployer.deploy(served(len)).url
        token = deployer.token("classifier")
        for path in ("/predict", "/", "/docs.json", "/schema.json", "/metrics", "/readyz"):
            for wrong in ("", "wrong", token[:-1]):
                assert ask(url + path, b"[1, 2]", token=wrong).status == 401, path
        assert deployer.find("classifier").requests == 0
        assert ask(url + "/health").status == 200
        assert ask(url + "/docs.json", token=token).content["info"]["title"] == "model"
        routes = ask(url + "/schema.json", token=token).content["routes"]  # what BentoML's clients ask first
        assert [each["route"] for each in routes] == ["/predict"]
        assert ask(url + "/predict", b"[1, 2]", token=token).content["predictions"] == 2
        for body, says in (
            (b'{"rows": 1}', "send JSON of one of these"),
            (b'{"instances": 3, "kind": "plain"}', "TypeError"),
        ):
            refused = ask(url + "/predict", body, token=token)
            assert (refused.status, says in refused.content[0]["error"]) == (400, True)
        with pytest.raises(DeploymentFailed, match="answered 400: TypeError"):
            deployer.predict("classifier", 3)
        assert deployer.find("classifier").requests == 1
        assert token not in deployer.logs("classifier")
