from __future__ import annotations

from typing import Any

from zennb.core.records.check_findings import CellResult, Check, CheckedCell, EditTrial, Share, judged
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
    **more: Any,
) -> CheckedCell:
    return judged(
        number=1, code="x", stays=stays, plain=plain, again=again or plain, cold=cold, reused=reused, **more
    )


def failed(error: str, reason: str = "first run") -> CellResult:
    name = error.partition(":")[0]
    return played(f"{error}\n", "failed", reason, raised=name, error=error)


def test_a_cell_that_shows_the_same_three_times_is_faithful() -> None:
    cell = judge(played(), played(status="completed"), played(status="cached", reason="same code"))
    assert (cell.cold, cell.reused, cell.cached, cell.is_silent) == (True, True, True, False)
    assert (cell.reason, cell.cold_difference, cell.reused_difference) == ("", "", "")


def test_another_text_without_an_exception_is_silent_and_has_a_difference() -> None:
    cell = judge(played(), played("2\n", "completed"), played(status="cached"))
    assert (cell.cold, cell.reused, cell.is_silent) == (False, True, True)
    assert "-1\n+2" in cell.cold_difference


def test_another_text_with_an_exception_of_its_own_is_not_silent() -> None:
    cell = judge(played(), failed("NameError: x"), failed("NameError: x"))
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


def test_a_step_that_failed_says_so_instead_of_the_reason_of_its_status_line() -> None:
    cell = judge(played(), failed("NameError: x"), failed("NameError: x"))
    assert (cell.loud, cell.cached, cell.failure) == (True, False, "NameError: x")
    assert cell.reason == "it failed as a step with NameError, so there is nothing to reuse"
    cell = judge(played(), failed("NameError: x"), played(status="completed", reason="first run"))
    assert (cell.cold, cell.reused, cell.failure) == (False, True, "NameError: x")
    assert cell.reason == "it failed as a step with NameError, so there is nothing to reuse"
    cell = judge(played(), played(status="completed"), failed("KeyError: 'a'", "input `x` changed"))
    assert (cell.cold, cell.reused, cell.failure) == (True, False, "KeyError: 'a'")
    assert cell.reason == "it fails with KeyError in a new kernel"
    unrecorded = CellResult(showing=Showing(text="1\n"), status="completed", unrecorded="the disk is full")
    cell = judge(played(), unrecorded, played(status="completed", reason="first run"))
    assert (cell.differs, cell.failure, cell.reason) == (False, "", "it is not on record: the disk is full")


def test_a_plain_cell_that_raises_the_same_everywhere_has_no_failure() -> None:
    plain = played("KeyError: 'a'\n", raised="KeyError", error="KeyError: 'a'")
    cell = judge(plain, plain, plain, stays="raises KeyError")
    assert (cell.differs, cell.failure, cell.reason) == (False, "", "")


def test_a_cell_that_ran_may_find_the_files_of_the_run_before() -> None:
    plain, over = played("Writing a\n"), played("Overwriting a\n")
    cell = judge(plain, plain, over, over=over, stays="starts with %%file")
    assert (cell.reused, cell.files, cell.differs) == (True, True, False)
    assert judge(plain, plain, over, stays="starts with %%file").is_silent
    assert judge(plain, plain, played("other\n"), over=over, stays="starts with %%file").is_silent
    # A reused step shows what its run showed, whatever the files are.
    assert judge(plain, plain, played("Overwriting a\n", "cached"), over=over).is_silent
    error = failed("FileExistsError: a")
    ran = judge(played(), played(status="completed"), error, over=error)
    assert (ran.reused, ran.files, ran.loud) == (True, True, False)


def test_what_zennb_itself_shows_is_not_compared() -> None:
    cell = judge(played(), played("2\n"), played("3\n"), uncompared="it uses zennb itself")
    assert (cell.cold, cell.reused, cell.differs, cell.pictures) == (None, None, False, None)
    assert cell.cold_difference == cell.reused_difference == ""


def trial(*cells: CheckedCell, different: tuple[str, ...] = ()) -> EditTrial:
    return EditTrial(
        number=1,
        code="x = 1",
        kind="constant",
        line=1,
        before="1",
        after="2",
        cells=cells,
        variables=Share(part=1, whole=1 + len(different)),
        different=different,
    )


def test_an_edit_is_silent_unless_a_cell_fails_for_it() -> None:
    same = judge(played(), None, played(status="cached"))
    ran = judge(played(), None, played(status="completed", reason="code changed"))
    other, broken = judge(played(), None, played("2\n")), judge(played(), None, failed("NameError: x"))
    found = trial(same, ran)
    assert (found.is_silent, found.is_loud) == (False, False)
    assert (found.reused, found.cached) == (Share(part=2, whole=2), Share(part=1, whole=2))
    assert trial(same, other).is_silent
    assert trial(same, different=("x",)).is_silent
    loud = trial(same, broken, different=("x",))
    assert (loud.is_silent, loud.is_loud) == (False, True)
    assert trial(other, broken).is_silent
    assert Check(name="a.ipynb", cells=(same,), trials=(found, trial(same, other))).is_silent
    assert not Check(name="a.ipynb", cells=(same, broken), trials=(found, loud)).is_silent


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
    assert found.is_silent
    assert found.failing == ()
    failing = CheckedCell(number=1, code="a", cold=False, loud=True)
    assert Check(name="a.ipynb", cells=(failing,)).failing == (failing,)
    assert Check(name="a.ipynb", cells=()).cold.percent == 100.0
