"""Owns `ExecutionEnvironment`: the files, environment variables and settings that a step uses and changes."""

from __future__ import annotations

import os
import re
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from zennb.core.records.observed import ABSENT, Observed, as_asked, changed
from zennb.core.records.setting_names import FOLDER, MODULE_PATH, WARNING_FILTERS
from zennb.core.secrets.held import HELD
from zennb.core.secrets.names import is_secret
from zennb.core.secrets.texts import KnownSecrets, has_token
from zennb.engine.environment.access_tracer import AccessTracer
from zennb.engine.environment.callers import untraced
from zennb.engine.environment.duckdb_tables import DUCKDB_TABLES, DuckdbTables
from zennb.engine.environment.figure_backend import FigureBackend
from zennb.engine.environment.files import fixed_part, keepable, state
from zennb.engine.environment.later_calls import LaterCalls
from zennb.engine.environment.library_counters import COUNTS
from zennb.engine.environment.library_options import LIBRARY_OPTIONS
from zennb.engine.environment.log_handlers import handlers
from zennb.engine.environment.named_paths import NamedAccess, NamedPaths
from zennb.engine.environment.open_figures import OpenFigures
from zennb.engine.environment.own_files import OwnFiles
from zennb.engine.environment.process_state import OF_KERNELS, PROCESS_STATE, repeated_filters
from zennb.engine.environment.random_state import GENERATORS, NumpyRandom, PlainRandom, TorchRandom
from zennb.engine.environment.restore_policy import RestorePolicy
from zennb.engine.environment.restored_files import restore_files
from zennb.engine.environment.settings import Setting, Settings, Snapshot
from zennb.engine.environment.torch_options import TORCH_OPTIONS
from zennb.engine.environment.variable_reads import set_variable, variable, variables
from zennb.engine.step.outcome import Reason
from zennb.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from zennb.engine.step.outcome import StepOutcome
    from zennb.engine.step.static_usage import StaticUsage

__all__ = ["RESULT", "SHOWN", "UNSTORED_VARIABLE", "EnvironmentRecorder", "ExecutionEnvironment", "sealed"]

_ASKS_ENVIRONMENT = ("os.environ", "os.getenv", "os.path.expand")
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]{2,100}")

ENVIRONMENT = "environment variables"
FILES = "files"
UNSTORED_VARIABLE = ", whose value is not stored"
"""How the reason ends that a step leaves an environment variable changed."""

RESULT = "result"
SHOWN = "shown values"
"""Other entries of a step's changes: variables, files, and how the values it showed come back (`RESULT`: once)."""


class ExecutionEnvironment:
    """The files, environment variables and settings of this process that steps depend on and change.

    Args:
        seal: returns what stands for a secret in records: equal for equal bytes, and revealing nothing of them.
        ignored: returns the files that are not recorded.
        more: settings of the notebook's shell.
        is_fresh: whether no user code has run in this process yet.

    Attributes:
        folder: the folder that this process was in at first.
        secrets: the secret values that this process has come across.
    """

    def __init__(
        self,
        *,
        seal: Callable[[bytes], str],
        ignored: Callable[[], OwnFiles] = OwnFiles,
        more: Iterable[Setting] = (),
        is_fresh: bool = True,
    ) -> None:
        self._seal, self._ignored = seal, ignored
        # A worker starts with these; only what has changed since then is sent to it.
        self._beginning = {name: value for name, value in variables().items() if name not in OF_KERNELS}
        self.folder, self._handlers = _folder(), handlers()
        self.secrets = KnownSecrets()
        self.note_secrets()
        generators = (PlainRandom(is_fresh=is_fresh), NumpyRandom(), TorchRandom())
        own: tuple[Setting, ...] = (DuckdbTables(), FigureBackend(), OpenFigures(), *generators)
        self.settings = Settings((*PROCESS_STATE, *LIBRARY_OPTIONS, *TORCH_OPTIONS, *COUNTS, *own, *more))

    @property
    def ignored(self) -> OwnFiles:
        """The files that are not recorded."""
        return self._ignored()

    @property
    def has_set_up_logging(self) -> bool:
        """Whether log handlers were added or removed since the start."""
        return handlers() != self._handlers

    def note_secrets(self) -> None:
        """Note the secrets that this process holds, and variables that are secret by their names, except for words."""
        self.secrets.note(HELD.values, surely=True)
        found = (value for name, value in variables().items() if is_secret(name, value))
        self.secrets.note(value for value in found if not value.isalpha())

    def variables_set(self) -> dict[str, str | None]:
        """Return the environment variables that changed since the start; None for a deleted one."""
        before, now = self._beginning, variables()
        return {name: now.get(name) for name in {*before, *now} if now.get(name) != before.get(name)}

    def take_as_set(self, variables: Iterable[str]) -> None:
        """Count these environment variables as set since the start: the process that started this one had set them."""
        self._beginning = {**self._beginning, **dict.fromkeys(variables, "\0")}  # no variable can hold that

    def record(self, texts: Iterable[str] = ()) -> EnvironmentRecorder:
        """Record what this thread does until `EnvironmentRecorder.end`.

        Args:
            texts: what the step can see; files that they name are watched.
        """
        return EnvironmentRecorder(self, AccessTracer(ignored=self._ignored(), texts=texts), texts)

    def stale(self, observed: Observed, overlay: Mapping[str, str] = MappingProxyType({})) -> str:
        """Return what differs from how a step found and left it, as a reason; "" when nothing does.

        Args:
            observed: what the step was seen to touch.
            overlay: file, setting or `$VARIABLE` → state to assume instead of the current one.
        """

        def file(path: str, recorded: str) -> str:
            # The listing depends on files that steps before this one will write, and their
            # names alone do not tell it.
            folder = fixed_part(path) or os.curdir if recorded.startswith("matches ") else path
            if recorded.startswith(("names ", "matches ")) and any(_is_in(each, folder) for each in overlay):
                return "listed before the steps above have run"
            return as_asked(overlay[path], recorded) if path in overlay else state(path, recorded)

        return changed(
            observed,
            file=file,
            environment=lambda name: overlay.get(f"${name}") or self.sealed(name, variable(name)),
            setting=lambda name: overlay[name] if name in overlay else self.settings.digest(name),
        )

    def state_of(self, thing: str, recorded: str) -> str:
        """Return the state of a file, a setting or a `$VARIABLE` as it is now.

        Args:
            thing: its name in records.
            recorded: a state to be compared with.
        """
        if thing.startswith("$"):
            return self.sealed(thing[1:], variable(thing[1:]))
        return self.settings.digest(thing) if self.settings.knows(thing) else state(thing, recorded)

    def restore(self, changes: Mapping[str, Any], uses: StaticUsage) -> None:
        """Restore the changes of a step that is reused, or none of them.

        Raises:
            StoreError: its code does not allow one of them, or a file or folder that belongs to them cannot be created.
        """
        policy = _policy(uses, _folder())
        for path in changes.get(FILES, ()):
            if not policy.allows_file(path):
                raise StoreError(f"its record writes {path}, which its code does not name.")
        for name, value in changes.get(ENVIRONMENT, {}).items():
            if not policy.allows_variable(name, value):
                raise StoreError(
                    f"its record sets the environment variable {name}, which its code does not name."
                )
        for path in _folders(changes):
            if not policy.allows_folder(path):
                raise StoreError(f"its record uses the folder {path}, which its code does not name.")
        self.apply(changes)

    def apply(self, changes: Mapping[str, Any]) -> None:
        """Make the changes of a step that this process, or a worker of its own, has just run.

        Raises:
            StoreError: a file or folder that belongs to them cannot be created.
        """
        # Files first: what can fail comes before settings, which would have to be taken back.
        restore_files(changes.get(FILES, {}))
        for name, value in changes.get(ENVIRONMENT, {}).items():
            set_variable(name, value)
        self.settings.apply(changes)

    def rewrite(self, changes: Mapping[str, Any]) -> None:
        """Write the files of a reused step again, after code that may have written to them; StoreError as `apply`."""
        restore_files(changes.get(FILES, {}))

    def random_states(self) -> dict[str, str]:
        """Return the digests of the random generators of this process, by name."""
        return {name: self.settings.digest(name) for name in GENERATORS}

    def adopt(self, outcome: StepOutcome) -> None:
        """Apply the changes of a step that ran in another thread or process.

        Raises:
            StoreError: a file or folder that belongs to it cannot be created.
        """
        if not outcome.changes:
            return
        # In a thread of this process all is done already, except for settings that each thread has for itself.
        if outcome.process == os.getpid():
            self.settings.apply(outcome.changes, per_context=True)
        else:
            self.apply(outcome.changes)
        self.settings.note_again()

    def undo(self, *, besides: Collection[str] = ()) -> Callable[[], None]:
        """Return a function that restores the current state, besides some settings."""
        before, environment = dict(self.settings.read()), variables()

        def back() -> None:
            after = self.settings.read()
            then = before | {name: after[name] for name in besides}
            self.settings.apply(self.settings.changes(after, then))
            now = variables()
            for name in {*environment, *now}:
                if environment.get(name) != now.get(name):
                    set_variable(name, environment.get(name))

        return back

    def sealed(self, name: str, value: str | None) -> str:
        """Return what stands for the value of an environment variable in records."""
        return sealed(self._seal, name, value)


def sealed(seal: Callable[[bytes], str], name: str, value: str | None) -> str:
    """Return what stands for the value of an environment variable in records, under a seal of the user's."""
    return ABSENT if value is None else seal(f"{name}={value}".encode("utf-8", "surrogateescape"))


class EnvironmentRecorder:
    """Records the side effects of one step with its `tracer`; `later_calls`: what calls code later."""

    def __init__(
        self, environment: ExecutionEnvironment, tracer: AccessTracer, texts: Iterable[str] = ()
    ) -> None:
        self._owner, self.tracer = environment, tracer
        self.later_calls = LaterCalls()
        self._access: NamedAccess | None = None
        self._environment = variables()
        # Everything is read before tracing begins, so that our own reads are not taken for the step's.
        self._before: Snapshot = environment.settings.read()
        self._texts = frozenset(texts)
        with untraced():
            self._named = NamedPaths(self._texts, tracer.folder, counts=tracer.counts_here)
            self._named.start()
        tracer.start()

    def end(self) -> None:
        """Stop recording; calling it twice is fine."""
        self.tracer.stop()
        if self._access is None:  # at once: what is opened from now on is not the step's doing
            with untraced():
                self._access = self._named.stop(is_alone=self.tracer.is_alone)

    def discard(self) -> None:
        """End recording of a step that failed; calling it twice is fine."""
        self.end()
        self.tracer.disturbed(self._named.writers)

    def side_effects(self, uses: StaticUsage) -> tuple[Observed, dict[str, Any], list[Reason]]:
        """Return what the step touched: for the record, as changes to restore on reuse, and as reasons against reuse.

        Called after `end`, in the thread that was watched. What it leaves to be called later: see `later_calls`.
        """
        tracer, settings = self.tracer, self._owner.settings
        after = settings.read()
        changes = settings.changes(self._before, after, always=uses.seeds)
        if WARNING_FILTERS in uses.settings:
            changes |= repeated_filters(self._before, after, uses.names, uses.modules)
        relevant = settings.relevant(self._before, modules=uses.modules, changed=changes)
        relevant |= {name: settings.digest_of(name, self._before[name]) for name in uses.settings}
        policy = _policy(uses, tracer.folder)
        environment, withheld = self._set(policy)
        changes |= {ENVIRONMENT: environment} if environment else {}
        # Programs leave no trace here; the files that a known shell line names are taken to be read.
        tracer.read_unseen(uses.files)
        if any(use.startswith(_ASKS_ENVIRONMENT) for use in uses.modules):
            # A worker process may have read them, which tells its own Python.
            for name in filter(_VARIABLE.fullmatch, self._texts):
                tracer.asked(name, self._environment.get(name))
        unsure = tracer.note_named(self._access or NamedAccess(), uses=uses.modules)
        files, written = tracer.files(), tracer.written(uses.modules)
        # Written but as before, or made and removed again: no effect. Absent at both ends and not asked for: no input.
        for path in [path for path, mark in written.items() if _is_as_before(mark, files.get(path, ABSENT))]:
            del written[path]
            if files.get(path) == ABSENT:
                del files[path]
        kept = keepable(written, tracer.folder, policy.allows_file, read=files)
        # Only now: what somebody else writes until its files have been read is not the step's either.
        disturbed, secrets = tracer.disturbed(self._named.writers), self._owner.secrets
        restorable = {
            path: content
            for path, content in kept.items()
            if path not in unsure | disturbed and not (isinstance(content, bytes) and secrets.is_in(content))
        }
        changes |= {FILES: restorable} if restorable else {}
        observed = Observed(
            files=files,
            written={path: mark for path, mark in written.items() if path not in restorable},
            restored={path: mark for path, mark in written.items() if path in restorable},
            environment={name: self._owner.sealed(name, value) for name, value in tracer.environment.items()},
            # A generator that the step seeds itself: the state before does not matter.
            settings={name: mark for name, mark in relevant.items() if name not in uses.seeds},
            left={name: settings.digest_of(name, after[name]) for name in changes if settings.knows(name)}
            | {f"${name}": self._owner.sealed(name, value) for name, value in environment.items()},
        )
        reasons = [
            Reason(f"{path}, which it writes, was changed by something else while it ran")
            for path in sorted(disturbed)
        ]
        reasons += self._reasons(changes)
        if changes.pop(DUCKDB_TABLES, None) is not None:
            reasons.append(Reason(f"it changes {DUCKDB_TABLES}", "which are not stored", loses="change"))
        reasons += [
            Reason(f"it uses the folder {path}, which its code does not name", loses="result")
            for path in _folders(changes)
            if not policy.allows_folder(path)
        ]
        reasons += [
            Reason(f"it sets the environment variable {name}{self._end_of(name)}", loses="result")
            for name in withheld
        ]
        return observed, changes, reasons

    def _set(self, policy: RestorePolicy) -> tuple[dict[str, str | None], list[str]]:
        """Return the variables that were set, and the names of those whose value must not be stored.

        A value written in the code is visible in the record anyway, unless it is masked there; any other may be a
        secret.
        """
        now = {name: variable(name) for name in sorted(self.tracer.sets)}
        moved = {
            name: value
            for name, value in now.items()
            # What the user's code sets counts even if it changes nothing here: another kernel may start without it.
            if name in self.tracer.sets_itself or value != self._environment.get(name)
            if not name.startswith("POLARS_")  # an option, carried as such
        }
        withheld = [
            name
            for name, value in moved.items()
            if not policy.allows_variable(name, value) or (value is not None and self._is_secret(name, value))
        ]
        return {name: value for name, value in moved.items() if name not in withheld}, withheld

    def _end_of(self, name: str) -> str:
        is_changed = variable(name) != self._environment.get(name)
        return UNSTORED_VARIABLE if is_changed else " to what it was, which is not stored"

    def _is_secret(self, name: str, value: str) -> bool:
        return is_secret(name, value) or has_token(value) or value in self._owner.secrets

    def _reasons(self, changes: Mapping[str, Any]) -> list[Reason]:
        tracer = self.tracer
        found = [
            Reason(f"it runs `{program}`", "whose effects cannot be seen") for program in tracer.programs
        ]
        found += [Reason(each, "which reuse would not do", loses="result") for each in tracer.alterations()]
        if tracer.reads_all:
            found.append(Reason("it goes through all environment variables"))
        # Nothing depends on the state of a generator that nobody has seeded, whichever step drew from it.
        unseeded = [name for name in GENERATORS if name in changes and not changes[name]["seeded"]]
        shared = [name for name in changes if name not in {FILES, ENVIRONMENT, *unseeded}]
        # Settings belong to the process: with several steps at once nobody can tell which of them made a change.
        if shared and not tracer.is_alone:
            found.append(Reason(f"it changed {', '.join(shared)} while other steps ran beside it"))
        return found


def _is_as_before(now: str, before: str) -> bool:
    return now == before or (now in {ABSENT, "folder"} and as_asked(now, before) == before)


def _policy(uses: StaticUsage, folder: str) -> RestorePolicy:
    return RestorePolicy(texts=uses.texts, names=uses.names, folder=folder)


def _folder() -> str:
    try:
        return str(Path.cwd())
    except OSError:  # it was removed
        return ""


def _folders(changes: Mapping[str, Any]) -> list[str]:
    """Return the folders where changes make this process look for programs and files."""
    path, moved = changes.get(MODULE_PATH, {}), [changes[FOLDER]] if changes.get(FOLDER) else []
    return [*moved, *path.get("all", ()), *(folder for _, folder in path.get("added", ()))]


def _is_in(path: str, folder: str) -> bool:
    return path.startswith(f"{folder}/") or (folder == "." and not path.startswith(("/", "$")))
