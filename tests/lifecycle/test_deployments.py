"""Registered models of a notebook that are served: what goes along, what survives the kernel, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import zennb
from zennb import api
from zennb.errors import DeploymentFailed, MissingDefinition, UnknownName, UntrustedArtifact

Notebook = Any

CLASS = """
%%step train
factor = 2
class Doubling:
    def predict(self, rows):
        return [helper(row) for row in rows]
    def transform(self, rows):
        return [-row for row in rows]

def helper(row):
    return factor * row

model = Doubling()
"""


def test_a_class_of_the_notebook_goes_along_with_what_it_uses(serving: Notebook) -> None:
    serving.run(CLASS, "%model register classifier --from model --alias champion")
    assert serving.cell("%model deploy classifier@champion").error is None
    asked = zennb.deployment("classifier")
    assert asked.predict([1, 2]) == [2, 4]
    assert asked.predict([1, 2], method="transform") == [-1, -2]
    with pytest.raises(DeploymentFailed, match="no method 'load'"):
        asked.predict([1], method="load")
    with pytest.raises(DeploymentFailed, match="answered 400: TypeError"):
        asked.predict(3)


def test_a_deployment_survives_the_kernel_and_is_asked_from_the_next(serving: Notebook) -> None:
    serving.run(CLASS, "%model register classifier --from model", "%model deploy classifier")
    before = zennb.deployment("classifier")
    serving.restart()
    assert serving.cell("import zennb\nzennb.deployment('classifier').predict([3])").result == [6]
    after = zennb.deployment("classifier")
    assert (after.process, after.url, after.state) == (before.process, before.url, "running")
    assert after.requests == 1


def test_a_stopped_one_starts_again_without_the_notebook_that_defines_its_class(serving: Notebook) -> None:
    serving.run(CLASS, "%model register classifier --from model", "%model deploy classifier")
    serving.restart()
    zennb.deployment("classifier").stop()
    with pytest.raises(DeploymentFailed, match="is stopped; `%deployment start classifier` starts it"):
        zennb.deployment("classifier").predict([1])
    assert zennb.deployment("classifier").start().predict([1]) == [2]
    with pytest.raises(MissingDefinition):
        zennb.load("classifier")


def test_a_class_that_is_not_defined_here_is_named(serving: Notebook) -> None:
    serving.run(CLASS, "%model register classifier --from model")
    serving.restart()
    ran = serving.cell("%model deploy classifier")
    assert isinstance(ran.error, DeploymentFailed)
    assert "model v1 needs `Doubling`, which the notebook defines" in str(ran.error)


def test_a_step_that_makes_another_model_leads_to_the_next_version(serving: Notebook) -> None:
    cells = ["%model register classifier --from model --alias champion", "%model deploy classifier@champion"]
    serving.run(
        "%%step train\nimport functools, operator\nmodel = functools.partial(operator.mul, 2)", *cells
    )
    first = zennb.deployment("classifier")
    serving.run(
        "%%step train\nimport functools, operator\nmodel = functools.partial(operator.mul, 3)", *cells
    )
    second = zennb.deployment("classifier")
    assert (first.label, second.label, first.url) == ("classifier v1", "classifier v2", second.url)
    np.testing.assert_array_equal(second.predict(np.array([1, 2])), np.array([3, 6]))
    assert [each.aliases for each in zennb.models("classifier")] == [("champion",), ()]


def test_two_versions_are_served_side_by_side_under_two_names(serving: Notebook) -> None:
    for factor in (2, 3):
        serving.run(
            f"%%step train\nimport functools, operator\nmodel = functools.partial(operator.mul, {factor})",
            "%model register classifier --from model",
        )
    zennb.deploy("classifier@1")
    zennb.deploy("classifier@2", name="candidate")
    assert [(each.name, each.label) for each in zennb.deployments()] == [
        ("candidate", "classifier v2"),
        ("classifier", "classifier v1"),
    ]
    assert zennb.deployment("classifier").predict(2) == 4
    assert zennb.deployment("candidate").predict(2) == 6
    assert zennb.deployments().to_frame()["requests"].tolist() == [1, 1]


def test_a_model_of_somebody_else_is_not_unpickled(
    serving: Notebook, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    serving.run(
        "%%step train\nimport functools, operator\nmodel = functools.partial(operator.mul, 2)",
        "%model register classifier --from model",
    )
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "of somebody else"))
    serving.restart()
    with pytest.raises(UntrustedArtifact):
        zennb.load("classifier")
    with pytest.raises(DeploymentFailed, match="zennb trust"):
        zennb.deploy("classifier")
    assert list(zennb.deployments()) == []


def test_what_only_this_kernel_holds_is_not_deployed(serving: Notebook) -> None:
    serving.run(
        "%artifact-store register mine --flavor=memory",
        "%stack register quick -o default -a mine --set",
        "%%step train\nimport functools, operator\nmodel = functools.partial(operator.mul, 2)",
        "%model register classifier --from model",
    )
    ran = serving.cell("%model deploy classifier")
    assert isinstance(ran.error, DeploymentFailed)
    assert "exists in this kernel only" in str(ran.error)


def test_names_that_are_not_there_are_named(serving: Notebook) -> None:
    with pytest.raises(UnknownName, match="registered model 'classifier'"):
        zennb.deploy("classifier")
    with pytest.raises(UnknownName, match="deployment 'classifier'"):
        zennb.deployment("classifier")
    with pytest.raises(UnknownName, match="registered model 'classifier'"):
        zennb.load("classifier@champion")
    with pytest.raises(UnknownName, match="artifact 'classifier'"):
        zennb.load("classifier")


def test_an_artifact_comes_before_a_model_of_its_name(serving: Notebook) -> None:
    serving.run("%%step a\nx = [1]", "%%step b\ny = [2]", "%model register x --from y --alias best")
    assert zennb.load("x") == [1]
    assert zennb.load("x@best") == zennb.load("x@1") == zennb.load("x@latest") == [2]
    serving.cell("%model register z --from y")
    assert zennb.load("z") == zennb.load("z", version=1) == [2]
    with pytest.raises(UnknownName, match="numbered '2'"):
        zennb.load("z", version=2)


def test_a_port_in_use_is_named_and_the_deployment_before_goes_on(serving: Notebook) -> None:
    serving.run(
        "%%step train\nimport functools, operator\nmodel = functools.partial(operator.mul, 2)",
        "%model register classifier --from model",
    )
    other = zennb.deploy("classifier", name="other")
    with pytest.raises(DeploymentFailed, match=f"cannot listen on 127.0.0.1 port {other.port}"):
        zennb.deploy("classifier", port=other.port)
    assert [each.name for each in zennb.deployments()] == ["other"]
    assert api.workspace().home.joinpath("deployments").is_dir()
