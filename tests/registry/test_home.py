from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from zennb.errors import ForeignStore, StoreError
from zennb.registry.home import FORMAT, claim, data_directory, find_home, initialise


@pytest.fixture(autouse=True)
def own_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ZENNB_HOME", raising=False)
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))


def test_the_environment_variable_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    initialise(tmp_path)
    monkeypatch.setenv("ZENNB_HOME", str(tmp_path / "chosen"))
    assert find_home(tmp_path) == tmp_path / "chosen"
    monkeypatch.setenv("ZENNB_HOME", "~/chosen")
    assert find_home(tmp_path) == Path.home() / "chosen"
    monkeypatch.setenv("ZENNB_HOME", "")
    assert find_home(tmp_path) == tmp_path / ".zennb"


def test_the_nearest_directory_upwards_comes_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = tmp_path / "project" / "notebooks" / "deep"
    deep.mkdir(parents=True)
    outer = initialise(tmp_path)
    assert find_home(deep) == outer
    inner = initialise(tmp_path / "project")
    assert find_home(deep) == inner
    monkeypatch.chdir(deep)
    assert find_home() == inner


def test_a_file_of_that_name_is_no_home(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / ".zennb").write_text("")
    outer = initialise(tmp_path)
    assert find_home(tmp_path / "inner") == outer


def test_the_data_directory_of_jupyter_comes_last(tmp_path: Path) -> None:
    assert find_home(tmp_path) == tmp_path / "jupyter" / "zennb" == data_directory()


def test_finding_a_home_makes_nothing(tmp_path: Path) -> None:
    find_home(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_home_is_ignored_by_git(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    home = initialise(tmp_path)
    (home / "artifacts").mkdir()
    (home / "artifacts" / "blob").write_text("x")
    status = subprocess.run(
        ["git", "-C", str(tmp_path), "status", "--porcelain"], check=True, capture_output=True, text=True
    )
    assert status.stdout == ""


def test_making_a_home_again_keeps_it(tmp_path: Path) -> None:
    home = initialise(tmp_path)
    (home / ".gitignore").write_text("mine\n")
    identity = claim(home)
    assert initialise(tmp_path) == home
    assert claim(home) == identity
    assert (home / ".gitignore").read_text() == "mine\n"


def test_threads_that_claim_a_home_at_once_agree(tmp_path: Path) -> None:
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(claim(tmp_path / "home"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["STORE.json"]


def test_a_home_of_a_newer_format_is_refused(tmp_path: Path) -> None:
    home = initialise(tmp_path)
    (home / "STORE.json").write_text(json.dumps({"format": FORMAT + 1, "uuid": "x"}))
    with pytest.raises(ForeignStore, match=f"has format {FORMAT + 1}, written by a newer zennb"):
        claim(home)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"format": 1}', '{"format": "new", "uuid": "x"}'])
def test_a_damaged_marker_is_refused(tmp_path: Path, text: str) -> None:
    home = initialise(tmp_path)
    (home / "STORE.json").write_text(text)
    with pytest.raises(ForeignStore, match="is not what zennb wrote"):
        claim(home)


def test_a_home_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="set ZENNB_HOME to a directory you can write to"):
        claim(tmp_path / "file" / "home")


def test_looking_for_a_home_loads_no_database(tmp_path: Path) -> None:
    code = "import sys; from zennb.registry.home import find_home; find_home(); sys.exit('sqlite3' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
