"""Owns parsing: from typed words to a verb and the typed values of its arguments.

Every mistake raises a `UsageError` of one sentence; nothing is printed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zennb.commands.catalogue import MAGICS
from zennb.commands.interface import ROOT, Interface
from zennb.commands.syntax import Argument, Command, Node, Verb
from zennb.core.records.component_types import COMPONENT_TYPES
from zennb.errors import UsageError, nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


__all__ = ["HELP", "FoundVerb", "find", "parse", "words_of"]

HELP = frozenset({"-h", "--help", "-?"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundVerb:
    """Where typed words lead in the tree.

    Attributes:
        node: the command or verb.
        path: the words that name it, without the root.
        rest: the words after them.
        command: its full name, with a default verb that was not typed: `runs list`.
    """

    node: Node
    path: tuple[str, ...]
    rest: tuple[str, ...]
    command: str


def _walk(root: Command, words: Sequence[str], interface: Interface) -> FoundVerb:
    """Follow `words` from the root as far as they name commands and verbs."""
    node: Node = root
    path: list[str] = []
    names: list[str] = []
    rest = list(words)
    while isinstance(node, Command):
        is_named = bool(rest) and not rest[0].startswith("-")
        # `%runs --help` asks for the help of `runs`, not of its default verb.
        default = "" if HELP & set(rest) else node.default
        part = node.part(rest[0] if is_named else default, interface)
        if part is None:
            break
        if is_named:
            path.append(rest.pop(0))
        names.append(part.name)
        node = part
    return FoundVerb(node=node, path=tuple(path), rest=tuple(rest), command=" ".join(names))


def find(
    root: Command, words: Sequence[str], *, interface: Interface, magics: frozenset[str] = frozenset()
) -> FoundVerb:
    """Return the command or verb that `words` name.

    Where a command is followed by an option or by nothing, its default verb is meant, if it has one.

    Raises:
        UsageError: a word is no verb of the command before it.
    """
    found = _walk(root, words, interface)
    if isinstance(found.node, Command) and found.rest and not found.rest[0].startswith("-"):
        word, command_line = found.rest[0], interface.spell(found.path, magics=magics)
        if other := _elsewhere(found.node, word, interface):
            raise UsageError(other)
        problem = f"{command_line} {word}: no verb" if found.path else f"{command_line}: no command"
        raise UsageError(f"{problem} '{word}'; {_advice(word, found.node.names(interface))}")
    return found


def _elsewhere(command: Command, word: str, interface: Interface) -> str:
    """Return where a word works that is no command here; "" if it does nowhere."""
    for other in Interface:
        if other is not interface and command.name == ROOT and command.part(word, other) is not None:
            place = "in a notebook" if other is Interface.MAGIC else "in a terminal"
            # Without backticks, between which the spelling would be that of this interface.
            return f"{interface.spell((word,))}: works {place} only; type {other.spell((word,), magics=MAGICS)} there."
    kind = next((each for each in COMPONENT_TYPES if each.command == word.replace("_", "-")), None)
    if kind is None or command.name != ROOT:
        return ""
    listing = interface.spell(("components",))
    return f"{kind.title} ({kind.purpose}): {kind.instead or 'not supported yet'}; `{listing}` lists what there is."


def words_of(root: Command, words: Sequence[str], *, interface: Interface) -> str:
    """Return the command that `words` name, its default verb included: `runs list`; "" when they name none."""
    return _walk(root, words, interface).command


def parse(verb: Verb, words: Sequence[str], *, interface: Interface, command_line: str) -> dict[str, Any]:
    """Return the arguments of `verb` that `words` give: name → value of the argument's type, `free` among them.

    Args:
        verb: what is to be done.
        words: what was typed after it.
        interface: where it was typed.
        command_line: the command as typed, for messages.

    Raises:
        UsageError: an option is unknown or has a bad value, a word is missing or one too many.
    """
    usage = f"{command_line} {verb.usage(interface)}".rstrip()
    typed, free, positional = _split(verb, words, interface, command_line)
    for place in verb.places(interface):
        count = len(positional) if place.is_repeated else 1
        typed[place.name], positional = positional[:count], positional[count:]
    if positional:
        raise UsageError(f"{command_line}: '{positional[0]}' is one word too many; type `{usage}`.")
    for argument in verb.arguments:
        if argument.required and interface in argument.interfaces and not any(typed.get(argument.name, ())):
            raise UsageError(f"{command_line}: {' or '.join(argument.flags)} is missing; type `{usage}`.")
    values = {each.name: _value(each, typed.get(each.name, []), command_line) for each in verb.arguments}
    return {**values, "free": free} if verb.free else values


def _split(
    verb: Verb, words: Sequence[str], interface: Interface, command_line: str
) -> tuple[dict[str, list[str]], dict[str, str], list[str]]:
    """Return the words typed for each option by its name, the free options, and the other words."""
    options = {flag: option for option in verb.options(interface) for flag in option.flags}
    typed: dict[str, list[str]] = {}
    free: dict[str, str] = {}
    positional: list[str] = []
    todo = list(words)
    while todo:
        word = todo.pop(0)
        flag, equals, value = word.partition("=")
        if flag not in options and word[:2] in options:  # `-fVALUE`
            flag, equals, value = word[:2], "=", word[2:]
        has_next = bool(todo) and not _is_option(todo[0])
        if word == "--":  # nothing after it is an option
            return typed, free, [*positional, *todo]
        if (option := options.get(flag)) is not None:
            if (option.is_switch and equals) or not (option.is_switch or equals or has_next):
                problem = "takes no value" if equals else "needs a value"
                raise UsageError(f"{command_line}: {'/'.join(option.flags)} {problem}.")
            typed.setdefault(option.name, []).append(value if option.is_switch or equals else todo.pop(0))
        elif verb.free and word.startswith("--"):
            free[flag[2:].replace("-", "_")] = value if equals else todo.pop(0) if has_next else "true"
        elif _is_option(word) and not verb.free:
            raise UsageError(f"{command_line}: no option '{word}'; {_advice(flag, options)}")
        else:
            positional.append(word)
    return typed, free, positional


def _is_option(word: str) -> bool:
    """Whether a word is an option: a negative number, a lone dash and a sentence are none."""
    is_number = word[1:].replace(".", "", 1).isdigit()
    return word.startswith("-") and word != "-" and not is_number and " " not in word.partition("=")[0]


def _advice(word: str, known: Collection[str]) -> str:
    """Return what could be typed instead of an unknown word."""
    close = nearest(word, known)
    if close:
        return f"did you mean '{close}'?"
    return f"known: {', '.join(known)}." if known else "it takes none."


def _value(argument: Argument, words: Sequence[str], command_line: str) -> Any:
    """Return the value of an argument, given the words typed for it; the last counts where one value is taken."""
    if argument.type is bool:
        return bool(words)
    if argument.type is list:
        return list(words)
    if argument.type is tuple:
        return tuple(name.strip() for word in words for name in word.split(",") if name.strip())
    if argument.type is dict:
        return dict(_pair(word, command_line) for word in words)
    return _single(argument, words[-1], command_line) if words else argument.default


def _pair(word: str, command_line: str) -> tuple[str, str]:
    key, equals, value = word.partition("=")
    if not equals or not key.strip():
        raise UsageError(f"{command_line}: '{word}' is not of the form NAME=VALUE; type e.g. -p depth=3.")
    return key.strip(), value


def _single(argument: Argument, word: str, command_line: str) -> Any:
    flag = argument.flags[-1]
    if argument.choices and word not in argument.choices:
        raise UsageError(f"{command_line}: {flag} cannot be '{word}'; {_advice(word, argument.choices)}")
    try:
        value = argument.type(word)
    except ValueError:
        kind = "a whole number" if argument.type is int else "a number"
        raise UsageError(f"{command_line}: {flag} takes {kind}, not '{word}'.") from None
    if argument.type is not str and value < 0:
        raise UsageError(f"{command_line}: {flag} cannot be negative, as {word} is.")
    return value
