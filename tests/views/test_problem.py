from __future__ import annotations

from zennb.errors import UnknownName
from zennb.views.problem import problem


def test_an_error_is_its_sentence() -> None:
    view = problem(UnknownName("stack", "prd", ["prod"]))
    assert view.text == "UnknownName: no stack 'prd'; did you mean 'prod'?"
    assert "did you mean &#x27;prod&#x27;?" in view.html


def test_a_bare_sentence_needs_no_kind() -> None:
    assert problem("no steps yet.").text == "no steps yet."
    assert problem(ValueError()).text == "ValueError"
