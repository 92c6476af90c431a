"""Objects that call back what their library leaves out of a pickle: they have no digest, and so are not stored."""

from __future__ import annotations

from collections import Counter
from typing import Any

import matplotlib.pyplot as plt
import pytest
import traitlets as T
from matplotlib.cbook import CallbackRegistry
from matplotlib.figure import Figure
from matplotlib.transforms import Affine2D

from zennb.digests import lost_callbacks
from zennb.digests.digest import digest_value
from zennb.errors import CannotDigest

CLASSES: dict[str, Any] = {"__name__": "__main__", "T": T}
exec(
    "class Model(T.HasTraits):\n"
    "    x = T.Int(1)\n"
    "    y = T.Int(0)\n"
    "    @T.observe('x')\n"
    "    def _x_changed(self, change): self.y = change['new']\n"
    "    @T.validate('y')\n"
    "    def _valid(self, proposal): return proposal['value']\n"
    "class Listener:\n"
    "    def __init__(self): self.seen = []\n"
    "    def hear(self, change): self.seen.append(change)\n"
    "def hear(change): pass\n",
    CLASSES,
)
Model, Listener, hear = CLASSES["Model"], CLASSES["Listener"], CLASSES["hear"]


def content(value: object) -> str:
    return digest_value(value).digest


def observed(callback: Any) -> Any:
    model = Model()
    model.observe(callback, "x")
    return model


def linked() -> Any:
    one, other = Model(), Model()
    T.link((one, "x"), (other, "x"))
    return one


def registry(callback: Any = hear) -> Any:
    callbacks = CallbackRegistry()
    callbacks.connect("changed", callback)
    return callbacks


def drawn() -> Any:
    figure = Figure()
    figure.subplots().add_callback(hear)
    return figure


LISTENER, HEARD = Listener(), list[object]()


LOST = {
    "a function": (lambda: observed(hear), "hear"),
    "a method": (lambda: observed(Listener().hear), "hear"),
    "a builtin": (lambda: observed(print), "print"),
    "a link": (linked, "_update_target"),
    "a registry": (registry, "hear"),
    "a method that is held weakly": (lambda: registry(LISTENER.hear), "hear"),
    "a method of a list": (lambda: registry(HEARD.append), "append"),
    "wrapped by a library": (drawn, "hear"),
    "deep inside": (lambda: {"models": [observed(hear)]}, "hear"),
}


@pytest.mark.parametrize(("make", "callback"), LOST.values(), ids=LOST)
def test_an_object_whose_callback_would_be_lost_has_no_digest(make: Any, callback: str) -> None:
    with pytest.raises(CannotDigest, match=f"whose callback `{callback}` would be lost in a store"):
        digest_value(make())


def test_what_a_class_declares_is_made_again_and_not_lost() -> None:
    one, other = Model(x=3), Model(x=3)
    assert content(one) == content(other) != content(Model())
    assert content(CallbackRegistry()) == content(CallbackRegistry())


def test_a_callback_that_was_removed_is_not_lost() -> None:
    model = observed(hear)
    model.unobserve(hear, "x")
    assert content(model) == content(Model())


def test_what_a_recipe_keeps_under_another_name_is_not_lost() -> None:
    figure = plt.figure()
    plt.colorbar(plt.scatter([1, 2], [2, 3], c=[1, 2]))
    plt.close(figure)
    spines = figure.axes[0].spines
    assert spines.__getstate__() is vars(spines)["_dict"]
    assert content(figure)  # and so of the spines, whose axes hold a `list.remove`


def test_what_uses_a_transform_is_no_part_of_it() -> None:
    used, user = Affine2D(), type("Own", (Affine2D,), {"__module__": "__main__"})()
    before = content(used)
    user.heard = hear
    user.set_children(used)  # refers weakly to the one that uses it, and pickles it
    assert content(used) == before


def test_parts_of_a_figure_that_lead_to_each_other_are_looked_through_a_few_times(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    figure = Figure()
    axes = figure.subplots()
    for _ in range(20):
        axes.plot([1, 2, 3])
    looked: Counter[int] = Counter()
    kept = []

    def counted(value: Any) -> list[Any]:
        kept.append(value)
        looked[id(value)] += 1
        return parts(value)

    parts = lost_callbacks._parts
    monkeypatch.setattr(lost_callbacks, "_parts", counted)
    content(figure)
    assert max(looked.values()) <= lost_callbacks._DEEP
