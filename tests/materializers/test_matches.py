from __future__ import annotations

import re
from typing import Any

import pytest

from zennb.materializers.matches import found_again, match_recipe

MATCHES: dict[str, Any] = {
    "match": lambda: re.match(r"(\w+) (\w+)", "one two three"),
    "search": lambda: re.search(r"t(?P<rest>\w+)", "one two three"),
    "fullmatch": lambda: re.fullmatch(r"a|ab", "ab"),
    "a later one": lambda: list(re.finditer(r"(\w)(\d)?", "a b1 c"))[2],
    "an empty one": lambda: list(re.finditer(r"x*", "ab"))[1],
    "the second from one place on": lambda: list(re.finditer(r"\b|\w+", "one"))[1],
    "a group that is not there": lambda: re.match(r"(a)|(b)", "b"),
    "within bounds": lambda: re.compile("b").search("abcb", 2, 4),
    "bytes": lambda: re.search(rb"\d+", b"ab12"),
    "behind": lambda: re.compile(r"(?<=a)b").match("ab", 1),
    "one that begins elsewhere": lambda: re.compile(r"a+").match("aaa", 1),
}


@pytest.mark.parametrize("case", MATCHES)
def test_a_match_is_found_again(case: str) -> None:
    match = MATCHES[case]()
    recipe = match_recipe(match)
    assert recipe is not None
    make, parts = recipe
    again = make(*parts)
    assert again is not match
    for name in ("re", "string", "pos", "endpos", "regs", "lastindex", "lastgroup"):
        assert getattr(again, name) == getattr(match, name)
    assert (again.groups(), again.groupdict()) == (match.groups(), match.groupdict())


def test_other_objects_and_matches_in_other_memory_have_no_recipe() -> None:
    assert match_recipe("text") is None
    assert match_recipe(re.search(b"a", bytearray(b"a"))) is None
    with pytest.raises(LookupError, match="'a' is not found there again"):
        found_again(re.compile("a"), "ba", 0, 2, ((0, 1),))
