"""Owns the line magics: each passes its line to the command tree, and displays the result."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from IPython.display import display

from zennb.commands.catalogue import MAGICS, tree
from zennb.commands.dispatch import run_line
from zennb.commands.help import help_text
from zennb.commands.interface import ROOT, Interface
from zennb.commands.json_envelope import content
from zennb.commands.outcome import Context
from zennb.commands.parser import words_of
from zennb.commands.syntax import JSON
from zennb.core.secrets.held import masked_display
from zennb.jupyter.kernel.status_data import DATA_TYPE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from IPython.core.interactiveshell import InteractiveShell

    from zennb.commands.outcome import Outcome
    from zennb.commands.session import Session
    from zennb.commands.syntax import Node

__all__ = ["register", "unregister"]

PIPELINE = "pipeline"
"""The command whose results describe the state of a notebook, and so are saved in it as data."""

HELP_LINE = re.compile(
    r"^\s*(?:\?{1,2}%NAME|%NAME\?{1,2})\s*$".replace("NAME", rf"(?:{'|'.join(sorted(MAGICS))})")
)
"""A line that asks for the help of one of our magics."""


def register(
    shell: InteractiveShell,
    session: Session | None,
    *,
    silence: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> None:
    """Define the line magics in a shell.

    Args:
        shell: the shell.
        session: answers the commands' questions about this kernel; None where there is no notebook session.
        silence: suppresses live tables: with `--json`, one object is all that is displayed.
    """
    context = Context(interface=Interface.MAGIC, session=session)
    for name, command, path in _magics():
        magic = _magic(name, command, path, context, silence)
        shell.magics_manager.register_function(magic, magic_kind="line", magic_name=name)
    if _help_lines not in shell.input_transformer_manager.cleanup_transforms:
        shell.input_transformer_manager.cleanup_transforms.append(_help_lines)


def unregister(shell: InteractiveShell) -> None:
    """Remove the line magics from a shell."""
    transforms = shell.input_transformer_manager.cleanup_transforms
    if _help_lines in transforms:
        transforms.remove(_help_lines)
    for name, _, _ in _magics():
        shell.magics_manager.magics["line"].pop(name, None)


def _help_lines(lines: list[str]) -> list[str]:
    """Let `%artifact-store?` find its magic, which is no identifier, and let `??` show help, not source."""
    return [_help_line(line) if HELP_LINE.match(line) else line for line in lines]


def _help_line(line: str) -> str:
    return line.replace("-", "_").replace("??", "?")


def _magics() -> Iterator[tuple[str, Node, tuple[str, ...]]]:
    """Give each magic's name, its command, and the words that lead there from the root."""
    root = tree()
    yield ROOT, root, ()
    for command in root.known(Interface.MAGIC):
        if command.name in MAGICS:
            yield command.name, command, (command.name,)
            # As a line magic `%artifact-store` works, but `%artifact-store?` and completion want an identifier.
            if "-" in command.name:
                yield command.name.replace("-", "_"), command, (command.name,)


def _magic(
    name: str,
    command: Node,
    path: tuple[str, ...],
    context: Context,
    silence: Callable[[], AbstractContextManager[None]],
) -> Callable[[str], object]:
    def magic(line: str) -> object:
        __tracebackhide__ = True
        with silence() if JSON.flags[0] in line.split() else nullcontext():
            outcome = run_line(path, line, context, command_line=f"%{name}")
        found = outcome.content
        if found is None and path == (PIPELINE,) and outcome.data is not None:
            command = words_of(tree(), [PIPELINE, *line.split()], interface=Interface.MAGIC)
            found = content(outcome, command=command, interface=Interface.MAGIC)
        return _shown(outcome, found)

    magic.__doc__ = help_text(command, path, interface=Interface.MAGIC)
    magic.__name__ = magic.__qualname__ = name.replace("-", "_")
    return magic


def _shown(outcome: Outcome, found: Mapping[str, Any] | None) -> object:
    """Display the outcome of a command. An error that is displayed as JSON is raised too, so that the cell fails.

    Args:
        outcome: the outcome.
        found: the same as a JSON object, for tools that read the notebook; None where there is none.
    """
    __tracebackhide__ = True
    if outcome.view is not None:
        data = {} if found is None else {DATA_TYPE: found}
        show = getattr(outcome.view, "_ipython_display_", None)  # of a panel, which is two outputs
        if show is not None and not data:
            show()
        else:
            display({**masked_display(outcome.view._repr_mimebundle_()), **data}, raw=True)
    if outcome.raised is not None:
        raise outcome.raised
    return outcome.value
