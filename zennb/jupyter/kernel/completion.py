"""Owns tab completion of our magics in IPython: a matcher that reads a snapshot of names and does no I/O."""

from __future__ import annotations

import contextlib
import re
import threading
from types import ModuleType
from typing import TYPE_CHECKING

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher

from zennb import api
from zennb.commands.catalogue import MAGICS, tree
from zennb.commands.completion import candidates
from zennb.commands.interface import ROOT, Interface
from zennb.commands.known_names import KnownNames
from zennb.commands.step_options import STEP
from zennb.errors import ZennbError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from IPython.core.interactiveshell import InteractiveShell

    from zennb.commands.session import Session
    from zennb.commands.syntax import Node
    from zennb.registry.workspace import Workspace

__all__ = ["Completion"]

IDENTIFIER = "zennb"
_SOON = 0.2  # seconds after a cell
OURS = re.compile(r"^(?:\s*|.*?=\s*)(?P<escape>%%?)(?P<magic>[^\W\d][\w-]*)(?P<rest>\s.*)$")
BOUND = re.compile(r"^\s*((?:[^\W\d]\w*\s*,\s*)*[^\W\d]\w*)\s*(?::\s*[^=\n]+)?=(?!=)", re.MULTILINE)
COMMENT = re.compile(r"^\s*#\|\s*step\s*:(?P<rest>\s.*)$")


class Completion:
    """Our matcher in a shell's completer, and the snapshot of names behind it.

    A moment after a cell has run, the snapshot is taken again in another thread. So no cell waits for it, and cells
    that run one after another share one.

    Args:
        shell: the shell.
        session: gives the names of this kernel's steps; None where there is no notebook session.
    """

    def __init__(self, shell: InteractiveShell, session: Session | None) -> None:
        self.names = KnownNames()
        self._shell, self._session = shell, session
        self._pending: threading.Timer | None = None

        # The matcher API marks a matcher with attributes, which methods cannot carry: so it is a function.
        @context_matcher(identifier=IDENTIFIER)  # type: ignore[untyped-decorator]  # IPython leaves it untyped
        def matcher(context: CompletionContext) -> SimpleMatcherResult:
            return self._match(context)

        self._matcher = matcher
        self._matchers().append(matcher)
        shell.events.register("post_run_cell", self._after_cell)
        # For the first completion, before any cell has run.
        self._after_cell(None)

    def refresh(self) -> None:
        """Take the snapshot again; keep the old one if the store cannot be read."""
        with contextlib.suppress(ZennbError):
            self._take(api.workspace())

    def settle(self) -> None:
        """Take the snapshot that is due now."""
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.cancel()
            self.refresh()

    def remove(self) -> None:
        """Take the matcher out of the completer again."""
        if self._pending is not None:
            self._pending.cancel()
        self._shell.events.unregister("post_run_cell", self._after_cell)
        self._matchers().remove(self._matcher)

    def _match(self, context: CompletionContext) -> SimpleMatcherResult:
        """Return the completions at the cursor; none, and no influence on others, outside our magics."""
        typed, node = _typed(context)
        if typed is None or node is None:
            return SimpleMatcherResult(completions=[], suppress=False)  # a new one: IPython writes into it
        *words, fragment = typed["rest"].lstrip().split(" ")
        names = self.names
        if node is STEP:
            names = names.beside(variable=self._variables(context, words[-1] if words else ""))
        found = candidates(
            node, [word for word in words if word], fragment, names=names, interface=Interface.MAGIC
        )
        return SimpleMatcherResult(
            completions=[SimpleCompletion(text=word, type="magic argument") for word in found],
            suppress=bool(found),
            matched_fragment=fragment,
            ordered=True,
        )

    def _variables(self, context: CompletionContext, before: str) -> tuple[str, ...]:
        """Return the notebook's variables; for `-o`, first what the cell binds."""
        hidden = self._shell.user_ns_hidden
        own = tuple(
            name
            for name, value in tuple(self._shell.user_ns.items())
            if not name.startswith("_") and name not in hidden and not isinstance(value, ModuleType)
        )
        body = context.full_text.partition("\n")[2]
        bound = tuple(_bound(body)) if before.startswith(("-o", "--output")) else ()
        return tuple(dict.fromkeys((*bound, *own)))

    def _after_cell(self, _result: object) -> None:
        # A snapshot is due already, and will show what this cell did, too.
        if self._pending is not None and self._pending.is_alive():
            return
        with contextlib.suppress(ZennbError):
            self._pending = threading.Timer(_SOON, self._take_later, (api.workspace(),))
            self._pending.daemon = True
            self._pending.start()

    def _take_later(self, workspace: Workspace) -> None:
        self._pending = None  # cells that end from now on are not in this snapshot
        with contextlib.suppress(ZennbError, RuntimeError):  # RuntimeError: the store was closed meanwhile
            self._take(workspace)

    def _take(self, workspace: Workspace) -> None:
        self.names.refresh(workspace, self._session)

    def _matchers(self) -> list[object]:
        return self._shell.Completer.custom_matchers


def _bound(text: str) -> Iterator[str]:
    """Yield the public names that a text assigns, also while it is no Python yet."""
    for found in BOUND.finditer(text):
        yield from (name for name in re.split(r"\s*,\s*", found[1]) if not name.startswith("_"))


def _typed(context: CompletionContext) -> tuple[re.Match[str] | None, Node | None]:
    """Return the match of one of our magics at the cursor, and its command; None outside them."""
    if comment := COMMENT.match(context.text_until_cursor):
        return comment, STEP
    typed = OURS.match(context.text_until_cursor)
    return typed, _node(typed["escape"], typed["magic"], context.cursor_line) if typed else None


def _node(escape: str, magic: str, line: int) -> Node | None:
    if escape == "%%":
        return STEP if magic == STEP.name and line == 0 else None
    magic = magic.replace("_", "-")
    if magic == ROOT:
        return tree()
    return tree().part(magic, Interface.MAGIC) if magic in MAGICS else None
