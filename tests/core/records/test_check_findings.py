from __future__ import annotations

from typing import Any

from zennb.core.records.check_findings import CellResult, Check, CheckedCell, judged
from zennb.core.records.output_comparison import Showing


def played(text: str = "1\n", status: str = "", reason: str = "", **more: Any) -> CellResult:
    return CellResult(showing=Showing(text=text, **more), status=status, reason=reason)


def judge(
    plain: CellResult,
    cold: CellResult | None,
    reused: CellResult | None,
    *,
    again: CellResult | None = None,
    stays: str = "",
) -> CheckedCell:
    return judged(
        number=1, code="x", stays=stays, plain=plain, again=again or plain, cold=cold, reused=reused
    )


def test_a_cell_that_shows_the_same_three_times_is_faithful() -> None:
    cell = judge(played(), played(status="completed"), played(status="cached", reason="same code"))
    assert (cell.cold, cell.reused, cell.cached, cell.is_silent) == (True, True, True, False)
    assert (cell.reason, cell.cold_difference, cell.reused_difference) == ("", "", "")


def test_another_text_without_an_exception_is_silent_and_has_a_difference() -> None:
    cell = judge(played(), played("2\n", "completed"), played(status="cached"))
    assert (cell.cold, cell.reused, cell.is_silent) == (False, True, True)
    assert "-1\n+2" in cell.cold_difference


def test_another_text_with_an_exception_of_its_own_is_not_silent() -> None:
    failed = played("NameError: x\n", "failed", raised="NameError")
    cell = judge(played(), failed, failed)
    assert (cell.cold, cell.reused, cell.is_silent) == (False, False, False)


def test_one_loud_difference_does_not_hide_a_silent_one() -> None:
    cell = judge(played(), played("NameError: x\n", raised="NameError"), played("2\n", "cached"))
    assert cell.is_silent


def test_a_cell_that_raises_in_each_run_must_raise_the_same() -> None:
    plain = played("KeyError: 'a'\n", raised="KeyError")
    assert judge(plain, plain, plain, stays="raises KeyError").cold is True
    other = played("KeyError: 'b'\n", raised="KeyError")
    assert judge(plain, other, plain, stays="raises KeyError").is_silent


def test_a_step_that_ran_again_gives_the_reason() -> None:
    cell = judge(played(), played(status="completed"), played(status="completed", reason="input `x` changed"))
    assert (cell.cached, cell.reason) == (False, "input `x` changed")


def test_a_cell_that_is_no_step_is_compared_but_cannot_be_reused() -> None:
    cell = judge(played(), played("2\n"), played(), stays="starts with %%time")
    assert (cell.cold, cell.cached) == (False, None)


def test_what_varies_by_itself_is_compared_only_with_the_run_that_it_was_taken_from() -> None:
    plain, again, cold = played("1\n"), played("2\n"), played("3\n", "completed")
    ran = judge(plain, cold, played("4\n", "completed"), again=again)
    assert (ran.varies, ran.cold, ran.reused) == (True, None, None)
    assert judge(plain, cold, played("3\n", "cached"), again=again).reused is True
    wrong = judge(plain, cold, played("4\n", "cached"), again=again)
    assert wrong.reused is False
    assert wrong.reused_difference.startswith("--- step\n+++ reused")


def test_pictures_that_differ_are_no_difference_of_text() -> None:
    plain, other = played(pictures=("a",)), played(pictures=("b",))
    cell = judge(plain, other, plain)
    assert (cell.cold, cell.pictures) == (True, False)
    assert judge(plain, plain, plain).pictures is True
    assert judge(plain, other, other, again=other).pictures is None
    assert judge(played(), played(), played()).pictures is None
    assert judge(played(), other, played()).pictures is False


def test_a_cell_that_a_run_did_not_reach_cannot_be_told() -> None:
    cell = judge(played(), played(status="completed"), None)
    assert (cell.cold, cell.reused, cell.cached) == (True, None, None)


def test_the_figures_count_what_can_be_told() -> None:
    cells = (
        CheckedCell(number=1, code="a", cold=True, reused=True, cached=True),
        CheckedCell(number=2, code="b", cold=False, reused=True, cached=False),
        CheckedCell(number=3, code="c", varies=True, cached=True),
        CheckedCell(number=4, code="d", stays="raises KeyError", cold=True, reused=False),
    )
    found = Check(name="a.ipynb", cells=cells)
    assert [(share.part, share.whole) for share in (found.cold, found.reused, found.cached)] == [
        (2, 3),
        (2, 3),
        (2, 3),
    ]
    assert [cell.number for cell in found.silent] == [2, 4]
    assert Check(name="a.ipynb", cells=()).cold.percent == 100.0
