"""What is known of the notebook's variables, and when it is no longer known."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zennb.core.records.records import Artifact
from zennb.digests.digest import digest_value
from zennb.engine.run.variable_tracker import VariableTracker
from zennb.errors import CannotDigest


def artifact(name: str, *, id: int | None = 1, kind: str = "output") -> Artifact:
    return Artifact(
        id=id, name=name, digest="d", blob="b", materializer="json", size=1, type="list", kind=kind
    )


def test_a_variable_is_its_artifact_until_code_has_changed_it() -> None:
    holdings, value, made = VariableTracker(), [1], artifact("x")
    holdings.bind("x", value, made, digest_value(value))
    assert holdings.look("x", value)[1] is made
    holdings.code_ran()
    assert holdings.look("x", value)[1] is made  # looked at again, and found the same
    value.append(2)
    holdings.code_ran()
    seen, found = holdings.look("x", value)
    assert found is None
    assert seen.digest == digest_value([1, 2]).digest


def test_a_variable_that_was_changed_and_changed_back_is_no_artifact_any_more_once_that_was_seen() -> None:
    holdings, value = VariableTracker(), [1]
    holdings.bind("x", value, artifact("x"), digest_value(value))
    value.append(2)
    holdings.code_ran()
    holdings.look("x", value)
    value.pop()
    holdings.code_ran()
    assert holdings.look("x", value)[1] is None


def test_content_is_looked_at_again_only_after_code_has_run() -> None:
    holdings, value = VariableTracker(), [1]
    first, _ = holdings.look("x", value)
    value.append(2)
    assert holdings.look("x", value)[0] is first
    holdings.code_ran()
    assert holdings.look("x", value)[0].digest != first.digest


def test_an_immutable_value_is_looked_at_once() -> None:
    holdings = VariableTracker()
    first, _ = holdings.look("x", "text")
    holdings.code_ran()
    assert holdings.look("x", "text")[0] is first


def test_another_object_under_the_name_is_not_the_artifact_even_if_it_is_equal() -> None:
    holdings, value = VariableTracker(), [1]
    holdings.bind("x", value, artifact("x"), digest_value(value))
    assert holdings.look("x", [1])[1] is None


def test_a_value_without_content_raises_and_is_not_remembered() -> None:
    holdings = VariableTracker()
    with pytest.raises(CannotDigest):
        holdings.look("g", (each for each in ""))
    assert not holdings._held


def test_what_steps_made_is_known_by_name_and_what_was_captured_is_not() -> None:
    holdings, value = VariableTracker(), [1]
    holdings.bind("x", value, artifact("x"), digest_value(value))
    holdings.bind("p", value, artifact("p", kind="captured"), digest_value(value))
    holdings.bind("own", value, None, digest_value(value))
    assert set(holdings.made()) == {"x"}
    assert holdings.made()["x"].place == id(value)


def test_the_moment_a_variable_became_an_artifact_stays_while_it_is_the_same_artifact() -> None:
    holdings, value = VariableTracker(), [1]

    def made_at(found: Artifact) -> tuple[int, int]:
        holdings.bind("x", value, found, digest_value(value))
        return holdings.made()["x"].made_at, holdings.made()["x"].moment

    assert made_at(artifact("x", id=1)) == (0, 0)
    holdings.code_ran()
    assert made_at(artifact("x", id=1)) == (0, 1)
    assert made_at(artifact("x", id=2)) == (1, 1)
    holdings.code_ran()
    assert made_at(artifact("x", id=None)) == (2, 2)
    holdings.code_ran()
    assert made_at(artifact("x", id=None)) == (3, 3)  # not recorded yet: nothing says that it is the same


def test_the_view_of_what_was_made_follows_and_cannot_be_written_to() -> None:
    holdings = VariableTracker()
    made = holdings.made()
    holdings.bind("x", 1, artifact("x"), digest_value(1))
    assert "x" in made
    with pytest.raises(TypeError):
        made["y"] = made["x"]  # type: ignore[index]


def test_values_that_the_namespace_no_longer_holds_are_let_go_of() -> None:
    holdings, kept, gone, other = VariableTracker(), [1], [2], [3]
    for name, value in {"kept": kept, "gone": gone, "other": other}.items():
        holdings.bind(name, value, artifact(name), digest_value(value))
    holdings.sweep({"kept": kept, "other": [3]})
    assert set(holdings._held) == {"kept"}
    assert set(holdings.made()) == {"kept", "gone", "other"}  # what was made is known by its content


def test_very_many_variables_are_swept_after_every_few_cells() -> None:
    holdings = VariableTracker()
    for number in range(250):
        holdings.bind(f"x{number}", number, None, digest_value(0))
    left = []
    for _ in range(3):
        holdings.sweep({})
        left.append(len(holdings._held))
    assert left == [250, 250, 0]


def test_partners_share_mutable_state_and_are_not_those_asked_about() -> None:
    holdings, inner = VariableTracker(), [1]
    space: dict[str, Any] = {
        "inner": inner,
        "outer": {"k": inner},
        "apart": [1],
        "_private": [inner],
        "Out": {1: inner},
        "text": "x",
        "waiting": (each for each in inner),
    }
    looks = {"inner": holdings.look("inner", inner)[0]}
    assert set(holdings.partners(looks, space)) == {"outer", "waiting"}
    assert holdings.partners({"text": digest_value("x")}, space) == {}
    assert holdings.partners({}, space) == {}


@given(st.lists(st.sampled_from(["change", "code", "look"]), max_size=12))
def test_whatever_happens_a_look_after_code_ran_is_that_of_the_object_as_it_is(deeds: list[str]) -> None:
    holdings, value = VariableTracker(), [0]
    made = artifact("x")
    holdings.bind("x", value, made, digest_value(value))
    for deed in deeds:
        if deed == "change":
            value.append(1)
        if deed in {"change", "code"}:
            holdings.code_ran()
        seen, found = holdings.look("x", value)
        assert seen.digest == digest_value(value).digest
        assert (found is made) is (value == [0])
