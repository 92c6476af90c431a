"""What a step cell asks for, counted: looks into the metadata store, searches through code, statements read."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from zennb import api
from zennb.components.artifact_stores.local import LocalArtifactStore
from zennb.components.artifact_stores.open_rows import Rows
from zennb.core.reading import definitions
from zennb.dependencies import dependencies as reach
from zennb.dependencies.resolver import DependencyResolver
from zennb.digests.digest import digest_value
from zennb.errors import StoreError, UnknownName
from zennb.metadata.connection import Database
from zennb.registry.workspace import Workspace

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    found: Counter[str] = Counter()

    def counted(name: str, function: Any) -> Any:
        def called(*args: Any, **kwargs: Any) -> Any:
            if name == "stored" or threading.current_thread() is threading.main_thread():
                found[name] += (
                    1  # what goes on beside the cell, as a look for its commit, keeps nobody waiting
                )
            return function(*args, **kwargs)

        return called

    monkeypatch.setattr(Database, "read", counted("looks", Database.read))
    monkeypatch.setattr(Database, "write", counted("writes", Database.write))
    monkeypatch.setattr(Rows, "add_all", counted("stored", Rows.add_all))
    monkeypatch.setattr(reach, "DependencyResolver", counted("searches", DependencyResolver))
    monkeypatch.setattr(definitions, "_read", counted("statements", definitions._read))
    return found


def test_a_step_that_reaches_no_code_of_the_users_is_searched_once(
    notebook: Notebook, asked: Counter[str]
) -> None:
    notebook.run("import numpy as np\nn = 3")
    asked.clear()
    notebook.run("%%step\ny = np.arange(5) + n")
    assert asked["searches"] == 1


def test_code_that_turns_up_in_data_is_followed_in_the_same_search(
    notebook: Notebook, asked: Counter[str]
) -> None:
    notebook.run("RATE = 2\nclass Model:\n    def rate(self):\n        return RATE\nmodels = [Model()]")
    asked.clear()
    (made,) = notebook.run("%%step\ny = models[0].rate()")
    assert made.status == "completed"
    assert asked["searches"] == 2  # before it runs, and afterwards, since it may have changed the class
    notebook.run("RATE = 3")
    (again,) = notebook.run("%%step\ny = models[0].rate()")
    assert again.reason == "input `RATE` changed"


def test_the_statements_of_a_cell_are_read_once_however_many_outputs_it_has(
    notebook: Notebook, asked: Counter[str]
) -> None:
    notebook.run(
        "%%step\nimport math\ndef f():\n    return 1\ndef g():\n    return f()\nclass A:\n    pass\nx = g()"
    )
    assert asked["statements"] == 5


def test_a_first_run_looks_before_and_once_for_all_outputs(notebook: Notebook, asked: Counter[str]) -> None:
    notebook.run("%%step warm\nz = [0]")
    asked.clear()
    notebook.run("%%step made\na, b, c = [1], [2], [3]")
    assert (asked["looks"], asked["writes"]) == (2, 1)


def test_what_a_step_reads_makes_sets_and_shows_is_stored_at_once(
    notebook: Notebook, asked: Counter[str]
) -> None:
    notebook.run("n = [3]")
    asked.clear()
    notebook.run(
        "%%step made\nimport decimal\ndecimal.getcontext().prec = 9\nprint(n)\na, b = [1], n + [2]\na"
    )
    assert (asked["stored"], asked["writes"]) == (1, 1)
    notebook.restart()
    notebook.run("n = [3]")
    (again,) = notebook.run(
        "%%step made\nimport decimal\ndecimal.getcontext().prec = 9\nprint(n)\na, b = [1], n + [2]\na"
    )
    assert (again.status, again.out.startswith("[3]")) == ("cached", True)


def test_a_reused_step_looks_before_it_is_decided_on_and_no_more(
    notebook: Notebook, asked: Counter[str]
) -> None:
    notebook.run("%%step made\na, b, c = [1], [2], [3]")
    asked.clear()
    (again,) = notebook.run("%%step made\na, b, c = [1], [2], [3]")
    assert again.status == "cached"
    assert (asked["looks"], asked["writes"]) == (1, 1)


def test_a_stack_that_another_kernel_has_changed_since_the_last_cell_is_opened_anew(
    notebook: Notebook,
) -> None:
    cell = "%%step made\na = [1]"
    notebook.run(cell)
    other = Workspace(api.workspace().home)
    try:
        spec = replace(other.registry.stack("default").artifact_store, name="second")
        other.metadata.put_component(spec)
        changed = other.registry.stack("default")
        other.metadata.put_stack(
            replace(changed, components={**changed.components, "artifact_store": spec}), replace=True
        )
    finally:
        other.close()
    (again,) = notebook.run(cell)
    assert again.status == "completed"
    assert again.reason == "`a v1` is not in artifact store 'second'"
    (kept,) = notebook.run(cell)
    assert kept.status == "cached"


def test_a_stack_that_another_kernel_has_deleted_is_told_before_the_body_runs(notebook: Notebook) -> None:
    notebook.run("%stack copy default mine", "%stack set mine", "%%step made\na = [1]")
    other = Workspace(api.workspace().home)
    other.metadata.delete_stack("mine")
    other.close()
    ran = notebook.cell("%%step made\na = [2]")
    assert isinstance(ran.error, UnknownName)
    assert notebook.ns["a"] == [1]


def test_where_nothing_can_be_stored_the_value_is_bound_and_the_record_names_no_bytes(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook.run("n = [3]")
    error = StoreError("the disk is full; make room.")

    def full(*_args: object) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(Rows, "add_all", full)
        (ran,) = notebook.run("%%step made\na = n + [1]")
    assert notebook.ns["a"] == [3, 1]
    assert "not stored: the disk is full" in str(ran.displays[-1]["data"]["text/plain"])
    made = api.workspace().metadata.previous("made", "")
    assert made is not None
    assert (made.status, made.reusable, made.inputs, made.outputs) == ("completed", False, {}, {})
    again, once_more = notebook.run("%%step made\na = n + [1]", "%%step made\na = n + [1]")
    assert (again.status, once_more.status) == ("completed", "cached")


@pytest.mark.parametrize("mapped", [False, True])
def test_a_parameter_that_many_steps_read_is_stored_once_for_workers(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch, mapped: bool
) -> None:
    # Threads, but zennb takes them for other processes, which read everything from the store.
    pool = "--factory=concurrent.futures.ThreadPoolExecutor --arguments=\"{'max_workers': 2}\""
    names = [f"s{number}" for number in range(6)]
    cells = [f"%%step {name}\n{name} = rate + {number + 1}" for number, name in enumerate(names)]
    notebook.run("rate, numbers = 1.25, [1, 2, 3]", *cells)
    notebook.run(
        f"%orchestrator register pool --flavor=executor {pool}",
        "%stack register side -o pool -a default --set",
    )
    stored, put_all = Counter[str](), LocalArtifactStore.put_all

    def counted(store: LocalArtifactStore, blobs: Any) -> list[str]:
        found = put_all(store, blobs)
        stored.update(found)
        return found

    notebook.run("rate = 2.5")
    monkeypatch.setattr(LocalArtifactStore, "put_all", counted)
    if mapped:
        notebook.run("%%step all --map numbers\nmore = numbers + rate")
        assert notebook.ns["more"] == [3.5, 4.5, 5.5]
    else:
        notebook.run("%pipeline run")
        assert notebook.ns["s5"] == 8.5
    versions = api.workspace().metadata.history("rate")
    assert [
        stored[blob] for blob in {each.blob for each in versions if each.digest == digest_value(2.5).digest}
    ] == [1]
