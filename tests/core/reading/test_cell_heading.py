"""What the text of a cell says of it: a step, no step, or nothing."""

from __future__ import annotations

import ast

import pytest

from zennb.core.magic_lines.magics import parse_python
from zennb.core.reading.cell_heading import Heading, body, heading, stays_plain, switch

MAGICS = {"stack", "artifact-store", "zennb"}

SAID = {
    "%%step train\nx = 1": ("%%step", "train"),
    "\n\n%%step\nx = 1": ("%%step", ""),
    "#| step: train\nx = 1": ("#| step:", "train"),
    "\n \n#| step: train -o model --retries 2\nx = 1": ("#| step:", "train -o model --retries 2"),
    "#| label: fig-one\n#| step: train\n#| echo: false\nx = 1": ("#| step:", "train"),
    "#| label: fig-one\n\n#|step:train\nx = 1": ("#| step:", "train"),
    "#| step\nx = 1": ("#| step:", ""),
    "#| step:\nx = 1": ("#| step:", ""),
    "#| step: true\nx = 1": ("#| step:", ""),
    "    #| step: train\n    x = 1": ("#| step:", "train"),
}


@pytest.mark.parametrize("source", SAID)
def test_a_step_is_said_by_magic_or_by_comment(source: str) -> None:
    marker, line = SAID[source]
    assert heading(source) == Heading(marker=marker, line=line)


SILENT = (
    "",
    "x = 1",
    "# step: train\nx = 1",
    "x = 1\n#| step: train",
    "# a remark\n#| step: train\nx = 1",
    "#| steps: train\nx = 1",
    "#| label: step\nx = 1",
    "%%steps\nx = 1",
    "%%capture kept\n#| step: train\nx = 1",
    "text = '''\n#| step: train\n'''",
)


@pytest.mark.parametrize("source", SILENT)
def test_other_cells_say_nothing(source: str) -> None:
    assert heading(source) is None


@pytest.mark.parametrize("word", ["off", "false", "no", "OFF"])
def test_a_cell_can_be_left_out(word: str) -> None:
    found = heading(f"#| step: {word}\nx = 1")
    assert found is not None
    assert found.is_off


def test_a_colon_that_lacks_is_told() -> None:
    found = heading("#| step train\nx = 1")
    assert found is not None
    assert found.problem == "`#| step train` lacks its colon; type `#| step: train`."


@pytest.mark.parametrize(
    ("line", "name"),
    [("train -o model", "train"), ("-o model", ""), ("", ""), ("'my step' -o x", "my step"), ("'", "")],
)
def test_the_name_is_what_is_typed_first(line: str, name: str) -> None:
    assert Heading(marker="#| step:", line=line).name == name


def test_only_the_magic_is_no_part_of_the_code() -> None:
    assert body("\n%%step train\nx = 1\ny = 2") == "x = 1\ny = 2"
    assert body("#| step: train\nx = 1") == "#| step: train\nx = 1"


def tree(source: str) -> ast.Module:
    statements = parse_python(source)
    assert statements is not None
    return ast.Module(body=statements, type_ignores=[])


PLAIN = (
    "",
    "# only a remark",
    "%stack set prod",
    "%artifact_store list\n# and\n%load_ext zennb",
    "found = %stack list",
    "x?",
    "?x",
    "np.*load*?",
    "get_ipython().run_cell_magic('time', '', 'x = 1')",
    "%zennb autostep on\nimport numpy as np",
    "%matplotlib inline\n%config InlineBackend.figure_format = 'svg'\nimport numpy as np",
)


@pytest.mark.parametrize("source", PLAIN)
def test_cells_without_code_of_their_own_stay_plain(source: str) -> None:
    assert stays_plain(tree(source), MAGICS)


@pytest.mark.parametrize("source", ["x = 1", "%stack\nx = 1", "!ls", "%time x = 1", "x?\nx", "'text'"])
def test_all_other_cells_become_steps(source: str) -> None:
    assert not stays_plain(tree(source), MAGICS)


def test_the_last_switch_of_a_cell_counts() -> None:
    assert switch(tree("%zennb autostep on\n%zennb autostep off")) == "off"
    assert switch(tree("%zennb autostep")) == ""
    assert switch(tree("%zennb version\n%stack on")) is None
