"""Owns the command tree: all commands, for the component types that have a flavor installed.

Each command is imported when it is needed: a line in a terminal needs one command, and importing all of them with the
installed flavors takes as long as most commands do.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from zennb.commands.interface import ROOT
from zennb.commands.syntax import Command
from zennb.core.records.component_types import COMPONENT_TYPES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zennb.commands.interface import Interface
    from zennb.commands.syntax import Node

__all__ = ["MAGICS", "build", "tree", "tree_for"]

MAGICS = frozenset(
    {"stack", "pipeline", "runs", "artifacts", "model", "deployment", "annotate", "secret"}
    | {kind.command for kind in COMPONENT_TYPES}
)
"""Commands with a line magic of their own; the others follow `%zennb`."""

MODULES = {
    "dashboard": "general",
    "components": "general",
    "pipeline": "pipeline",
    "run": "notebook",
    "check": "check",
    "annotate": "annotate",
    "runs": "runs",
    "artifacts": "artifacts",
    "model": "model",
    "deployment": "deployment",
    "secret": "secret",
    "autostep": "general",
    "sync": "sync",
    "trust": "trust",
    "init": "general",
    "doctor": "doctor",
    "reopen": "doctor",
    "version": "general",
    "help": "general",
}
"""Commands that do not depend on the installed flavors → their module in `verbs`, in the order that help shows. The
commands of stacks and components come after the first."""


@cache
def tree() -> Command:
    """Return the tree for the installed flavors; it is built once."""
    from zennb import plugins

    return build(frozenset(plugins.all_flavors()))


def tree_for(words: Sequence[str], interface: Interface) -> Command:
    """Return a tree for parsing `words`: of the one command that they name where that is enough, else the whole one."""
    part = _load(words[0]) if words and words[0] in MODULES else None
    return tree() if part is None or interface not in part.interfaces else _root((part,))


def build(types: frozenset[str]) -> Command:
    """Return the tree for the given component types."""
    from zennb.commands.verbs.component import component_command
    from zennb.commands.verbs.stack import stack_command

    kinds = [kind for kind in COMPONENT_TYPES if kind.name in types]
    first, *others = map(_load, MODULES)
    return _root((first, stack_command(kinds), *map(component_command, kinds), *others))


def _load(name: str) -> Node:
    parts: tuple[Node, ...] = import_module(f"zennb.commands.verbs.{MODULES[name]}").PARTS
    return next(part for part in parts if part.name == name)


def _root(parts: tuple[Node, ...]) -> Command:
    return Command(
        name=ROOT,
        help="stacks, pipelines, runs and artifacts of notebooks whose cells are steps",
        default="dashboard",
        parts=parts,
        examples=(
            "stack list",
            "artifact-store register my_artifact_store --flavor=local",
            "stack register my_stack -o default -a my_artifact_store",
            "stack set my_stack",
            "runs list",
        ),
    )
