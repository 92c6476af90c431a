"""Each statement of SECURITY.md has its test: `security_page.txt` says which."""

from __future__ import annotations

import ast
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tests.conventions.offenders import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = ROOT / "SECURITY.md"
TESTS_OF = Path(__file__).with_name("security_page.txt")

# What promises nothing: how to report, what the page or a list is about, definitions and advice.
WITHOUT_TEST = (
    "zennb runs your notebook",
    "This page says",
    "Use [private vulnerability reporting]",
    "Say which version",
    "We fix vulnerabilities",
    "What you do",
    "**What reuse never does",
    "zennb recognizes a secret in three ways",
    "What is recognized",
    "zennb **does not** find",
    "An *artifact store* holds",
    "Somebody who can write to them",
    "They **can**:",
    "Somebody who can write to it",
    "They **can**",
    "So share homes and stores",
)

_END_OF_SENTENCE = re.compile(r"(?<=[.!?]) (?=[A-Z*`\[]|zennb )")


def statements(text: str) -> list[str]:
    """The sentences of the paragraphs, and those of each bullet and each row of a table."""
    found = []
    for block in re.split(r"\n\s*\n|\n(?=- |#|\|)", text):
        whole = " ".join(block.split())
        if whole.startswith("|"):
            whole = "" if set(whole) <= set("|-") else whole.strip("| ").replace(" | ", ": ")
        if not whole.startswith("#"):
            found += _END_OF_SENTENCE.split(whole.removeprefix("- "))
    return [each for each in found if each]


def read_entries(text: str) -> dict[str, list[str]]:
    """Beginning of a statement → its tests, which are indented below it."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith(" "):
            found[list(found)[-1]].append(line.strip())
        elif line and not line.startswith("#"):
            assert line not in found, f"twice: {line}"
            found[line] = []
    return found


def faults(page: str, entries: dict[str, list[str]], without_test: tuple[str, ...]) -> Iterator[str]:
    beginnings = (*entries, *without_test)
    found = dict.fromkeys(beginnings, 0)
    for each in statements(page):
        if fitting := [known for known in beginnings if each.startswith(known)]:
            found[max(fitting, key=len)] += 1
        else:
            yield f"no test for: {each}"
    yield from (f"{count} statements begin so: {known}" for known, count in found.items() if count != 1)
    yield from (f"no test is named for: {known}" for known, tests in entries.items() if not tests)


@cache
def names_in(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(each.name for each in ast.walk(tree) if isinstance(each, ast.FunctionDef))


def is_there(test: str) -> bool:
    file, _, name = test.partition("::")
    path = ROOT / file
    return name.startswith("test_") and path.exists() and name in names_in(path)


def test_each_statement_has_an_entry_and_each_entry_a_statement() -> None:
    entries = read_entries(TESTS_OF.read_text(encoding="utf-8"))
    assert len(statements(PAGE.read_text(encoding="utf-8"))) > 100
    assert list(faults(PAGE.read_text(encoding="utf-8"), entries, WITHOUT_TEST)) == []


def test_the_tests_that_are_named_exist() -> None:
    named = [test for tests in read_entries(TESTS_OF.read_text(encoding="utf-8")).values() for test in tests]
    assert [test for test in named if not is_there(test)] == []


def test_what_is_wrong_is_found() -> None:
    page = """# Title

Intro. zennb does
it `x`. It
does more.

| What | Runs |
|---|---|
| this | code. No more |

- a
  b.
- c
"""
    assert statements(page) == [
        "Intro.",
        "zennb does it `x`.",
        "It does more.",
        "What: Runs",
        "this: code.",
        "No more",
        "a b.",
        "c",
    ]
    entries = {"zennb does": ["t"], "It does": [], "a b": ["t"], "gone": ["t"], "this": ["t"], "No": ["t"]}
    assert list(faults(page, entries, ("Intro", "What"))) == [
        "no test for: c",
        "0 statements begin so: gone",
        "no test is named for: It does",
    ]
    assert read_entries("# Title\n\none\n    a\n    b\n\ntwo\n    c\n") == {"one": ["a", "b"], "two": ["c"]}
    own = "tests/conventions/test_security_page.py::test_"
    assert [is_there(f"{own}{rest}") for rest in ("what_is_wrong_is_found", "nothing")] == [True, False]
    assert not is_there("tests/conventions/none.py::test_what_is_wrong_is_found")


def test_stores_that_others_reach_come_with_the_library_for_signatures() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]

    def brought_by(extra: str) -> set[str]:
        found = {extra}
        for line in extras[extra]:
            if (own := re.fullmatch(r"zennb\[([\w,-]+)\]", line)) is not None:
                found |= {each for name in own[1].split(",") for each in brought_by(name)}
        return found

    assert any(line.startswith("cryptography") for line in extras["sharing"])
    assert [each for each in ("fsspec", "s3", "gcs", "azure") if "sharing" not in brought_by(each)] == []
