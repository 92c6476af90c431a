from __future__ import annotations

from zennb.core.records.shared import SharedRun
from zennb.views.shared_runs import shared_runs, shared_steps

RUN = SharedRun(
    run=12,
    author="ada",
    host="lab-3",
    signer="9baf129b6eff31c4" + "0" * 48,
    trusted="no",
    kind="session",
    notebook="study.ipynb",
    stack="team",
    started=1_773_063_900.0,
    computed=125.0,
    steps={"load": "completed", "train<b>": "completed"},
)


def test_runs_of_others_are_listed_with_author_key_and_steps() -> None:
    found = shared_runs([RUN], store="team", page=160)
    for word in ("ada", "12", "load", "study.ipynb", "2 min", "9baf129b6eff31c4", "no"):
        assert word in found.text
    assert "<b>" not in found.html
    assert shared_steps(RUN) == "run 12 of ada on lab-3: load, train<b>"


def test_an_empty_list_names_the_store() -> None:
    assert "nobody has shared a run in 'team'" in shared_runs([], store="team").text
