"""Owns the command line: `zennb ...`, the same tree as the magics, with text faces and exit codes."""

from __future__ import annotations

import os
import sys
import traceback
from typing import TYPE_CHECKING

from zennb.errors import UsageError, ZennbError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zennb.commands.outcome import Outcome

__all__ = ["main"]

FAILED, MISTYPED, INTERRUPTED = 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    0 means done; 1 that it could not be done, or that a cell failed; 2 that it was typed wrongly; 130 that it was
    interrupted. What was asked for goes to standard output, what went wrong is one sentence on standard error;
    under `--json` both are one object on standard output (`commands.envelope`).

    Args:
        argv: what was typed after the program's name; that of this process when None.
    """
    try:
        outcome = _run(list(sys.argv[1:] if argv is None else argv))
        if outcome.view is not None:
            _say(outcome.view.text)
        if outcome.raised is not None and not isinstance(outcome.raised, (ZennbError, KeyboardInterrupt)):
            traceback.print_exception(outcome.raised)  # a defect of ours, which a sentence does not explain
        return outcome.code
    except UsageError as error:
        return _complain(error, MISTYPED)
    except ZennbError as error:
        return _complain(error, FAILED)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has read enough; Python must not complain when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def _run(words: list[str]) -> Outcome:
    from zennb.commands.dispatch import run
    from zennb.commands.interface import Interface
    from zennb.commands.outcome import Context

    if words[:1] in (["--version"], ["-V"]):
        words[0] = "version"
    return run(words, Context(interface=Interface.TERMINAL, say=_say))


def _say(line: str) -> None:
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(f"{line}\n".encode(encoding, "replace").decode(encoding))
    sys.stdout.flush()


def _complain(error: ZennbError, code: int) -> int:
    from zennb.commands.interface import Interface

    sys.stderr.write(f"{Interface.TERMINAL.adapt(error.message)}\n")
    return code
