"""Background runs and a store that several people reach: they leave their records there, and reuse those of others."""

from __future__ import annotations

import pytest

from tests.jupyter.background import ended
from tests.jupyter.people import People, people
from zennb import api

pytest.importorskip("fsspec")
pytest.importorskip("cryptography")

__all__ = ["people"]

CELLS = ("%%step one\none = seed + 1", "%%step two\ntwo = one + 1")
IN_THE_CELL = ("seed = 1", "%%step one --background\none = seed + 1")
IN_A_PIPELINE = ("seed = 7", *CELLS, "seed = 1", "%pipeline run --background")


def latest() -> int:
    """Return the latest run, once it has ended."""
    number = api.workspace().metadata.run_ids(limit=1)[0]
    assert ended(number) in {"completed", "cached"}
    return number


@pytest.mark.parametrize("cells", [IN_THE_CELL, IN_A_PIPELINE], ids=["cell", "pipeline"])
def test_what_ran_in_the_background_is_shared(people: People, cells: tuple[str, ...]) -> None:
    people.turn("ada").run(*cells)
    number = latest()
    bob = people.turn("bob")
    _, again, listed = bob.run("seed = 1", CELLS[0], "%runs list --shared")
    assert again.status == "cached"
    assert f" run {number} of ada on " in again.reason
    assert "ada" in "".join(shown["data"]["text/plain"] for shown in listed.displays)


def test_a_run_in_the_background_reuses_what_others_left(people: People) -> None:
    people.turn("ada").run("seed = 1", *CELLS)
    people.turn("bob").run(*IN_A_PIPELINE)
    steps = api.workspace().metadata.steps(latest())
    assert [(step.name, step.status.value, " of ada on " in step.reason) for step in steps] == [
        ("one", "cached", True),
        ("two", "cached", True),
    ]
