"""The marks by which a change in place is seen in code."""

from __future__ import annotations

import ast

import pytest

from zennb.jupyter.cells.mutation import changes_in_place

CHANGING = (
    "df['z'] = 1",
    "df.loc[0, 'z'] = 1",
    "df.x = 1",
    "df.x += 1",
    "df['z'] += 1",
    "df += 1",
    "del df['z']",
    "for df['z'] in range(2): pass",
    "df.append(1)",
    "df.columns.append(1)",
    "df.drop('z', inplace=True)",
    "df.drop('z', inplace=really)",
    "df.set_title('a')",
    "rng.shuffle(df)",
    "if x:\n    df.sort()",
)


@pytest.mark.parametrize("code", CHANGING)
def test_a_change_in_place_is_seen(code: str) -> None:
    assert changes_in_place(ast.parse(code), {"df"})
    assert not changes_in_place(ast.parse(code), {"other"})


READING = (
    "df",
    "df = 1",
    "df.head()",
    "y = df['z']",
    "df.sort_values('z', inplace=False)",
    "df.set_index('z')",
)


@pytest.mark.parametrize("code", READING)
def test_reading_and_binding_are_no_changes_in_place(code: str) -> None:
    assert not changes_in_place(ast.parse(code), {"df"})
