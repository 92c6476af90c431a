"""Files that one step writes and another reads: edges of the pipeline, drawn dashed, and part of the lineage."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

WRITE = "%%step write\n_ = Path('f.txt').write_text(word)"
READ = "%%step read\ntext = Path('f.txt').read_text()"


def study(notebook: Notebook) -> None:
    notebook.run("from pathlib import Path\nword = 'one'", WRITE, READ, "%%step show\nsize = len(text)")


def text(notebook: Notebook, command: str) -> str:
    (ran,) = notebook.run(command)
    return str(ran.displays[0]["data"]["text/plain"])


def data(notebook: Notebook, command: str) -> Any:
    return json.loads(text(notebook, f"{command} --json"))["data"]


def edges(notebook: Notebook) -> list[tuple[str, str, list[str], list[str]]]:
    found = data(notebook, "%pipeline show")["edges"]
    return [(each["from"], each["to"], each["names"], each["files"]) for each in found]


def test_a_file_is_an_edge_with_its_name(notebook: Notebook) -> None:
    study(notebook)
    assert edges(notebook) == [("read", "show", ["text"], []), ("write", "read", [], ["f.txt"])]
    assert "✔ write ⇢ f.txt ⇢ ✔ read" in text(notebook, "%pipeline show")


def test_a_file_stays_an_edge_after_a_restart_and_reuse(notebook: Notebook) -> None:
    study(notebook)
    notebook.restart()
    study(notebook)
    assert ("write", "read", [], ["f.txt"]) in edges(notebook)


def test_a_file_that_nobody_wrote_here_is_no_edge(notebook: Notebook) -> None:
    notebook.run("from pathlib import Path\n_ = Path('f.txt').write_text('one')", READ)
    assert edges(notebook) == []


def test_the_lineage_names_the_file_and_the_step_that_wrote_it(notebook: Notebook) -> None:
    study(notebook)
    lines = text(notebook, "%artifacts lineage size").splitlines()
    told = [line.strip("│├└─ ") for line in lines]
    assert told[told.index("made by read (run 1)") :] == [
        "made by read (run 1)",
        "file f.txt",
        "written by write (run 1)",
        *told[-1:],
    ]
    assert told[-1].startswith("word v1")
    found = data(notebook, "%artifacts lineage size")["writers"]
    assert [{path: step["name"] for path, step in files.items()} for files in found.values()] == [
        {"f.txt": "write"}
    ]


def test_the_lineage_does_not_name_a_step_that_wrote_something_else_there(notebook: Notebook) -> None:
    study(notebook)
    notebook.run("word = 'two'", WRITE)
    assert written_with(notebook, "%artifacts lineage text") == [1]
    notebook.run(READ)
    assert written_with(notebook, "%artifacts lineage text") == [2]
    notebook.run("_ = Path('f.txt').write_text('three')", READ)
    assert "written by" not in text(notebook, "%artifacts lineage text")


def written_with(notebook: Notebook, command: str) -> list[int]:
    """Return with which version of `word` the file was written that the artifact was read from."""
    found = data(notebook, command)["writers"]
    return [step["inputs"]["word"]["version"] for files in found.values() for step in files.values()]


def test_a_reader_stands_behind_the_writer_in_the_order_of_a_run(notebook: Notebook) -> None:
    study(notebook)
    notebook.run("%pipeline run --rerun")
    names = [step["name"] for step in data(notebook, "%pipeline status")["steps"]]
    assert names == ["write", "read", "show"]


def test_the_lineage_goes_on_through_files_to_what_their_writers_took(notebook: Notebook) -> None:
    notebook.run(
        "from pathlib import Path",
        "%%step say\nword = 'one' + 'two'",
        WRITE,
        "%%step copy\n_ = Path('g.txt').write_text(Path('f.txt').read_text())",
        "%%step read\ntext = Path('g.txt').read_text()",
    )
    told = [line.strip("│├└─ ") for line in text(notebook, "%artifacts lineage text").splitlines()]
    assert told[1:5] == ["made by read (run 1)", "file g.txt", "written by copy (run 1)", "file f.txt"]
    assert told[5] == "written by write (run 1)"
    assert told[6].startswith("word v1")
    assert told[7] == "made by say (run 1)"


@pytest.mark.parametrize(
    ("name", "inside"),
    [
        ("'../f.txt'", "made"),
        ("'../../f.txt'", "made/deep"),
        ("'other/../../f.txt'", "made"),
        ("f'{up}/../f.txt'", "made"),
        ("glob.glob('../f.*')[0]", "made"),
    ],
)
def test_a_file_read_from_inside_a_new_folder_is_an_input(notebook: Notebook, name: str, inside: str) -> None:
    read = (
        f"%%step read\nos.makedirs('{inside}/other', exist_ok=True)\nos.chdir('{inside}')\n"
        f"text = Path({name}).read_text()\nos.chdir(top)"
    )
    cells = ["import glob, os\nfrom pathlib import Path\ntop = os.getcwd()\nup = '.'", read]
    for word in ("one", "two"):
        notebook.run("from pathlib import Path", f"word = '{word}'", WRITE, *cells)
        assert notebook.ns["text"] == word
