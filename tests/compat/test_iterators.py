"""Views of dictionaries and iterators over them: others stand where they stand, and asking moves nothing."""

from __future__ import annotations

import gc
import io
import pickle
from collections import Counter, OrderedDict
from dataclasses import dataclass
from types import MappingProxyType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from matplotlib import colors

from zennb.compat.iterators import KeptAlive, dictionary_recipe, lends_attributes
from zennb.digests.digest import digest_value
from zennb.errors import CannotDigest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.jupyter.conftest import Notebook

Letters = dict[str, list[int]]
MAKERS: dict[str, Callable[[Letters], Any]] = {
    "keys": iter,
    "items": lambda letters: iter(letters.items()),
    "values": lambda letters: iter(letters.values()),
    "reversed keys": reversed,
    "reversed items": lambda letters: reversed(letters.items()),
    "reversed values": lambda letters: reversed(letters.values()),
}


class Measured:
    """Becomes a dataclass."""

    value: float = 1.0
    error: float = 0.0


def _made(recipe: tuple[Any, ...] | None) -> Any:
    assert recipe is not None
    return recipe[0](*recipe[1])


@pytest.mark.parametrize("steps", range(5))
@pytest.mark.parametrize("kind", MAKERS)
def test_an_iterator_is_made_again_at_its_place(kind: str, steps: int) -> None:
    letters: Letters = {each: [] for each in "abc"}
    one, same = MAKERS[kind](letters), MAKERS[kind](letters)
    for _ in range(steps):
        next(one, None), next(same, None)
    again = _made(dictionary_recipe(one))
    assert type(again) is type(one)
    assert digest_value(again).digest == digest_value(one).digest
    rest = [*again]
    assert rest == [*one] == [*same]


def test_an_iterator_follows_its_dictionary() -> None:
    letters: Letters = {"a": [], "b": []}
    again = _made(dictionary_recipe(iter(letters)))
    letters["c"] = []
    with pytest.raises(RuntimeError, match="changed size"):
        next(again)
    assert digest_value([letters, iter(letters)]).digest != digest_value([letters, iter({**letters})]).digest


@pytest.mark.parametrize("change", [lambda d: d.update(z=1), lambda d: (d.pop("a"), d.update(z=1))])
def test_an_iterator_whose_dictionary_has_changed_has_no_place(change: Callable[[Any], Any]) -> None:
    letters = {"a": 1, "b": 2, "c": 3}
    iterator = iter(letters)
    next(iterator)
    change(letters)
    assert dictionary_recipe(iterator) is None


@pytest.mark.parametrize("make", [lambda: iter({1}), lambda: iter(b"a"), lambda: reversed([1])])
def test_others_are_made_again_when_they_have_come_to_their_end(make: Callable[[], Any]) -> None:
    iterator = make()
    assert dictionary_recipe(iterator) is None
    list(iterator)
    # Since Python 3.13 its own recipe makes a reversed list again.
    again = _made(dictionary_recipe(iterator) or iterator.__reduce__())
    assert type(again) is type(iterator)
    assert not [*again]


@pytest.mark.parametrize("cls", [dict, OrderedDict, Counter])
@pytest.mark.parametrize("name", ["keys", "values", "items"])
def test_a_view_stays_one_of_its_dictionary(cls: Any, name: str) -> None:
    letters = cls(a=1)
    view = getattr(letters, name)()
    again = _made(dictionary_recipe(view))
    letters["b"] = 2
    assert type(again) is type(view)
    assert [*again] == [*view]
    assert digest_value(view).digest != digest_value(getattr(cls(a=1), name)()).digest


def test_a_dictionary_without_a_digest_has_views_without_one() -> None:
    with pytest.raises(CannotDigest, match="generator"):
        digest_value({"a": (each for each in "a")}.values())


STORIES = {
    "read-only view": (
        (
            "from types import MappingProxyType\nletters = {'a': 1}\nview = MappingProxyType(letters)",
            "letters['b'] = 2",
        ),
        "dict(view)",
        {"a": 1, "b": 2},
    ),
    "view": (
        ("letters = {'a': 1}\nview = letters.items()", "letters['b'] = 2"),
        "list(view)",
        [("a", 1), ("b", 2)],
    ),
    "iterator": (("letters = {'a': 1, 'b': 2}\nit = iter(letters)", "one = next(it)"), "list(it)", ["b"]),
    "numbered": (
        ("letters = {'a': 1, 'b': 2}\nit = enumerate(letters)", "one = next(it)"),
        "list(it)",
        [(1, "b")],
    ),
    "pairs": (("it = zip({'a': 1, 'b': 2}.items(), 'xy')", "one = next(it)"), "list(it)", [(("b", 2), "y")]),
}


@pytest.mark.parametrize("story", STORIES.values(), ids=list(STORIES))
def test_cells_that_use_them_are_reused(notebook: Notebook, story: tuple[tuple[str, ...], str, Any]) -> None:
    cells, reads, expected = story
    steps = [f"%%step s{n}\n{each}" for n, each in enumerate(cells)]
    for status in ("completed", "cached"):
        assert [each.status for each in notebook.run(*steps)] == [status] * len(steps)
        (ran,) = notebook.run(reads)
        assert ran.result == expected
        notebook.restart()


class Point:
    unit = "m"

    def __init__(self) -> None:
        self.x = 1


POINT, SPACE = Point(), SimpleNamespace(x=1)


@pytest.mark.parametrize(
    "value",
    [
        vars(POINT).keys(),
        vars(SPACE).items(),
        vars(Point).values(),
        vars(colors).keys(),
        colors.CSS4_COLORS.keys(),
        iter(vars(POINT).items()),
        iter(colors.CSS4_COLORS),
        MappingProxyType(vars(POINT)),
        MappingProxyType(colors.CSS4_COLORS),
    ],
)
def test_what_shows_attributes_would_show_other_ones_after_reuse(value: Any) -> None:
    with pytest.raises(CannotDigest):
        digest_value(value)
    with pytest.raises(CannotDigest):
        digest_value({"inside": [value]})
    digest_value([{"x": 1}.keys(), MappingProxyType({"x": 1})])  # those of other dictionaries are digested


ATTRIBUTES = {
    "a": "class A: pass\na = A()\na.x = 1",
    "b": "import argparse\nb = argparse.Namespace(x=1)",
    "c": "import types\nc = types.SimpleNamespace(x=1)",
}


@pytest.fixture
def no_collection() -> Iterator[None]:
    """What refers to itself stays in memory, as it may for long."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collection")
def test_attributes_kept_as_a_dictionary_stay_those_of_their_object(notebook: Notebook) -> None:
    keeps = {
        "d = vars(a)": "`a` is a A, which cannot be stored (something else holds its attributes",
        "d = {'of': [b.__dict__]}": "`b` is a argparse.Namespace, which cannot be stored (something else holds its",
        "d = vars(c)": "`c` is a types.SimpleNamespace, which cannot be stored (something else holds its",
        "d = vars(A)": "`d` is a view of the attributes of an object, class or module",
        "a.y = 2\nd = [a, vars(a)]": "`d[0]` is a A, which cannot be stored (something else holds its attributes",
    }
    reads = "y = a.x + b.x + c.x"
    quiet = [
        "d = dict(vars(a))",
        "_e = A()\nd = vars(_e)\ndel _e",
        "d = [a, {'of': a}]\nfor _n in vars(a): pass",
    ]
    for _ in range(2):
        notebook.run(*ATTRIBUTES.values())
        said = [notebook.run(f"%%step s{n}\n{cell}")[0].reason for n, cell in enumerate(keeps)]
        done = notebook.run(*(f"%%step q{n}\n{cell}" for n, cell in enumerate([reads, *quiet])))
        (changed,) = notebook.run("d = vars(b)\nd['x'] = 5\nb.x")
        assert changed.result == 5
        notebook.restart()
    for why, start in zip(said, keeps.values(), strict=True):
        assert why.startswith(f"not cacheable: {start}")
    assert [each.status for each in done] == ["cached"] * 4


@pytest.mark.usefixtures("no_collection")
def test_attributes_that_a_cell_showed_are_nobody_elses(notebook: Notebook) -> None:
    for _ in range(2):
        notebook.run(ATTRIBUTES["a"], "vars(a)", "1", "a.__dict__", "_private = vars(a)")
        (done,) = notebook.run("%%step s\nboth = [a, a]")
        (lent,) = notebook.run("d = vars(a)\nd", "%%step t\nc = [a]")[1:]
        notebook.restart()
    assert done.status == "cached"
    assert lent.reason.startswith("not cacheable: `c[0]` is a A, which cannot be stored (something else")


def test_nobody_is_looked_for_who_holds_what_a_view_alone_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each field of a dataclass has such a view, and each search goes through all objects there are."""
    searches: list[Any] = []
    plain = gc.get_referrers

    def referrers(over: Any) -> list[Any]:
        searches.append(over)
        return plain(over)

    monkeypatch.setattr(gc, "get_referrers", referrers)
    lent, thing = {"a": 1}, SimpleNamespace(a=1)
    for alone in (MappingProxyType({}), MappingProxyType({"a": 1}), dataclass(Measured)):
        digest_value(alone)
    assert not searches
    digest_value(MappingProxyType(lent))
    assert searches
    with pytest.raises(CannotDigest):
        digest_value(MappingProxyType(vars(thing)))


def test_looking_for_who_holds_attributes_finds_nobody_for_ordinary_objects(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    point = Point()
    assert not lends_attributes(point)
    assert not lends_attributes(colors)
    assert not lends_attributes({"x": 1})
    ours = KeptAlive()
    ours[id(vars(point))] = vars(point)
    with monkeypatch.context() as patch:
        patch.setattr(gc, "get_referrers", lambda _: pytest.fail("nobody is looked for"))
        assert not lends_attributes(point)
    held = {id(vars(point)): vars(point)}
    assert lends_attributes(point)
    del held
    assert not lends_attributes(point)
    ours.clear()
    assert not lends_attributes(point)


def test_what_pickles_an_object_does_not_count_as_holding_its_attributes() -> None:
    point, stream = Point(), io.BytesIO()
    pickler = pickle.Pickler(stream)
    pickler.dump(point)
    assert not lends_attributes(point)
    assert stream.getvalue()


def test_a_tuple_that_reaches_itself_has_its_attributes_for_itself(notebook: Notebook) -> None:
    make = "class Rows(tuple): pass\nr = Rows([[1]])\nr.of = 2\nr[0].append(r)"
    for _ in range(2):
        (done,) = notebook.run(f"%%step make\n{make}")
        notebook.run("assert r[0][1] is r and r.of == 2")
        notebook.restart()
    assert done.status == "cached", done.reason
