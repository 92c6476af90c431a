"""Every recorded step says where the values came from that it used, and nothing of that reaches a cell."""

from __future__ import annotations

import random
import sys
from array import array
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from zennb import api
from zennb.engine.environment.access_tracer import AccessTracer
from zennb.jupyter.kernel.provenance_log import _generators

if TYPE_CHECKING:
    import pytest

    from tests.jupyter.conftest import Notebook


def provenance(step: str) -> dict[str, str]:
    """Return what the latest record of a step says."""
    found = api.workspace().metadata
    latest = [each for run in found.runs() for each in found.steps(run.id or 0) if each.name == step]
    return dict(max(latest, key=lambda each: each.id or 0).provenance)


def test_a_step_records_what_it_used_run_and_reused(notebook: Notebook) -> None:
    notebook.run("K = 3", "def clean(x):\n    return x * K", "rows = [clean(1)]", "%%step a\nr = len(rows)")
    first = provenance("a")
    assert first["rows"].startswith("computed ")
    assert first["clean"].startswith("definition ")
    assert first["K"].startswith("value ")
    (again,) = notebook.run("%%step a\nr = len(rows)")
    assert again.status == "cached"
    assert provenance("a") == first


def test_what_a_step_made_is_known_by_its_content(notebook: Notebook) -> None:
    notebook.run("%%step a\nxs = [1]", "%%step b\nr = len(xs)", "xs.append(2)", "%%step c\nq = len(xs)")
    assert provenance("b")["xs"].startswith("value ")
    assert provenance("c")["xs"].startswith("computed ")


def test_files_and_variables_that_plain_cells_read_are_noted(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEEN", "1")
    Path("data.txt").write_text("1")
    notebook.run(
        "import os\nfrom pathlib import Path",
        "x = Path('data.txt').read_text() + os.environ['SEEN']",
        "%%step a\nr = x",
    )
    found = provenance("a")
    assert found["read file data.txt"].startswith("file ")
    assert len(found["read environment SEEN"]) == 32


def test_a_file_that_is_asked_for_and_not_there_is_noted(notebook: Notebook) -> None:
    notebook.run("import os", "x = os.path.exists('later.txt')", "%%step a\nr = x")
    assert provenance("a")["read file later.txt"] == "is absent"


def test_every_generator_whose_state_is_restored_is_observed(monkeypatch: pytest.MonkeyPatch) -> None:
    state = array("B", [1, 2, 3])
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    assert "random state of torch" not in _generators()
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(get_rng_state=lambda: state))
    before = _generators()
    assert _generators() == before
    state[0] = 7
    random.random()
    after = _generators()
    changed = {name for name, mark in after.items() if mark != before[name]}
    assert changed == {"random state of random", "random state of torch"}


def test_random_numbers_that_nobody_seeded_are_seen_being_drawn(notebook: Notebook) -> None:
    notebook.run("import random\ndraw = getattr(random, 'rand' + 'om')", "x = draw()", "%%step a\nr = x")
    assert provenance("a")["x"].startswith("opaque ")


def test_a_pipeline_run_records_provenance_too(notebook: Notebook) -> None:
    notebook.run("K = 3", "%%step a\nxs = [K]", "%%step b\nr = len(xs)")
    notebook.run("K = 4", "%pipeline run")
    assert provenance("a").keys() == {"K"}
    assert provenance("b")["xs"].startswith("value ")


def test_a_failed_plain_cell_leaves_nothing_to_be_trusted(notebook: Notebook) -> None:
    notebook.run("K = 3")
    ran = notebook.cell("K = 4\n1 / 0")
    assert ran.error is not None
    notebook.run("%%step a\nr = K")
    assert provenance("a")["K"].startswith("opaque ")


def test_what_goes_wrong_in_following_a_cell_reaches_no_cell(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook.run("K = 3")

    def broken(*_more: Any, **_other: Any) -> dict[str, str]:
        raise RuntimeError

    monkeypatch.setattr(AccessTracer, "files", broken)
    notebook.run("K = 4")
    monkeypatch.undo()
    (ran,) = notebook.run("%%step a\nr = K")
    assert ran.status == "completed"
    assert not provenance("a").get("K", "").startswith("value ")
