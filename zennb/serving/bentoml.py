"""Owns the application of a BentoML service for a model that zennb has loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bentoml
from bentoml.exceptions import BentoMLException

from zennb.serving.predictor import failure

if TYPE_CHECKING:
    from zennb.serving.predictor import Predictor

__all__ = ["application"]


def application(predictor: Predictor) -> Any:
    """Return the application: BentoML's API `predict`, its description and its checks of health.

    BentoML's store of models is not used: it holds pickles, which it loads whoever wrote them.
    """

    class ModelService:
        def predict(self, content: Any, /) -> Any:
            """Return the predictions for `{"instances": [[1, 2], [3, 4]]}` or another form of zennb's deployments."""
            try:
                return predictor.answer(content)
            except Exception as error:
                status, answer = failure(error)
                raise BentoMLException(answer["error"], error_code=status) from error

    ModelService.predict.__annotations__ = {"content": Any, "return": Any}  # BentoML does not evaluate texts
    ModelService.predict = bentoml.api(ModelService.predict)  # type: ignore[method-assign]
    # Its metrics need a folder that its own command sets up and cleans.
    return bentoml.service(name="model", metrics={"enabled": False})(ModelService).to_asgi()
