"""Owns the folder that a step works in on another machine, and what is said of files that are on one side only.

It is the notebook's folder where there is one of that path. Where there is none, the step works in a new, empty one, so
that it finds nothing unrelated; what it looks for in vain, or leaves there, is named.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import cloudpickle

from zennb.core.records.observed import ABSENT, NOTHING
from zennb.core.records.setting_names import FOLDER
from zennb.engine.environment.files import state
from zennb.engine.remote.worker_checks import refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from zennb.engine.remote.process_snapshot import ProcessSnapshot
    from zennb.engine.step.outcome import StepOutcome
    from zennb.engine.step.request import StepRequest

__all__ = ["check_files", "working_folder"]

_SETTLED = 10.0  # seconds by which the clocks of two machines may differ
_ADVICE = (
    "Read it in a cell of the notebook and let the step use the variable; or give an absolute path that both sides "
    "reach, and name it with `--depends-on` as well if compiled code reads it"
)
_WRITE = "Write to an absolute path that both sides reach, or bind what it holds to a variable"
_LISTINGS = ("names ", "matches ")


@contextmanager
def working_folder(request: StepRequest, process: ProcessSnapshot) -> Iterator[tuple[ProcessSnapshot, str]]:
    """Yield the state to set up, and the root of the folder that stands in for the notebook's; "" for none.

    Raises:
        StepRefused: the notebook has gone to a folder that does not exist here.
    """
    wanted = cloudpickle.loads(process.settings[FOLDER]) if FOLDER in process.settings else ""
    if not Path(wanted).is_absolute() or Path(wanted).is_dir():
        yield process, ""
        return
    if wanted != process.folder:
        why = f"the notebook has gone to the folder {wanted} (`os.chdir`), which does not exist there"
        raise refusal(request, why, "Stay in the notebook's folder and use absolute paths, or")
    before = _folder()
    root = str(Path(tempfile.mkdtemp(prefix="zennb-")).resolve())
    # At the same path below it, so that `../data.csv` leads to nothing of this machine either.
    folder = root + wanted.removeprefix(Path(wanted).drive)
    try:
        Path(folder).mkdir(parents=True)
        yield replace(process, settings={**process.settings, FOLDER: cloudpickle.dumps(folder)}), root
    finally:
        with suppress(OSError):
            os.chdir(before)
        shutil.rmtree(root, ignore_errors=True)


def check_files(request: StepRequest, outcome: StepOutcome, *, is_elsewhere: bool, began: float) -> None:
    """Refuse a step that missed files of the notebook's folder, or left some there; explain its error by them.

    Args:
        request: the step.
        outcome: what the worker returned, with the error as the notebook sees it.
        is_elsewhere: whether workers are on other machines. Those of this one find the same files.
        began: when it was submitted. Files that are newer may have been made while it ran.

    Raises:
        StepRefused: there are such files.
    """
    if not (is_elsewhere or outcome.stand_in) or request.process is None:
        return
    sides = _Sides(request.process.folder, outcome.stand_in)
    if outcome.error is not None:
        _explain(outcome.error, sides, request.texts or ())
        return
    found = sides.missing_file(outcome, began) or sides.left_behind(outcome)
    if found:
        what, advice = found
        raise refusal(request, what, f"{advice}, or")


class _Sides:
    """The notebook's folder and the one that a step had on a worker.

    Args:
        folder: the notebook's.
        root: what the other one is below, if it stood in for the notebook's; else "".
    """

    def __init__(self, folder: str, root: str) -> None:
        self.root, self._folder = root, folder
        self.why = (
            f"the worker, which lacks the notebook's folder {folder}, ran the step in an empty one"
            if root
            else f"the worker has a folder {folder} of its own without it"
        )

    def here(self, path: str) -> str:
        """Return where a path of the step's working folder is on this side; "" for any other path."""
        if self.root and path.startswith(self.root):
            return path.removeprefix(self.root)
        is_inside = self._folder and not Path(path).is_absolute()
        return str(Path(self._folder, path)) if is_inside else ""

    def missing_file(self, outcome: StepOutcome, began: float) -> tuple[str, str] | None:
        """Return what a step looked for in vain that is here, and the advice."""
        for path, mark in outcome.observed.files.items():
            here, name = self.here(path), path.removeprefix(self.root)
            # What is listed may be made beside it, in a folder that both see.
            if self.root and here and mark.startswith(_LISTINGS) and state(here, mark) != mark:
                return f"it lists `{name}`, and {self.why}", _ADVICE
            if here and mark in {ABSENT, NOTHING} and _is_older(here, None if self.root else began):
                return f"it looks for `{name}`, which exists on the notebook's side only: {self.why}", _ADVICE
        return None

    def left_behind(self, outcome: StepOutcome) -> tuple[str, str] | None:
        """Return what a step wrote that is not brought back or would not be right here, and the advice."""
        observed, root = outcome.observed, self.root
        written = [path for path, mark in observed.written.items() if mark != ABSENT]
        written += [path for path in observed.restored if root and path.startswith(root)]
        for path in written:
            here = self.here(path)
            if here and (root or not _is_listed(Path(here))):
                why = "of the notebook's folder only files of up to 1 MB whose names stand in the code are brought back"
                return f"it writes `{path.removeprefix(root)}`, which stays there: {why}", _WRITE
        for path, mark in observed.restored.items():
            here = self.here(path)
            is_continued = root + here.removeprefix(Path(here).drive) in outcome.continued
            # What it appended to a new file would take the place of all that is here.
            if is_continued and state(here, mark) not in {mark, ABSENT}:
                return f"it adds to `{path}`, which exists on the notebook's side only: {self.why}", _WRITE
        return None


def _explain(error: BaseException, sides: _Sides, texts: Iterable[str]) -> None:
    """Note in the error of a step that a file it asked for exists only on this side."""
    if not (sides.root or isinstance(error, FileNotFoundError)):
        return
    for path in _named_in(error, texts):
        here, name = sides.here(path), path.removeprefix(sides.root)
        if Path(here or path).exists():
            why = sides.why if here else "the worker lacks it"
            error.add_note(f"`{name}` exists on the notebook's side only: {why}. {_ADVICE}.")
            return
        if here and sides.root:
            error.add_note(f"`{name}` exists on neither side, and {sides.why}.")
            return


def _named_in(error: BaseException, texts: Iterable[str]) -> list[str]:
    """Return the paths that an error is about: its own, or texts of the code in its message."""
    own = (error.filename, error.filename2) if isinstance(error, OSError) else ()
    if found := [os.fsdecode(each) for each in own if isinstance(each, str | bytes | os.PathLike)]:
        return found
    message = str(error)
    return sorted((each for each in texts if each and each in message), key=len, reverse=True)


def _is_older(path: str, began: float | None) -> bool:
    """Whether something exists; with `began` only if it did before that."""
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return False
    return began is None or found.st_ctime < began - _SETTLED


def _is_listed(path: Path) -> bool:
    # A network file system may remember that there was no such file, but looks again into an opened folder.
    try:
        return path in path.parent.iterdir()
    except OSError:
        return False


def _folder() -> str:
    try:
        return str(Path.cwd())
    except FileNotFoundError:  # deleted while the process was in it
        return tempfile.gettempdir()
