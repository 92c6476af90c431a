"""Owns the tree: every command there is, for the component types that have a flavor here."""

from __future__ import annotations

from functools import cache

from zennb import plugins
from zennb.commands.artifacts import ARTIFACTS
from zennb.commands.autostep import AUTOSTEP
from zennb.commands.check import CHECK
from zennb.commands.component import component_command
from zennb.commands.face import ROOT
from zennb.commands.house import COMPONENTS, DASHBOARD, HELP, INIT, TRUST, VERSION
from zennb.commands.notebook import RUN
from zennb.commands.pipeline import PIPELINE
from zennb.commands.runs import RUNS
from zennb.commands.stack import stack_command
from zennb.commands.syntax import Command
from zennb.core.component_types import COMPONENT_TYPES

__all__ = ["MAGICS", "build", "tree"]

MAGICS = frozenset({"stack", "pipeline", "runs", "artifacts", *(kind.command for kind in COMPONENT_TYPES)})
"""First words that have a line magic of their own; the others follow `%zennb`."""


@cache
def tree() -> Command:
    """Return the tree for the flavors installed here; it is built once."""
    return build(frozenset(plugins.all_flavors()))


def build(types: frozenset[str]) -> Command:
    """Return the tree for the component types named."""
    kinds = [kind for kind in COMPONENT_TYPES if kind.name in types]
    return Command(
        name=ROOT,
        help="stacks, pipelines, runs and artifacts of notebooks whose cells are steps",
        default=DASHBOARD.name,
        parts=(
            DASHBOARD,
            stack_command(kinds),
            *(component_command(kind) for kind in kinds),
            COMPONENTS,
            PIPELINE,
            RUN,
            CHECK,
            RUNS,
            ARTIFACTS,
            AUTOSTEP,
            TRUST,
            INIT,
            VERSION,
            HELP,
        ),
        examples=(
            "stack list",
            "artifact-store register my_artifact_store --flavor=local",
            "stack register my_stack -o default -a my_artifact_store",
            "stack set my_stack",
            "runs list",
        ),
    )
