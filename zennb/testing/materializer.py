"""Owns the contract of materializers, as tests: inherit `MaterializerContract` and define its fixtures."""

from __future__ import annotations

import json
from pickle import PickleBuffer
from typing import TYPE_CHECKING, Any

import pytest

from zennb.digests.digest import digest
from zennb.materializers.summary import KINDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zennb.materializers.materializer import Buffer, Materializer, Scope

__all__ = ["MaterializerContract"]


class MaterializerContract:
    """The contract of every materializer.

    Fixtures to define:
        materializer: the one to test.
        values: values that it handles: usual, empty, large and awkward ones.
        scope: names of a notebook that are needed to load them; by default none.

    `same` compares a value with what was loaded; override it if equal digests are not the right measure.
    """

    @pytest.fixture
    def materializer(self) -> Materializer:
        """Return the materializer to test."""
        pytest.fail("Give a fixture `materializer`.")

    @pytest.fixture
    def values(self) -> Sequence[Any]:
        """Return values that it handles."""
        pytest.fail("Give a fixture `values`.")

    @pytest.fixture
    def scope(self) -> Scope:
        """Return the names of the notebook."""
        return {}

    def same(self, value: Any, loaded: Any) -> bool:
        """Return whether `loaded` equals the value that was dumped."""
        return type(value) is type(loaded) and digest(value) == digest(loaded)

    def test_it_has_a_name(self, materializer: Materializer) -> None:
        assert materializer.name
        assert materializer.name == materializer.name.strip().lower()

    def test_it_handles_what_it_is_made_for(self, materializer: Materializer, values: Sequence[Any]) -> None:
        assert values, "give at least one value"
        assert all(materializer.handles(value) for value in values)

    def test_it_leaves_alone_what_it_does_not_know(self, materializer: Materializer) -> None:
        assert materializer.handles(_Stranger()) in {False, materializer.runs_code}

    def test_buffers_are_flat_bytes(self, materializer: Materializer, values: Sequence[Any]) -> None:
        for value in values:
            for buffer in materializer.dump(value):
                assert memoryview(buffer).contiguous

    def test_values_come_back_the_same(
        self, materializer: Materializer, values: Sequence[Any], scope: Scope
    ) -> None:
        for value in values:
            loaded = materializer.load(_joined(materializer.dump(value)), scope)
            assert self.same(value, loaded), f"{value!r:.200} came back as {loaded!r:.200}"

    def test_values_come_back_the_same_from_bytes_that_cannot_be_written_to(
        self, materializer: Materializer, values: Sequence[Any], scope: Scope
    ) -> None:
        for value in values:
            loaded = materializer.load(bytes(_joined(materializer.dump(value))), scope)
            assert self.same(value, loaded)

    def test_dumping_does_not_change_the_value(
        self, materializer: Materializer, values: Sequence[Any], scope: Scope
    ) -> None:
        for value in values:
            first = bytes(_joined(materializer.dump(value)))
            materializer.summary(value)
            again = materializer.load(bytes(_joined(materializer.dump(value))), scope)
            assert self.same(materializer.load(first, scope), again)

    def test_what_is_loaded_twice_shares_nothing_with_the_bytes_kept(
        self, materializer: Materializer, values: Sequence[Any], scope: Scope
    ) -> None:
        for value in values:
            kept = bytes(_joined(materializer.dump(value)))
            self.change(materializer.load(bytearray(kept), scope))
            assert self.same(value, materializer.load(bytearray(kept), scope))

    def change(self, loaded: Any) -> None:
        """Change a loaded value in place, if possible; this one handles lists and arrays."""
        if isinstance(loaded, list | bytearray) and loaded:
            loaded[0] = loaded[-1]
        elif hasattr(loaded, "flags") and hasattr(loaded, "flat") and loaded.size:
            assert loaded.flags.writeable, "a loaded array has to be writable in place"
            loaded.flat[0] = loaded.flat[-1]

    def test_large_values_are_dumped_and_loaded_without_a_copy_where_they_have_memory_of_their_own(
        self, materializer: Materializer, values: Sequence[Any], scope: Scope
    ) -> None:
        for value in values:
            owner = self.memory(value)
            if owner is not None and owner.nbytes >= 1 << 16 and not owner.readonly:
                self.check_sharing(materializer, value, scope)

    def check_sharing(self, materializer: Materializer, value: Any, scope: Scope) -> None:
        """Check that a write to a value's memory shows in its dumped buffers, and likewise for the loaded value."""
        dumped = materializer.dump(value)
        kept = _joined(dumped)
        _flip(self.memory(value))
        assert _joined(dumped) != kept, "dump copied the value's memory"
        _flip(self.memory(value))
        loaded = materializer.load(kept, scope)
        before = bytes(kept)
        _flip(self.memory(loaded))
        assert kept != before, "load copied the bytes"

    def memory(self, value: Any) -> memoryview | None:
        """Return the value's own memory if it must be dumped without a copy; None otherwise."""
        del value
        return None

    def test_summaries_are_json_and_say_their_kind(
        self, materializer: Materializer, values: Sequence[Any]
    ) -> None:
        for value in values:
            summary = materializer.summary(value)
            assert summary["kind"] in KINDS
            assert json.loads(json.dumps(summary, allow_nan=False)) == summary

    def test_summaries_are_short(self, materializer: Materializer, values: Sequence[Any]) -> None:
        for value in values:
            assert len(json.dumps(materializer.summary(value))) < 128 * 1024


class _Stranger:
    """A type that no materializer is made for."""


def _joined(buffers: Sequence[Buffer]) -> bytearray:
    return bytearray().join(PickleBuffer(buffer).raw() for buffer in buffers)


def _flip(memory: memoryview | None) -> None:
    assert memory is not None
    flat = PickleBuffer(memory).raw()
    flat[len(flat) // 2] ^= 255
