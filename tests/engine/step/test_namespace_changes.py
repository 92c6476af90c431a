"""What a step leaves behind in its namespace: bound, changed, defined and deleted names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.engine.steps import step
from zennb.digests.digest import digest_value
from zennb.engine.step.namespace_changes import NamespaceChanges, NamespaceSnapshot, collect_changes
from zennb.errors import NotStorable

if TYPE_CHECKING:
    from zennb.engine.step.definition import StepDefinition


def ran(
    definition: StepDefinition, namespace: dict[str, Any], *, inputs: tuple[str, ...] = ()
) -> NamespaceChanges:
    """Execute a step and collect what it left."""
    namespace.setdefault("__name__", "__main__")
    seen = {name: (namespace[name], digest_value(namespace[name], name=name)) for name in inputs}
    before = NamespaceSnapshot(namespace, definition, ())
    before.hide()
    exec(compile(definition.tree, definition.filename, "exec"), namespace)
    before.show()
    return collect_changes(definition, namespace, before=before, inputs=seen)


def sentences(found: NamespaceChanges) -> list[str]:
    return [str(each) for each in found.reasons]


def test_bound_names_are_outputs_in_order_and_private_ones_stay_the_steps_own() -> None:
    found = ran(step("b = 1\na = 2\n_c = 3"), {})
    assert list(found.values) == ["b", "a"]
    assert found.own == ("_c",)
    assert (found.values["a"][0], found.values["a"][1].digest) == (2, digest_value(2).digest)
    assert not found.reasons


def test_declared_outputs_are_the_only_ones_and_may_be_private() -> None:
    found = ran(step("a = 1\nb = 2\n_c = 3", outputs=("_c", "a")), {})
    assert set(found.values) == {"a", "_c"}
    assert found.own == ("b",)


def test_a_changed_input_is_an_output_whatever_is_declared() -> None:
    found = ran(step("log.append(1)\na = 1", outputs=("a",)), {"log": []}, inputs=("log",))
    assert set(found.values) == {"a", "log"}


def test_imports_and_definitions_are_named_and_not_stored() -> None:
    found = ran(step("import math as m\ndef f(): pass\nclass C: pass"), {})
    assert found.defines == ("m", "f", "C")
    assert not found.values


def test_a_function_that_a_call_made_is_stored_like_data() -> None:
    found = ran(step("def adder(n):\n    return lambda v: v + n\nadd = adder(5)"), {})
    assert found.defines == ("adder",)
    assert set(found.values) == {"add"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("n = {}\nC = type('C', (), n)", "`C` is a class made while the step runs"),
        (
            "n = {}\nC = type('C', (), n)\nD = type('D', (), n)",
            "`C`, `D` are classes made while the step runs",
        ),
        ("import types\nm = types.ModuleType('m')", "`m` is a module made while the step runs"),
    ],
)
def test_classes_and_modules_that_only_running_brings_back_are_named(text: str, sentence: str) -> None:
    assert sentence in sentences(ran(step(text), {}))


def test_inputs_that_stayed_the_same_are_known_to_be_unchanged() -> None:
    space: dict[str, Any] = {"n": 1, "kept": [1], "grown": [1]}
    found = ran(step("grown.append(n + len(kept))"), space, inputs=("n", "kept", "grown"))
    assert found.unchanged == {"n", "kept"}
    assert set(found.values) == {"grown"}


def test_an_input_that_lost_its_content_is_a_trouble() -> None:
    found = ran(step("box.append(i for i in ())"), {"box": []}, inputs=("box",))
    assert not found.values
    assert not found.unchanged
    assert any("box" in trouble and "generator" in trouble for trouble in sentences(found))


def test_inputs_that_share_state_with_an_output_come_along_one_through_the_other() -> None:
    first: list[int] = []
    second: list[int] = []
    space: dict[str, Any] = {"middle": [first, second], "far": [second], "apart": [1]}
    found = ran(step("out = [middle[0]]\nlen(far) + len(apart)"), space, inputs=("far", "middle", "apart"))
    assert set(found.values) == {"out", "middle", "far"}


def test_an_input_bound_anew_is_no_partner_of_the_object_it_was() -> None:
    found = ran(step("held.append(2)\nout = held\nheld = 2"), {"held": [1]}, inputs=("held",))
    assert found.values["held"][0] == 2
    assert found.values["out"][0] == [1, 2]


def test_what_is_not_stored_is_deleted_on_reuse() -> None:
    found = ran(step("big = [1]\nsmall = 2", no_store=("big",)), {})
    assert set(found.values) == {"small"}
    assert found.deletes == ("big",)


def test_a_declared_output_must_be_bound() -> None:
    with pytest.raises(NotStorable, match=r"declares `-o z` but its code did not bind `z`") as caught:
        ran(step("a = 1", outputs=("a", "z")), {})
    assert caught.value.path == "z"


def test_a_declared_output_must_have_content() -> None:
    with pytest.raises(
        NotStorable, match=r"declares `-o g`, but `g` is .*generator.*, which cannot be stored"
    ):
        ran(step("g = (i for i in ())", outputs=("g",)), {})


def test_a_declared_output_may_have_been_bound_before() -> None:
    assert ran(step("a = 1", outputs=("a", "old")), {"old": 7}).values["old"][0] == 7


def test_what_hides_effects_is_a_trouble() -> None:
    assert "it uses `exec(...)`" in sentences(ran(step("exec('a = 1')"), {}))
    space: dict[str, Any] = {}
    exec("import types\nm = types.ModuleType('m')\nclass C: pass", space)
    assert sentences(ran(step("C.count = 1"), {"C": space["C"]})) == ["it sets `C.count`"]


# Before


def test_names_in_doubt_are_out_of_the_way_while_the_step_runs_and_come_back() -> None:
    space: dict[str, Any] = {"x": 1, "c": False}
    before = NamespaceSnapshot(space, step("if c: x = 2"), ())
    before.hide()
    assert "x" not in space
    before.show()
    assert space["x"] == 1


def test_a_name_in_doubt_that_is_bound_to_the_same_object_was_bound() -> None:
    space: dict[str, Any] = {"x": 1, "c": True}
    before = NamespaceSnapshot(space, step("if c: x = 1"), ())
    before.hide()
    space["x"] = 1
    before.show()
    assert before.bound() == ["x"]


def test_a_name_that_the_step_reads_stays_and_counts_as_bound_when_its_object_is_another() -> None:
    space: dict[str, Any] = {"x": [1], "c": True}
    before = NamespaceSnapshot(space, step("if c: x = x + [2]"), ())
    before.hide()
    assert space["x"] == [1]
    assert before.bound() == []
    space["x"] = [1, 2]
    assert before.bound() == ["x"]


def test_what_a_function_writes_is_bound_too() -> None:
    space: dict[str, Any] = {"total": [1]}
    before = NamespaceSnapshot(space, step("f()"), ("total",))
    assert before.bound() == []
    space["total"] = [2]
    assert before.bound() == ["total"]


def test_deleted_are_names_that_were_there_and_those_deleted_whatever_happens() -> None:
    space: dict[str, Any] = {"a": 1, "c": True, "kept": 1}
    definition = step("if c:\n    del a, kept\nnew = 1\ndel new\ndel absent")
    before = NamespaceSnapshot(space, definition, ())
    del space["a"]
    assert set(before.deleted()) == {"a", "new", "absent"}


def test_what_the_step_may_touch_can_be_given_back() -> None:
    space: dict[str, Any] = {"a": 1, "b": 2}
    before = NamespaceSnapshot(space, step("a = 10\nb = 20\nc = 30"), ())
    space.update(a=10, b=20, c=30)
    before.restore(["a"])
    assert (space["a"], space["b"], space["c"]) == (1, 20, 30)
    before.restore()
    assert space == {"a": 1, "b": 2}
