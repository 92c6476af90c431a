"""Constants of libraries: they are looked for once in all modules, however many objects a value has."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import attributes_of

if TYPE_CHECKING:
    import pytest

    from tests.materializers.conftest import Trip


def test_modules_are_looked_through_once_for_many_objects(
    trip: Trip, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def counted(value: Any) -> Any:
        asked.append(value)
        return attributes_of(value)

    monkeypatch.setattr("zennb.materializers.constants.attributes_of", counted)
    value = [object() for _ in range(50)]
    _, again = trip(value)
    assert len(again) == 50
    assert len(asked) < 5 * len(sys.modules)
