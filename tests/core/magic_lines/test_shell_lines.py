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
        ("ls *.txt", ("*.txt",)),
        ("ls data/*.csv", ("data/*.csv",)),
        ("cat a | sort", ("a",)),
        ("ls | wc -l", (".",)),
        ("grep -i 'two words' a b | head -3 | sort -nr", ("a", "b")),
        ("cut -d, -f1 a.csv | sort -t, -k2 | uniq -c", ("a.csv",)),
        ("cut -d ',' -f 1,2 a.csv", ("a.csv",)),
        ("echo one | tac", ()),
    ],
)
def test_what_they_read_is_known(command: str, named: tuple[str, ...]) -> None:
    assert files_named(command) == named


@pytest.mark.parametrize(
    "command",
    [
        "",
        "ls -l",
        "ls --color",
        "cat",
        "cat a > b",
        "cat a | tee b",
        "cat a | sort -o b",
        "cat a || rm b",
        "cat a | xargs rm",
        "cat a | grep x b",
        "cat a |",
        "cat 'a*'",
        "cat a'b'",
        "cat 'a|b'",
        "echo *",
        "sort",
        "sort -R a",
        "sort --files0-from=a",
        "grep -r x .",
        "grep x",
        "uniq a b",
        "uniq a*",
        "awk 1 a",
        "sed -n 1p a",
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
