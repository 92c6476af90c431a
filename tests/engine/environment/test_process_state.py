"""Settings of Python itself: each is read, told apart, and set again as a step left it."""

from __future__ import annotations

import decimal
import locale
import os
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from zennb.core.records.observed import UNTOUCHED
from zennb.engine.environment.process_state import PROCESS_STATE
from zennb.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KNOWN: dict[str, Any] = {setting.name: setting for setting in PROCESS_STATE}


@pytest.fixture(autouse=True)
def process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leave this process as it was."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    limit, context, place = (
        sys.getrecursionlimit(),
        decimal.getcontext().copy(),
        locale.setlocale(locale.LC_ALL),
    )
    with warnings.catch_warnings():
        warnings.resetwarnings()
        yield
    sys.setrecursionlimit(limit)
    decimal.setcontext(context)
    locale.setlocale(locale.LC_ALL, place)


def _decimals() -> None:
    context = decimal.getcontext()
    context.prec, context.rounding, context.capitals = 5, decimal.ROUND_UP, 0
    context.traps[decimal.Inexact] = True


def _into_a_folder() -> None:
    Path("data").mkdir(exist_ok=True)
    os.chdir("data")


DEEDS: dict[str, tuple[str, Callable[[], object]]] = {
    "a warning ignored": ("warning filters", lambda: warnings.simplefilter("ignore")),
    "a module's warnings": (
        "warning filters",
        lambda: warnings.filterwarnings("error", message="old", category=UserWarning, module="lib"),
    ),
    "decimals": ("decimal context", _decimals),
    "folder": ("current folder", _into_a_folder),
    "path in front": ("module path", lambda: sys.path.insert(0, "first")),
    "path inside": ("module path", lambda: sys.path.insert(1, "second")),
    "path behind": ("module path", lambda: sys.path.append("last")),
    "recursion": ("recursion limit", lambda: sys.setrecursionlimit(4321)),
    "locale": ("locale", lambda: locale.setlocale(locale.LC_ALL, "C.UTF-8")),
}


@pytest.mark.parametrize(("name", "deed"), DEEDS.values(), ids=DEEDS)
def test_a_setting_is_brought_from_one_state_to_the_other(name: str, deed: Callable[[], object]) -> None:
    setting = KNOWN[name]
    if name == "locale":
        locale.setlocale(locale.LC_ALL, "C")
    before, path, filters = setting.read(), list(sys.path), list(warnings.filters)
    deed()
    after = setting.read()
    assert before != after
    assert setting.digest(before) != setting.digest(after) or name == "warning filters"
    change = setting.change(before, after)
    sys.path[:] = path
    warnings.filters = filters
    if name not in {"module path", "warning filters"}:
        setting.apply(before if name != "decimal context" else setting.change(after, before))
    assert setting.read() == before
    setting.apply(change)
    assert setting.read() == after


def test_decimals_as_python_starts_with_are_untouched() -> None:
    decimal.setcontext(decimal.DefaultContext.copy())
    setting = KNOWN["decimal context"]
    assert setting.digest(setting.read()) == UNTOUCHED
    decimal.getcontext().prec = 3
    three = setting.digest(setting.read())
    decimal.getcontext().traps[decimal.Inexact] = True
    assert len({UNTOUCHED, three, setting.digest(setting.read())}) == 3


def test_flags_that_calculating_raises_are_no_setting() -> None:
    setting = KNOWN["decimal context"]
    before = setting.read()
    _ = decimal.Decimal(1) / 3
    assert setting.read() == before


@pytest.mark.parametrize(
    ("category", "more", "counts"),
    [
        (UserWarning, {}, True),
        (UserWarning, {"message": "old"}, False),
        (UserWarning, {"module": "lib"}, False),
        (UserWarning, {"lineno": 3}, False),
        (type("OwnWarning", (UserWarning,), {}), {}, False),
    ],
)
def test_a_step_depends_on_filters_that_are_about_all_messages(
    category: type[Warning], more: dict[str, Any], counts: bool
) -> None:
    setting = KNOWN["warning filters"]
    before = setting.digest(setting.read())
    warnings.filterwarnings("error", category=category, **more)
    assert (setting.digest(setting.read()) != before) is counts
    raised = KNOWN["warnings turned into errors"]
    named = raised.read()  # whatever it is about, a step may fail, or catch it
    assert named == ["UserWarning"] if counts else (len(named) == 1 and named[0][0] == "error")


def test_only_warnings_as_errors_matter_to_every_step() -> None:
    raised = KNOWN["warnings turned into errors"]
    warnings.simplefilter("ignore")
    assert raised.digest(raised.read()) == UNTOUCHED
    warnings.simplefilter("error", DeprecationWarning)
    assert raised.digest(raised.read()) != UNTOUCHED
    assert raised.change((), raised.read()) is None, "the filters themselves are carried"


@pytest.mark.parametrize("append", [False, True])
def test_filters_stand_in_the_order_that_setting_them_again_gave(append: bool) -> None:
    setting = KNOWN["warning filters"]
    for category in (UserWarning, DeprecationWarning, FutureWarning):
        warnings.simplefilter("ignore", category)
    before = list(warnings.filters)
    warnings.simplefilter("default", ImportWarning)
    warnings.simplefilter("ignore", DeprecationWarning)
    warnings.simplefilter("error", BytesWarning, append=append)
    after = setting.read()
    change = setting.change(tuple(before), after)
    warnings.filters = before
    setting.apply(change)
    assert setting.read() == after
    assert append or len(change["filters"]) == 3


def test_filters_that_were_taken_away_are_taken_away_again() -> None:
    setting = KNOWN["warning filters"]
    warnings.simplefilter("ignore", UserWarning)
    warnings.simplefilter("error", DeprecationWarning)
    before = setting.read()
    warnings.resetwarnings()
    warnings.simplefilter("always", FutureWarning)
    after = setting.read()
    change = setting.change(before, after)
    assert change["all"]
    warnings.filters = list(before)
    setting.apply(change)
    assert setting.read() == after


def test_added_filters_leave_those_that_are_there() -> None:
    setting = KNOWN["warning filters"]
    before = setting.read()
    warnings.simplefilter("error", UserWarning)
    warnings.simplefilter("ignore", FutureWarning)
    change = setting.change(before, setting.read())
    warnings.resetwarnings()
    warnings.simplefilter("always", BytesWarning)
    setting.apply(change)
    assert [(each[0], each[2]) for each in warnings.filters] == [
        ("ignore", FutureWarning),
        ("error", UserWarning),
        ("always", BytesWarning),
    ]


def test_a_warning_of_a_module_that_is_not_loaded_is_not_filtered() -> None:
    setting = KNOWN["warning filters"]
    setting.apply({"all": False, "filters": [("error", "", "no_such_module:OldWarning", "", 0)]})
    assert warnings.filters == []
    own = type("OwnWarning", (UserWarning,), {})
    before = setting.read()
    warnings.simplefilter("error", own)
    assert setting.change(before, setting.read())["filters"] == [], "nobody could find it again by name"


def test_a_folder_below_is_carried_relative_and_one_elsewhere_as_it_is(tmp_path: Path) -> None:
    setting = KNOWN["current folder"]
    assert setting.change(str(tmp_path), str(tmp_path / "a" / "b")) == "a/b"
    assert setting.change(str(tmp_path / "a"), str(tmp_path)) == ".."
    assert setting.change("/usr", "/tmp") == "/tmp"


def test_a_folder_that_is_gone_is_a_sentence() -> None:
    with pytest.raises(StoreError, match="goes to the folder missing, which cannot be entered"):
        KNOWN["current folder"].apply("missing")


def test_a_path_that_is_there_is_not_added_again() -> None:
    sys.path.insert(0, "mine")
    before = list(sys.path)
    KNOWN["module path"].apply({"added": [(0, "mine"), (-1, "yours")]})
    assert sys.path == [*before, "yours"]


def test_a_path_added_at_the_end_comes_to_the_end_of_a_longer_one_too() -> None:
    setting = KNOWN["module path"]
    change = setting.change(("a", "b"), ("a", "new", "b", "last"))
    sys.path[:] = ["a", "x", "y", "z", "b"]
    setting.apply(change)
    assert sys.path == ["a", "new", "x", "y", "z", "b", "last"]


def test_what_matters_to_every_step_and_what_only_to_some() -> None:
    always = {s.name for s in PROCESS_STATE if s.matters and not s.modules}
    assert always == {"warnings turned into errors", "decimal context"}
    assert {s.name for s in PROCESS_STATE if s.is_per_context} == {"decimal context"}
    assert {s.name for s in PROCESS_STATE if not s.matters} == {
        "current folder",
        "path of the current folder",
        "module path",
        "recursion limit",
    }
