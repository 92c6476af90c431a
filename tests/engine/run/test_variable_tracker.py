"""What is known of the notebook's variables, and when it is no longer known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zennb.core.records.records import Artifact
from zennb.digests.digest import digest_value
from zennb.digests.reachability import Search
from zennb.engine.run.variable_tracker import VariableTracker
from zennb.errors import CannotDigest


def artifact(name: str, *, id: int | None = 1, kind: str = "output") -> Artifact:
    return Artifact(
        id=id, name=name, digest="d", blob="b", materializer="json", size=1, type="list", kind=kind
    )


def test_a_variable_is_its_artifact_until_code_has_changed_it() -> None:
    variables, value, made = VariableTracker(), [1], artifact("x")
    variables.bind("x", value, made, digest_value(value))
    assert variables.digest("x", value)[1] is made
    variables.code_ran()
    assert variables.digest("x", value)[1] is made  # looked at again, and found the same
    value.append(2)
    variables.code_ran()
    seen, found = variables.digest("x", value)
    assert found is None
    assert seen.digest == digest_value([1, 2]).digest


def test_a_variable_that_was_changed_and_changed_back_is_no_artifact_any_more_once_that_was_seen() -> None:
    variables, value = VariableTracker(), [1]
    variables.bind("x", value, artifact("x"), digest_value(value))
    value.append(2)
    variables.code_ran()
    variables.digest("x", value)
    value.pop()
    variables.code_ran()
    assert variables.digest("x", value)[1] is None


def test_content_is_looked_at_again_only_after_code_has_run() -> None:
    variables, value = VariableTracker(), [1]
    first, _ = variables.digest("x", value)
    value.append(2)
    assert variables.digest("x", value)[0] is first
    variables.code_ran()
    assert variables.digest("x", value)[0].digest != first.digest


def test_an_immutable_value_is_looked_at_once() -> None:
    variables = VariableTracker()
    first, _ = variables.digest("x", "text")
    variables.code_ran()
    assert variables.digest("x", "text")[0] is first


def test_another_object_under_the_name_is_not_the_artifact_even_if_it_is_equal() -> None:
    variables, value = VariableTracker(), [1]
    variables.bind("x", value, artifact("x"), digest_value(value))
    assert variables.digest("x", [1])[1] is None


def test_a_value_without_content_raises_and_is_not_remembered() -> None:
    variables = VariableTracker()
    with pytest.raises(CannotDigest):
        variables.digest("g", (each for each in ""))
    assert not variables._tracked


def test_what_steps_made_is_known_by_name_and_what_was_captured_is_not() -> None:
    variables, value = VariableTracker(), [1]
    variables.bind("x", value, artifact("x"), digest_value(value))
    variables.bind("p", value, artifact("p", kind="captured"), digest_value(value))
    variables.bind("own", value, None, digest_value(value))
    assert set(variables.made()) == {"x"}
    assert variables.made()["x"].place == id(value)


def test_the_moment_a_variable_became_an_artifact_stays_while_it_is_the_same_artifact() -> None:
    variables, value = VariableTracker(), [1]

    def made_at(found: Artifact) -> tuple[int, int]:
        variables.bind("x", value, found, digest_value(value))
        return variables.made()["x"].made_at, variables.made()["x"].moment

    assert made_at(artifact("x", id=1)) == (0, 0)
    variables.code_ran()
    assert made_at(artifact("x", id=1)) == (0, 1)
    assert made_at(artifact("x", id=2)) == (1, 1)
    variables.code_ran()
    assert made_at(artifact("x", id=None)) == (2, 2)
    variables.code_ran()
    assert made_at(artifact("x", id=None)) == (3, 3)  # not recorded yet: nothing says that it is the same


def test_the_view_of_what_was_made_follows_and_cannot_be_written_to() -> None:
    variables = VariableTracker()
    made = variables.made()
    variables.bind("x", 1, artifact("x"), digest_value(1))
    assert "x" in made
    with pytest.raises(TypeError):
        made["y"] = made["x"]  # type: ignore[index]


def test_values_that_the_namespace_no_longer_holds_are_let_go_of() -> None:
    variables, kept, gone, other = VariableTracker(), [1], [2], [3]
    for name, value in {"kept": kept, "gone": gone, "other": other}.items():
        variables.bind(name, value, artifact(name), digest_value(value))
    variables.sweep({"kept": kept, "other": [3]})
    assert set(variables._tracked) == {"kept"}
    assert set(variables.made()) == {"kept", "gone", "other"}  # what was made is known by its content


def test_very_many_variables_are_swept_after_every_few_cells() -> None:
    variables = VariableTracker()
    for number in range(250):
        variables.bind(f"x{number}", number, None, digest_value(0))
    left = []
    for _ in range(3):
        variables.sweep({})
        left.append(len(variables._tracked))
    assert left == [250, 250, 0]


def test_partners_share_mutable_state_and_are_not_those_asked_about() -> None:
    variables, inner = VariableTracker(), [1]
    space: dict[str, Any] = {
        "inner": inner,
        "outer": {"k": inner},
        "apart": [1],
        "_private": [inner],
        "Out": {1: inner},
        "text": "x",
        "waiting": (each for each in inner),
    }
    digests = {"inner": variables.digest("inner", inner)[0]}
    assert set(variables.partners(digests, space)) == {"outer", "waiting"}
    assert variables.partners({"text": digest_value("x")}, space) == {}
    assert variables.partners({}, space) == {}


def test_a_variable_that_was_digested_since_code_ran_is_not_searched_for_partners(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    variables, inner, memory = VariableTracker(), [1], np.arange(4)
    space: dict[str, Any] = {
        "inner": inner,
        "outer": [inner],
        "apart": [1],
        "memory": memory,
        "view": memory[1:],
    }
    digests = {name: variables.digest(name, value)[0] for name, value in space.items()}
    searched: list[Any] = []

    def finds(_search: object, value: object, **_named: object) -> bool:
        searched.append(value)
        return True

    monkeypatch.setattr(Search, "finds", finds)
    assert set(variables.partners({"inner": digests["inner"]}, space)) == {"outer"}
    assert set(variables.partners({"memory": digests["memory"]}, space)) == {"view"}
    assert searched == []
    variables.code_ran()
    variables.partners({"inner": digests["inner"]}, space)
    together, *apart = searched
    assert len(apart) == 4
    assert list(map(id, together)) == list(map(id, apart))


@given(st.lists(st.sampled_from(["change", "code", "look"]), max_size=12))
def test_whatever_happens_a_look_after_code_ran_is_that_of_the_object_as_it_is(deeds: list[str]) -> None:
    variables, value = VariableTracker(), [0]
    made = artifact("x")
    variables.bind("x", value, made, digest_value(value))
    for deed in deeds:
        if deed == "change":
            value.append(1)
        if deed in {"change", "code"}:
            variables.code_ran()
        seen, found = variables.digest("x", value)
        assert seen.digest == digest_value(value).digest
        assert (found is made) is (value == [0])


def test_figures_are_no_partners_and_are_not_digested_once_what_they_share_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    figures: Any = pytest.importorskip("matplotlib.figure")
    variables, space = VariableTracker(), dict[str, Any]()
    for name in ("one", "two", "three"):
        space[name] = figures.Figure()
        space[name].subplots().plot([1, 2])
    digests = {"one": variables.digest("one", space["one"])[0]}
    assert variables.partners(digests, space) == {}
    variables.code_ran()
    digested: list[str] = []
    digest = VariableTracker.digest

    def counted(self: VariableTracker, name: str, value: Any) -> Any:
        digested.append(name)
        return digest(self, name, value)

    monkeypatch.setattr(VariableTracker, "digest", counted)
    assert variables.partners(digests, space) == {}
    assert digested == []
    space["axes"] = space["one"].axes
    assert set(variables.partners(digests, space)) == {"axes"}
