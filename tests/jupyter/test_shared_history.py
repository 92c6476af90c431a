"""A store that several people reach: what one of them ran is reused by the others, as far as they trust it."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.jupyter.people import People
from zennb.components.artifact_stores.remote.shared_folder import SharedFolder
from zennb.engine.sharing import shared_records
from zennb.engine.sharing.record_format import opened_record
from zennb.materializers.public_keys import public_key, public_signature
from zennb.materializers.signer import Signer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.jupyter.conftest import Notebook

pytest.importorskip("fsspec")
pytest.importorskip("cryptography")
# Imported here: a step that imports them first sets warning filters, which others have to trust.
pytest.importorskip("pandas")
pytest.importorskip("matplotlib.pyplot")

PLAIN = "%%step few\nfew = [1, 2, 3]"
LARGE = "%%step make\nimport numpy as np\nlarge = np.arange(100_000)"
SUM = "%%step add\ntotal = int(large.sum()) + sum(few)"
CELLS = (PLAIN, LARGE, SUM)
MODEL = "%%step train\nfrom datetime import timezone\nmodel = [timezone.utc, len, object]"
SETTINGS = "%%step settings\nimport os, random\nrandom.seed(5)\nkept = 1"
FILE = "%%step keep\nfrom pathlib import Path\n_ = Path('kept.txt').write_text('kept')"
SCRIPT = "%%step show\nfrom IPython.display import HTML\nshown = 1\nHTML('<script>1</script>')"
TABLE = "%%step table\nimport pandas as pd\nframe = pd.DataFrame({'a': [1, 2], 'b': ['x', 'y']})\nframe"
PICTURE = "%%step draw\nimport matplotlib.pyplot as plt\n_ = plt.plot([1, 2])\ndrawn = 1\nprint('drawn')"

CHAIN = (("one", "seed + 1"), ("two", "one + 1"), ("three", "two + 1"))


@pytest.fixture
def people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[People]:
    main = sys.modules["__main__"]
    found = People(tmp_path, monkeypatch, f"--flavor=fsspec --url=file://{tmp_path}/bucket")
    yield found
    found.leave()
    sys.modules["__main__"] = main


@pytest.fixture
def bucket(tmp_path: Path) -> Path:
    return tmp_path / "bucket"


def records(bucket: Path) -> list[Path]:
    return sorted((bucket / "records").rglob("*.json"))


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


def rewrite(change: Callable[[dict[str, Any]], None], key: bytes | None = None) -> Callable[[Path], None]:
    """Return what changes the body of a record: under the old signature, or under one of somebody else."""

    def forge(path: Path) -> None:
        found = json.loads(path.read_bytes())
        body = json.loads(found["body"])
        change(body)
        found["body"] = json.dumps(body, separators=(",", ":"))
        if key is not None:
            found["signer"] = public_key(key)
            found["signature"] = public_signature(key, b"zennb shared record\0" + found["body"].encode())
        put(path, json.dumps(found).encode(), found["signer"])

    return forge


def put(path: Path, content: bytes, signer: str = "") -> None:
    """Put a record into the place of another one, under the name that belongs to it."""
    signer = signer or path.name.partition("-")[0]
    path.unlink()
    (path.parent / f"{signer}-{hashlib.sha256(content).hexdigest()}.json").write_bytes(content)


def set_digest(body: dict[str, Any]) -> None:
    for each in body["outputs"].values():
        each["digest"] = "0" * len(each["digest"])


def take_pickle(body: dict[str, Any]) -> None:
    for each in body["outputs"].values():
        each["materializer"] = "pickle"


def other_key(path: Path) -> None:
    """Put the record of another step under this cache key."""
    other = next(each for each in records(path.parents[2]) if each.parent != path.parent)
    content = other.read_bytes()
    put(path, content)


MALICE: dict[str, Callable[[Path], None]] = {
    "changed": rewrite(lambda body: body["step"].update(seconds=99.0)),
    "changed in its outputs": rewrite(set_digest),
    "a pickle instead": rewrite(take_pickle, key=b"m" * 32),
    "in a new envelope": rewrite(lambda body: body.update(author="eve"), key=b"m" * 32),
    "binds another name": rewrite(
        lambda body: body["outputs"].update(evil=body["outputs"].pop("few")), key=b"m" * 32
    ),
    "of another key": other_key,
    "cut short": lambda path: put(path, path.read_bytes()[:100]),
    "empty": lambda path: put(path, b""),
    "deep": lambda path: put(path, b"[" * 100_000 + b"]" * 100_000),
    "giant": lambda path: put(path, b'{"format":"' + b"x" * 5_000_000 + b'"}'),
    "of a million parts": lambda path: put(path, b"[" + b"{}," * 1_000_000 + b"{}]"),
    "no object": lambda path: put(path, b"17"),
    "under a wrong name": lambda path: spoil(path),
    "under odd names": lambda path: put_odd(path),
}


def spoil(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b" ")


def put_odd(path: Path) -> None:
    content = path.read_bytes()
    path.unlink()
    for name in ("x.json", "..json", f"{'0' * 64}-{'1' * 63}.json", f"{'0' * 64}-{'1' * 64}.json"):
        (path.parent / name).write_bytes(content)


@pytest.mark.parametrize("malice", MALICE)
def test_a_record_that_its_author_has_not_left_so_is_not_used(
    people: People, bucket: Path, malice: str
) -> None:
    people.turn("ada").run("%%step other\nfew = [6]", PLAIN)
    people.leave()
    (path,) = [each for each in records(bucket) if b"few = [1, 2, 3]" in each.read_bytes()]
    MALICE[malice](path)
    bob = people.turn("bob")
    (ran,) = bob.run(PLAIN)
    assert ran.status == "completed", ran.reason
    assert bob.ns["few"] == [1, 2, 3]
    assert "evil" not in bob.ns
    assert "/tmp" not in ran.reason


def test_a_tampered_blob_is_noticed_and_the_step_runs(people: People, bucket: Path) -> None:
    people.turn("ada").run(PLAIN)
    people.leave()
    for path in bucket.glob("[0-9a-f][0-9a-f]/*"):
        path.write_bytes(b"x" * path.stat().st_size)
    bob = people.turn("bob")
    (ran,) = bob.run(PLAIN)
    assert ran.status == "completed"
    assert "damaged" in ran.reason
    assert bob.ns["few"] == [1, 2, 3]


def test_a_record_whose_blob_is_gone_is_named_and_the_step_runs(people: People, bucket: Path) -> None:
    people.turn("ada").run(PLAIN)
    people.leave()
    for path in bucket.glob("[0-9a-f][0-9a-f]/*"):
        path.unlink()
    bob = people.turn("bob")
    (ran,) = bob.run(PLAIN)
    assert ran.status == "completed"
    assert "run 1 of ada on " in ran.reason
    assert "`few` is not in artifact store 'shared'" in ran.reason
    carol = people.turn("carol")  # what Bob has stored again completes the record of Ada as well
    assert carol.run(PLAIN)[0].status == "cached"


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
        "%%step two --no-store own\nown = 'kept-away-from-stores'\nother = len(own)",
        "%%step three\nread = len(os.environ['TEAM_API_KEY'])",
        "%%step four\npassword = 'hunter-of-secrets'\nsize = len(password)\nprint(password)",
    )
    ada.run("%pipeline run -p limit=4")
    people.leave()
    everything = b"".join(path.read_bytes() for path in bucket.rglob("*") if path.is_file())
    assert records(bucket)
    for secret in (b"typed-in-a-cell-93fa", b"from-the-environment-5a7b", b"hunter-of-secrets"):
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

    monkeypatch.setattr(shared_records, "PATIENCE", 0.2)
    bob = people.turn("bob")
    monkeypatch.setattr(SharedFolder, "names", silent)
    found = bob.run(*CELLS)
    go_on.set()
    assert [ran.status for ran in found] == ["completed"] * 3
    assert len(asked) == 1
    assert ["gives no answer" in ran.reason for ran in found] == [True, False, False]


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
