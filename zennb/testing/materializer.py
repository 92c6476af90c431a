"""Owns the contract of materializers, as tests: inherit `MaterializerContract` and give its fixtures."""

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
    """What every materializer does.

    Fixtures to give:
        materializer: the one to test.
        values: values it is made for: usual ones, empty ones, large ones, awkward ones.
        scope: names of a notebook that loading them needs; none unless given.

    `same` compares a value with what was loaded; override it where the canonical digest is not the measure.
    """

    @pytest.fixture
    def materializer(self) -> Materializer:
        """Return the materializer to test."""
        pytest.fail("Give a fixture `materializer`.")

    @pytest.fixture
    def values(self) -> Sequence[Any]:
        """Return values it is made for."""
        pytest.fail("Give a fixture `values`.")

    @pytest.fixture
    def scope(self) -> Scope:
        """Return the names of the notebook."""
        return {}

    def same(self, value: Any, loaded: Any) -> bool:
        """Say whether `loaded` is the value that was dumped."""
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
        """Write to a loaded value in place, where it can be; lists and arrays are tried here."""
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
        """Write to the value's memory and look for the change in what was dumped, and so for the loaded one."""
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
        """Return the value's own memory when it is to be handed on uncopied; None when there is none."""
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
    """A type no materializer was made for."""


def _joined(buffers: Sequence[Buffer]) -> bytearray:
    return bytearray().join(PickleBuffer(buffer).raw() for buffer in buffers)


def _flip(memory: memoryview | None) -> None:
    assert memory is not None
    flat = PickleBuffer(memory).raw()
    flat[len(flat) // 2] ^= 255
