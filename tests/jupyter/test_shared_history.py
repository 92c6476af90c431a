"""A store that several people reach: what one of them ran is reused by the others, as far as they trust it."""

from __future__ import annotations

import shutil
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.jupyter.people import People, bucket, people, records
from zennb.components.artifact_stores.remote.shared_folder import SharedFolder
from zennb.engine.sharing import shared_records
from zennb.engine.sharing.record_format import opened_record
from zennb.materializers.signer import Signer

if TYPE_CHECKING:
    from pathlib import Path

    from tests.jupyter.conftest import Notebook

pytest.importorskip("fsspec")
pytest.importorskip("cryptography")
# Imported here: a step that imports them first sets warning filters, which others have to trust.
pytest.importorskip("pandas")

__all__ = ["bucket", "people"]

PLAIN = "%%step few\nfew = [1, 2, 3]"
LARGE = "%%step make\nimport numpy as np\nlarge = np.arange(100_000)"
SUM = "%%step add\ntotal = int(large.sum()) + sum(few)"
CELLS = (PLAIN, LARGE, SUM)
MODEL = "%%step train\nfrom datetime import timezone\nmodel = [timezone.utc, len, object]"
SETTINGS = "%%step settings\nimport os, random\nrandom.seed(5)\nkept = 1"
FILE = "%%step keep\nfrom pathlib import Path\n_ = Path('kept.txt').write_text('kept')"
SCRIPT = "%%step show\nfrom IPython.display import HTML\nshown = 1\nHTML('<script>1</script>')"
TABLE = "%%step table\nimport pandas as pd\nframe = pd.DataFrame({'a': [1, 2], 'b': ['x', 'y']})\nframe"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PICTURE = (
    "%%step draw\nfrom base64 import b64decode\nfrom IPython.display import Image, display\n"
    f"display(Image(b64decode('{PIXEL}')))\ndrawn = 1"
)

CHAIN = (("one", "seed + 1"), ("two", "one + 1"), ("three", "two + 1"))


def test_what_somebody_ran_is_reused_by_others_on_their_first_run(people: People) -> None:
    assert [ran.status for ran in people.turn("ada").run(*CELLS)] == ["completed"] * 3
    bob = people.turn("bob")
    again = bob.run(*CELLS, "assert (few, total, large[-1]) == ([1, 2, 3], 4999950006, 99999)")
    assert [(ran.status, ran.reason) for ran in again[:3] if ran.status != "cached"] == []
    assert all("same code and inputs as run 1 of ada on " in ran.reason for ran in again[:3])
    bob.restart()  # from now on it is on record here, and still says from whom it is
    again = bob.run(*CELLS)
    assert [ran.status for ran in again] == ["cached"] * 3
    assert all("run 1 of ada on " in ran.reason for ran in again)


def plan_of(notebook: Notebook) -> dict[str, str]:
    return {step.name: step.state.value for step in notebook.shell.zennb_hooks.pipeline.plan().steps}


def test_pipeline_runs_reuse_what_cells_left_and_leave_what_cells_reuse(people: People) -> None:
    cells = [f"%%step {name}\n{name} = {code}" for name, code in CHAIN]
    people.turn("ada").run("seed = 1", *cells[:2])
    bob = people.turn("bob")
    bob.run("seed = 7", *cells, "seed = 1")
    assert plan_of(bob) == {"one": "fresh", "two": "fresh", "three": "stale"}
    bob.run("%pipeline run")
    assert {name: bob.ns[name] for name, _ in CHAIN} == {"one": 2, "two": 3, "three": 4}
    assert plan_of(bob) == {"one": "fresh", "two": "fresh", "three": "fresh"}
    again = people.turn("carol").run("seed = 1", *cells)[1:]
    assert [ran.status for ran in again] == ["cached"] * 3
    assert [" of bob on " in ran.reason for ran in again] == [False, False, True]


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        (MODEL, "stored as pickle"),
        (SETTINGS, "it sets "),
        (FILE, "it writes kept.txt"),
        (SCRIPT, "may hold scripts"),
        ("%%step make\ndef scale(x):\n    return x\nscaled = [scale]", "stored as pickle"),
    ],
    ids=["pickle", "settings", "file", "script", "function"],
)
def test_what_can_run_code_or_sets_anything_waits_for_trust(people: People, cell: str, why: str) -> None:
    people.turn("ada").run(cell)
    key = people.key("ada")
    bob = people.turn("bob")
    (ran,) = bob.run(cell)
    assert ran.status == "completed"
    assert why in ran.reason
    assert f"`zennb trust --signer {key[:16]}`" in ran.reason
    assert "run 1 of ada on " in ran.reason
    people.leave()
    carol = people.turn("carol")
    carol.run(f"%zennb trust --signer {key[:16]}")
    (ran,) = carol.run(cell)
    assert (ran.status, "run 1 of ada on " in ran.reason) == ("cached", True), ran.reason
    carol.run(f"%zennb trust --signer {key[:16]} --revoke")
    carol.restart()
    (ran,) = carol.run(cell)
    assert ran.status == "completed", ran.reason


@pytest.mark.parametrize("cell", [TABLE, PICTURE, "%%step say\nsaid = 1\nprint('hello')\n[1, 2]"])
def test_tables_pictures_and_text_of_others_need_no_trust(people: People, cell: str) -> None:
    people.turn("ada").run(cell)
    bob = people.turn("bob")
    (ran,) = bob.run(cell)
    assert ran.status == "cached", ran.reason
    assert ran.out or ran.displays
    bob.restart()
    assert bob.run(cell)[0].status == "cached"


def test_files_in_the_folder_match_by_content_and_others_never(people: People, tmp_path: Path) -> None:
    inside = "%%step read\nfrom pathlib import Path\ntext = Path('data.txt').read_text()"
    elsewhere = f"%%step there\nfrom pathlib import Path\nthere = Path('{tmp_path}/out.txt').read_text()"
    (tmp_path / "out.txt").write_text("out")
    for name, content in (("ada", "same"), ("bob", "same"), ("carol", "other")):
        people.folder(name).mkdir(parents=True)
        (people.folder(name) / "data.txt").write_text(content)
    people.turn("ada").run(inside, elsewhere)
    found = people.turn("bob").run(inside, elsewhere)
    assert [ran.status for ran in found] == ["cached", "completed"], [ran.reason for ran in found]
    assert "outside the notebook's folder" in found[1].reason
    carol = people.turn("carol")
    (ran,) = carol.run(inside)
    assert ran.status == "completed"
    assert "data.txt changed" in ran.reason
    assert carol.ns["text"] == "other"


def test_a_file_that_is_missing_in_somebodys_home_says_nothing_about_ours(
    people: People, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = (
        "%%step config\nfrom pathlib import Path\npath = Path.home() / 'zennb-test.txt'\n"
        "mode = path.read_text() if path.exists() else 'none'\ndel path, Path"
    )
    for name in ("ada", "bob"):
        (tmp_path / name).mkdir()
    (tmp_path / "bob" / "zennb-test.txt").write_text("mine")
    monkeypatch.setenv("HOME", str(tmp_path / "ada"))
    people.turn("ada").run(cell)
    monkeypatch.setenv("HOME", str(tmp_path / "bob"))
    bob = people.turn("bob")
    bob.run(cell)
    assert bob.ns["mode"] == "mine"


def test_environment_variables_match_only_where_nobody_has_set_them(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = "%%step region\nimport os\nregion = os.environ.get('ZENNB_TEST_REGION', 'none')"
    people.turn("ada").run(cell)
    assert people.turn("bob").run(cell)[0].status == "cached"
    monkeypatch.setenv("ZENNB_TEST_REGION", "here")
    carol = people.turn("carol")
    assert carol.run(cell)[0].status == "completed"
    dave = people.turn("dave")
    (ran,) = dave.run(cell)
    assert ran.status == "completed"
    assert dave.ns["region"] == "here"


def test_no_secret_is_in_what_is_shared(
    people: People, bucket: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEAM_API_KEY", "from-the-environment-5a7b")
    ada = people.turn("ada")
    ada.run(
        "import os\napi_key = 'typed-in-a-cell-93fa'\nlimit = 3",
        "%%step one\nused = len(api_key) + limit",
        "%%step two --no-store own\nown = '-'.join(['kept', 'away', '77'])\nother = len(own)",
        "%%step three\nread = len(os.environ['TEAM_API_KEY'])",
        "%%step four\npassword = 'hunter-of-secrets'\nsize = len(password)\nprint(password)",
    )
    ada.run("%pipeline run -p limit=4")
    people.leave()
    everything = b"".join(path.read_bytes() for path in bucket.rglob("*") if path.is_file())
    assert records(bucket)
    for secret in (
        b"kept-away-77",
        b"typed-in-a-cell-93fa",
        b"from-the-environment-5a7b",
        b"hunter-of-secrets",
    ):
        assert secret not in everything
    assert str(people.folder("ada").parent).encode() not in everything


def test_results_that_expired_here_do_not_come_back_from_others(people: People) -> None:
    people.turn("ada").run(PLAIN)
    bob = people.turn("bob")
    bob.run(PLAIN, "%artifacts expire few")
    bob.restart()
    (ran,) = bob.run(PLAIN)
    assert ran.status == "completed", ran.reason


def test_somebody_who_may_only_read_reuses_and_leaves_nothing(
    people: People, bucket: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people.turn("ada").run(*CELLS)
    before = records(bucket)

    def refuse(self: Any, uploads: Any) -> None:
        raise PermissionError("refused by the test")

    bob = people.turn("bob")
    monkeypatch.setattr(SharedFolder, "upload", refuse)
    assert [ran.status for ran in bob.run(*CELLS)] == ["cached"] * 3
    own = bob.cell("%%step own\nown = [4]")
    assert own.error is None
    assert "read-only" in str(own.displays)
    assert records(bucket) == before


def test_a_store_that_does_not_answer_costs_one_wait_and_is_named_once(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    people.turn("ada").run(*CELLS)
    asked: list[str] = []
    go_on = threading.Event()

    def silent(self: Any, folder: str, most: int) -> list[Any]:
        asked.append(folder)
        go_on.wait(30)
        return []

    monkeypatch.setattr(shared_records, "PATIENCE", 1.0)
    bob = people.turn("bob")
    monkeypatch.setattr(SharedFolder, "names", silent)
    found = bob.run(*CELLS)
    go_on.set()
    assert [ran.status for ran in found] == ["completed"] * 3
    assert len(asked) == 1
    assert ["nothing that others share is reused" in ran.reason for ran in found] == [True, False, False]


def test_steps_that_are_known_here_ask_nothing(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = people.turn("ada")
    ada.run(*CELLS)
    ada.restart()

    def refuse(self: Any, *_: Any) -> None:
        raise AssertionError("it was asked")

    monkeypatch.setattr(SharedFolder, "names", refuse)
    monkeypatch.setattr(SharedFolder, "read_all", refuse)
    assert [ran.status for ran in ada.run(*CELLS)] == ["cached"] * 3


def test_two_kernels_that_run_a_step_at_once_leave_two_records(people: People, bucket: Path) -> None:
    people.turn("ada").run(PLAIN)
    hidden = bucket.with_name("hidden")
    bucket.rename(hidden)  # Bob runs it as if at the same moment
    people.turn("bob").run(PLAIN)
    people.leave()
    for path in bucket.rglob("*.json"):
        target = hidden / path.relative_to(bucket)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
    shutil.rmtree(bucket)
    hidden.rename(bucket)
    assert len(records(bucket)) == 2
    assert people.turn("carol").run(PLAIN)[0].status == "cached"


def test_the_history_lists_what_everybody_ran(people: People) -> None:
    people.turn("ada").run(*CELLS)
    bob = people.turn("bob")
    bob.run(PLAIN, "%%step own\nown = [4]")
    ran = bob.cell("%runs list --shared")
    text = str(ran.result or ran.displays or ran.out)
    assert ran.error is None
    for word in ("ada", "bob", "few", "make", "add", "own", people.key("ada")[:16]):
        assert word in text


def test_a_record_reads_back_as_it_was_signed(people: People, bucket: Path) -> None:
    """The signature of a step itself holds here as well, whatever the step did."""
    people.turn("ada").run("base = {'b': 1, 'a': [1.5, None]}", *CELLS, MODEL, SETTINGS, FILE, SCRIPT, TABLE)
    people.leave()
    found = [opened_record(path.read_bytes(), signer=Signer()) for path in records(bucket)]
    assert len(found) == 8
    reader = Signer(people.folder("bob") / "keys")
    reader.trust(people.key("ada"))
    assert all(each is not None and reader.accepts(each.step) for each in found)


@pytest.mark.parametrize(
    ("sharing", "status"), [("all", "cached"), ("trusted", "completed"), ("off", "completed")]
)
def test_the_store_says_whether_untrusted_data_is_reused_and_anything_left(
    people: People, bucket: Path, sharing: str, status: str
) -> None:
    people.turn("ada").run(PLAIN)
    before = len(records(bucket))
    bob = people.turn("bob")
    bob.run(f"%artifact-store update shared --sharing={sharing}")
    (ran,) = bob.run(PLAIN)
    assert ran.status == status, ran.reason
    assert ("asks for trust" in ran.reason) == (sharing == "trusted")
    assert len(records(bucket)) - before == (1 if sharing == "trusted" else 0)


def test_the_dashboard_lists_what_everybody_ran(people: People) -> None:
    people.turn("ada").run(PLAIN, LARGE)
    bob = people.turn("bob")
    bob.run("%%step own\nown = [4]", "from zennb.jupyter.panels.public import Dashboard\nboard = Dashboard()")
    page = bob.ns["board"].runs
    page.refresh()
    assert "own" in page.view().text
    assert "ada" not in page.view().text
    page.whose.choose("shared")
    assert [button.description for button in page.rows.buttons] == ["bob", "ada"]
    assert people.key("ada")[:16] in page.view().text
    page.rows.buttons[1].click()
    assert "run 1 of ada on " in bob.ns["board"].message.text
    page.kind.choose("pipeline")
    assert "nobody has shared" in page.view().text
    page.whose.choose("")
    page.kind.choose("")
    assert "own" in page.view().text


@pytest.mark.parametrize("command", ["%runs list --shared --status failed", "%runs list --shared --nested"])
def test_filters_that_do_not_apply_to_shared_runs_are_refused(people: People, command: str) -> None:
    assert "only `--notebook`, `--kind` and `--limit` apply" in str(people.turn("ada").cell(command).error)


def test_a_store_that_nobody_else_reaches_has_no_shared_runs(people: People) -> None:
    ada = people.turn("ada")
    ada.run("%stack set default")
    assert "nobody else reaches the artifact store 'default'" in str(ada.cell("%runs list --shared").error)


def test_results_whose_time_is_over_here_do_not_come_back_from_others(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    people.turn("ada").run(PLAIN)
    bob = people.turn("bob")
    assert bob.run(PLAIN.replace("few", "few --rerun --expires 1h", 1))[0].status == "completed"
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 3 * 3600)
    bob.restart()
    (ran,) = bob.run(PLAIN)
    assert ran.status == "completed", ran.reason
    assert "--expires" in ran.reason
