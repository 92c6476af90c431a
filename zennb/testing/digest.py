"""Owns the contract of digests, as tests: inherit `DigestContract` and define its fixtures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from zennb.digests.digest import digest, digest_value
from zennb.engine.step.shared_state import share

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["DigestContract"]


class DigestContract:
    """The contract of the digest of a type, whether a package defines it or `zennb.digest`.

    Fixtures to define:
        make: returns a new value: equal at each call, and sharing no state with earlier ones.
        changes: functions that each change a value in place; each makes a different change that must be detected.
        parts: returns the parts of a value that can be changed in place by themselves; by default none.
    """

    @pytest.fixture
    def make(self) -> Callable[[], Any]:
        """Return a function that returns a new value."""
        pytest.fail("Give a fixture `make`.")

    @pytest.fixture
    def changes(self) -> Sequence[Callable[[Any], object]]:
        """Return functions that change a value in place."""
        pytest.fail("Give a fixture `changes`.")

    @pytest.fixture
    def parts(self) -> Callable[[Any], Sequence[Any]]:
        """Return a function that returns the parts of a value."""
        return lambda _value: ()

    def test_equal_values_have_one_digest(self, make: Callable[[], Any]) -> None:
        assert len({digest(make()) for _ in range(3)}) == 1

    def test_looking_changes_nothing(self, make: Callable[[], Any]) -> None:
        value = make()
        assert len({digest(value) for _ in range(3)}) == 1

    def test_every_change_is_seen(
        self, make: Callable[[], Any], changes: Sequence[Callable[[Any], object]]
    ) -> None:
        found = {digest(make())}
        for change in changes:
            value = make()
            change(value)
            found.add(digest(value))
        assert len(found) == len(changes) + 1, "a change does not show, or two changes look alike"

    def test_a_change_is_seen_inside_containers(
        self, make: Callable[[], Any], changes: Sequence[Callable[[Any], object]]
    ) -> None:
        for change in changes:
            value = make()
            wrapped = {"a": [1, (value, "b")]}
            before = digest(wrapped)
            change(value)
            assert digest(wrapped) != before

    def test_it_is_no_other_type_of_the_same_content(self, make: Callable[[], Any]) -> None:
        assert digest(make()) != digest([make()])

    def test_two_values_share_nothing(self, make: Callable[[], Any]) -> None:
        one, other = make(), make()
        assert not share(digest_value(one), digest_value(other)), (
            "a change of the one would count as a change of the other"
        )

    def test_one_value_under_two_names_is_shared(self, make: Callable[[], Any]) -> None:
        value = make()
        assert share(digest_value(value), digest_value([value]))

    def test_a_value_shares_state_with_its_parts(
        self, make: Callable[[], Any], parts: Callable[[Any], Sequence[Any]]
    ) -> None:
        value = make()
        for part in parts(value):
            assert share(digest_value(value), digest_value(part)), (
                f"a change of {part!r:.80} would not count as one of the value"
            )
