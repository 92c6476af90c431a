from __future__ import annotations

from zennb.core.records.pages import ArtifactFilter, Page, RunFilter
from zennb.core.records.records import Status
from zennb.views.listing_caption import artifacts_caption, runs_caption


def test_the_filters_and_the_part_shown_are_one_sentence() -> None:
    which = RunFilter(stack="default", status=Status.FAILED, notebook="a.ipynb", since=1.0)
    page = Page(items=[0] * 25, total=1312, more=True)
    said = runs_caption(which, page, before=25, since="in the last 24 hours").text
    assert said == "failed runs on stack 'default' of 'a.ipynb', in the last 24 hours: 26–50 of 1,312"
    assert runs_caption(RunFilter(), Page(items=[0] * 3, total=3)).text == "runs: all 3"
    assert runs_caption(RunFilter(), Page(items=[0], total=1)).text == "runs: one"


def test_artifacts_say_theirs_and_none_is_said_too() -> None:
    which = ArtifactFilter(text="rate", kind="captured", notebook="a.ipynb")
    assert (
        artifacts_caption(which, Page()).text == "captured artifacts whose name has 'rate' of 'a.ipynb': none"
    )
