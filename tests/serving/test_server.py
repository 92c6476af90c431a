"""The server of a deployment, in this process: what it takes, and what it never does."""

from __future__ import annotations

import http.client
import json
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from zennb.errors import DeploymentFailed
from zennb.serving.predictor import Predictor, RequestCounter, check_model
from zennb.serving.server import PredictionServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Model:
    def __init__(self) -> None:
        self.inside = self.most = 0

    def predict(self, rows: Any) -> Any:
        self.inside += 1
        self.most = max(self.most, self.inside)
        found = np.asarray(rows) * 2
        self.inside -= 1
        return found

    def predict_proba(self, rows: Any) -> Any:
        return np.asarray(rows) / 10

    def transform(self, rows: Any) -> Any:
        raise RuntimeError("out of memory")

    def secret(self, rows: Any) -> Any:
        return "never"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PredictionServer]:
    counter = RequestCounter(tmp_path / "requests")
    made = PredictionServer(
        ("127.0.0.1", 0), Predictor(Model()), token="key", facts={"name": "a"}, counter=counter
    )
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def ask(server: PredictionServer, content: Any, **headers: str) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    try:
        body = content if isinstance(content, bytes) else json.dumps(content)
        connection.request("POST", "/predict", body, {"Authorization": "Bearer key", **headers})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("content", "status", "says"),
    [
        ([[1, 2]], 200, [[2, 4]]),
        ({"instances": [1], "method": "predict_proba"}, 200, [0.1]),
        ({"instances": [1], "method": "transform"}, 500, "RuntimeError: out of memory"),
        ({"instances": [1], "method": "secret"}, 400, "it has: predict, predict_proba, transform"),
        ({"instances": [1], "method": ["predict"]}, 400, "no method"),
        ({"instances": ["a"], "kind": "plain"}, 400, "Error: "),
        (b"{", 400, "no JSON"),
        (b"\xff", 400, "no JSON"),
        (b"[" * 100_000, 400, "nested too deeply"),
    ],
)
def test_every_request_is_answered(server: PredictionServer, content: Any, status: int, says: Any) -> None:
    found, answer = ask(server, content)
    assert found == status
    if status == 200:
        assert answer["predictions"] == says
    else:
        assert says in answer["error"]


def test_a_body_without_a_length_or_with_too_much_is_refused(server: PredictionServer) -> None:
    for length, status in (("-1", 411), ("many", 411), ("9" * 30, 413)):
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
        connection.putrequest("POST", "/predict")
        connection.putheader("Authorization", "Bearer key")
        connection.putheader("Content-Length", length)
        connection.endheaders()
        assert connection.getresponse().status == status
        connection.close()


@pytest.mark.parametrize("given", ["", "key ", "Bearer", "Bearer k", "Bearer keyy", "Basic key", "Bearer ké"])
def test_only_the_whole_token_opens_it(server: PredictionServer, given: str) -> None:
    status, _ = ask(server, [1], Authorization=given.encode().decode("latin-1"))
    assert status == (200 if given.strip() == "key" else 401)


def test_one_prediction_follows_another_and_all_are_counted(server: PredictionServer, tmp_path: Path) -> None:
    threads = [threading.Thread(target=ask, args=(server, [1])) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.predictor.model.most == 1
    assert int((tmp_path / "requests").read_text()) == 20


def test_what_cannot_be_asked_is_refused() -> None:
    check_model(Model(), "a v1")
    check_model(len, "a v1")
    with pytest.raises(DeploymentFailed, match="a v1 is a list, which has no method"):
        check_model([], "a v1")
