"""Whether workers elsewhere read what the kernel stores: looked at when a stack is registered, changed or set."""

from __future__ import annotations

import threading
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cloudpickle
import pytest

from zennb.errors import WorkerLost
from zennb.registry import live_probe

if TYPE_CHECKING:
    from zennb.registry.workspace import Workspace

pytest.importorskip("fsspec")

NAME = __name__


class Here(Executor):
    """A worker that reaches the store."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        call: Future[Any] = Future()
        try:
            function, given = cloudpickle.loads(cloudpickle.dumps((fn, args)))  # as on its way to a worker
            call.set_result(function(*given, **kwargs))
        except Exception as error:
            call.set_exception(error)
        return call


class Elsewhere(Here):
    """A worker where the folder of the store holds nothing."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        for each in Path(folder[0]).rglob("*"):
            if each.is_file() and len(each.name) == 64:
                each.unlink()
        return super().submit(fn, *args, **kwargs)


class Forbidden(Here):
    """A worker that may not open the store."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        del fn, args, kwargs
        call: Future[Any] = Future()
        call.set_exception(PermissionError("Access Denied"))
        return call


class Silent(Executor):
    """A cluster without workers."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        del fn, args, kwargs
        return Future()


def gone() -> Executor:
    """Return nothing: the cluster is not there."""
    raise WorkerLost("the scheduler does not answer.")


def stuck() -> Executor:
    """Connect for longer than anybody waits."""
    released.wait(60)
    raise WorkerLost("the scheduler does not answer.")


folder: list[str] = []
released = threading.Event()


@pytest.fixture
def shared(workspace: Workspace, tmp_path: Path) -> str:
    """Register an artifact store that other machines may reach; return its name."""
    folder[:] = [str(tmp_path / "share")]
    workspace.registry.register_component(
        "artifact_store",
        "share",
        "fsspec",
        {"url": f"file://{tmp_path / 'share'}", "cache": str(tmp_path / "copies"), "shared": "true"},
    )
    return "share"


def stack(workspace: Workspace, factory: str, store: str, *, kind: str = "orchestrator") -> str:
    config = {"factory": f"{NAME}.{factory}", "where": "network"}
    workspace.registry.register_component(kind, "far", "executor", config)
    parts = {"orchestrator": "default", "artifact_store": store, kind: "far"}
    return workspace.registry.register_stack("elsewhere", parts)[0].name


@pytest.mark.parametrize("kind", ["orchestrator", "step_operator"])
@pytest.mark.parametrize(
    ("factory", "why"),
    [
        ("Here", ""),
        ("Elsewhere", "cannot read what this process has written to the artifact store 'share' ("),
        ("Forbidden", "(PermissionError: Access Denied)"),
        ("Silent", "has answered within 0.3 s, so whether its workers reach the artifact store"),
        ("stuck", "has answered within 0.3 s"),
        ("gone", "the scheduler does not answer."),
        ("no_such", "there is no `tests.registry.test_live_probe.no_such` ("),
    ],
)
def test_what_the_workers_answer_is_one_sentence(
    workspace: Workspace, shared: str, factory: str, why: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_probe, "SECONDS", 0.3 if "0.3" in why else 30.0)
    released.clear()
    found = workspace.why_unreachable(stack(workspace, factory, shared, kind=kind))
    released.set()
    if why:
        assert why in found
        assert f"{kind.replace('_', ' ')} 'far'" in found or factory == "gone"
    else:
        assert found == ""


def test_nothing_stays_in_the_store(workspace: Workspace, shared: str) -> None:
    name = stack(workspace, "Here", shared)
    assert workspace.why_unreachable(name) == ""
    store = workspace.open(name).store
    assert list(store.digests()) == []


def test_what_runs_on_this_machine_is_not_tried(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_probe, "_try", None)
    assert workspace.why_unreachable("default") == ""
