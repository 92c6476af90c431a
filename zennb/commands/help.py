"""Owns help texts: those of commands and verbs, for `?`, `--help` and the reference page."""

from __future__ import annotations

import re
from functools import cache
from textwrap import wrap
from typing import TYPE_CHECKING

from zennb.commands.catalogue import MAGICS
from zennb.commands.interface import ROOT, Interface
from zennb.commands.syntax import Argument, Command, Node, Verb
from zennb.views.markup import block
from zennb.views.view import View

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["argument_rows", "example", "help_text", "help_view", "sentence"]

ROOM = 78
"""Width of help texts, in columns."""
WIDE = 30
"""Largest width of the left column, which holds what is typed."""


def help_view(node: Node, path: Sequence[str], *, interface: Interface) -> View:
    """Return the help of the command or verb at `path`."""
    text = help_text(node, tuple(path), interface=interface)
    return View(text, block(text))


@cache
def help_text(node: Node, path: tuple[str, ...], *, interface: Interface) -> str:
    """Return the help of the command or verb at `path` as plain text."""
    parts = _verb(node, path, interface) if isinstance(node, Verb) else _command(node, path, interface)
    return "\n\n".join(part for part in parts if part)


def example(line: str, interface: Interface) -> str:
    """Return an example line as typed: `stack list` becomes `%stack list` or `zennb stack list`.

    `{notebook}` stands for the path that only the terminal needs.
    """
    line = " ".join(
        line.replace("{notebook}", "study.ipynb" if interface is Interface.TERMINAL else "").split()
    )
    noun = line.split(" ", 1)[0]
    if interface is Interface.TERMINAL:
        return f"{ROOT} {line}"
    return f"%{line}" if noun in MAGICS or noun.startswith("%") else f"%{ROOT} {line}"


def _verb(verb: Verb, path: Sequence[str], interface: Interface) -> list[str]:
    usage = f"{interface.spell(path, magics=MAGICS)} {verb.usage(interface)}".rstrip()
    return [
        usage,
        sentence(verb.help),
        _rows(argument_rows(verb, interface)),
        _examples(verb.examples, interface),
    ]


def argument_rows(verb: Verb, interface: Interface) -> list[tuple[str, str]]:
    """Return each argument of a verb as it is typed, and its help."""
    rows = [(_typed(each), _meaning(each)) for each in [*verb.places(interface), *verb.options(interface)]]
    return [*rows, ("--key=value", verb.free)] if verb.free else rows


def _command(command: Command, path: Sequence[str], interface: Interface) -> list[str]:
    command_line = interface.spell(path, magics=MAGICS)
    is_known = command.part(command.default, interface) is not None
    bare = f"`{command_line}` alone means `{command_line} {command.default}`." if is_known else ""
    lead = "\n".join(wrap(f"{sentence(command.help)} {bare}", ROOM))
    more = f"{command_line} VERB --help" if path else f"{command_line} COMMAND --help"
    ending = f"Type `{more}` for the arguments of one."
    rows = [row for part in command.known(interface) for row in _inside(part, interface, whole=bool(path))]
    return [lead, _rows(rows), _examples(command.examples, interface), ending]


def _inside(part: Node, interface: Interface, *, whole: bool) -> list[tuple[str, str]]:
    """Return the rows for a part of a command; `whole` adds its options."""
    if isinstance(part, Verb):
        usage = part.usage(interface) if whole else " ".join(each.usage for each in part.places(interface))
        return [(f"{part.name} {usage}".rstrip(), part.help)]
    if len(part.known(interface)) == 1:
        inner = [row for each in part.known(interface) for row in _inside(each, interface, whole=whole)]
        return [(f"{part.name} {name}", meaning) for name, meaning in inner]
    return [(part.name, part.help)]


def _typed(argument: Argument) -> str:
    if not argument.is_option or argument.is_switch:
        return ", ".join(argument.flags)
    return f"{', '.join(argument.flags)} {argument.value}"


def _meaning(argument: Argument) -> str:
    choices = f": {', '.join(argument.choices)}" if argument.choices else ""
    return f"{argument.help}{choices}{' (may be repeated)' if argument.is_repeated and argument.is_option else ''}"


def sentence(text: str) -> str:
    """Return a help line as a sentence."""
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _examples(lines: Sequence[str], interface: Interface) -> str:
    return "\n".join(["Examples:", *(f"  {example(line, interface)}" for line in lines)]) if lines else ""


def _rows(rows: Sequence[tuple[str, str]]) -> str:
    """Return rows as two aligned columns; after a long left cell, the right one starts on the next line."""
    wide = max((len(typed) for typed, _ in rows if len(typed) <= WIDE), default=WIDE)
    lines: list[str] = []
    for typed, meaning in rows:
        first, *others = wrap(meaning, ROOM - wide - 4) or [""]
        if len(typed) <= wide:
            lines.append(f"  {typed:{wide}}  {first}".rstrip())
        else:
            lines += [f"  {part}" for part in _broken(typed)] + [f"  {'':{wide}}  {first}"]
        lines += [f"  {'':{wide}}  {other}" for other in others]
    return "\n".join(lines)


def _broken(usage: str) -> list[str]:
    """Return a usage line in parts that fit, each option whole."""
    whole = re.sub(r"\[[^\]]*\]", lambda option: option[0].replace(" ", "\0"), usage)
    parts = wrap(whole, ROOM - 2, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
    return [part.replace("\0", " ") for part in parts]
