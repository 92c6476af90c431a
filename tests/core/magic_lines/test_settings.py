"""What magic and shell lines do besides reading and binding names, as IPython's own transformer gives them."""

from __future__ import annotations

import ast

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from zennb.core.magic_lines.settings import magic_troubles, setting_lines
from zennb.core.reading.source import analyse


def cell(text: str) -> ast.Module:
    return ast.parse(TransformerManager().transform_cell(text))


def troubles(text: str) -> list[str]:
    tree = cell(text)
    return magic_troubles(tree, analyse(tree))


HARMLESS = (
    "x = 1",
    "%time x = 1",
    "%timeit -n 1 sum([1])",
    "%prun f()",
    "x?",
    "x??",
    "%pinfo x",
    "%lsmagic",
    "%xdel x",
    "%config InlineBackend",
)


@pytest.mark.parametrize("text", HARMLESS)
def test_lines_that_only_show_or_run_python_are_harmless(text: str) -> None:
    assert troubles(text) == []
    assert setting_lines(cell(text)) == []


SETTINGS = (
    "%matplotlib inline",
    "%matplotlib",
    "%precision 3",
    "%cd data",
    "%cd -q data",
    "%env A=1",
    "%env A 1",
    "%set_env A 1",
    "%config InlineBackend.figure_format = 'retina'",
    "%load_ext autoreload",
    "%autoreload 2",
    "%pprint off",
    "%xmode Verbose",
)


@pytest.mark.parametrize("text", SETTINGS)
def test_settings_are_executed_again(text: str) -> None:
    tree = cell(f"import os\n{text}\nx = 1")
    assert [node.lineno for node in setting_lines(tree)] == [2]
    assert troubles(f"import os\n{text}\nx = 1") == []


UNSEEN = (
    "!ls -l",
    "!!ls -l",
    "files = !ls -l",
    "%run other.py",
    "%who",
    "%store x",
    "%sql select 1",
    "%pylab",
    "%env",
    "%env HOME",
    "%cd -",
    "%cd -b there",
    "%pprint",
    "%autoreload",
    "here = %dirs",
    "%%bash\nls",
)


@pytest.mark.parametrize("text", UNSEEN)
def test_all_others_may_do_anything(text: str) -> None:
    (phrase,) = troubles(text)
    first = text.partition("\n")[0]
    assert phrase == f"it runs `{first}`, whose effects cannot be seen"


def test_each_line_is_named_once() -> None:
    assert troubles("!ls -l\nfor n in range(3):\n    !ls -l\n%who") == [
        "it runs `!ls -l` and `%who`, whose effects cannot be seen"
    ]


def test_what_a_timed_line_runs_counts() -> None:
    assert troubles("%time !ls -l") == ["it runs `!ls -l`, whose effects cannot be seen"]


INSIDE = (
    "if x:\n    %precision 3",
    "for n in range(2):\n    %cd data",
    "def f():\n    %precision 3",
    "_folder = 'a'\n%cd {_folder}",
    "old = %precision 3",
)


@pytest.mark.parametrize("text", INSIDE)
def test_settings_that_hang_on_what_the_cell_does_need_a_run(text: str) -> None:
    (phrase,) = troubles(text)
    assert phrase.startswith("it sets something with `")
    assert setting_lines(cell(text)) == []


def test_a_setting_may_be_filled_in_with_what_other_cells_bound() -> None:
    assert len(setting_lines(cell("%cd {folder}\nx = 1"))) == 1
