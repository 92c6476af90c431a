"""A notebook whose steps are all reused is saved with the outputs that it had: version control shows no change."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

CELLS = (
    "import time",
    "%%step load\nrows = [1, 2]\nprint('loaded')\nrows",
    "%%step slow\ntime.sleep(0.06)\ntotal = sum(rows)",
    "%%step define\ndef double(x):\n    return 2 * x",
    "%%step wide\ntotal += 1",
)


def _saved(notebook: Notebook) -> str:
    shown: list[object] = []
    for cell in notebook.run(*CELLS):
        displays = [{**each, "transient": None} for each in cell.displays]  # which no file holds
        shown += [*displays, cell.out, repr(cell.result)]
    return json.dumps(shown, default=str, ensure_ascii=False)


def test_a_notebook_that_is_all_cached_is_saved_as_it_was(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    _saved(notebook)
    notebook.restart()
    first = _saved(notebook)
    assert first.count("● ") == 4
    notebook.restart()
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 90_000)  # tomorrow
    assert _saved(notebook) == first


def test_a_reused_step_says_what_that_saved_and_when_it_was_made(notebook: Notebook) -> None:
    notebook.run(*CELLS)
    notebook.restart()
    load, slow = (cell.displays[-1] for cell in notebook.run(*CELLS)[1:3])
    day = time.strftime("%Y-%m-%d")
    assert load["data"]["text/plain"].startswith(
        f"● load  cached  → rows  (same code and inputs as run 1, {day} "
    )
    text = slow["data"]["text/plain"]
    facts = slow["metadata"]["zennb"]
    said = re.match(r"● slow  cached  saved ([\d.]+) (ms|s)  → total  ", text)
    assert said, text
    assert float(said[1]) == pytest.approx(facts["saved"] * (1000 if said[2] == "ms" else 1), abs=0.51)
    assert f"(same code and inputs as run 1, {day} " in text
    assert facts["run"] == 1
    assert 0.05 < facts["saved"] < 5
    assert abs(facts["made"] - time.time()) < 600
    assert "seconds" not in facts
