"""Homes that go wrong under a running notebook: deleted, moved, replaced, read-only, full."""

from __future__ import annotations

import os
import resource
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from zennb import api
from zennb.errors import LostOutput, StoreError, StoreGone
from zennb.metadata.store import MetadataStore
from zennb.registry.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.jupyter.conftest import Notebook, Ran

MADE = "%%step made\na = [1, 2]"


def line(ran: Ran) -> str:
    return str(ran.displays[-1]["data"]["text/plain"])


def line_of_run(ran: Ran) -> str:
    """The table of a pipeline run; behind it are the status lines of the cells above, as they are now."""
    return [text for each in ran.displays if " steps" in (text := str(each["data"]["text/plain"]))][-1]


def home() -> Path:
    return api.workspace().home


def delete_database(at: Path) -> None:
    for path in at.glob("metadata.db*"):
        path.unlink()


def move_home(at: Path) -> None:
    at.rename(at.with_name("elsewhere"))


def replace_database(at: Path) -> None:
    delete_database(at)
    MetadataStore(at / "metadata.db").close()


def replace_home(at: Path) -> None:
    move_home(at)
    Workspace(at).close()


def delete_log(at: Path) -> None:
    (at / "metadata.db-wal").unlink()


def delete_index_of_log(at: Path) -> None:
    (at / "metadata.db-shm").unlink()


def exchange_log(at: Path) -> None:
    log = at / "metadata.db-wal"
    log.rename(at / "old")
    shutil.copy(at / "old", log)


def empty_database(at: Path) -> None:
    os.truncate(at / "metadata.db", 0)


def cut_log(at: Path, share: float = 0) -> None:
    os.truncate(at / "metadata.db-wal", int((at / "metadata.db-wal").stat().st_size * share))


GONE = pytest.mark.parametrize(
    ("happens", "said"),
    [
        (delete_database, "metadata.db was deleted or moved"),
        (move_home, "was deleted or moved"),
        (shutil.rmtree, "was deleted or moved"),
        (replace_database, "metadata.db was replaced by another file"),
        (replace_home, "metadata.db was replaced by another file"),
        (
            delete_log,
            "metadata.db-wal, which belongs to the database beside it and holds its latest records, was",
        ),
        (exchange_log, "metadata.db-wal, which belongs to the database beside it"),
        (delete_index_of_log, "metadata.db-shm, which belongs to the database beside it"),
        (empty_database, "metadata.db was cut short"),
        (cut_log, "metadata.db-wal was cut short"),
        (lambda at: cut_log(at, 0.5), "metadata.db-wal was cut short"),
    ],
)


@GONE
def test_a_home_that_went_under_a_kernel_is_said_before_the_next_step_runs(
    notebook: Notebook, happens: Callable[[Path], None], said: str
) -> None:
    notebook.run(MADE)
    happens(home())
    ran = notebook.cell("%%step other\nb = [1]\nran = True")
    assert isinstance(ran.error, StoreGone)
    assert said in str(ran.error)
    assert "`%zennb reopen`" in str(ran.error)
    assert "ran" not in notebook.ns
    assert ran.displays == []


@GONE
def test_a_home_that_goes_while_a_step_runs_is_never_told_as_completed(
    notebook: Notebook, happens: Callable[[Path], None], said: str
) -> None:
    notebook.run(MADE)
    notebook.ns["happens"] = lambda: happens(home())
    (ran,) = notebook.run("%%step other\nhappens()\nb = [1]")
    assert notebook.ns["b"] == [1]
    assert "completed" not in line(ran)
    assert "ran" in line(ran)
    assert "not recorded: " in line(ran)
    assert said.split(",", maxsplit=1)[0] in ran.facts["unrecorded"]
    assert "`%zennb reopen` opens the home again" in line(ran)


@GONE
def test_reopening_binds_the_kernel_to_the_home_as_it_is_now(
    notebook: Notebook, happens: Callable[[Path], None], said: str
) -> None:
    notebook.run(MADE, "%%step big\nbig = list(range(50_000))")
    notebook.restart()
    notebook.run(MADE, "%%step big\nbig = list(range(50_000))")  # `big` is not loaded yet
    at = home()
    happens(at)
    assert isinstance(notebook.cell("%%step other\nb = [1]").error, StoreGone)
    if happens is delete_database:  # an empty one in its place would hide what is lost
        refused = notebook.cell("%zennb reopen")
        assert "has lost its records: metadata.db is missing" in str(refused.error)
        (repaired,) = notebook.run("%zennb doctor --repair")
        assert "2 records were written again" in line(repaired)
    else:
        (opened,) = notebook.run("%zennb reopen")
        assert str(at) in line(opened)
        assert "on record there" in line(opened)
    again, other = notebook.run(MADE, "%%step other\nb = [*a, 3]")
    assert "not recorded" not in line(again) + line(other)
    if happens in {move_home, replace_home, shutil.rmtree}:  # its bytes went with the home
        assert isinstance(notebook.cell("len(big)").error, LostOutput)
        notebook.run("%%step big\nbig = list(range(50_000))")
    (length,) = notebook.run("len(big)")
    assert length.result == 50_000
    records = api.workspace().metadata
    found = records.previous("other", "")
    assert found is not None
    assert found.inputs["a"].name == "a"
    assert records.artifact("a") is not None
    notebook.restart()
    assert [ran.status for ran in notebook.run(MADE, "%%step other\nb = [*a, 3]")] == ["cached", "cached"]


def test_only_the_log_is_removed_and_nothing_is_lost_by_reopening(notebook: Notebook) -> None:
    notebook.run(MADE)
    delete_log(home())
    notebook.run("%zennb reopen")
    assert [run.kind for run in api.workspace().metadata.runs()] == ["session"]
    (ran,) = notebook.run(MADE)
    assert ran.status == "cached"


def test_a_database_that_took_the_place_keeps_its_log_when_the_kernel_ends(notebook: Notebook) -> None:
    """SQLite's last connection deletes the log by name: it would be that of the other database."""
    notebook.run(MADE)
    at = home()
    delete_database(at)
    other = MetadataStore(at / "metadata.db")
    other.set_setting("kept", "yes")
    notebook.stop()
    assert (at / "metadata.db-wal").exists()
    assert other.setting("kept") == "yes"
    other.close()
    notebook.start()


@GONE
def test_a_home_that_goes_during_a_run_is_said_of_every_step(
    notebook: Notebook, happens: Callable[[Path], None], said: str
) -> None:
    notebook.ns["happens"] = lambda: None
    notebook.run(MADE, "%%step other --no-cache\nhappens()\nb = [*a, 3]", "%%step third\nc = len(b)")
    notebook.ns["happens"] = lambda: happens(home())
    (ran,) = notebook.run("%pipeline run --rerun")
    assert (notebook.ns["b"], notebook.ns["c"]) == ([1, 2, 3], 3)
    assert said
    assert "3 of 3 steps, 3 not recorded" in line_of_run(ran)
    assert "completed" not in line_of_run(ran)


@pytest.fixture
def read_only(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Return a function after which the system says that nothing below a folder can be written to."""

    def forbid(folder: Path) -> None:
        really = os.access

        def access(path: Any, mode: int, **more: Any) -> bool:
            return not (mode & os.W_OK and str(path).startswith(str(folder))) and really(path, mode, **more)

        monkeypatch.setattr(os, "access", access)

    return forbid


def test_in_a_read_only_home_steps_are_listed_shown_and_reused(
    notebook: Notebook, read_only: Callable[[Path], None]
) -> None:
    notebook.run(MADE, "%%step big\nbig = list(range(50_000))")
    read_only(home())
    notebook.restart()
    made, big = notebook.run(MADE, "%%step big\nbig = list(range(50_000))")
    assert [made.status, big.status] == ["cached", "cached"]
    assert "not recorded: the home is read-only" in line(made)
    assert notebook.ns["a"] == [1, 2]
    (size,) = notebook.run("len(big)")
    assert size.result == 50_000
    listed, shown, runs, status = notebook.run("%artifacts", "%artifacts show a", "%runs", "%pipeline status")
    assert "big" in line(listed)
    assert "list" in line(shown)
    assert "made, big" in line(runs)
    assert line(status).count("fresh") == 2
    assert api.load("a") == [1, 2]


def test_in_a_read_only_home_a_new_step_binds_its_values_and_says_that_it_is_not_recorded(
    notebook: Notebook, read_only: Callable[[Path], None]
) -> None:
    notebook.run(MADE)
    read_only(home())
    notebook.restart()
    notebook.run(MADE)
    new, after = notebook.run("%%step new\nb = [*a, 3]", "%%step after\nc = len(b)")
    assert (notebook.ns["b"], notebook.ns["c"]) == ([1, 2, 3], 3)
    assert line(new).startswith("▲ new  ran  ")
    assert line(new).endswith("→ b  (first run; not recorded: the home is read-only)")
    assert "completed" not in line(new) + line(after)
    assert api.workspace().metadata.previous("new", "") is None


def test_in_a_read_only_home_the_pipeline_runs_and_says_what_is_not_recorded(
    notebook: Notebook, read_only: Callable[[Path], None]
) -> None:
    notebook.run(MADE)
    read_only(home())
    notebook.restart()
    notebook.run(MADE, "%%step new\nb = [*a, 3]")
    (ran,) = notebook.run("%pipeline run")
    assert notebook.ns["b"] == [1, 2, 3]
    assert "2 of 2 steps, 2 not recorded" in line_of_run(ran)


@pytest.fixture
def small_files() -> Iterator[None]:
    """Let no file grow beyond 1 MB, as a full disk would not."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("small_files")
def test_a_value_without_room_is_bound_and_its_step_is_not_reusable(notebook: Notebook) -> None:
    big, after = notebook.run(
        "%%step big\nimport numpy as np\nbig = np.arange(1_000_000.0)\nsmall = 7", "%%step after\nc = big[-1]"
    )
    assert notebook.ns["big"].shape == (1_000_000,)
    assert notebook.ns["c"] == 999_999.0
    assert "not stored: file size limit reached, 7 MB short" in line(big)
    assert big.outputs == ["big", "small"]
    assert "not stored" not in line(after)
    made = api.workspace().metadata.previous("big", "")
    assert made is not None
    assert not made.reusable
    assert list(made.outputs) == ["small"]
    notebook.restart()
    (again,) = notebook.run("%%step big\nimport numpy as np\nbig = np.arange(1_000_000.0)\nsmall = 7")
    assert again.status == "completed"


@pytest.mark.usefixtures("small_files")
@pytest.mark.parametrize("how", ["", "-o threads"])
def test_a_run_passes_on_what_has_no_room(notebook: Notebook, how: str) -> None:
    if how:
        notebook.run(
            "%orchestrator register t --flavor=threads", "%stack copy default s", "%stack update s -o t"
        )
        notebook.run("%stack set s")
    notebook.run(
        "import numpy as np",
        "%%step big\nbig = np.arange(1_000_000.0)",
        "%%step after\nc = float(big[-1])",
        "del big, c",
    )
    notebook.run("%pipeline run --rerun")
    assert notebook.ns["c"] == 999_999.0
    assert notebook.ns["big"].shape == (1_000_000,)
    made = api.workspace().metadata.previous("big", "")
    assert made is not None
    assert made.run == api.workspace().metadata.run_ids()[0]
    assert made.unusable_because == "not stored: file size limit reached, 7 MB short"


@pytest.mark.usefixtures("small_files")
def test_a_declared_output_without_room_is_bound_as_well(notebook: Notebook) -> None:
    notebook.run("import numpy as np", "%%step big -o big\nbig = np.arange(1_000_000.0)")
    assert notebook.ns["big"].shape == (1_000_000,)


def test_where_nothing_can_be_recorded_a_failing_step_still_shows_its_own_error(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook.run(MADE)

    def full(*_args: object, **_more: object) -> None:
        raise StoreError("the disk is full; make room.")

    monkeypatch.setattr(MetadataStore, "add_new", full)
    ran = notebook.cell("%%step bad\n1 / 0")
    assert isinstance(ran.error, ZeroDivisionError)
    assert "not recorded: the disk is full" in line(ran)


@pytest.fixture
def doomed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "doomed"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def test_where_the_working_folder_is_gone_a_step_says_so_before_it_runs(
    notebook: Notebook, doomed: Path
) -> None:
    notebook.run(MADE)
    doomed.rmdir()
    for text in ("%%step other\nran = True", MADE, "%pipeline run"):
        error = notebook.cell(text).error
        assert isinstance(error, StoreError)
        assert "the working folder does not exist any more" in str(error)
    assert "ran" not in notebook.ns
    notebook.run("%runs", "%artifacts", "%zennb doctor", "1 + 1", f"%cd {doomed.parent}")
    (ran,) = notebook.run(MADE)
    assert ran.status == "cached"


def test_a_step_that_deletes_its_working_folder_keeps_its_values(notebook: Notebook, doomed: Path) -> None:
    text = f"%%step made\nimport shutil\nshutil.rmtree({str(doomed)!r})\na = [1]"
    (ran,) = notebook.run(text)
    assert ran.status == "completed"
    assert notebook.ns["a"] == [1]


@pytest.mark.parametrize("name", ["$HOME", "%TEMP%", "a%20b", "~", "{x}", "with space", "ä"])
def test_a_home_may_have_any_name(notebook: Notebook, tmp_path: Path, name: str) -> None:
    notebook.stop()
    (tmp_path / name).mkdir()
    os.environ["ZENNB_HOME"] = str(tmp_path / name / "home")
    before = {path.name for path in tmp_path.iterdir()}
    notebook.start()
    text = "%%step made\na = [1, 2]\nb = list(range(50_000))"
    notebook.run(text)
    notebook.restart()
    (ran,) = notebook.run(text)
    assert ran.status == "cached"
    assert len(list((tmp_path / name / "home").rglob("cache.db"))) == 1
    assert {path.name for path in tmp_path.iterdir()} - before <= {"jupyter"}
    (examined,) = notebook.run("%zennb doctor")
    assert "Nothing is wrong." in line(examined)


def test_data_in_a_folder_that_zennb_also_uses_are_inputs(notebook: Notebook, tmp_path: Path) -> None:
    (tmp_path / "home/annotations").mkdir()
    labels = tmp_path / "home/annotations/labels.csv"
    labels.write_text("cat")
    cells = (
        f"from pathlib import Path\nhome = Path({str(tmp_path / 'home')!r})",
        "%%step labels\nlabels = (home / 'annotations/labels.csv').read_text()",
        "%%step names\nnames = sorted(path.name for path in (home / 'artifacts').glob('*.csv'))",
    )
    notebook.run(*cells)
    assert [ran.status for ran in notebook.run(*cells)[1:]] == ["cached", "cached"]
    labels.write_text("dog")
    (tmp_path / "home/artifacts/mine.csv").write_text("")
    assert [ran.reason for ran in notebook.run(*cells)[1:]] == [
        f"{labels.relative_to(tmp_path)} changed",
        "home/artifacts changed",
    ]
    assert (notebook.ns["labels"], notebook.ns["names"]) == ("dog", ["mine.csv"])
