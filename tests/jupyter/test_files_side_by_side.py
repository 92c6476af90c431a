"""Files that elements of a mapped step write while others run beside them: whose they are."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.jupyter.mapped import IMPORTS, use
from zennb import api

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook
    from zennb.core.records.records import Step

OWN = "Path(f'out{xs}.csv').write_text(f'{xs}')\n"
BY_LIBRARY = "import polars\npolars.DataFrame({'a': [1]}).write_csv('second.csv')\n"


@pytest.fixture
def meet(monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a statement at which three elements wait for each other."""
    barrier = threading.Barrier(3, timeout=30)
    monkeypatch.setattr(threading, "meet", barrier.wait, raising=False)
    return "_ = [threading.meet()]\n"


def elements() -> list[Step]:
    found = [step for step in api.workspace().metadata.steps(1) if step.is_element]
    return sorted(found, key=lambda step: step.name)


def test_what_one_writes_is_not_taken_for_that_of_the_others(notebook: Notebook, meet: str) -> None:
    body = f"{meet}{OWN}if xs == 2:\n    Path('second.csv').write_text('2')\n{meet}y = xs"
    notebook.run(IMPORTS, *use("threads"), "xs = [1, 2, 3]", f"%%step mapped --map xs\n{body}")
    written = [{*step.observed.restored, *step.observed.written} for step in elements()]
    assert written == [{"out1.csv"}, {"out2.csv", "second.csv"}, {"out3.csv"}]
    assert all(step.reusable for step in elements())
    for path in Path().glob("*.csv"):
        path.unlink()
    (again,) = notebook.run(f"%%step mapped --map xs\n{body}")
    assert again.status == "cached"
    assert {path.name: path.read_text() for path in Path().glob("*.csv")} == {
        "out1.csv": "1",
        "out2.csv": "2",
        "out3.csv": "3",
        "second.csv": "2",
    }


def test_of_what_a_library_writes_nobody_can_tell_whose_it_is(notebook: Notebook, meet: str) -> None:
    body = f"{meet}if xs == 2:\n    {BY_LIBRARY.replace(chr(10), chr(10) + '    ')}\n{meet}y = xs"
    notebook.run(IMPORTS, *use("threads"), "xs = [1, 2, 3]", f"%%step mapped --map xs\n{body}")
    assert not any(step.reusable for step in elements())


def test_a_file_that_one_announces_and_another_writes_out_of_sight_is_nobodys(
    notebook: Notebook, meet: str
) -> None:
    body = f"{meet}if xs == 2:\n    Path('second.csv').write_text('2')\n{meet}"
    body += f"if xs == 3:\n    {BY_LIBRARY.replace(chr(10), chr(10) + '    ')}\n{meet}y = xs"
    notebook.run(IMPORTS, *use("threads"), "xs = [1, 2, 3]", f"%%step mapped --map xs\n{body}")
    assert not any(step.reusable for step in elements() if step.name != "mapped[0]")
