"""Process-wide settings: read, compared, set again; what each thread has for itself is the notebook's."""

from __future__ import annotations

import linecache
import sys
import threading
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zennb.core.records.observed import UNTOUCHED
from zennb.engine.environment.settings import LibraryOptions, Settings, content

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LIBRARY = "a_library_of_the_tests"
DEFAULTS = {"precision": 8, "sign": "-"}


class Library(ModuleType):
    """A library with options."""

    def __init__(self) -> None:
        super().__init__(LIBRARY)
        self.options: dict[str, Any] = dict(DEFAULTS)


def options(**more: Any) -> LibraryOptions:
    def held() -> dict[str, Any]:
        found: dict[str, Any] = sys.modules[LIBRARY].options
        return found

    plain: dict[str, Any] = {
        "name": "library options",
        "module": LIBRARY,
        "modules": frozenset({LIBRARY}),
        "keys": lambda: held().keys(),
        "values": lambda: held().values(),
        "defaults": lambda: DEFAULTS,
        "put": lambda found: held().update(found),
    }
    return LibraryOptions(**{**plain, **more})


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    found = Library()
    monkeypatch.setitem(sys.modules, LIBRARY, found)
    return found


def test_nobody_has_set_the_options_of_a_library_that_is_not_loaded() -> None:
    assert options().read() is None
    assert options().digest(None) == UNTOUCHED


def test_a_library_that_is_being_imported_has_no_options_yet(library: Library) -> None:
    del library.options
    assert options().read() is None


def test_options_as_the_library_starts_with_are_untouched(library: Library) -> None:
    untouched = options().digest(options().read())
    library.options["precision"] = 3
    three = options().digest(options().read())
    library.options["precision"] = 4
    four = options().digest(options().read())
    assert untouched == UNTOUCHED
    assert len({untouched, three, four}) == 3


def test_only_what_changed_is_carried(library: Library) -> None:
    before = options().read()
    library.options["precision"] = 3
    assert options().change(before, options().read()) == {"precision": 3}
    assert options().change(None, options().read()) == {"precision": 3}
    assert options().change(options().read(), None) == {"precision": 8}
    assert options().change(before, before) == {}


def test_options_that_are_not_carried_or_not_known_are_left_out(library: Library) -> None:
    hidden = options(keys=lambda: ["", "sign"])
    assert hidden.change(hidden.read(), (3, "+")) == {"sign": "+"}
    library.options["late"] = 1
    assert options().change(None, (8, "-", 1)) == {}


@given(
    st.dictionaries(st.sampled_from(list(DEFAULTS)), st.integers() | st.text()),
    st.dictionaries(st.sampled_from(list(DEFAULTS)), st.integers() | st.text()),
)
@hypothesis.settings(deadline=None)
def test_a_change_brings_one_state_to_the_other(first: dict[str, Any], second: dict[str, Any]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        library = Library()
        patch.setitem(sys.modules, LIBRARY, library)
        found = options()
        library.options = {**DEFAULTS, **second}
        after = found.read()
        library.options = {**DEFAULTS, **first}
        found.apply(found.change(found.read(), after))
        assert found.read() == after


class Plain:
    """A setting that is one value."""

    modules: frozenset[str] = frozenset()
    matters = True
    is_per_context = False

    def __init__(self, name: str = "plain", value: Any = 0, **more: Any) -> None:
        self.name, self.value = name, value
        vars(self).update(more)

    def read(self) -> Any:
        return self.value

    def digest(self, seen: Any) -> str:
        return f"digest of {seen}"

    def change(self, _before: Any, after: Any) -> Any:
        return {"to": after}

    def apply(self, change: Any) -> None:
        self.value = change["to"]


class PerThread(Plain):
    """A setting that each thread has for itself."""

    is_per_context = True

    def __init__(self, name: str = "own", value: Any = 0) -> None:
        self._local = threading.local()
        super().__init__(name, value)

    @property
    def value(self) -> Any:
        return getattr(self._local, "value", None)

    @value.setter
    def value(self, value: Any) -> None:
        self._local.value = value


def in_a_thread(function: Callable[[], Any]) -> Any:
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(function()))
    thread.start()
    thread.join()
    return found[0]


def test_changes_are_those_settings_that_changed() -> None:
    one, other = Plain("one"), Plain("other")
    settings = Settings([one, other])
    before = settings.read()
    assert settings.changes(before, settings.read()) == {}
    one.value = 5
    assert settings.changes(before, settings.read()) == {"one": {"to": 5}}


def test_what_a_step_seeds_is_carried_also_where_it_was_so_before() -> None:
    settings = Settings([Plain("one", 1), Plain("absent", None)])
    now = settings.read()
    assert settings.changes(now, now, always={"one", "absent"}) == {"one": {"to": 1}}


def test_a_change_that_comes_to_nothing_is_none() -> None:
    setting = Plain("one", change=lambda _before, _after: None)
    settings = Settings([setting])
    before = settings.read()
    setting.value = 5
    assert settings.changes(before, settings.read()) == {}


def test_values_that_do_not_compare_count_by_identity() -> None:
    import numpy as np

    array = np.arange(3)
    settings = Settings([Plain("one", array)])
    before = settings.read()
    assert settings.changes(before, {"one": array}) == {}
    assert list(settings.changes(before, {"one": array.copy()})) == ["one"]


@pytest.mark.parametrize(
    ("modules", "changed", "found"),
    [
        (["numpy"], [], {"always", "numpy options"}),
        (["numpy.random.mtrand"], [], {"always", "numpy options"}),
        (["numpyro"], [], {"always"}),
        ([], ["numpy options"], {"always", "numpy options"}),
        (["numpy"], ["folder"], {"always", "numpy options"}),
    ],
)
def test_a_step_depends_on_settings_of_what_it_uses_and_on_those_it_changed(
    modules: list[str], changed: list[str], found: set[str]
) -> None:
    settings = Settings(
        [
            Plain("always"),
            Plain("numpy options", modules=frozenset({"numpy"})),
            Plain("folder", matters=False),
        ]
    )
    relevant = settings.relevant(
        {"always": 1, "numpy options": 2, "folder": 3}, modules=modules, changed=changed
    )
    assert set(relevant) == found
    assert relevant["always"] == "digest of 1", "what it was when the step began counts, not what it is now"


def test_a_setting_that_nobody_knows_any_more_has_no_digest_and_is_not_set() -> None:
    settings = Settings([])
    assert settings.digest("gone") == ""
    settings.apply({"gone": {"to": 1}})


def test_what_each_thread_has_for_itself_is_the_notebooks_wherever_it_is_asked_for() -> None:
    own, shared = PerThread(value=7), Plain(value=1)
    settings = Settings([own, shared])
    assert settings.digest("own") == "digest of 7"
    assert in_a_thread(lambda: settings.digest("own")) == "digest of 7"
    own.value = 8
    assert settings.digest("own") == "digest of 8"
    assert in_a_thread(lambda: settings.digest("own")) == "digest of 7"
    settings.note()
    assert in_a_thread(lambda: settings.digest("own")) == "digest of 8"
    shared.value = 2
    assert in_a_thread(lambda: settings.digest("plain")) == "digest of 2"


def test_a_thread_that_follows_has_what_was_noted_and_the_notebook_is_left_alone() -> None:
    own = PerThread(value=7)
    settings = Settings([own])

    def followed() -> Any:
        settings.follow()
        return own.value

    assert in_a_thread(followed) == 7
    own.value = 8
    settings.follow()
    assert own.value == 8


def test_only_the_notebooks_own_thread_notes_again() -> None:
    own = PerThread(value=7)
    settings = Settings([own])

    def elsewhere() -> None:
        own.value = 1
        settings.note_again()

    in_a_thread(elsewhere)
    assert in_a_thread(lambda: settings.digest("own")) == "digest of 7"
    own.value = 9
    settings.note_again()
    assert in_a_thread(lambda: settings.digest("own")) == "digest of 9"


def test_of_a_step_that_ran_in_another_thread_only_that_threads_own_is_set_again() -> None:
    own, shared = PerThread(), Plain()
    settings = Settings([own, shared])
    settings.apply({"own": {"to": 1}, "plain": {"to": 2}}, per_context=True)
    assert (own.value, shared.value) == (1, 0)
    settings.apply({"own": {"to": 3}, "plain": {"to": 4}})
    assert (own.value, shared.value) == (3, 4)


def _formatters() -> Iterator[Any]:
    for body in ("v + 1", "v + 1", "v + 2"):
        yield eval(f"lambda v: {body}")


def test_the_digest_of_settings_counts_what_they_are() -> None:
    assert content({}) == content(()) == UNTOUCHED
    assert content({"a": 1}) == content({"a": 1}) != content({"a": 2})
    one, same, other = _formatters()
    assert content({"float": one}) == content({"float": same}) != content({"float": other})


def test_a_function_that_was_stored_and_lost_its_text_is_the_same_setting() -> None:
    scope: dict[str, Any] = {}
    text = "def percent(v):\n    return f'{v:.1%}'\n"
    linecache.cache["<cell>"] = (len(text), None, text.splitlines(keepends=True), "<cell>")
    exec(compile(text, "<cell>", "exec"), scope)
    stored = FunctionType(scope["percent"].__code__.replace(co_filename="<elsewhere>"), {})
    assert content({"float": scope["percent"]}) == content({"float": stored})


def test_a_setting_without_content_is_alike_only_to_itself() -> None:
    lock, another = threading.Lock(), threading.Lock()
    assert content({"a": lock}) == content({"a": lock}) != content({"a": another})
