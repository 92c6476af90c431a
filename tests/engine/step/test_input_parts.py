"""Artifacts that are parts of others: found again, and odd records of them are missing parts, not tracebacks."""

from __future__ import annotations

import pytest

from zennb.core.records.records import Artifact
from zennb.engine.step.input_parts import part_in
from zennb.errors import DamagedArtifact

WHOLE = {"a": [1, {"b": 2}]}


def part(item: str) -> Artifact:
    return Artifact(
        name="x",
        digest="d",
        blob="b" * 64,
        materializer="plain",
        size=3,
        type="int",
        item=item,
        summary={"part": {"of": "whole", "item": None}},
    )


def test_a_part_is_found() -> None:
    assert part_in(WHOLE, part('[0, [["a"], [1], ["b"]]]')) == 2


@pytest.mark.parametrize(
    "item", ["", "x", "[", "[" * 50_000, "3", "[0, 2]", "[0, [1]]", '[0, [["c"]]]', '[0, [[["a"]]]]', "{}"]
)
def test_an_odd_record_is_a_missing_part(item: str) -> None:
    with pytest.raises(DamagedArtifact, match="not in `whole`"):
        part_in(WHOLE, part(item or "null"))
