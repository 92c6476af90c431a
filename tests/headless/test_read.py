"""Notebook files as data, and the sentences for files that are none."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from zennb.errors import BrokenNotebook, UnknownName
from zennb.headless.read import document, order, read, step_name

if TYPE_CHECKING:
    from pathlib import Path


def notebook(path: Path, *cells: dict[str, Any], minor: int = 5, **metadata: Any) -> Path:
    path.write_text(
        json.dumps({"cells": list(cells), "metadata": metadata, "nbformat": 4, "nbformat_minor": minor})
    )
    return path


def code(source: str | list[str], **more: Any) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "source": source,
        "metadata": {},
        "outputs": [],
        "execution_count": None,
        **more,
    }


def test_cells_come_with_id_type_source_and_outputs(tmp_path: Path) -> None:
    shown = {"output_type": "stream", "name": "stdout", "text": ["a\n", "b\n"]}
    path = notebook(
        tmp_path / "n.ipynb",
        {"cell_type": "markdown", "id": "title", "metadata": {}, "source": ["# A\n", "text"]},
        code(["x = 1\n", "x"], id="one", metadata={"tags": ["parameters"]}, outputs=[shown]),
    )
    title, one = read(path)
    assert (title.id, title.type, title.source, title.outputs) == ("title", "markdown", "# A\ntext", ())
    assert (one.id, one.type, one.source) == ("one", "code", "x = 1\nx")
    assert one.outputs[0]["text"] == "a\nb\n"


def test_the_order_is_that_of_code_cells_in_the_file(tmp_path: Path) -> None:
    path = notebook(
        tmp_path / "n.ipynb",
        code("b = 1", id="zz"),
        {"cell_type": "markdown", "id": "text", "metadata": {}, "source": ""},
        code("c = 1"),
        code("a = 1", id="aa"),
    )
    assert order(path) == ["zz", "aa"]


def test_the_order_is_read_without_nbformat(tmp_path: Path) -> None:
    path = notebook(tmp_path / "n.ipynb", code("1", id="a"))
    program = (
        "import sys; from zennb.headless.read import order\n"
        f"assert order({str(path)!r}) == ['a']\nassert 'nbformat' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_missing_and_doubled_ids_are_made_from_the_position(tmp_path: Path) -> None:
    path = notebook(tmp_path / "n.ipynb", code("1"), code("2", id="same"), code("3", id="same"))
    assert [cell.id for cell in read(path)] == ["cell-1", "same", "cell-3"]
    assert read(path) == read(path)


def test_a_made_id_steps_aside_for_one_that_is_there(tmp_path: Path) -> None:
    path = notebook(tmp_path / "n.ipynb", code("1", id="cell-2"), code("2"))
    assert [cell.id for cell in read(path)] == ["cell-2", "cell-2x"]


def test_a_notebook_older_than_ids_gets_none(tmp_path: Path) -> None:
    path = notebook(tmp_path / "n.ipynb", code("1"), minor=4)
    assert [cell.id for cell in read(path)] == [""]
    assert "id" not in document(path).cells[0]


def test_a_notebook_of_format_3_is_converted(tmp_path: Path) -> None:
    cell = {"cell_type": "code", "input": "x = 1", "outputs": [], "language": "python", "metadata": {}}
    old = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {},
        "worksheets": [{"cells": [cell], "metadata": {}}],
    }
    path = tmp_path / "old.ipynb"
    path.write_text(json.dumps(old))
    assert [(one.type, one.source) for one in read(path)] == [("code", "x = 1")]
    assert order(path) == []


OLD = {
    1: {
        "nbformat": 1,
        "cells": [
            {"cell_type": "code", "code": "x = 1\nx", "prompt_number": 2},
            {"cell_type": "text", "text": "some words"},
        ],
    },
    2: {
        "nbformat": 2,
        "metadata": {"name": "old"},
        "worksheets": [
            {
                "cells": [
                    {"cell_type": "code", "input": ["x = 1", "x"], "language": "python", "outputs": []},
                    {"cell_type": "markdown", "source": ["a", "b"]},
                ]
            },
            {"cells": [{"cell_type": "html", "source": "<p>c</p>"}]},
        ],
    },
    3: {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {"name": "old"},
        "worksheets": [
            {
                "cells": [
                    {"cell_type": "heading", "level": 2, "source": ["One\n", "line"]},
                    {"cell_type": "code", "input": ["x = 1\n", "x"], "language": "python", "outputs": []},
                    {"cell_type": "code", "language": "python", "outputs": [], "metadata": {"tags": ["a"]}},
                    {"cell_type": "raw", "source": ["as", "it is"]},
                ]
            }
        ],
    },
}


@pytest.mark.parametrize("version", OLD)
def test_older_formats_read_as_nbformat_converts_them(version: int, tmp_path: Path) -> None:
    path = tmp_path / "old.ipynb"
    path.write_text(json.dumps(OLD[version]))
    converted = [(cell.cell_type, cell.source) for cell in document(path).cells]
    assert [(cell.type, cell.source) for cell in read(path)] == converted
    assert len(converted) > 1


@pytest.mark.parametrize(
    "sheets",
    [
        "x",
        [1],
        [{}],
        [{"cells": [1]}],
        [{"cells": [{"cell_type": "code", "input": 7}]}],
        [{"cells": [{"cell_type": "heading", "level": 10**9, "source": "A title"}]}],
        [{"cells": [{"cell_type": "heading", "level": "1", "source": "A title"}]}],
    ],
    ids=lambda sheets: str(sheets)[:60],
)
def test_older_cells_that_have_no_shape_are_refused_in_one_sentence(tmp_path: Path, sheets: object) -> None:
    path = tmp_path / "old.ipynb"
    path.write_text(json.dumps({"nbformat": 3, "worksheets": sheets}))
    with pytest.raises(BrokenNotebook, match=r"old\.ipynb is a damaged notebook: its cells cannot be read"):
        read(path)


def test_cells_are_read_without_nbformat(tmp_path: Path) -> None:
    path = notebook(tmp_path / "n.ipynb", code("1", id="a"))
    program = (
        "import sys; from zennb.headless.read import read\n"
        f"assert read({str(path)!r})[0].id == 'a'\nassert 'nbformat' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_missing_notebook_is_named_with_the_nearest_one(tmp_path: Path) -> None:
    notebook(tmp_path / "quickstart.ipynb")
    with pytest.raises(UnknownName, match=r"quikstart\.ipynb'; did you mean '.*quickstart\.ipynb'\?"):
        read(tmp_path / "quikstart.ipynb")


@pytest.mark.parametrize("ask", [read, order, document])
@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{not json", "no Jupyter notebook, or a damaged one"),
        ("", "no Jupyter notebook, or a damaged one"),
        ("[1, 2]", "it has no list of cells"),
        ('{"a": 1}', "it has no list of cells"),
        ('{"cells": [1], "nbformat": 4}', "it has no list of cells"),
        ('{"cells": [{}], "nbformat": 4}', "it has no list of cells"),
        ('{"cells": [], "nbformat": "4"}', "it has no list of cells"),
        ('{"cells": [], "nbformat": 5}', "notebook format 5; zennb reads formats up to 4"),
    ],
)
def test_a_file_that_is_no_notebook_is_refused_in_one_sentence(
    tmp_path: Path, ask: Any, content: str, sentence: str
) -> None:
    path = tmp_path / "n.ipynb"
    path.write_text(content)
    with pytest.raises(BrokenNotebook, match=sentence):
        ask(path)


def test_bytes_that_are_no_text_and_folders_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "n.ipynb"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BrokenNotebook, match="damaged"):
        read(path)
    with pytest.raises(BrokenNotebook, match="is a folder"):
        read(tmp_path)
    with pytest.raises(UnknownName):
        read(path / "below.ipynb")


@pytest.mark.parametrize(
    "metadata", [{"kernelspec": {"language": "R", "name": "ir"}}, {"language_info": {"name": "julia"}}]
)
def test_a_notebook_in_another_language_is_refused(tmp_path: Path, metadata: dict[str, Any]) -> None:
    path = notebook(tmp_path / "n.ipynb", code("1"), **metadata)
    with pytest.raises(BrokenNotebook, match=r"is written for (R|julia); steps are Python"):
        read(path)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("%%step train -o model\nmodel = 1", "train"),
        ("\n  %%step train", "train"),
        ("%%step", ""),
        ("%%step -o model", ""),
        ("%%step\ntrain = 1", ""),
        ("%%steps train", None),
        ("x = 1\n%%step train", None),
        ("", None),
        ("#| step: train -o model\nmodel = 1", "train"),
        ("#| echo: false\n#| step:\ntrain = 1", ""),
        ("#| step: off\ntrain = 1", None),
    ],
)
def test_the_name_of_a_step_is_what_is_typed_after_the_magic(source: str, name: str | None) -> None:
    assert step_name(source) == name
