"""Owns `run`: from typed words to an outcome, for every face, and `--json` for every command and every mistake."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from zennb.commands.catalogue import MAGICS, tree, tree_for
from zennb.commands.help import help_view
from zennb.commands.json_envelope import answer, refusal
from zennb.commands.outcome import Context, Outcome
from zennb.commands.parser import HELP, find, parse, words_of
from zennb.commands.syntax import JSON, Verb
from zennb.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zennb.commands.parser import FoundVerb

__all__ = ["run", "run_line"]

_JSON = JSON.flags[0]


def run(words: Sequence[str], context: Context) -> Outcome:
    """Do what the words say.

    With `--json` among them, whatever comes of it is one JSON object: an error is then no exception but an outcome
    that carries it (`Outcome.raised`).

    Args:
        words: the command line without the program's name, or the magic's name and its line in words.
        context: where it was typed, and on what it works.

    Raises:
        ZennbError: it was typed wrongly, or could not be done; the message is meant for whoever typed it.
    """
    __tracebackhide__ = True  # what a step raises passes through here
    words = list(words)
    if not _wants_json(words):
        return _run(words, context)
    command = words_of(tree_for(words, context.interface), words, interface=context.interface)
    try:
        return answer(_run(words, context.quiet()), command=command, interface=context.interface)
    except BrokenPipeError:
        raise  # nobody reads any more
    except BaseException as error:  # noqa: BLE001 - the outcome carries it, and magics raise it again
        return refusal(error, command=command, interface=context.interface, empty=Outcome(view=None))


def run_line(path: Sequence[str], line: str, context: Context, *, spoken: str) -> Outcome:
    """Do what the line of a magic says: it is parted into words as a shell does, so that names can be quoted.

    Args:
        path: the words that the magic's name stands for.
        line: what was typed after it.
        context: where it was typed, and on what it works.
        spoken: the magic as typed, for messages: `%stack`.

    Raises:
        ZennbError: as `run`.
    """
    __tracebackhide__ = True
    try:
        words = shlex.split(line)
    except ValueError as problem:
        sentence = f"{spoken} {line}: {str(problem).lower()}; put a name with spaces in one pair of quotes."
        error = UsageError(sentence)
        if not _wants_json(line.split()):
            raise error from None
        told = [*path, *line.split()]
        command = words_of(tree_for(told, context.interface), told, interface=context.interface)
        return refusal(error, command=command, interface=context.interface, empty=Outcome(view=None))
    return run([*path, *words], context)


def _wants_json(words: Sequence[str]) -> bool:
    """Whether the answer is to be data; what stands after `--` is no option."""
    return _JSON in (words[: words.index("--")] if "--" in words else words)


def _run(words: list[str], context: Context) -> Outcome:
    __tracebackhide__ = True
    if words[:1] == ["help"]:
        asked = [word for word in words[1:] if word != _JSON] or [
            "--help"
        ]  # of everything, not of what is default
        return _help(find(tree(), asked, interface=context.interface, magics=MAGICS), context)
    found = find(tree_for(words, context.interface), words, interface=context.interface, magics=MAGICS)
    node = found.node
    if not isinstance(node, Verb) or HELP & set(found.rest):
        return _help(found, context)
    spoken = context.interface.spell(found.path or (node.name,), magics=MAGICS)
    return node.run(context, parse(node, found.rest, interface=context.interface, spoken=spoken))


def _help(found: FoundVerb, context: Context) -> Outcome:
    view = help_view(found.node, found.path, interface=context.interface)
    return Outcome(view=view, data={"help": view.text})
