"""Owns the line magics: a line goes to the command tree, what comes of it is displayed."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from IPython.display import display

from zennb.commands.catalogue import MAGICS, tree
from zennb.commands.dispatch import run
from zennb.commands.face import ROOT, Face
from zennb.commands.help import help_text
from zennb.commands.outcome import Context
from zennb.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from IPython.core.interactiveshell import InteractiveShell

    from zennb.commands.outcome import Outcome
    from zennb.commands.session import Session
    from zennb.commands.syntax import Command

__all__ = ["register", "unregister"]

HELP_LINE = re.compile(
    r"^\s*(?:\?{1,2}%NAME|%NAME\?{1,2})\s*$".replace("NAME", rf"(?:{'|'.join(sorted(MAGICS))})")
)
"""A line that asks for the help of one of our magics."""


def register(shell: InteractiveShell, session: Session | None) -> None:
    """Define the line magics in a shell.

    Args:
        shell: the shell.
        session: what the commands ask of this kernel; None where there is no notebook session.
    """
    context = Context(face=Face.MAGIC, session=session)
    for name, command, path in _magics():
        magic = _magic(name, command, path, context)
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
    """Let `%artifact-store?` find its magic, where IPython wants an identifier, and `??` show help, not source."""
    return [_help_line(line) if HELP_LINE.match(line) else line for line in lines]


def _help_line(line: str) -> str:
    return line.replace("-", "_").replace("??", "?")


def _magics() -> Iterator[tuple[str, Command, tuple[str, ...]]]:
    """Give each magic's name, its command, and the words that lead there from the root."""
    root = tree()
    yield ROOT, root, ()
    for command in root.commands(Face.MAGIC):
        if command.name in MAGICS:
            yield command.name, command, (command.name,)
            if "-" in command.name:
                yield command.name.replace("-", "_"), command, (command.name,)


def _magic(name: str, command: Command, path: tuple[str, ...], context: Context) -> Callable[[str], object]:
    def magic(line: str) -> object:
        __tracebackhide__ = True
        return _shown(run([*path, *_words(name, line)], context))

    magic.__doc__ = help_text(command, path, face=Face.MAGIC)
    magic.__name__ = magic.__qualname__ = name.replace("-", "_")
    return magic


def _words(name: str, line: str) -> list[str]:
    """Part a line into words as a shell does, so that names with spaces can be quoted."""
    try:
        return shlex.split(line)
    except ValueError as error:
        raise UsageError(
            f"%{name} {line}: {str(error).lower()}; put a name with spaces in one pair of quotes."
        ) from None


def _shown(outcome: Outcome) -> object:
    if outcome.view is not None:
        display(outcome.view._repr_mimebundle_(), raw=True)
    return outcome.value
