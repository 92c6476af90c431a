from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from tests.materializers.awkward_frames import AWKWARD, assert_same
from zennb.compat import frames
from zennb.digests.digest import digest
from zennb.engine.environment.library_options import LIBRARY_OPTIONS
from zennb.errors import NotStorable
from zennb.materializers.buffers import joined
from zennb.materializers.frames import Frames

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.jupyter.conftest import Notebook

ALL = "all of them"
ROOT = Path(frames.__file__).parents[1]
VALUES: dict[str, Callable[[], Any]] = {
    **AWKWARD,
    "a masked array": lambda: np.ma.masked_array([1, 2], [False, True]),
    "a masked array with a fill value": lambda: np.ma.masked_array([1, 2], [False, True], fill_value=7),
    "text kept by Python": lambda: pd.array(["x", None], dtype=pd.StringDtype("python")),
    "an index": lambda: pd.Index([3, 1, 2], name="i"),
    "a frame with column names twice": lambda: pd.DataFrame([[1, "x", 2.5]], columns=["a", "b", "a"]),
}


@pytest.fixture(params=[*frames.PRIVATE, ALL])
def gone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Take a private name away, as far as we look for it: pandas itself cannot do without."""
    private, name = frames._private, str(request.param)

    def ask(owner: Any, asked: str) -> Any:
        if asked == name or name == ALL:
            raise AttributeError(f"{type(owner).__name__} has no attribute {asked}")
        return private(owner, asked)

    monkeypatch.setattr(frames, "_private", ask)
    if name in {"_from_mgr", ALL}:  # it is only asked for where pandas has no public way yet
        monkeypatch.setitem(sys.modules, "pandas.api.internals", None)
    return name


@pytest.fixture(scope="module")
def digests() -> dict[str, str]:
    """Return the digests of all values while every name is there."""
    return {name: digest(make()) for name, make in VALUES.items()}


def test_digests_are_those_that_the_private_name_gives(gone: str, digests: dict[str, str]) -> None:
    assert {name: digest(make()) for name, make in VALUES.items()} == digests


def test_a_frame_comes_back_all_the_same(gone: str, digests: dict[str, str]) -> None:
    for name, make in AWKWARD.items():
        value = make()
        try:
            stored = joined(Frames().dump(value))
        except NotStorable:
            continue  # is pickled with the name, too
        again = Frames().load(stored, {})
        assert_same(again, value)
        assert digest(again) == digests[name], name


def test_what_is_stored_without_the_name_can_be_read_with_it_and_the_other_way_round(
    gone: str, digests: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "blocks that are scattered"
    without = joined(Frames().dump(AWKWARD[name]()))
    with monkeypatch.context() as with_it:
        with_it.undo()
        with_it.setattr(frames, "_private", getattr)
        stored = joined(Frames().dump(AWKWARD[name]()))
        assert digest(Frames().load(without, {})) == digests[name]
    assert digest(Frames().load(stored, {})) == digests[name]


def test_a_loaded_frame_can_be_written_to(gone: str) -> None:
    for name in ("a plain frame", "the default strings", "an ordered categorical", "dates in four units"):
        value = AWKWARD[name]()
        again = Frames().load(joined(Frames().dump(value)), {})
        for one in (value, again):
            one.iloc[0, 0] = one.iloc[1, 0]
            one["z"] = 1
        assert_same(again, value)


def test_steps_with_frames_are_stored_and_reused(gone: str, notebook: Notebook) -> None:
    make = (
        "%%step make\nimport pandas as pd\n"
        "df = pd.DataFrame({'n': range(5), 's': list('abcde'), 'f': [0.5] * 5})\n"
        "df['when'] = pd.date_range('2024', periods=5, tz='UTC')\n"
        "df['kind'] = df['s'].astype('category')\n"
        "df['maybe'] = pd.array([1, None, 3, 4, 5], dtype='Int64')"
    )
    use = "%%step use\ntotal = df.groupby('kind', observed=True)['n'].sum()\nbest = df.loc[df['n'].idxmax(), 's']"
    first = notebook.run(make, use)
    assert [ran.status for ran in first] == ["completed", "completed"]
    before = digest(notebook.ns["df"])
    notebook.restart()
    again = notebook.run(make, use, "df.loc[0, 'n'] = 7\nshown = df.to_string()", use)
    assert [ran.status for ran in (*again[:2], again[3])] == ["cached", "cached", "completed"]
    assert "7" in notebook.ns["shown"]
    assert notebook.ns["best"] == "a"
    assert before != digest(notebook.ns["df"])


def test_a_step_that_sets_an_option_of_pandas_sets_it_on_reuse(gone: str, notebook: Notebook) -> None:
    cell = "%%step\nimport pandas as pd\npd.set_option('display.max_rows', 7)\nx = 1"
    notebook.run("import pandas as pd", cell)
    notebook.restart()
    assert pd.get_option("display.max_rows") == 60
    (ran,) = notebook.run(cell)
    assert ran.status == "cached"
    assert pd.get_option("display.max_rows") == 7


def test_options_of_pandas_are_the_same(gone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (options,) = [one for one in LIBRARY_OPTIONS if one.name == "pandas options"]
    values = dict(zip(options.keys(), options.values(), strict=True))
    defaults = options.defaults()
    monkeypatch.undo()
    assert values == dict(zip(options.keys(), options.values(), strict=True))
    assert defaults == options.defaults()


def test_nothing_else_uses_a_private_name_of_these_libraries() -> None:
    """Names that zennb has itself are told apart by `self`, `cls` and modules that need no such library."""
    names = set(frames.PRIVATE) - {"_data"}
    used = {
        (str(file.relative_to(ROOT)), node.attr)
        for file in ROOT.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in names and getattr(node.value, "id", "") != "self"
    }
    assert used == set()


def test_the_list_of_private_names_is_complete() -> None:
    text = Path(frames.__file__).read_text()
    asked = set(re.findall(r'(?:, |_config\()"(_\w+)"\)', text))
    assert asked == set(frames.PRIVATE)
