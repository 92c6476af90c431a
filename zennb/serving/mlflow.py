"""Owns the application of MLflow's scoring server (`mlflow models serve`) for a model that zennb loaded."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import mlflow
from mlflow.models import Model
from mlflow.pyfunc import FLAVOR_NAME, PyFuncModel, scoring_server

from zennb.errors import DeploymentFailed

if TYPE_CHECKING:
    from zennb.serving.predictor import Predictor

__all__ = ["application"]


def application(predictor: Predictor) -> Any:
    """Return the application: MLflow's answers to `/invocations`, zennb's to `/predict`.

    MLflow would load a model out of files of its own, by unpickling them. It gets the model itself instead, which was
    loaded by zennb's rules.

    Raises:
        DeploymentFailed: this release of MLflow does not work with the release of Starlette that is installed.
    """
    try:
        found = scoring_server.init(_pyfunc(predictor))
    except AttributeError as error:  # Starlette has given up what older ones use
        raise DeploymentFailed(
            f"the scoring server of MLflow {mlflow.__version__} does not work with the libraries that are installed "
            f'({error}); pip install "zennb[mlflow]" brings another one.'
        ) from error

    async def predict(request: Any) -> Any:
        from starlette.responses import Response

        status, answer = await asyncio.to_thread(predictor.reply, await request.body())
        return Response(json.dumps(answer), status_code=status.value, media_type="application/json")

    found.add_route("/predict", predict, methods=["POST"])
    return found


def _pyfunc(predictor: Predictor) -> PyFuncModel:
    class ModelImplementation:
        def predict(self, model_input: Any) -> Any:
            return predictor.predict(model_input)

    metadata = Model(flavors={FLAVOR_NAME: {"loader_module": "zennb.serving.mlflow"}})
    return PyFuncModel(model_meta=metadata, model_impl=ModelImplementation())
