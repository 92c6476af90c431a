"""Notebooks that no program wrote like that: each is read, or refused in one sentence, by all that reads notebooks."""

from __future__ import annotations

import gzip
import io
import json
import os
import sys
from contextlib import redirect_stderr, redirect_stdout, suppress
from typing import TYPE_CHECKING, Any

import nbformat
import pytest

import zennb
from zennb import api, cli
from zennb.errors import ZennbError
from zennb.headless.execute import _clear
from zennb.headless.read import document, order, runs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def code(source: Any = "%%step a\nx = 1", **more: Any) -> dict[str, Any]:
    cell = {
        "cell_type": "code",
        "source": source,
        "metadata": {},
        "outputs": [],
        "execution_count": None,
        "id": "c",
    }
    return {**cell, **more}


def notebook(*cells: Any, **more: Any) -> dict[str, Any]:
    return {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5, **more}


def output(**fields: Any) -> dict[str, Any]:
    return notebook(code(outputs=[{"output_type": "display_data", "metadata": {}, **fields}]))


def step(line: str) -> dict[str, Any]:
    return notebook(code(f"{line}\nx = 1"))


def older(version: int) -> dict[str, Any]:
    cell = {"cell_type": "code", "input": "x = 1", "language": "python", "outputs": [], "metadata": {}}
    return {
        "nbformat": version,
        "nbformat_minor": 0,
        "metadata": {"name": "x"},
        "worksheets": [{"cells": [cell]}],
    }


GOOD = json.dumps(notebook(code()))
DEEP = "[" * 100_000 + "]" * 100_000
LESS = "[" * 800 + "]" * 800
TERMS = " + ".join(["a"] * 900)
WRONG_IDS: list[Any] = [7, [1], {}, None, "", "a b", "x" * 100, "\ud800"]
WRONG_METADATA: list[Any] = [[], 3, None]
WRONG_OUTPUTS: list[Any] = [7, {"a": 1}, [1], [{}], None]
ODD: dict[str, Any] = {
    # No notebooks at all
    "no JSON": "{not json",
    "nothing": "",
    "blanks": " \n ",
    "null bytes": b"\0" * 100,
    "compressed": gzip.compress(GOOD.encode()),
    "a list": [1, 2],
    "a number": 7,
    "null": None,
    "a text": "a",
    "a byte order mark": b"\xef\xbb\xbf" + GOOD.encode(),
    "UTF-16": GOOD.encode("utf-16"),
    "Latin-1": b'{"cells": [], "nbformat": 4, "metadata": {"a": "\xe9"}}',
    # JSON at its limits
    "nested deeply": DEEP,
    "metadata nested deeply": GOOD.replace(
        '"metadata": {}, "nbformat"', f'"metadata": {{"a": {DEEP}}}, "nbformat"'
    ),
    "metadata nested a little too deeply": GOOD.replace('"metadata": {},', f'"metadata": {{"a": {LESS}}},'),
    "a number of 5,000 digits": GOOD.replace('"metadata": {}', f'"metadata": {{"a": {"9" * 5_000}}}'),
    "NaN and infinity": notebook(code(), metadata={"a": float("nan"), "b": float("inf")}),
    # Formats
    "format 2": older(2),
    "format 3": older(3),
    "format 5": notebook(code(), nbformat=5),
    "format 0": notebook(code(), nbformat=0),
    "format -3": notebook(code(), nbformat=-3),
    "format NaN": '{"nbformat": NaN, "cells": []}',
    "format 1e400": '{"nbformat": 1e400, "cells": []}',
    "format null": notebook(code(), nbformat=None),
    "format true": notebook(code(), nbformat=True),
    "minor format x": notebook(code(), nbformat_minor="x"),
    "minor format []": notebook(code(), nbformat_minor=[]),
    "minor format 99": notebook(code(), nbformat_minor=99),
    "minor format of 30 digits": notebook(code(), nbformat_minor=10**30),
    # Cells
    "no cells": {"nbformat": 4, "metadata": {}},
    "cells that are an object": {"nbformat": 4, "cells": {}},
    "cells that are null": {"nbformat": 4, "cells": None},
    "cells that are numbers": notebook(1, 2),
    "a cell without a type": notebook({}),
    "a cell whose type is a number": notebook({"cell_type": 7, "source": "x"}),
    "a cell of an unknown type": notebook(code(cell_type="weird")),
    **{f"source {value!r}": notebook(code(value)) for value in (7, None, {"a": 1}, [1, 2], [["x = 1"]])},
    **{f"id {value!r:.9}": notebook(code(id=value)) for value in WRONG_IDS},
    "one id twice": notebook(code(), code("%%step b\ny = x")),
    "no id": notebook({name: value for name, value in code().items() if name != "id"}),
    "no source": notebook({name: value for name, value in code().items() if name != "source"}),
    "no metadata of a cell": notebook({name: value for name, value in code().items() if name != "metadata"}),
    "metadata of a cell that are a number": notebook(code(metadata=3)),
    "metadata of a cell that are null": notebook(code(metadata=None)),
    "tags that are a number": notebook(code(metadata={"tags": 7})),
    "tags in lists": notebook(code(metadata={"tags": [["parameters"]]})),
    "a count that is a text": notebook(code(execution_count="x")),
    # Metadata
    **{f"metadata {value!r}": notebook(code(), metadata=value) for value in WRONG_METADATA},
    "a kernel that is a list": notebook(code(), metadata={"kernelspec": [1]}),
    "a kernel that is a text": notebook(code(), metadata={"kernelspec": "x"}),
    "a language that is a number": notebook(code(), metadata={"language_info": 3}),
    "a language that is a list": notebook(code(), metadata={"language_info": {"name": [1]}}),
    "a language of megabytes": notebook(code(), metadata={"language_info": {"name": "x" * 2_000_000}}),
    # Outputs
    **{f"outputs {value!r}": notebook(code(outputs=value)) for value in WRONG_OUTPUTS},
    "data that are a list": output(data=[]),
    "data of numbers": output(data={"text/plain": [1, 2]}),
    "data that are null": output(data=None),
    "text that is a number": notebook(code(outputs=[{"output_type": "stream", "name": "stdout", "text": 5}])),
    "output of an unknown type": notebook(code(outputs=[{"output_type": "zz"}])),
    # Step lines
    **{
        f"step line {line!r:.24}": step(line)
        for line in (
            '%%step "',
            "%%step \x00",
            "%%step a\u2028b",
            "%%step \u202eabc",
            "%%step ../../x",
            f"%%step {'x' * 5_000}",
            "%%step --unknown",
            "%%step -o 1x",
            "%%step --timeout nan",
            "%%step --timeout 1e400",
            "%%step --retries 99999999999",
            "%%step --expires 1e999",
            "%%step -o x --stack \ud800",
            "%%step --depends-on \x00",
            '#| step: "\x07"',
        )
    },
    # Code
    "half of a surrogate pair": notebook(code("%%step s\nx = '\ud800'")),
    "half of a surrogate pair in text": notebook(
        code(), {**code(), "cell_type": "markdown", "source": "\udfff"}
    ),
    "a null byte in a step": notebook(code("%%step a\nx = '\0'")),
    "a null byte in a plain cell": notebook(code("x = '\0'")),
    "a sum of 900 terms": notebook(code("a = 1"), code(f"%%step s\nx = {TERMS}"), code(f"y = {TERMS}")),
    "a sum of 100,000 terms": notebook(code(f"%%step s\nx = {' + '.join(['1'] * 100_000)}")),
    "1,000 parentheses in a step": notebook(code(f"%%step s\nx = {'(' * 1_000}{')' * 1_000}")),
    "1,000 parentheses in a plain cell": notebook(code(f"x = {'(' * 1_000}{')' * 1_000}")),
    "20,000 signs": notebook(code(f"%%step s\nx = {'-' * 20_000}1")),
    "a literal of 5,000 digits": notebook(code(f"%%step s\nx = {'9' * 5_000}")),
}
SPECIAL = ("a folder", "a pipe", "a link to itself", "a link to nothing", "a device", "200 MB")


def put(path: Path, content: Any) -> None:
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) and content != "a" else json.dumps(content))


def special(path: Path, kind: str) -> None:
    match kind:
        case "a folder":
            path.mkdir()
        case "a pipe":
            os.mkfifo(path)
        case "a link to itself":
            path.symlink_to(path.name)
        case "a link to nothing":
            path.symlink_to("nowhere")
        case "a device":
            path.symlink_to("/dev/zero")
        case _:
            with path.open("wb") as file:
                file.truncate(200_000_000)


@pytest.fixture
def odd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("ZENNB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    yield tmp_path / "odd.ipynb"
    api.close()


def ask_all(path: Path) -> None:
    """Ask everything that reads notebook files, short of running one."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = cli.main(["pipeline", "status", str(path)])
    assert "Traceback" not in out.getvalue() + err.getvalue()
    assert (code == 0) == (err.getvalue() == "")
    assert len(err.getvalue()) < 1_500
    for ask in (zennb.plan, order):
        with suppress(ZennbError):
            ask(path)
    with suppress(ZennbError):
        node = document(path)
        assert isinstance([runs(cell) for cell in node.cells], list)
        _clear(node)
        nbformat.writes(node)


@pytest.mark.parametrize("content", ODD.values(), ids=ODD)
def test_an_odd_notebook_is_read_or_refused_in_one_sentence(odd: Path, content: Any) -> None:
    put(odd, content)
    ask_all(odd)


@pytest.mark.skipif(sys.platform == "win32", reason="needs pipes and links")
@pytest.mark.parametrize("kind", SPECIAL)
def test_what_is_no_file_is_refused_in_one_sentence(odd: Path, kind: str) -> None:
    special(odd, kind)
    ask_all(odd)
    with pytest.raises(ZennbError):
        document(odd)
