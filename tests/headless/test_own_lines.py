from __future__ import annotations

import pytest

from zennb.commands.catalogue import MAGICS
from zennb.commands.interface import ROOT
from zennb.headless.own_lines import (
    OWN_MAGICS,
    has_own_magics,
    uses_zennb,
    without_autostep,
    without_own_magics,
)


def test_all_our_magics_are_known() -> None:
    assert MAGICS | {ROOT} == OWN_MAGICS


@pytest.mark.parametrize(
    ("source", "own"),
    [
        ("x = 1", False),
        ("runs = 3; stack = [runs]", False),
        ("# import zennb", False),
        ("print('zennb.load')", False),
        ("%load_ext autoreload", False),
        ("%matplotlib inline", False),
        ("!ls zennb", False),
        ("%load_ext zennb", True),
        ("x = 1\n%reload_ext zennb", True),
        ("%zennb autostep on", True),
        ("%artifact_store list", True),
        ("rows = %runs list", True),
        ("if True:\n    %pipeline status", True),
        ("%stack register a \\\n    -o local", True),
        ("%%step a\n%artifacts", True),
        ("%%time\n%pipeline run", True),
        ("!zennb runs", True),
        ("told = !python -m zennb runs", True),
        ("import zennb\nmodel = zennb.load('model')", False),
    ],
)
def test_a_cell_with_our_magics_is_recognised(source: str, own: bool) -> None:
    assert has_own_magics(source) is own


@pytest.mark.parametrize(
    ("source", "left"),
    [
        ("x = 1\n%matplotlib inline", "x = 1\n%matplotlib inline"),
        ("%load_ext zennb\nimport math", "pass\nimport math"),
        (
            "if x:\n    %runs list \\\n      --limit 3 \\\n      --json\n    y = 1",
            "if x:\n    pass\n\n\n    y = 1",
        ),
        ("%%step a\n%stack list\nx = 1", "%%step a\npass\nx = 1"),
        ("rows = %artifacts", "pass"),
        ("import zennb\nzennb.load('a')", "import zennb\nzennb.load('a')"),
    ],
)
def test_without_our_magics_a_cell_keeps_its_other_lines_where_they_are(source: str, left: str) -> None:
    assert without_own_magics(source) == left


def test_only_lines_that_switch_autostep_are_left_out_of_steps() -> None:
    assert without_autostep("%zennb autostep on\n%zennb version\nx") == "pass\n%zennb version\nx"


def test_what_zennb_returned_is_followed_through_names() -> None:
    sources = [
        "import zennb, math\nfrom zennb import runs",
        "model = zennb.load('m')\nother = 1",
        "score = model + 1",
        "print(other, math.pi)",
        "rows = []\nrows.append(score)",
        "print(rows)",
        "def last(): return runs()[0]",
        "last()",
        "table = %artifacts",
        "table",
        "@zennb.digest(K)\ndef content(k): return k.n",
        "print(math.pi, other)",
    ]
    assert uses_zennb(sources) == [
        True, True, True, False, True, True, True, True, True, True, True, False
    ]  # fmt: skip
