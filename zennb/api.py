"""Owns the functions for notebook code, such as `zennb.load("model")`, and the one workspace of a process."""

from __future__ import annotations

import os
import sys
import threading
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from zennb.digests.hooks import digest
from zennb.errors import UnknownName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from zennb.core.records.records import Artifact, Status
    from zennb.handles.handle import Source
    from zennb.handles.listing import Listing
    from zennb.handles.records import ArtifactHandle, RunHandle, StackHandle
    from zennb.registry.stack import Stack
    from zennb.registry.workspace import Workspace

__all__ = [
    "artifacts",
    "close",
    "digest",
    "find_artifact",
    "home",
    "load",
    "load_artifact",
    "log",
    "notebook_name",
    "reopen",
    "runs",
    "scope",
    "session",
    "set_scope",
    "set_session",
    "source",
    "stack",
    "stacks",
    "unknown_artifact",
    "workspace",
    "workspace_beside",
]


_ALL = 100_000
"""Versions of one name, where all are looked through."""


class _Process:
    """State of this process: its workspaces, its notebook session, and the namespace with the notebook's classes."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.workspace: Workspace | None = None
        self.scope: Mapping[str, Any] | None = None
        self.notebook: Callable[[], str] | None = None
        self.session: Any = None
        self.elsewhere: dict[Path, Workspace] = {}


_process = _Process()


def workspace(start: Path | None = None) -> Workspace:
    """Return the workspace of this process, opened at first use.

    The environment variable `ZENNB_STACK` names the stack that is active in this process only.

    Args:
        start: at first use, the folder where the search for `.zennb/` starts; by default the working directory.

    Raises:
        StoreError: the home cannot be created or read.
        ForeignStore: it was written by a newer zennb, or by another program.
        UnknownName: `ZENNB_STACK` names a stack that does not exist.
    """
    with _process.lock:
        if _process.workspace is None:
            from zennb.registry.home import find_home
            from zennb.registry.workspace import Workspace

            _process.workspace = Workspace(find_home(start), stack=os.environ.get("ZENNB_STACK") or None)
        return _process.workspace


def workspace_beside(notebook: Path) -> Workspace:
    """Return the workspace that the kernel of a notebook file uses: usually that of this process.

    A notebook in a project with its own home has its own workspace, which stays open until `close`.

    Args:
        notebook: its file.

    Raises:
        StoreError, ForeignStore, UnknownName: as `workspace`.
    """
    from zennb.registry.home import find_home
    from zennb.registry.workspace import Workspace

    folder = notebook.absolute().parent
    opened, home = workspace(folder), find_home(folder)
    if opened.home == home:
        return opened
    with _process.lock:
        if home not in _process.elsewhere:
            _process.elsewhere[home] = Workspace(home, stack=os.environ.get("ZENNB_STACK") or None)
        return _process.elsewhere[home]


def close() -> None:
    """Close this process's workspaces; the next use opens them again."""
    with _process.lock:
        opened = [*([_process.workspace] if _process.workspace else []), *_process.elsewhere.values()]
        _process.workspace = None
        _process.elsewhere.clear()
    # Outside the lock: closing waits for the threads of stores, which may ask for the workspace.
    for each in opened:
        each.close()


def home() -> Path:
    """Return the home that this process uses, or would use, without opening it."""
    from zennb.registry.home import find_home

    return find_home() if _process.workspace is None else _process.workspace.home


def reopen() -> Workspace:
    """Close this process's workspaces and open its home again, where it was or, if that is gone, as a new process.

    Raises:
        StoreError: the home cannot be opened; the next use tries again.
    """
    from zennb.registry.workspace import Workspace

    before = _process.workspace
    close()
    if before is None or not before.home.is_dir():
        return workspace()
    with _process.lock:
        _process.workspace = Workspace(before.home)
        known = {stack.name for stack in _process.workspace.registry.stacks()}
        if before.active in known:
            _process.workspace.use(before.active)
        return _process.workspace


def set_scope(scope: Mapping[str, Any] | None, *, notebook: Callable[[], str] | None = None) -> None:
    """Set the namespace in which loaded artifacts find the classes and functions of the notebook.

    Args:
        scope: the live namespace of the notebook; None for that of `__main__`.
        notebook: returns the notebook's name in records; its own artifacts come before those of other notebooks.
    """
    _process.scope, _process.notebook = scope, notebook


def set_session(session: Any) -> None:
    """Set the notebook session of this process, for `zennb.run` and `zennb.plan`; None for none.

    Args:
        session: a `commands.session.Session`.
    """
    _process.session = session


def session() -> Any:
    """Return the notebook session of this process; None if there is none."""
    return _process.session


def load(name: str, *, version: int | None = None) -> Any:
    """Return the value of an artifact, from the artifact store of the active stack or of any other stack.

    Args:
        name: the variable's name; or a registered model: `classifier@champion`, or `classifier` if no artifact is
            called so.
        version: counts from 1; None for the current one, of this notebook if it has produced one.

    Raises:
        UnknownName: there is no such artifact or version.
        MissingArtifact: no registered artifact store has its bytes.
        DamagedArtifact: its bytes differ from what was stored.
        UntrustedArtifact: loading it could run code, and you have not trusted it.
        MissingDefinition: it needs a class or function of a cell that has not run.
    """
    from zennb.engine.step.running import note_load
    from zennb.registry.registered_models import model_artifact

    opened, found = workspace(), None
    try:
        try:
            found = find_artifact(opened, name, version=version, notebook=notebook_name())
        except UnknownName:
            found = model_artifact(opened, name, version)
            if found is None:
                raise
        return load_artifact(opened, found)
    finally:
        if version is None:  # a version never changes, but what a name stands for does
            note_load(name, "" if found is None else found.digest)


def log(metrics: Mapping[str, object] | None = None, /, *, step: int | None = None, **values: object) -> None:
    """Log metrics of the step that runs: `zennb.log(accuracy=0.93)`, and in a loop `zennb.log(loss=loss, step=epoch)`.

    They belong to the record of the step, so they come back when it is reused. Outside of a step nothing is logged, and
    a warning says so.

    Args:
        metrics: name → number, for names that are no Python names: `zennb.log({"loss/train": 0.3})`.
        step: where in a training loop this is, a whole number; by default one after the last of each name.
        values: name → number, or what stands for one, such as a NumPy scalar or a tensor of one element.

    Raises:
        UsageError: a value is no number, a name no short text, or `step` no whole number.
    """
    from zennb.core.records.metrics import checked_metrics, checked_position
    from zennb.engine.step.running import metric_log, note_logged

    numbers, position = checked_metrics({**(metrics or {}), **values}), checked_position(step)
    if (found := metric_log()) is not None:
        found.add(numbers, step=position)
        note_logged()
    else:
        warnings.warn(
            "zennb.log works in a step, and this is none: nothing was logged. Put `%%step` on top of the cell.",
            stacklevel=2,
        )


def runs(
    stack: str | None = None,
    *,
    notebook: str | None = None,
    status: Status | str | None = None,
    kind: str | None = None,
    since: float | None = None,
    until: float | None = None,
    tag: str | None = None,
    where: str | None = None,
    limit: int = 50,
) -> Listing[RunHandle]:
    """Return runs, newest first: `zennb.runs()[0].steps`, `.log()`, `.attach()`, `zennb.runs().to_frame()`.

    Args:
        stack: only those on the stack of this name.
        notebook: only those of this notebook, as recorded.
        status: only those in this state.
        kind: only `session`, `pipeline` or `notebook` runs; `step` in databases of the first format.
        since: started at or after this time, in seconds since the epoch.
        until: started before this time, in seconds since the epoch.
        tag: only those with this tag, as `KEY` or `KEY=TEXT`.
        where: only those whose metrics or parameters meet this: `accuracy > 0.9 and depth = 3`.
        limit: the largest number to return.

    Raises:
        UsageError: `where` is no condition.
    """
    from zennb.core.records.run_conditions import parse_where
    from zennb.engine.background.attach import with_progress
    from zennb.handles.records import list_runs

    opened = workspace()
    found = opened.metadata.runs(
        stack=stack,
        notebook=notebook,
        status=status,
        kind=kind,
        since=since,
        until=until,
        tag=tag,
        where=parse_where(where),
        limit=limit,
    )
    return list_runs(with_progress(opened, found), source())


def artifacts(name: str | None = None, *, tag: str | None = None, limit: int = 50) -> Listing[ArtifactHandle]:
    """Return the latest version of each artifact, newest first; with a name or a tag, all versions that have it.

    `zennb.artifacts()[0].load()` returns a value, `.producer` the step that produced it.

    Args:
        name: only versions of this name.
        tag: only versions with this tag, as `KEY` or `KEY=TEXT`.
        limit: the largest number to return.

    Raises:
        UnknownName: there is no artifact called `name`.
    """
    from zennb.core.records.labels import has_tag
    from zennb.core.records.pages import ArtifactFilter
    from zennb.handles.records import list_artifacts

    opened = workspace()
    if name is None:
        page = opened.metadata.listings.artifacts(ArtifactFilter(tag=tag), limit=limit)
        return list_artifacts(page.items, source())
    found = opened.metadata.history(name, limit=limit if tag is None else _ALL)
    if not found:
        raise unknown_artifact(opened, name)
    found = [each for each in found if has_tag(each.tags, tag)][:limit]
    return list_artifacts(found, source(), of_one_name=True)


def stacks() -> Listing[StackHandle]:
    """Return the registered stacks, by name."""
    from zennb.handles.records import list_stacks

    opened = workspace()
    return list_stacks(opened.registry.stacks(), active=opened.active)


@contextmanager
def stack(name: str) -> Iterator[Stack]:
    """Make a stack the active one inside a `with` block, in this thread only.

    Raises:
        UnknownName: there is no such stack.
        UnfitStack, MissingExtra, InvalidConfiguration: it cannot be used.
    """
    with workspace().using(name) as chosen:
        yield chosen


def source(opener: Callable[[], Workspace] = workspace) -> Source:
    """Return the source from which handles read what belongs to their records.

    Args:
        opener: returns the workspace; by default the one of this process.
    """
    from zennb.handles.handle import Source

    return Source(workspace=opener, load=lambda artifact: load_artifact(opener(), artifact))


def find_artifact(
    opened: Workspace, name: str, *, version: int | None = None, notebook: str | None = None
) -> Artifact:
    """Return the record of an artifact.

    Args:
        opened: the workspace.
        name: the variable's name.
        version: counts from 1; None for the current one.
        notebook: prefer outputs of this notebook's steps.

    Raises:
        UnknownName: there is no such artifact or version.
    """
    found = opened.metadata.artifact(name, version, notebook=notebook)
    if found is not None:
        return found
    history = opened.metadata.history(name, limit=20)
    if version is not None and history:
        raise UnknownName(
            f"version of '{name}' numbered", str(version), [str(each.version) for each in history]
        )
    if history:
        return history[0]  # captured from the notebook, never an output of a step
    raise unknown_artifact(opened, name)


def unknown_artifact(opened: Workspace, name: str) -> UnknownName:
    """Return the error for an unknown artifact, with the nearest known name."""
    return UnknownName("artifact", name, opened.metadata.artifact_names(limit=1000))


def load_artifact(opened: Workspace, artifact: Artifact) -> Any:
    """Return the value of an artifact; raises as `load`."""
    from zennb.handles.stored_values import load_value

    return load_value(opened, artifact, scope())


def scope() -> Mapping[str, Any]:
    """Return the namespace of the notebook, or that of `__main__`."""
    return vars(sys.modules["__main__"]) if _process.scope is None else _process.scope


def notebook_name() -> str | None:
    """Return the notebook's name in records; None outside of one."""
    return (_process.notebook() if _process.notebook is not None else "") or None
