"""Shell lines that only read what they name."""

from __future__ import annotations

import pytest

from zennb.core.magic_lines.shell_lines import files_named


@pytest.mark.parametrize(
    ("command", "named"),
    [
        ("ls", (".",)),
        ("ls -1a data", ("data",)),
        ("cat a.txt 'b c.txt'", ("a.txt", "b c.txt")),
        ("head -n 2 data.csv", ("data.csv",)),
        ("head -2 data.csv", ("data.csv",)),
        ("tail -n3 data.csv", ("data.csv",)),
        ("wc -l a b", ("a", "b")),
    ],
)
def test_what_they_read_is_known(command: str, named: tuple[str, ...]) -> None:
    assert files_named(command) == named


@pytest.mark.parametrize(
    "command",
    [
        "",
        "ls -l",
        "ls *.txt",
        "ls --color",
        "cat",
        "cat a > b",
        "cat a | sort",
        "cat {name}",
        "cat $HOME/a",
        "cat ~/a",
        "head -n 2",
        "tail -f log",
        "cat a; rm b",
        "cat a && rm b",
        "cat a `rm b`",
        "rm a",
        "A=1 cat a",
        "cat 'a",
        "/bin/cat a",
        "wc --files0-from=a",
    ],
)
def test_all_others_may_do_anything(command: str) -> None:
    assert files_named(command) is None
