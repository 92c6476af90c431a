"""Functions behind `functools.lru_cache`: a step that fills the cache is reused only if nothing shows that it did."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.jupyter.conftest import Notebook

SHOWS: dict[str, tuple[str, str, str]] = {
    "it appends": (
        "log = []\n@functools.cache\ndef f(a):\n    log.append(a)\n    return a",
        "x = f(1)",
        "log",
    ),
    "it counts": (
        "n = 0\n@functools.cache\ndef f(a):\n    global n\n    n += 1\n    return n",
        "x = f(1)",
        "n",
    ),
    "a method appends": (
        "log = []\nclass A:\n    @functools.cache\n    def f(self, n):\n        log.append(n)\nf = A().f",
        "x = f(1)",
        "log",
    ),
    "it draws": (
        "import random\nrandom.seed(1)\n@functools.cache\ndef f(a):\n    return random.random()",
        "x = f(1)",
        "random.random()",
    ),
    "its result is changed": (
        "@functools.lru_cache\ndef f(a):\n    return [a]",
        "x = f(1)\nx.append(2)",
        "f(1)",
    ),
    "its result is read again": (
        "@functools.cache\ndef f(a):\n    return [a]",
        "x = f(1)\ny = 1",
        "x is f(1)",
    ),
    "what it reads is bound anew": (
        "scale = 2\n@functools.cache\ndef f(a):\n    return a * scale",
        "x = f(1)\nscale = 5",
        "f(1)",
    ),
}


@pytest.mark.parametrize(("made", "body", "look"), SHOWS.values(), ids=SHOWS)
def test_a_step_runs_where_it_shows_that_a_cache_was_filled(
    notebook: Notebook, made: str, body: str, look: str
) -> None:
    notebook.run(f"import functools\n{made}", body, "f(1)")
    plain = notebook.cell(look).result
    for _ in range(2):
        notebook.restart()
        notebook.run(f"import functools\n{made}", f"%%step fill\n{body}", "f(1)")
        assert notebook.cell(look).result == plain


def test_a_step_that_is_given_what_a_cache_holds_runs_too(notebook: Notebook) -> None:
    for _ in range(3):
        notebook.run("import functools\n@functools.cache\ndef f(a):\n    return [a]", "%%step one\nx = f(1)")
        (two,) = notebook.run("%%step two\ny = f(1)")
        assert notebook.cell("x is y is f(1)").result is True
        notebook.restart()
    assert two.reason == "not cacheable: `f` remembers a part of `y`, so reuse would give a copy"


@pytest.mark.parametrize(
    "made",
    [
        "def f(n):\n    return n if n < 2 else f(n - 1) + f(n - 2)",
        "scale = 2\n@functools.cache\ndef f(n):\n    return n * scale",
        "import numpy as np\n@functools.lru_cache(maxsize=2)\ndef f(n):\n    return float(np.arange(n).sum())",
    ],
)
def test_a_function_that_only_computes_is_no_reason(notebook: Notebook, made: str) -> None:
    for _ in range(2):
        decorated = made.replace("def f", "@functools.cache\ndef f") if "@" not in made else made
        notebook.run(f"import functools\n{decorated}")
        (_, ran) = notebook.run("xs = []", "%%step compute\nx = f(9)\nxs.append(x)")
        notebook.restart()
    assert ran.status == "cached"


LOADER = (
    "import functools\nfrom pathlib import Path\n"
    "@functools.lru_cache\ndef load(name):\n    return Path(name[::-1]).read_text()\n"
)
FILLED: dict[str, tuple[str, str, str]] = {
    "a step fills it": (LOADER, "%%step first\nprint(load('txt.a'))", "load('txt.a')"),
    "a plain cell fills it": (LOADER, "print(load('txt.a'))", "load('txt.a')"),
    "of a class": (
        (
            "import functools\nfrom pathlib import Path\nclass L:\n    @staticmethod\n    @functools.cache\n"
            "    def load(name): return Path(name[::-1]).read_text()"
        ),
        "%%step first\nprint(L.load('txt.a'))",
        "L.load('txt.a')",
    ),
    "of a function of Python": (
        "import functools\nfrom pathlib import Path\nload = functools.lru_cache(Path.read_text)",
        "%%step first\nprint(load(Path('txt.a'[::-1])))",
        "load(Path('txt.a'[::-1]))",
    ),
    "of a module": (
        "import loading_once",
        "%%step first\nprint(loading_once.first())",
        "loading_once.second()",
    ),
}


@pytest.mark.parametrize(("made", "filling", "asking"), FILLED.values(), ids=FILLED)
def test_a_result_in_a_cache_depends_on_the_file_that_it_was_made_from(
    notebook: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: str, filling: str, asking: str
) -> None:
    """The step that finds the result does not open the file itself."""
    monkeypatch.syspath_prepend(str(tmp_path))
    text = f"{LOADER}def first(): return load('txt.a')\ndef second(): return load('txt.a')\n"
    (tmp_path / "loading_once.py").write_text(text)
    for content in ("1", "2"):
        (tmp_path / "a.txt").write_text(content)
        monkeypatch.delitem(sys.modules, "loading_once", raising=False)
        notebook.run(made, filling)
        ran = notebook.cell(f"%%step asking\nresult = {asking}")
        assert notebook.ns["result"] == content, ran.reason
        notebook.restart()
        monkeypatch.delitem(sys.modules, "loading_once", raising=False)
        notebook.run(made, filling)
        assert notebook.cell(f"%%step asking\nresult = {asking}").status == "cached"
        notebook.restart()
    monkeypatch.delitem(sys.modules, "loading_once", raising=False)


def test_what_is_read_while_a_library_fills_a_cache_of_its_own_does_not_count(
    notebook: Notebook, tmp_path: Path
) -> None:
    cells = (
        "from pathlib import Path\nfrom urllib.parse import urlsplit\nurlsplit.cache_clear()",
        "%%step first\nfound = urlsplit('https://' + Path('host.txt').read_text()).netloc",
        "%%step second\nagain = urlsplit('https://one').netloc",
    )
    (tmp_path / "host.txt").write_text("one")
    notebook.run(*cells)
    (tmp_path / "host.txt").write_text("two")
    assert [ran.status for ran in notebook.run(*cells)[1:]] == ["completed", "cached"]
