"""Owns `run`: from typed words to an outcome, for every face."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zennb.commands.catalogue import MAGICS, tree
from zennb.commands.help import help_view
from zennb.commands.outcome import Context, Outcome
from zennb.commands.parser import HELP, find, parse
from zennb.commands.syntax import Verb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zennb.commands.parser import Found

__all__ = ["run"]


def run(words: Sequence[str], context: Context) -> Outcome:
    """Do what the words say.

    Args:
        words: the command line without the program's name, or the magic's name and its line in words.
        context: where it was typed, and on what it works.

    Raises:
        ZennbError: it was typed wrongly, or could not be done; the message is meant for whoever typed it.
    """
    __tracebackhide__ = True  # what a step raises passes through here
    words = list(words)
    if words[:1] == ["help"]:
        asked = words[1:] or ["--help"]  # of everything, not of what the root does by itself
        return _help(find(tree(), asked, face=context.face, magics=MAGICS), context)
    found = find(tree(), words, face=context.face, magics=MAGICS)
    node = found.node
    if not isinstance(node, Verb) or HELP & set(found.rest):
        return _help(found, context)
    spoken = context.face.spell(found.path or (node.name,), magics=MAGICS)
    given = parse(node, found.rest, face=context.face, spoken=spoken)
    outcome = node.run(context, given)
    return outcome.as_json() if given.switch("json") else outcome


def _help(found: Found, context: Context) -> Outcome:
    view = help_view(found.node, found.path, face=context.face)
    return Outcome(view=view, data={"help": view.text})
