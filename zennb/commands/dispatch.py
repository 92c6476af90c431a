"""Owns running a command: from typed words to an outcome, and `--json` for every command and every mistake."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from zennb.commands.catalogue import MAGICS, tree, tree_for
from zennb.commands.help import help_view
from zennb.commands.json_envelope import answer, refusal
from zennb.commands.outcome import Context, Outcome
from zennb.commands.parser import HELP, find, parse, words_of
from zennb.commands.syntax import JSON, Verb
from zennb.core.secrets.held import hide_secrets
from zennb.errors import UsageError, ZennbError
from zennb.registry.home import working_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["run", "run_line"]


def run(words: Sequence[str], context: Context) -> Outcome:
    """Run a command.

    With `--json` among the words, the outcome is always one JSON object: an error is not raised, but carried by the
    outcome (`Outcome.raised`).

    Args:
        words: the command line without the program's name, or the magic's name and its line in words.
        context: where it was typed, and on what it works.

    Raises:
        ZennbError: it was typed wrongly, or could not be done; the message is meant for whoever typed it.
    """
    __tracebackhide__ = True  # what a step raises passes through here
    words = list(words)
    if not _wants_json(words):
        try:
            return _run(words, context)
        except ZennbError as error:
            hide_secrets(error)
            raise
    command = words_of(tree_for(words, context.interface), words, interface=context.interface)
    try:
        return answer(_run(words, context.quiet()), command=command, interface=context.interface)
    except BrokenPipeError:
        raise  # the reader has closed the pipe
    except BaseException as error:  # noqa: BLE001 - the outcome carries it, and magics raise it again
        return refusal(error, command=command, interface=context.interface)


def run_line(path: Sequence[str], line: str, context: Context, *, command_line: str) -> Outcome:
    """Run the line of a magic, split into words as a shell does, so that names can be quoted.

    Args:
        path: the words that the magic's name stands for.
        line: what was typed after it.
        context: where it was typed, and on what it works.
        command_line: the magic as typed, for messages: `%stack`.

    Raises:
        ZennbError: as `run`.
    """
    __tracebackhide__ = True
    try:
        words = shlex.split(line)
    except ValueError as problem:
        sentence = (
            f"{command_line} {line}: {str(problem).lower()}; put a name with spaces in one pair of quotes."
        )
        error = UsageError(sentence)
        if not _wants_json(line.split()):
            raise error from None
        words = [*path, *line.split()]
        command = words_of(tree_for(words, context.interface), words, interface=context.interface)
        return refusal(error, command=command, interface=context.interface)
    return run([*path, *words], context)


def _wants_json(words: Sequence[str]) -> bool:
    """Whether the answer is JSON; a word after `--` is no option."""
    return JSON.spellings in (words[: words.index("--")] if "--" in words else words)


def _run(words: list[str], context: Context) -> Outcome:
    __tracebackhide__ = True
    try:
        return _answered(words, context)
    except FileNotFoundError as error:
        if not isinstance(error, ZennbError):
            working_folder()  # if it is gone, that is the reason, and what is said
        raise


def _answered(words: list[str], context: Context) -> Outcome:
    __tracebackhide__ = True
    asks_help, root = words[:1] == ["help"], tree_for(words, context.interface)
    if asks_help:  # `help` alone is the help of everything, not of the default command
        words, root = [*(word for word in words[1:] if word != JSON.spellings), "--help"], tree()
    found = find(root, words, interface=context.interface, magics=MAGICS)
    node = found.node
    if asks_help or not isinstance(node, Verb) or HELP & set(found.rest):
        view = help_view(node, found.path, interface=context.interface)
        return Outcome(view=view, data={"help": view.text})
    command_line = context.interface.spell(found.path or (node.name,), magics=MAGICS)
    arguments = parse(node, found.rest, interface=context.interface, command_line=command_line)
    return node.run(replace(context, command_line=command_line), **arguments)
