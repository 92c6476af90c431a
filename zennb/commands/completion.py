"""Owns completion: the words that can be typed next. Pure: a tree and a snapshot of names in, words out."""

from __future__ import annotations

from itertools import pairwise
from shlex import quote
from typing import TYPE_CHECKING

from zennb.commands.syntax import Argument, Command, Node, Verb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zennb.commands.interface import Interface
    from zennb.commands.known_names import KnownNames

__all__ = ["candidates"]


def candidates(
    node: Node, words: Sequence[str], fragment: str, *, names: KnownNames, interface: Interface
) -> list[str]:
    """Return what can complete `fragment`, the word being typed after `words`.

    Args:
        node: the command or verb that `words` follow.
        words: whole words between it and the one being typed.
        fragment: the beginning of the word being typed; for `--flavor=lo` that is `--flavor=lo`.
        names: what exists by name.
        interface: where it is typed.
    """
    rest = list(words)
    while isinstance(node, Command) and rest:
        part = node.part(rest.pop(0), interface)
        if part is None:
            return []
        node = part
    if isinstance(node, Command):
        default = node.part(node.default, interface) if node.default else None
        found = node.names(interface)
        if fragment.startswith("-"):
            found = _options(default, (), interface) if isinstance(default, Verb) else []
    else:
        found = _in_verb(node, rest, fragment, names, interface)
    return [_quoted(word) for word in dict.fromkeys(found) if word.startswith(fragment)]


def _quoted(word: str) -> str:
    """Return a word as it has to be typed: a name with spaces in quotes."""
    return word if word.isprintable() and not set(word) & set(" '\"\\") else quote(word)


def _in_verb(
    verb: Verb, rest: Sequence[str], fragment: str, names: KnownNames, interface: Interface
) -> list[str]:
    last = _option(verb, rest[-1], interface) if rest else None
    if last is not None and not last.is_switch:
        return _values(last, names, fragment)
    flag, equals, value_typed = fragment.partition("=")
    if equals:
        option = _option(verb, flag, interface)
        return (
            [f"{flag}={value}" for value in _values(option, names, value_typed)] if option is not None else []
        )
    if fragment.startswith("-"):
        return [*_options(verb, rest, interface), *_flavor_options(verb, rest, names, interface)]
    place = _place(verb, rest, interface)
    return _values(place, names) if place is not None else _options(verb, rest, interface)


def _option(verb: Verb, flag: str, interface: Interface) -> Argument | None:
    return next((option for option in verb.options(interface) if flag in option.flags), None)


def _options(verb: Verb, rest: Sequence[str], interface: Interface) -> list[str]:
    """Return the options not typed yet, and those that may be repeated."""
    typed = {word.partition("=")[0] for word in rest}
    return [
        flag
        for option in verb.options(interface)
        if option.is_repeated or not typed & set(option.flags)
        for flag in option.flags
        if flag.startswith("--") or len(option.flags) == 1
    ]


def _flavor_options(verb: Verb, rest: Sequence[str], names: KnownNames, interface: Interface) -> list[str]:
    """Return the options of the flavor that was typed: `--workers` after `--flavor=threads`."""
    option = _option(verb, "--flavor", interface)
    if option is None:
        return []
    typed = {word.partition("=")[0] for word in rest}
    flavor = ""
    for before, word in pairwise(["", *rest]):
        flag, _, value = word.partition("=")
        if flag in option.flags and value:
            flavor = value
        elif before in option.flags:
            flavor = word
    kind = option.kind.removeprefix("flavor:")
    return [f"--{each}" for each in names.options_of(kind, flavor) if f"--{each}" not in typed]


def _place(verb: Verb, rest: Sequence[str], interface: Interface) -> Argument | None:
    """Return the positional argument that comes next."""
    places = verb.places(interface)
    filled, value_due = 0, False
    for word in rest:
        option = _option(verb, word.partition("=")[0], interface)
        if value_due or word.startswith("-"):
            value_due = option is not None and not option.is_switch and "=" not in word
        else:
            filled += 1
    if filled < len(places):
        return places[filled]
    return places[-1] if places and places[-1].is_repeated else None


def _values(argument: Argument, names: KnownNames, fragment: str = "") -> list[str]:
    before = (
        fragment.rpartition(",")[0] if argument.type is tuple else ""
    )  # `-i rows,ta` goes on with `table`
    known = argument.choices or names.of(argument.kind)
    return [f"{before},{each}" for each in known if each not in before.split(",")] if before else list(known)
