"""Owns the `mlflow` experiment tracker: each execution of a step is a run of MLflow, in an experiment per notebook."""

from __future__ import annotations

import math
import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from traitlets import Unicode

from zennb.components.experiment_tracker import ExperimentTracker
from zennb.components.quiet_logging import quiet_here
from zennb.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zennb.components.experiment_tracker import TrackedStep

__all__ = ["MlflowExperimentTracker"]

_ID = "zennb.id"
_MOST = 100
"""Parameters and tags that MLflow takes at once."""

V = TypeVar("V")

_REFUSED = re.compile(r"[^/\w. -]")
_LONGEST_NAME = 240
_METRICS_AT_ONCE = 1000
_LONGEST = 500
"""Characters of a parameter in older servers of MLflow."""


class MlflowExperimentTracker(ExperimentTracker):
    """Logs steps to MLflow.

    A run of MLflow is looked up by the tag `zennb.id` before it is made, so that a step that is told twice is one run.
    A reused step sets the tag `zennb.last_reused_by` of the run that made its results; only where MLflow does not know
    that one, it gets a run of its own, with the tag `zennb.status` = `cached`.
    """

    flavor = "mlflow"
    description = "logs steps to MLflow: a local SQLite database, or a server"

    tracking_uri = Unicode(
        help="Where MLflow keeps its runs: a server's address, or a database such as sqlite:////data/mlflow.db. By "
        "default what MLflow itself uses: MLFLOW_TRACKING_URI, else mlflow.db in the working folder."
    ).tag(config=True)
    experiment = Unicode(help="The experiment; by default one per notebook, of its name.").tag(config=True)

    _client: Any = None

    def prepare(self) -> None:
        """Import MLflow, which imports pandas, polars and others where they are installed."""
        import mlflow.entities
        import mlflow.exceptions
        import mlflow.tracking  # noqa: F401 - imported for its effect

    def log_step(self, step: TrackedStep) -> None:
        """Record a step as a run of MLflow.

        Raises:
            StoreError: MLflow did not take it.
        """
        from mlflow.exceptions import MlflowException  # loads much, and stacks are listed without it

        try:
            with quiet_here("mlflow", "alembic"):
                self._log(step)
        except MlflowException as error:
            raise StoreError(f"MLflow did not take step '{step.step}': {_first_line(error)}") from error

    def _log(self, step: TrackedStep) -> None:
        from mlflow.entities import Metric, Param, RunTag

        client = self._opened()
        experiment = self._experiment(step)
        if step.original:
            known = self._find(experiment, step.original)
            if known is not None:
                client.set_tag(known, "zennb.last_reused_by", f"run {step.run}")
                return
        started = round(step.started * 1000)
        number = self._find(experiment, step.id)
        if number is None:
            made = client.create_run(
                experiment, start_time=started, tags={_ID: step.id}, run_name=f"{step.step} (run {step.run})"
            )
            number = made.info.run_id
        metrics = [
            Metric(name, value, started + round(step.seconds * 1000), position)
            for name, points in _named(step.metrics).items()
            for position, value in points
            if not math.isnan(value)  # servers refuse it
        ]
        parameters = [Param(name, text[:_LONGEST]) for name, text in _named(step.parameters).items()]
        tags = [RunTag(name, value) for name, value in self._tags(step).items()]
        for at in range(0, max(len(metrics), 1), _METRICS_AT_ONCE):
            client.log_batch(number, metrics=metrics[at : at + _METRICS_AT_ONCE])
        for at in range(0, max(len(parameters), len(tags)), _MOST):
            client.log_batch(number, params=parameters[at : at + _MOST], tags=tags[at : at + _MOST])
        status = "FAILED" if step.status == "failed" else "FINISHED"
        client.set_terminated(number, status, end_time=started + round(step.seconds * 1000))

    def _tags(self, step: TrackedStep) -> dict[str, str]:
        outputs = {
            f"zennb.output.{each['name']}": (
                f"v{each['version']}  {each['type']}  {each['size']} bytes  {str(each['digest'])[:12]}  {each['value']}"
            ).rstrip()
            for each in step.artifacts
        }
        facts = {
            "zennb.step": step.step,
            "zennb.status": step.status,
            "zennb.notebook": step.notebook,
            "zennb.stack": step.stack,
            "zennb.run": "" if step.run is None else str(step.run),
            "zennb.error": step.error,
            "mlflow.source.name": step.notebook,
        }
        return {**{name: value for name, value in facts.items() if value}, **outputs}

    def _experiment(self, step: TrackedStep) -> str:
        from mlflow.exceptions import MlflowException

        client = self._opened()
        name = self.experiment or Path(step.notebook).stem or "zennb"
        found = client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        try:
            return str(client.create_experiment(name))
        except MlflowException:  # somebody else has made it in the meantime
            found = client.get_experiment_by_name(name)
            if found is None:
                raise
            return str(found.experiment_id)

    def _find(self, experiment: str, number: str) -> str | None:
        from mlflow.entities import ViewType

        quoted = number.replace("'", "")
        found = self._opened().search_runs(
            [experiment], f"tags.`{_ID}` = '{quoted}'", run_view_type=ViewType.ALL, max_results=1
        )
        return found[0].info.run_id if found else None

    def _opened(self) -> Any:
        if self._client is None:
            from mlflow import MlflowClient

            self._client = MlflowClient(tracking_uri=self.tracking_uri or None)
        return self._client

    def close(self) -> None:
        """Forget the client; the next call makes another."""
        self._client = None


def _named(values: Mapping[str, V]) -> dict[str, V]:
    """Return values under names that MLflow takes: one that it refuses would keep the whole step out of it for ever."""
    found: dict[str, V] = {}
    for name, value in values.items():
        wanted = taken = posixpath.normpath(_REFUSED.sub("_", name)).strip("./")[:_LONGEST_NAME] or "_"
        number = 1
        while taken in found:
            number += 1
            taken = f"{wanted}_{number}"
        found[taken] = value
    return found


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300].rstrip(".") + "."
