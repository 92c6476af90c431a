"""Owns the way from typed words to a verb and its arguments; every mistake is one sentence, raised.

One `ArgumentParser` per verb reads the options. It never exits, prints or asks: what it does not know comes back,
and is judged here, so that the sentences are the same in every Python version.
"""

from __future__ import annotations

from argparse import ArgumentError, ArgumentParser
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NoReturn

from zennb.commands.parsed_arguments import ParsedArguments
from zennb.commands.syntax import Argument, Command, Node, Verb
from zennb.errors import UsageError, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zennb.commands.interface import Interface

__all__ = ["HELP", "FoundVerb", "Parser", "find", "parse", "words_of"]

HELP = frozenset({"-h", "--help", "-?"})


class Parser(ArgumentParser):
    """Reads the options of one verb; whatever is wrong is raised as `UsageError`, nothing else happens."""

    def __init__(self, verb: Verb, *, interface: Interface, spoken: str) -> None:
        super().__init__(prog=spoken, add_help=False, allow_abbrev=False, exit_on_error=False)
        for option in verb.options(interface):
            self.add_argument(*option.flags, dest=option.name, **_reading(option))

    def error(self, message: str) -> NoReturn:
        """Raise instead of exiting."""
        raise UsageError(f"{self.prog}: {message}.")

    def read(self, words: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
        """Return the options by name, and the words that are none of them, in order."""
        try:
            values, rest = self.parse_known_args(list(words))
        except ArgumentError as error:
            # argparse knows two mistakes here: a value too few, and a value given to a switch
            wrong = "takes no value" if "ignored explicit" in error.message else "needs a value"
            self.error(f"{error.argument_name} {wrong}")
        return vars(values), rest


def _reading(option: Argument) -> dict[str, Any]:
    if option.switch:
        return {"action": "store_true"}
    return {"action": "append" if option.many else "store"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundVerb:
    """Where typed words lead in the tree.

    Attributes:
        node: the command or verb.
        path: the words that name it, without the root.
        rest: the words after them.
    """

    node: Node
    path: tuple[str, ...]
    rest: tuple[str, ...]


def find(
    root: Command, words: Sequence[str], *, interface: Interface, magics: frozenset[str] = frozenset()
) -> FoundVerb:
    """Walk from the root along `words` as far as they name commands and verbs.

    Where a command is followed by an option or by nothing, its default verb is meant, if it has one.

    Raises:
        UsageError: a word is no verb of the command before it.
    """
    node: Node = root
    path: list[str] = []
    rest = list(words)
    while isinstance(node, Command):
        if rest and not rest[0].startswith("-"):
            part = node.part(rest[0], interface)
            if part is None:
                raise UsageError(_no_verb(node, rest[0], path, interface, magics))
            path.append(rest.pop(0))
        else:
            if not node.default or HELP & set(rest):
                break
            part = node.part(node.default, interface)
            if part is None:
                break
        node = part
    return FoundVerb(node=node, path=tuple(path), rest=tuple(rest))


def words_of(root: Command, words: Sequence[str], *, interface: Interface) -> str:
    """Return the command that `words` name, its default verb included: `runs list`; "" when they name none."""
    node: Node = root
    named: list[str] = []
    rest = list(words)
    while isinstance(node, Command):
        is_named = bool(rest) and not rest[0].startswith("-")
        default = "" if HELP & set(rest) else node.default
        part = node.part(rest.pop(0) if is_named else default, interface)
        if part is None:
            break
        named.append(part.name)
        node = part
    return " ".join(named)


def _no_verb(
    command: Command, word: str, path: Sequence[str], interface: Interface, magics: frozenset[str]
) -> str:
    known = command.names(interface)
    close = nearest(word, known)
    advice = f"did you mean '{close}'?" if close else f"known: {', '.join(known)}."
    spoken = interface.spell(path, magics=magics)
    if not path:
        return f"{spoken}: no command '{word}'; {advice}"
    return f"{spoken} {word}: no verb '{word}'; {advice}"


def parse(verb: Verb, words: Sequence[str], *, interface: Interface, spoken: str) -> ParsedArguments:
    """Return the arguments of `verb` that `words` give.

    Args:
        verb: what is to be done.
        words: what was typed after it.
        interface: where it was typed.
        spoken: the command as typed, for messages.

    Raises:
        UsageError: an option is unknown or has a bad value, a word is missing or one too many.
    """
    before, after = _split(words)
    values, rest = _parser(verb, interface, spoken).read(before)
    free, words_left = _free(rest) if verb.free else ({}, _only_words(rest, verb, interface, spoken))
    values |= _placed([*words_left, *after], verb, interface, spoken)
    missing = [
        each
        for each in verb.arguments
        if each.required and interface in each.faces and not values.get(each.name)
    ]
    if missing:
        typed = " or ".join(missing[0].flags)
        raise UsageError(f"{spoken}: {typed} is missing; type `{spoken} {verb.usage(interface)}`.")
    for argument in verb.arguments:
        values[argument.name] = _checked(argument, values.get(argument.name), spoken)
    return ParsedArguments(command_line=spoken, values=values, free=free)


@lru_cache(maxsize=64)
def _parser(verb: Verb, interface: Interface, spoken: str) -> Parser:
    """Return the parser of a verb; making one takes ten times as long as reading a line with it."""
    return Parser(verb, interface=interface, spoken=spoken)


def _split(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Part the words at `--`, after which nothing is an option."""
    words = list(words)
    at = words.index("--") if "--" in words else len(words)
    return words[:at], words[at + 1 :]


def _is_option(word: str) -> bool:
    return (
        word.startswith("-")
        and word != "-"
        and not word[1:].replace(".", "", 1).isdigit()
        and " " not in word
    )


def _only_words(rest: Sequence[str], verb: Verb, interface: Interface, spoken: str) -> list[str]:
    for word in rest:
        if _is_option(word):
            flags = [flag for option in verb.options(interface) for flag in option.flags]
            close = nearest(word.partition("=")[0], flags)
            known = f"known: {', '.join(flags)}." if flags else "it takes none."
            advice = f"did you mean '{close}'?" if close else known
            raise UsageError(f"{spoken}: no option '{word}'; {advice}")
    return list(rest)


def _free(rest: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Take `--key=value`, `--key value` and lone `--key` out of the words."""
    free: dict[str, str] = {}
    words: list[str] = []
    todo = list(rest)
    while todo:
        word = todo.pop(0)
        if not word.startswith("--"):
            words.append(word)
            continue
        key, equals, value = word[2:].partition("=")
        if not equals:
            value = todo.pop(0) if todo and not _is_option(todo[0]) else "true"
        free[key.replace("-", "_")] = value
    return free, words


def _placed(words: Sequence[str], verb: Verb, interface: Interface, spoken: str) -> dict[str, Any]:
    todo = list(words)
    values: dict[str, Any] = {}
    for place in verb.places(interface):
        if place.many:
            values[place.name], todo = todo, []
        elif todo:
            values[place.name] = todo.pop(0)
    if todo:
        usage = f"{spoken} {verb.usage(interface)}".rstrip()
        raise UsageError(f"{spoken}: '{todo[0]}' is one word too many; type `{usage}`.")
    return values


def _checked(argument: Argument, value: Any, spoken: str) -> Any:
    if value is None or value is False:
        return value
    if argument.choices and value not in argument.choices:
        close = nearest(value, argument.choices)
        advice = f"did you mean '{close}'?" if close else f"known: {', '.join(argument.choices)}."
        raise UsageError(f"{spoken}: {argument.flags[-1]} cannot be '{value}'; {advice}")
    if argument.number is None:
        return value
    try:
        number = argument.number(value)
    except ValueError:
        kind = "a whole number" if argument.number is int else "a number"
        raise UsageError(f"{spoken}: {argument.flags[-1]} takes {kind}, not '{value}'.") from None
    if number < 0:
        raise UsageError(f"{spoken}: {argument.flags[-1]} cannot be negative, as {value} is.")
    return number
