"""Runs the materializer contract on a good toy, and shows that it catches bad ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from zennb.materializers.materializer import Materializer
from zennb.testing.materializer import MaterializerContract

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from zennb.materializers.materializer import Buffer, Scope


class Json(Materializer):
    """Lists of numbers as JSON."""

    name = "toy-json"

    def handles(self, value: object) -> bool:
        return type(value) is list

    def dump(self, value: list[int]) -> Sequence[Buffer]:
        return [json.dumps(value).encode()]

    def load(self, buffer: Buffer, scope: Scope) -> list[int]:
        loaded: list[int] = json.loads(bytes(buffer))
        return loaded

    def summary(self, value: list[int]) -> dict[str, Any]:
        return {"kind": "sequence", "length": len(value), "items": []}


class Raw(Json):
    """Bytearrays as themselves, without copies."""

    name = "toy-raw"

    def handles(self, value: object) -> bool:
        return type(value) is memoryview

    def dump(self, value: Any) -> Sequence[Buffer]:
        return [value]

    def load(self, buffer: Buffer, scope: Scope) -> Any:
        return memoryview(buffer)


class TestJson(MaterializerContract):
    @pytest.fixture
    def materializer(self) -> Materializer:
        return Json()

    @pytest.fixture
    def values(self) -> Sequence[Any]:
        return [[], [1, 2, 3], list(range(1000))]


class RawContract(MaterializerContract):
    def same(self, value: Any, loaded: Any) -> bool:
        return bytes(value) == bytes(loaded)

    def memory(self, value: Any) -> memoryview:
        return memoryview(value)


class TestRaw(RawContract):
    @pytest.fixture
    def materializer(self) -> Materializer:
        return Raw()

    @pytest.fixture
    def values(self) -> Sequence[Any]:
        return [memoryview(bytearray(b"abc")), memoryview(bytearray(100_000))]


def copying(value: Any) -> list[bytes]:
    return [bytes(value)]


def copied(buffer: Any, scope: Any) -> memoryview:
    return memoryview(bytearray(buffer))


@pytest.mark.parametrize(("part", "fault"), [("dump", copying), ("load", copied)])
def test_the_contract_catches_copies(part: str, fault: Callable[..., Any]) -> None:
    bad = type("Bad", (Raw,), {part: staticmethod(fault)})()
    check = (
        RawContract.test_large_values_are_dumped_and_loaded_without_a_copy_where_they_have_memory_of_their_own
    )
    with pytest.raises(AssertionError, match="copied"):
        check(RawContract(), bad, [memoryview(bytearray(100_000))], {})


@pytest.mark.parametrize(
    ("part", "fault", "check"),
    [
        ("load", lambda _, scope: [0], "test_values_come_back_the_same"),
        ("handles", lambda _: False, "test_it_handles_what_it_is_made_for"),
        ("handles", lambda _: True, "test_it_leaves_alone_what_it_does_not_know"),
        ("summary", lambda _: {"kind": "number"}, "test_summaries_are_json_and_say_their_kind"),
        ("summary", lambda _: {"kind": "text", "text": "x" * 200_000}, "test_summaries_are_short"),
        ("name", "", "test_it_has_a_name"),
    ],
)
def test_the_contract_catches_faults(part: str, fault: Any, check: str) -> None:
    bad = type("Bad", (Json,), {part: staticmethod(fault) if callable(fault) else fault})()
    given = {"materializer": bad, "values": [[1, 2, 3]], "scope": {}}
    test = getattr(MaterializerContract(), check)
    names = test.__code__.co_varnames[1 : test.__code__.co_argcount]
    with pytest.raises(AssertionError):
        test(**{name: given[name] for name in names})
