"""Owns the command line: `zennb ...`, the same commands as the magics, with text output and exit codes."""

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

    0: done; 1: it could not be done, or a cell failed; 2: it was typed wrongly; 130: it was interrupted. Results go to
    standard output, and an error is one sentence on standard error; with `--json` both are one object on standard
    output (`commands.json_envelope`).

    Args:
        argv: what was typed after the program's name; that of this process when None.
    """
    try:
        outcome = _run(list(sys.argv[1:] if argv is None else argv))
        from zennb.core.secrets.held import HELD

        if outcome.view is not None:
            _say(HELD.mask_known(outcome.view.text))
        if outcome.raised is not None and not isinstance(outcome.raised, (ZennbError, KeyboardInterrupt)):
            found = "".join(traceback.format_exception(outcome.raised))
            sys.stderr.write(HELD.mask_known(found))  # a bug of zennb, which a sentence does not explain
        return outcome.code
    except ZennbError as error:
        return _complain(error, MISTYPED if isinstance(error, UsageError) else FAILED)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has closed the pipe (`zennb runs | head`); without this, Python complains when it flushes at exit.
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
