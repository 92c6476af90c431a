"""The environment and the working folder count for a step that asks for them, whoever asks on its behalf."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.jupyter.conftest import Notebook

IMPORTS = """
import getpass, os, string, subprocess
import multiprocessing
from pathlib import Path
from string import Template
def ask(name):
    return os.environ.get(name)
"""


def step(text: str) -> str:
    return f"%%step s\n{text}"


READS = [
    "os.environ['ASKED']",
    "os.environ.get('ASKED')",
    "os.getenv('ASKED')",
    "os.environb[b'ASKED']",
    "os.getenvb(b'ASKED')",
    "'ASKED' in os.environ and os.environ.setdefault('ASKED', 'x')",
    "os.path.expandvars('$ASKED/x')",
    "os.path.expandvars('${ASKED}/x')",
    "Template('$ASKED').substitute(os.environ)",
    "Template('$ASKED').safe_substitute(os.environ)",
    "'{ASKED}'.format_map(os.environ)",
    "'%(ASKED)s' % os.environ",
    "list(map(os.getenv, ['ASKED']))",
    "ask('ASKED')",
]
HOME = ["os.path.expanduser('~/x')", "str(Path.home())", "str(Path('~/x').expanduser())"]
ALL = [
    "os.environ.copy()['ASKED']",
    "dict(os.environ)['ASKED']",
    "{**os.environ}['ASKED']",
    "(os.environ | {})['ASKED']",
    "sorted(value for value in os.environ.values() if value in ('one', 'two'))",
    "[value for name, value in os.environ.items() if name == 'ASKED']",
    "repr(os.environ).count('one')",
    "subprocess.run(['sh', '-c', 'echo $ASKED'], capture_output=True).stdout",
]


@pytest.mark.parametrize(
    ("body", "name"),
    [
        *((each, "ASKED") for each in (*READS, *ALL)),
        *((each, "HOME") for each in HOME),
        ("getpass.getuser()", "LOGNAME"),
    ],
)
def test_a_variable_counts_however_it_is_asked_for(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch, body: str, name: str
) -> None:
    cell = step(f"found = {body}")
    monkeypatch.setenv("OTHER", "1")
    monkeypatch.setenv(name, "/one")
    notebook.run(IMPORTS, cell)
    monkeypatch.setenv("OTHER", "2")
    is_reused = body not in ALL  # who looks at all of them runs every time
    assert notebook.run(cell)[0].status == ("cached" if is_reused else "completed")
    monkeypatch.setenv(name, "/two")
    notebook.restart()
    *_, changed = notebook.run(IMPORTS, cell)
    assert changed.status == "completed"
    given = notebook.ns["found"]
    notebook.run(f"found = {body}")
    assert notebook.ns["found"] == given


@pytest.mark.parametrize(
    "start",
    ["multiprocessing.get_context('fork').Pool(2)", "multiprocessing.get_context('spawn').Pool(1)", "joblib"],
)
def test_a_variable_that_a_worker_process_asks_for_counts(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch, start: str
) -> None:
    if start == "joblib":
        pytest.importorskip("joblib")
        imports = IMPORTS + "from joblib import Parallel, delayed"
        cell = step("found = Parallel(n_jobs=2)([delayed(ask)('ASKED')] * 2)")
    else:
        imports = IMPORTS
        asked = "os.getenv" if "spawn" in start else "ask"
        cell = step(f"with {start} as pool:\n    found = pool.map({asked}, ['ASKED'])\ndel pool")
    monkeypatch.setenv("ASKED", "one")
    notebook.run(imports, cell)
    (again,) = notebook.run(cell)
    assert again.status == "cached", again.reason
    monkeypatch.setenv("ASKED", "two")
    (changed,) = notebook.run(cell)
    assert changed.reason == "environment variable ASKED changed"
    if start != "joblib":  # its workers live on, with the environment they were started with
        assert set(notebook.ns["found"]) == {"two"}


@pytest.mark.parametrize(
    "body",
    [
        "os.getcwd()",
        "os.getcwdb()",
        "str(Path.cwd())",
        "os.path.abspath('x')",
        "str(Path('x').absolute())",
        "str(Path('x').resolve())",
        "os.path.realpath('x')",
        "os.path.relpath('/x')",
        "[here() for here in [os.getcwd]]",
    ],
)
def test_the_working_folder_counts_for_who_asks_where_it_is(
    notebook: Notebook, tmp_path: Path, body: str
) -> None:
    for name in ("first", "second/inner"):
        (tmp_path / name).mkdir(parents=True)
    cells = [IMPORTS, f"os.chdir({str(tmp_path / 'first')!r})", step(f"found = {body}")]
    notebook.run(*cells)
    assert notebook.run(cells[2])[0].status == "cached"
    notebook.run(f"os.chdir({str(tmp_path / 'second/inner')!r})")
    (changed,) = notebook.run(cells[2])
    assert changed.status == "completed"
    given = notebook.ns["found"]
    notebook.run(f"found = {body}")
    assert notebook.ns["found"] == given
