"""Owns the shape of the command tree: commands, their verbs, and the typed arguments of a verb. Pure values."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from keyword import iskeyword
from typing import TYPE_CHECKING, Any, TypeAlias

from zennb.commands.interface import Interface

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from zennb.commands.outcome import Outcome

__all__ = ["EVERYWHERE", "JSON", "YES", "Argument", "Command", "Node", "Verb", "paths", "verb"]

EVERYWHERE = frozenset(Interface)


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a verb.

    Attributes:
        spellings: `-o --orchestrator` for an option, `NAME` for a positional argument.
        help: one line.
        type: the type of the value that the verb gets. `str`, `int` and `float` (neither may be negative): one value.
            `bool`: an option without a value. `list`: an option that may be repeated, or a positional argument that
            takes all remaining words. `tuple`: the same, where one word may hold several names joined by commas.
            `dict`: repeated `NAME=VALUE` pairs.
        default: the value when the argument is left out; for `bool`, `list`, `tuple` and `dict` an empty one.
        kind: what the argument names, for completion (`stack`, `step`, `artifact_store`, `flavor:artifact_store`,
            ...); "" for free text.
        word: the placeholder of its value in usage lines; by default the name in capitals.
        required: whether the verb needs it.
        choices: the only values it takes; empty for any.
        interfaces: the interfaces where it exists.
    """

    spellings: str
    help: str
    _: KW_ONLY
    type: type = str
    default: Any = None
    kind: str = ""
    word: str = ""
    required: bool = False
    choices: tuple[str, ...] = ()
    interfaces: frozenset[Interface] = EVERYWHERE

    @property
    def flags(self) -> tuple[str, ...]:
        """Its spellings: `("-o", "--orchestrator")`."""
        return tuple(self.spellings.split())

    @property
    def is_option(self) -> bool:
        """Whether it is typed with a dash."""
        return self.spellings.startswith("-")

    @property
    def is_switch(self) -> bool:
        """Whether it is an option without a value."""
        return self.type is bool

    @property
    def is_repeated(self) -> bool:
        """Whether it takes several values."""
        return self.type in {list, tuple, dict}

    @property
    def name(self) -> str:
        """The verb's parameter: `artifact_store` for `--artifact-store`, `name` for `NAME`."""
        name = max(self.flags, key=len).lstrip("-").replace("-", "_").lower()
        return f"{name}_" if iskeyword(name) else name

    @property
    def value(self) -> str:
        """The placeholder of its value: `NAME`."""
        return self.word or self.name.upper()

    @property
    def usage(self) -> str:
        """How usage lines show it, in brackets if it is optional: `NAME`, `[--set]`, `[-p NAME=VALUE] ...`."""
        text, more = self.flags[0], " ..." if self.is_repeated else ""
        if self.is_option and not self.is_switch:
            text += f"{'=' if text.startswith('--') else ' '}{self.value}"
        elif not self.is_option:
            text, more = text + more, ""
        return text if self.required else f"[{text}]{more}"


JSON = Argument("--json", "answer with one JSON object (docs/json.md)", type=bool)
"""An option of every verb, handled by `dispatch.run`."""

YES = Argument("--yes -y", "no-op, for ZenML compatibility: zennb never prompts", type=bool)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """One thing that can be done.

    Attributes:
        name: as typed; for commands without verbs, the command's name.
        help: one line, beginning with a verb.
        run: does it; takes the context, and each argument as a keyword.
        arguments: positional arguments in order, then options.
        examples: lines as typed after the prefix of the interface, e.g. `stack set my_stack`.
        free: what `--key=value` options beyond its own are for; "" when it takes none. `run` gets them as `free`.
        is_command: whether it is typed as a command, and so takes `--json`; `%%step` is not.
        interfaces: the interfaces where it exists.
    """

    name: str
    help: str
    run: Callable[..., Outcome]
    arguments: tuple[Argument, ...] = ()
    examples: tuple[str, ...] = ()
    free: str = ""
    is_command: bool = True
    interfaces: frozenset[Interface] = EVERYWHERE

    def places(self, interface: Interface) -> list[Argument]:
        """Return the positional arguments."""
        return [each for each in self.arguments if not each.is_option and interface in each.interfaces]

    def options(self, interface: Interface) -> list[Argument]:
        """Return the options, `--json` last."""
        own = [each for each in self.arguments if each.is_option and interface in each.interfaces]
        return [*own, JSON] if self.is_command else own

    def usage(self, interface: Interface) -> str:
        """Return its arguments on one line: `NAME -o ORCHESTRATOR -a ARTIFACT_STORE [--set]`."""
        options = self.options(interface)
        needed = [each.usage for each in options if each.required]
        others = [each.usage for each in options if not each.required]
        free = ["[--key=value ...]"] if self.free else []
        return " ".join([*(each.usage for each in self.places(interface)), *needed, *free, *others])


def verb(help: str, *arguments: Argument, **more: Any) -> Callable[[Callable[..., Outcome]], Verb]:  # noqa: A002
    """Return a decorator that makes a function a verb, named after the function.

    Args:
        help: one line, beginning with a verb.
        arguments: positional arguments in order, then options; the function takes each as a keyword.
        more: further fields of `Verb`.
    """

    def declare(run: Callable[..., Outcome]) -> Verb:
        return Verb(**{"name": run.__name__.strip("_"), **more}, help=help, run=run, arguments=arguments)

    return declare


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A noun and its verbs; a verb may be a command again (`flavor list`).

    Attributes:
        name: as typed.
        help: one line.
        parts: what can follow it.
        default: name of the verb meant when none is typed; "" for none.
        examples: lines as typed after the prefix of the interface.
        interfaces: where it exists.
    """

    name: str
    help: str
    parts: tuple[Node, ...]
    default: str = ""
    examples: tuple[str, ...] = ()
    interfaces: frozenset[Interface] = EVERYWHERE

    def known(self, interface: Interface) -> list[Node]:
        """Return the parts that exist where the command is typed."""
        return [part for part in self.parts if interface in part.interfaces]

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
