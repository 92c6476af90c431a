"""Owns `ProcessSnapshot`: the state of the notebook's process that a step needs in a worker."""

from __future__ import annotations

import linecache
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING

from zennb.engine.environment.own_files import OwnFiles
from zennb.engine.step.frontend import PlainFrontend

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zennb.engine.environment.settings import Setting
    from zennb.engine.remote.shipped_modules import ShippedModule
    from zennb.engine.step.frontend import Frontend

__all__ = ["ProcessSnapshot", "frontend_of", "know_texts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSnapshot:
    """The state of the notebook's process that a step depends on.

    Attributes:
        settings: setting → pickled change from a new process to the notebook's state.
        environment: environment variables set since the notebook's kernel started; None for a deleted one.
        modules: local modules that the step uses.
        constants: pickled values of their constants.
        folder: the folder that the notebook began in; "" for none.
        texts: file, as tracebacks call it → text of a cell.
        ignored: files that are not recorded.
        calls: code of the calls that the notebook made for their effect on libraries.
        frontend: `module:name` of the factory of the frontend and the shell's settings; "" for plain text.
        is_background: whether the process that gets it drives a whole run, apart from the notebook.
    """

    settings: Mapping[str, bytes] = field(default_factory=dict)
    environment: Mapping[str, str | None] = field(default_factory=dict)
    modules: Mapping[str, ShippedModule] = field(default_factory=dict)
    constants: Mapping[str, bytes] = field(default_factory=dict)
    folder: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)
    ignored: OwnFiles = field(default_factory=OwnFiles)
    calls: tuple[str, ...] = ()
    frontend: str = ""
    is_background: bool = False


def know_texts(texts: Mapping[str, str]) -> None:
    """Make the source of cells available to tracebacks and to `inspect`, as in the notebook."""
    for file, text in texts.items():
        # Without a time of modification (None) `linecache.checkcache` leaves the entry alone.
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)


def frontend_of(process: ProcessSnapshot) -> tuple[Frontend, tuple[Setting, ...]]:
    """Return the frontend of this process, and the settings of its shell."""
    if not process.frontend:
        return PlainFrontend(), ()
    module, _, name = process.frontend.partition(":")
    result: tuple[Frontend, tuple[Setting, ...]] = getattr(import_module(module), name)()
    return result
