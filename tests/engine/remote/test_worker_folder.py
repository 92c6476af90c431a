"""A folder of the notebook that a worker lacks, or has as one of its own: files that are on one side only."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cloudpickle
import pytest

from tests.engine.steps import Notebook, step
from zennb.core.records.observed import ABSENT, Observed
from zennb.core.records.setting_names import FOLDER
from zennb.engine.remote.process_snapshot import ProcessSnapshot
from zennb.engine.remote.worker_folder import check_files, working_folder
from zennb.engine.step.outcome import StepOutcome
from zennb.errors import StepRefused

if TYPE_CHECKING:
    from zennb.engine.step.request import StepRequest


@pytest.fixture
def request_here(notebook: Notebook, tmp_path: Path) -> StepRequest:
    process = ProcessSnapshot(folder=str(tmp_path), settings={FOLDER: cloudpickle.dumps(str(tmp_path))})
    return replace(notebook.request(step("y = 1"))[0], process=process)


def at(request: StepRequest, folder: str) -> Any:
    assert request.process is not None
    settings = {FOLDER: cloudpickle.dumps(folder)}
    return working_folder(request, replace(request.process, folder=folder, settings=settings))


def test_a_step_works_in_the_notebooks_folder_where_there_is_one(
    request_here: StepRequest, tmp_path: Path
) -> None:
    with at(request_here, str(tmp_path)) as (process, root):
        assert (cloudpickle.loads(process.settings[FOLDER]), root) == (str(tmp_path), "")


def test_where_there_is_none_it_works_in_an_empty_one_that_is_gone_afterwards(
    request_here: StepRequest,
) -> None:
    before = Path.cwd()
    with at(request_here, "/no/such/folder") as (process, root):
        folder = cloudpickle.loads(process.settings[FOLDER])
        assert folder == f"{root}/no/such/folder"
        os.chdir(folder)
        assert list(Path().iterdir()) == []
        assert [path.name for path in Path(root).iterdir()] == ["no"]
    assert not Path(root).exists()
    assert Path.cwd() == before


def test_a_file_is_said_to_be_here_only_if_it_was_before_the_step_began(
    request_here: StepRequest, tmp_path: Path
) -> None:
    (tmp_path / "data.csv").touch()
    outcome = StepOutcome(observed=Observed(files={"data.csv": ABSENT, "other.csv": ABSENT}))
    check_files(request_here, outcome, is_elsewhere=True, began=time.time())
    with pytest.raises(
        StepRefused, match=r"it looks for `data\.csv`, .* has a folder .* of its own without it"
    ):
        check_files(request_here, outcome, is_elsewhere=True, began=time.time() + 60)


def test_a_file_that_stays_on_a_worker_is_named(request_here: StepRequest, tmp_path: Path) -> None:
    (tmp_path / "seen.bin").touch()
    written = {"seen.bin": "file 1", "gone.bin": ABSENT, "/scratch/own.bin": "file 1"}
    outcome = StepOutcome(observed=Observed(written=written))
    check_files(request_here, outcome, is_elsewhere=True, began=0)
    lost = StepOutcome(observed=Observed(written={"lost.bin": "file 1"}))
    with pytest.raises(StepRefused, match=r"it writes `lost\.bin`, which stays there"):
        check_files(request_here, lost, is_elsewhere=True, began=0)


@pytest.mark.parametrize(
    ("error", "is_noted"),
    [
        (FileNotFoundError(2, "No such file or directory", "data.csv"), True),
        (FileNotFoundError(2, "No such file or directory", "other.csv"), False),
        (FileNotFoundError("cannot open data.csv"), True),  # as compiled libraries raise it
        (ValueError("data.csv has no header"), False),
    ],
)
def test_an_error_names_the_file_that_exists_on_this_side_only(
    request_here: StepRequest, tmp_path: Path, error: BaseException, is_noted: bool
) -> None:
    (tmp_path / "data.csv").touch()
    request = replace(request_here, texts=frozenset({"data.csv", "data"}))
    check_files(request, StepOutcome(error=error), is_elsewhere=True, began=0)
    notes = getattr(error, "__notes__", [])
    assert bool(notes) is is_noted
    assert all("`data.csv` exists on the notebook's side only" in note for note in notes)
