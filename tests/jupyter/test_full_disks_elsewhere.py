"""Values that find no room on the disk, of steps that do not run in the kernel itself."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING

import pytest

from tests.jupyter.test_homes import line, line_of_run
from zennb import api
from zennb.components.orchestrators.processes import ProcessesOrchestrator
from zennb.engine.remote.unstored_blobs import LARGEST
from zennb.errors import StepRefused, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.jupyter.conftest import Notebook

BIG = "%%step big\nimport numpy as np\nbig = np.arange(1_000_000.0)\nsmall = 7"
LIMIT = 1_000_000
AFTER = "%%step after\nc = big[-1] + small"
SHORT = "not stored: file size limit reached, 7 MB short"


@pytest.fixture(params=["local", "threads", "processes"])
def elsewhere(notebook: Notebook, request: pytest.FixtureRequest) -> Iterator[Notebook]:
    """A kernel whose steps run elsewhere, and whose files, as those of the workers, cannot grow beyond 1 MB."""
    if request.param != "local":
        notebook.run(f"%orchestrator register there --flavor={request.param}", "%stack copy default other")
        notebook.run("%stack update other -o there", "%stack set other")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, before[1]))
    yield notebook
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_value_without_room_is_bound_and_read_by_the_next_steps(elsewhere: Notebook) -> None:
    big, after = elsewhere.run(BIG, AFTER)
    assert elsewhere.ns["big"].shape == (1_000_000,)
    assert elsewhere.ns["c"] == 1_000_006.0
    assert SHORT in line(big)
    assert big.outputs == ["big", "small"]
    assert "not stored" not in line(after)
    made = api.workspace().metadata.previous("big", "")
    assert made is not None
    assert not made.reusable
    assert elsewhere.run(BIG)[0].status == "completed"


def test_in_a_run_steps_read_what_was_not_stored_and_cells_after_it_too(elsewhere: Notebook) -> None:
    elsewhere.run(BIG, AFTER)
    del elsewhere.ns["big"], elsewhere.ns["c"]
    ran, size = elsewhere.run("%pipeline run --rerun", "big.shape")
    assert size.result == (1_000_000,)
    assert elsewhere.ns["c"] == 1_000_006.0
    assert "2 of 2 steps, 1 not stored" in line_of_run(ran)
    assert elsewhere.run("%%step again\nd = big[-1]")[0].status == "completed"


def test_results_of_elements_without_room_are_put_together(elsewhere: Notebook) -> None:
    text = "%%step grow --map sizes\nimport numpy as np\ngrown = np.arange(sizes)"
    _, ran = elsewhere.run("sizes = [200_000, 300_000]", text)
    assert [each.size for each in elsewhere.ns["grown"]] == [200_000, 300_000]
    assert "not stored: file size limit reached" in line(ran)
    elsewhere.run("del grown", "%pipeline run --rerun")
    assert [each.size for each in elsewhere.ns["grown"]] == [200_000, 300_000]


def test_a_value_of_a_plain_cell_without_room_reaches_the_step(elsewhere: Notebook) -> None:
    _, step, run = elsewhere.run(
        "import numpy as np\ndata = np.arange(1_000_000.0)", "%%step size\nsize = data.sum()", "%pipeline run"
    )
    assert elsewhere.ns["size"] == 499_999_500_000.0
    assert "completed" in line(step)
    assert "1 of 1" in line_of_run(run)


@pytest.mark.parametrize("elsewhere", ["processes"], indirect=True)
@pytest.mark.parametrize("many", [128_000, 140_000])
def test_only_what_is_small_passes_through_a_scheduler(
    elsewhere: Notebook, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    monkeypatch.setattr(ProcessesOrchestrator, "is_direct", False)
    is_small = 8 * many + 200 < LARGEST
    ran = elsewhere.cell(f"%%step some\nimport numpy as np\nprint('shown')\nsome = np.arange({many}.0)")
    reads = (
        elsewhere.cell(f"import numpy as np\nplain = np.ones({many})\n"),
        elsewhere.cell("%%step total\ntotal = plain.sum()"),
    )
    if is_small:
        assert (ran.error, reads[1].error) == (None, None)
        assert (elsewhere.ns["some"].size, elsewhere.ns["total"]) == (many, many)
        assert "not stored: file size limit reached, 24 kB short" in line(ran)
        return
    assert isinstance(ran.error, StoreError)
    assert str(ran.error) == (
        "`some` is not stored (file size limit reached, 120 kB short), and through a scheduler at most 1 MB comes "
        "back, so what the step made is lost. Make room, or use a stack with an artifact store elsewhere, and run "
        "step 'some' again; on a stack that runs in the kernel, values without room stay in memory."
    )
    assert "some" not in elsewhere.ns
    assert ran.out.startswith("shown\n")
    assert "shown" in line(elsewhere.run("%runs logs 1 some")[0])
    assert isinstance(reads[1].error, StepRefused)
    assert str(reads[1].error) == (
        "step 'total' cannot run in another process: `plain` is not stored (file size limit reached, 120 kB short), "
        "and through a scheduler at most 1 MB is sent. Make room, or run the step on a stack that runs in the kernel."
    )


@pytest.mark.parametrize("elsewhere", ["local"], indirect=True)
def test_what_a_background_run_could_not_store_is_said_to_be_lost(elsewhere: Notebook) -> None:
    text = "%%step far --background\nimport numpy as np\nfar = np.arange(300_000.0)\nnear = 1"
    _, attached, ended = elsewhere.run(text, "%runs attach 1", "near")
    told = "".join(str(each["data"]["text/plain"]) for each in (*attached.displays, *ended.displays))
    assert "not all that step 'far' made is stored (file size limit reached, 1 MB short)" in told
    assert (ended.result, "far" in elsewhere.ns) == (1, False)
