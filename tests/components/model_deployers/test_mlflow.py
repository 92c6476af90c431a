"""Models behind MLflow's scoring server and behind zennb's token; skipped where mlflow is not installed."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

from tests.components.model_deployers.requests import Asked, ask
from zennb.components.model_deployers.mlflow import MlflowModelDeployer
from zennb.testing.model_deployer import ModelDeployerContract

if TYPE_CHECKING:
    from collections.abc import Callable

    from zennb.components.models import ModelDeployer

pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # those of mlflow and its libraries
    pytest.mark.skipif(find_spec("mlflow") is None, reason="mlflow is not installed"),
]

JSON, CSV = "application/json", "text/csv"


class TestMlflow(ModelDeployerContract):
    @pytest.fixture
    def make(self) -> Callable[[], ModelDeployer]:
        return lambda: MlflowModelDeployer.from_config("mine", {})

    def test_mlflow_answers_those_with_the_token_and_nobody_else(
        self, deployer: ModelDeployer, served: Any
    ) -> None:
        url = deployer.deploy(served(total)).url
        token = deployer.token("classifier")
        rows = b'{"dataframe_split": {"columns": ["a", "b"], "data": [[1, 2], [3, 4]]}}'
        for path in ("/invocations", "/predict", "/", "/version", "/docs", "/openapi.json"):
            for wrong in ("", "wrong", token[:-1]):
                assert ask(url + path, rows, token=wrong, kind=JSON).status == 401, path
        assert deployer.find("classifier").requests == 0
        assert ask(url + "/health").status == 200
        assert ask(url + "/version", token=token).status == 200
        for body, kind in ((rows, JSON), (b"a,b\n1,2\n3,4\n", CSV)):
            assert ask(url + "/invocations", body, token=token, kind=kind) == Asked(
                200, {"predictions": [3, 7]}
            )
        refused = ask(url + "/invocations", b'{"rows": 1}', token=token, kind=JSON)
        assert (refused.status, refused.content["error_code"]) == (400, "BAD_REQUEST")
        assert ask(url + "/predict", rows, token=token, kind=JSON).content["predictions"] == [3, 7]
        assert deployer.find("classifier").requests == 3
        assert token not in deployer.logs("classifier")


def total(rows: Any) -> Any:
    return rows.to_numpy().sum(axis=1)
