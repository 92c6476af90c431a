"""The key of a step: pinned, sensitive to every part, and its differences told in words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from zennb.core.planning.cache_key import cache_key, differences
from zennb.core.records.records import CacheKeyParts

PARTS = CacheKeyParts(
    code="c" * 32,
    outputs=("model",),
    inputs={"X": "1" * 32, "y": "2" * 32},
    reached={"function clean": "3" * 32},
    packages={"numpy": "2.0", "python": "3.11"},
    options={},
)


def test_the_key_of_known_parts_is_pinned() -> None:
    assert (
        cache_key(CacheKeyParts(code="c"))
        == "9673dcf07b50767cdefc8bf2d2acc6058a2765b94d2496513607451fd10cbcb0"
    )
    assert cache_key(PARTS) == "0cd2be65adbb792c47a5ee900c738490a62a8a5b2db37ee77924b8b0de13842f"


def test_the_order_in_which_parts_were_found_does_not_count() -> None:
    turned = replace(PARTS, inputs={name: PARTS.inputs[name] for name in sorted(PARTS.inputs, reverse=True)})
    assert cache_key(turned) == cache_key(PARTS)


def test_the_order_of_declared_outputs_counts() -> None:
    turned = replace(PARTS, outputs=("score", "model"))
    assert cache_key(turned) == "c1398a002bc9ede60cb6a1e64c5e015d2deee00d9dcbc9f338c1599eaf7db466"
    assert cache_key(turned) != cache_key(replace(PARTS, outputs=("model", "score")))


CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "code": ({"code": "d" * 32}, "its code changed"),
    "an input": ({"inputs": {"X": "9" * 32, "y": "2" * 32}}, "input `X` changed"),
    "an input more": ({"inputs": {**PARTS.inputs, "z": "5" * 32}}, "input `z` is new"),
    "an input less": ({"inputs": {"X": "1" * 32}}, "input `y` is gone"),
    "a function": ({"reached": {"function clean": "4" * 32}}, "function `clean` changed"),
    "a package": ({"packages": {"numpy": "2.1", "python": "3.11"}}, "numpy 2.0 → 2.1"),
    "outputs": ({"outputs": ("model", "score")}, "its declared outputs changed"),
    "an option": ({"options": {"depends-on a.csv": "1"}}, "option `--depends-on a.csv` is new"),
}


@pytest.mark.parametrize(("change", "said"), CHANGES.values(), ids=CHANGES)
def test_every_part_changes_the_key_and_is_named(change: dict[str, Any], said: str) -> None:
    other = replace(PARTS, **change)
    assert cache_key(other) != cache_key(PARTS)
    assert differences(PARTS, other) == [said]


def test_parts_cannot_be_confused_with_each_other() -> None:
    one = CacheKeyParts(code="c", inputs={"a": "b"})
    assert (
        len(
            {
                cache_key(one),
                cache_key(CacheKeyParts(code="c", reached={"function a": "b"})),
                cache_key(CacheKeyParts(code="c", options={"a": "b"})),
            }
        )
        == 3
    )


def test_equal_parts_differ_in_nothing() -> None:
    assert differences(PARTS, replace(PARTS)) == []
