"""Owns the shape of the command tree: commands, their verbs, and the arguments of a verb. Pure values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from zennb.commands.interface import Interface

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from zennb.commands.outcome import Context, Outcome
    from zennb.commands.parsed_arguments import ParsedArguments

__all__ = ["FACES", "JSON", "Act", "Argument", "Command", "Node", "Verb", "paths"]

FACES = frozenset(Interface)

Act: TypeAlias = "Callable[[Context, ParsedArguments], Outcome]"
"""What a verb does: it gets the context and the arguments given, and returns what came of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One argument of a verb.

    Attributes:
        flags: `("-o", "--orchestrator")` for an option, `("NAME",)` for an argument that stands by its place.
        help: one line.
        kind: what it names, for completion (`stack`, `step`, `artifact_store`, `flavor:artifact_store`, ...); "" for
            free text.
        word: what stands for its value in usage lines; "" takes the name in capitals.
        required: whether the verb needs it.
        many: an option that may be repeated, or a place that takes all further words.
        switch: an option without a value.
        number: `int` or `float` when its text must be one.
        choices: the only values it takes; empty for any.
        faces: where it exists.
    """

    flags: tuple[str, ...]
    help: str
    kind: str = ""
    word: str = ""
    required: bool = False
    many: bool = False
    switch: bool = False
    number: type[int | float] | None = None
    choices: tuple[str, ...] = ()
    faces: frozenset[Interface] = FACES

    @property
    def is_option(self) -> bool:
        """Whether it is typed with a dash."""
        return self.flags[0].startswith("-")

    @property
    def name(self) -> str:
        """Its name in `ParsedArguments`: `artifact_store` for `--artifact-store`, `name` for `NAME`."""
        return self.flags[-1].lstrip("-").replace("-", "_").lower()

    @property
    def value(self) -> str:
        """What stands for its value: `NAME`."""
        return self.word or self.name.upper()

    @property
    def spelling(self) -> str:
        """How usage lines show it, without brackets: `-o ORCHESTRATOR`, `--set`, `NAME ...`."""
        more = " ..." if self.many and not self.is_option else ""
        if not self.is_option or self.switch:
            return self.flags[0] + more
        return f"{self.flags[0]}{'=' if self.flags[0].startswith('--') else ' '}{self.value}"

    @property
    def usage(self) -> str:
        """The same with brackets around what may be left out."""
        return (
            self.spelling
            if self.required
            else f"[{self.spelling}]{' ...' if self.many and self.is_option else ''}"
        )


JSON = Argument(flags=("--json",), switch=True, help="answer with one JSON object (docs/json.md)")
"""Every verb takes it; `dispatch.run` does what it asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """One thing that can be done.

    Attributes:
        name: as typed; for commands without verbs, the command's name.
        help: one line, beginning with a verb.
        run: does it.
        arguments: places first, in order, then options.
        examples: lines as typed after the face's own prefix, e.g. `stack set my_stack`.
        free: says what `--key=value` options beyond its own are for; "" when it takes none.
        kind: what its free options belong to, for completion.
        is_command: whether it is typed as a command, and so takes `--json`; `%%step` is not.
        faces: where it exists.
    """

    name: str
    help: str
    run: Act
    arguments: tuple[Argument, ...] = ()
    examples: tuple[str, ...] = ()
    free: str = ""
    is_command: bool = True
    faces: frozenset[Interface] = FACES

    def places(self, interface: Interface) -> list[Argument]:
        """Return the arguments that stand by their place."""
        return [each for each in self.arguments if not each.is_option and interface in each.faces]

    def options(self, interface: Interface) -> list[Argument]:
        """Return the arguments typed with a dash, `--json` last."""
        own = [each for each in self.arguments if each.is_option and interface in each.faces]
        return [*own, JSON] if self.is_command and JSON not in own else own

    def usage(self, interface: Interface) -> str:
        """Return its arguments on one line: `NAME -o ORCHESTRATOR -a ARTIFACT_STORE [--set]`."""
        options = self.options(interface)
        needed = [each.usage for each in options if each.required]
        others = [each.usage for each in options if not each.required]
        free = ["[--key=value ...]"] if self.free else []
        return " ".join([*(each.usage for each in self.places(interface)), *needed, *free, *others])


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A noun and its verbs; a verb may be a command again (`flavor list`).

    Attributes:
        name: as typed.
        help: one line.
        parts: what can follow it.
        default: name of the verb meant when none is typed; "" for none.
        examples: lines as typed after the face's own prefix.
        faces: where it exists.
    """

    name: str
    help: str
    parts: tuple[Node, ...]
    default: str = ""
    examples: tuple[str, ...] = ()
    faces: frozenset[Interface] = FACES

    def known(self, interface: Interface) -> list[Node]:
        """Return the parts that exist where the command is typed."""
        return [part for part in self.parts if interface in part.faces]

    def names(self, interface: Interface) -> list[str]:
        """Return the words that can follow."""
        return [part.name for part in self.known(interface)]

    def commands(self, interface: Interface) -> list[Command]:
        """Return the parts that have verbs of their own."""
        return [part for part in self.known(interface) if isinstance(part, Command)]

    def part(self, name: str, interface: Interface) -> Node | None:
        """Return the part of that name."""
        return next((part for part in self.known(interface) if part.name == name), None)


Node: TypeAlias = Command | Verb


def paths(node: Node, interface: Interface, before: Sequence[str] = ()) -> list[tuple[tuple[str, ...], Verb]]:
    """Return every verb under `node` with the words that lead to it."""
    if isinstance(node, Verb):
        return [((*before, node.name), node)]
    inside = [*before, node.name]
    return [found for part in node.known(interface) for found in paths(part, interface, inside)]
