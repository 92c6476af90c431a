from __future__ import annotations

from dataclasses import replace

from zennb.core.records.records import Artifact, Status, Step
from zennb.views.graphs.run_graph import flow

X = Artifact(id=1, name="x", version=1, digest="a", blob="a", materializer="m", size=1, type="t")
Y = replace(X, id=2, name="y")
LOAD = Step(name="load", status=Status.CACHED, outputs={"x": X})
FIT = Step(name="fit", status=Status.FAILED, inputs={"x": X}, outputs={"y": Y})
PLOT = Step(name="plot", status=Status.SKIPPED, inputs={"y": Y, "x": X})


def test_a_run_is_drawn_from_what_its_steps_took_from_each_other() -> None:
    assert flow([LOAD, FIT, PLOT]).text == (
        "● load → ✘ fit → ○ plot\nload → plot\n(● cached  ✘ failed  ○ skipped)"
    )


def test_a_step_that_gives_out_what_it_took_is_not_drawn_as_its_own_source() -> None:
    again = Step(name="again", status=Status.COMPLETED, inputs={"x": X}, outputs={"x": X})
    later = Step(name="later", status=Status.COMPLETED, inputs={"x": X}, outputs={"y": Y})
    text = flow([LOAD, again, later]).text
    assert "● load → ✔ again" in text
    assert "load → ✔ later" in text


def test_a_run_that_goes_on_shows_what_waits_too() -> None:
    text = flow([LOAD], order=["load", "fit"], edges=[("load", "fit")]).text
    assert text == "● load → · fit\n(● cached  · waiting)"
