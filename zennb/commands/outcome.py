"""Owns the input and output of commands: `Context`, `Outcome`, and the `Cut` of a long outcome."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zennb import api

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from zennb.commands.interface import Interface
    from zennb.commands.session import Session
    from zennb.errors import ZennbError
    from zennb.registry.workspace import Workspace
    from zennb.views.view import Shown

__all__ = ["Context", "Cut", "Outcome"]


def _quiet(line: str) -> None:
    """Show nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Where a command is run.

    Attributes:
        interface: where it was typed.
        session: the notebook session of this kernel; None in the terminal.
        command_line: the command as typed, without its arguments, for messages: `%stack list`.
        opener: opens the workspace when a command needs it, given the folder where the search for its home starts;
            by default that of this process.
        say: shows a line of progress.
        is_json: whether one JSON object is all that is to be shown.
    """

    interface: Interface
    session: Session | None = None
    command_line: str = ""
    opener: Callable[[Path | None], Workspace] = api.workspace
    say: Callable[[str], None] = field(default=_quiet)
    is_json: bool = False

    @property
    def workspace(self) -> Workspace:
        """The workspace; opened at first use."""
        return self.opener(None)

    def beside(self, notebook: str) -> Workspace:
        """Return the workspace that the kernel of a notebook file uses."""
        return self.opener(Path(notebook).absolute().parent)

    def quiet(self) -> Context:
        """Return the same context without progress lines, for `--json`."""
        return replace(self, say=_quiet, is_json=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A place where the data is incomplete.

    Attributes:
        path: where: `data`, `data.steps[3].source`.
        kept: how many entries or characters it holds.
        of: how many there are in all; None when unknown.
        option: the option that returns more; "" when there is none.
    """

    path: str
    kept: int
    of: int | None = None
    option: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of a command.

    Attributes:
        view: what to show; None for nothing (it was shown already).
        data: the same as JSON values; None when there are none.
        value: the return value of the magic.
        code: exit code in the terminal.
        sentence: what was done, for panels; "" for a command that changes nothing.
        error: why the exit code is not 0, for a command that has something to show all the same.
        cut: where the data is incomplete.
        content: the JSON object under `--json`; None otherwise.
        raised: what the command raised under `--json`; a magic raises it again.
    """

    view: Shown | None
    data: Any = None
    value: object = None
    code: int = 0
    sentence: str = ""
    error: ZennbError | None = None
    cut: tuple[Cut, ...] = ()
    content: Mapping[str, Any] | None = None
    raised: BaseException | None = None
