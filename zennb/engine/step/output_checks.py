"""Owns `--check`: which outputs of a step have to pass which schema, and the check of them after its body."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from zennb.errors import OutputCheckFailed, StepRefused, UsageError, ZennbError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from zennb.components.data_validator import Check, DataValidator
    from zennb.core.records.records import Artifact
    from zennb.engine.step.definition import StepDefinition
    from zennb.engine.step.metric_log import MetricLog

__all__ = ["OutputChecks", "StepChecks", "checked_outputs", "checks_in_key"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepChecks:
    """What checking the outputs of a step needs, as plain data that can cross processes.

    Attributes:
        validator: reads the schemas.
        earlier: output → the version before.
    """

    validator: DataValidator
    earlier: Mapping[str, Artifact] = field(default_factory=dict)


def checked_outputs(definition: StepDefinition) -> dict[str, str]:
    """Return output → variable with its schema; "" for the only output, where only the run will show which it is.

    Raises:
        StepRefused: it is unclear which output is to be checked, or the step binds the schema itself.
    """
    options, analysis = definition.options, definition.analysis
    if not options.checks:
        return {}
    made = options.outputs or tuple(
        name
        for name in analysis.binds
        if not name.startswith("_") and name not in analysis.imports and name not in analysis.defines
    )
    found: dict[str, str] = {}
    for output, schema in options.checks.items():
        if schema in analysis.binds:
            raise StepRefused(
                f"step '{definition.name}' has `--check {schema}`, but binds `{schema}` itself; bind the schema in a "
                "cell above."
            )
        if not output and len(made) > 1:
            names = ", ".join(f"`{name}`" for name in made)
            raise StepRefused(
                f"step '{definition.name}' has {len(made)} outputs ({names}); say which one `{schema}` is for, such "
                f"as `--check {made[-1]}={schema}`."
            )
        found[output or (made[0] if made else "")] = schema
    return found


def checks_in_key(definition: StepDefinition) -> dict[str, str]:
    """Return the entries of the cache key for what is checked; the schemas themselves are inputs."""
    checks = definition.options.checks
    return {
        f"check {output}={schema}" if output else f"check {schema}": "" for output, schema in checks.items()
    }


class OutputChecks:
    """The checks of one execution of a step.

    Args:
        definition: the step.
        checks: the validator, and the versions before.
        namespace: where its code runs.
        load: loads artifacts.

    Raises:
        UsageError: a schema is none.
    """

    def __init__(
        self,
        definition: StepDefinition,
        checks: StepChecks,
        namespace: Mapping[str, Any],
        load: Callable[[Mapping[str, Artifact]], Mapping[str, Any]],
    ) -> None:
        self._definition, self._earlier, self._load = definition, checks.earlier, load
        self._schemas = checked_outputs(definition)
        # Read before the body, so that a wrong schema costs no time, and whatever the step does to it does not count.
        self._checks = {
            output: self._read(checks.validator, schema, namespace[schema])
            for output, schema in self._schemas.items()
        }

    def run(self, outputs: Mapping[str, Any], namespace: Mapping[str, Any], metrics: MetricLog) -> None:
        """Check the outputs, and log what was measured.

        Args:
            outputs: what the step has bound or changed.
            namespace: the variables after its body.
            metrics: takes the measures, as `check/clean/rows`.

        Raises:
            OutputCheckFailed: some do not pass.
        """
        problems = []
        for asked, check in self._checks.items():
            output = asked or self._only(outputs)
            if output not in namespace:
                raise OutputCheckFailed(
                    f"step '{self._definition.name}' has `--check {output}={self._schemas[asked]}`, but did not bind "
                    f"`{output}`."
                )
            found = check(namespace[output], lambda output=output: self._version_before(output))  # type: ignore[misc]
            _log(metrics, output, {"passed": found.passed, "failed": len(found.failures), **found.measures})
            if found.failures:
                what = "; ".join(found.failures)
                problems.append(f"`{output}` does not pass the check `{self._schemas[asked]}`: {what}.")
        if problems:
            raise OutputCheckFailed(
                f"{' '.join(problems)} Nothing of this run of the step was bound or stored."
            )

    def _read(self, validator: DataValidator, name: str, schema: object) -> Check:
        try:
            return validator.check_for(schema)
        except UsageError as error:
            raise UsageError(
                f"step '{self._definition.name}' has `--check {name}`, and `{name}` is not a schema that the data "
                f"validator '{validator.name or validator.flavor}' can read: {error.message}"
            ) from None

    def _only(self, outputs: Mapping[str, Any]) -> str:
        """Return the output of a step whose code does not show which it is."""
        public = [name for name in outputs if not name.startswith("_")]
        if len(public) == 1:
            return public[0]
        schema = self._schemas[""]
        listed = f"{len(public)} outputs ({', '.join(public)})" if public else "no output"
        raise OutputCheckFailed(
            f"step '{self._definition.name}' has {listed}; say what `{schema}` is for: `--check OUTPUT={schema}`."
        )

    def _version_before(self, output: str) -> Any:
        if self._definition.element_of:
            raise StepRefused(
                f"step '{self._definition.name}' is an element of a mapped step, which has no version before it, so "
                "its drift cannot be checked; check the list of all results in a step below."
            )
        if output not in self._earlier:
            return None
        try:
            return self._load({output: self._earlier[output]})[output]
        except (
            ZennbError
        ):  # deleted in the meantime, or nothing that may be loaded: there is none to compare with
            return None


def _log(metrics: MetricLog, output: str, measures: Mapping[str, float]) -> None:
    for name, value in measures.items():
        label = f"check/{output}/{name}"
        if label.isprintable() and len(label) <= 200:
            try:
                metrics.add({label: float(value)})
            except UsageError:  # the step has logged as many metrics as a record holds
                return
