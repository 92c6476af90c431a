"""Owns the trial of a reader: thousands of inputs in a process that may use little memory and little time for each."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import traceback
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from zennb.errors import ZennbError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ROUNDS", "SECONDS", "Trial", "bounded", "lift_limit", "limit_memory", "run_apart", "trial"]

ROUNDS = int(os.environ.get("ZENNB_FUZZ_ROUNDS", "0"))
"""Inputs for each reader; 0 for the few of a quick look, which are always the same."""

MEMORY = 256 << 20
"""Bytes that the process may take in addition to what it has when it begins."""

_STUCK = 120
"""Seconds after which a reader that waits for something has failed, on however busy a machine."""

_ROOT = Path(__file__).parents[2]

AT_ONCE = {"blobs": 2_000, "records": 40, "records of steps": 40}
"""Inputs for one process, where each leaves some memory behind: a shell, texts of megabytes, polars' threads."""

SECONDS = 2.0
"""Processor time for one input: a busy machine does not count."""


@dataclass
class Trial:
    """What came of it: how many inputs were read, how many refused in a sentence, and what went wrong."""

    read: int = 0
    refused: int = 0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.read} read, {self.refused} refused, {len(self.wrong)} wrong\n" + "\n".join(
            self.wrong[:20]
        )


def trial(reader: str, *, rounds: int, seed: int = 0) -> Trial:
    """Let a reader of `tests.odd_input.readers` read one input after another, each made from a seed of its own.

    It must return, or raise an error of zennb with one sentence. It must not end the process, take longer than
    `SECONDS` or need more than `MEMORY`.

    Args:
        reader: its name there.
        rounds: how many inputs.
        seed: the first seed.
    """
    found = Trial()
    following = seed
    while following < seed + rounds:
        end = min(seed + rounds, following + AT_ONCE.get(reader, rounds))
        following = _round(reader, following, end, found)
    return found


def _round(reader: str, start: int, end: int, found: Trial) -> int:
    """Try inputs in a process of its own until it ends; return the seed to go on with."""
    process = run_apart("tests.odd_input.limits", reader, str(start), str(end))
    count = start
    for line in process.stdout.splitlines():
        what, text = json.loads(line)
        count += 1
        found.read += what == "read"
        found.refused += what == "refused"
        found.wrong += [f"seed {count - 1}: {text}"] if what == "wrong" else []
    if count < end:
        why = " ".join(process.stderr.splitlines()[-5:])
        found.wrong.append(
            f"seed {count}: ended with {process.returncode}: a crash, or {SECONDS:g} s of work. {why}"
        )
        count += 1
    return count


def run_apart(module: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a module as a program in a process of its own."""
    command = [sys.executable, "-W", "ignore", "-m", module, *words]
    # The stack of a panic of polars takes more memory to print than there is, and then never ends.
    own = {**os.environ, "RUST_BACKTRACE": "0"}
    return subprocess.run(command, cwd=_ROOT, env=own, capture_output=True, text=True, check=False)


def _tried(name: str, start: int, end: int) -> None:
    """Try inputs in this process, and write one line about each."""
    from tests.odd_input.readers import made

    with made(name) as reader:
        limit_memory()
        for number in range(start, end):
            sys.stdout.write(json.dumps(bounded(partial(reader, Random(number)))) + "\n")
            sys.stdout.flush()


def bounded(work: Callable[[], object]) -> tuple[str, str]:
    """Do something within the bounds; return whether it was "read", "refused" or went "wrong", and how."""
    signal.signal(signal.SIGPROF, signal.SIG_DFL)  # ends the process, also inside a call of compiled code
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    signal.alarm(_STUCK)
    try:
        work()
    except ZennbError as error:
        sentence = str(error)
        return ("refused", "") if 0 < len(sentence) < 1_500 else ("wrong", f"a sentence of {len(sentence)}")
    except BaseException as error:
        frames = "".join(traceback.format_tb(error.__traceback__)[-3:])
        return "wrong", f"{type(error).__name__}: {str(error)[:300]}\n{frames}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.alarm(0)
    return "read", ""


def limit_memory() -> None:
    """Let the process take only `MEMORY` more than it has."""
    import resource

    pages = _pages()
    if pages is not None:
        resource.setrlimit(resource.RLIMIT_AS, (pages + MEMORY, resource.RLIM_INFINITY))


def lift_limit() -> None:
    """Let the process take as much memory as there is."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def _pages() -> int | None:
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:  # not Linux
        return None


if __name__ == "__main__":
    _tried(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
