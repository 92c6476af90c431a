from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from zennb.commands.catalogue import MAGICS, build
from zennb.commands.help import example, help_text
from zennb.commands.interface import Interface
from zennb.commands.parser import find, parse
from zennb.commands.reference import reference
from zennb.commands.syntax import Verb, paths

Commands = Any
TREE = build(frozenset({"orchestrator", "artifact_store"}))
VERBS = [
    (face, path, verb) for face in Interface for part in TREE.known(face) for path, verb in paths(part, face)
]


def test_the_reference_page_is_what_the_tree_gives() -> None:
    page = Path(__file__).parents[2] / "docs" / "commands.md"
    assert page.read_text(encoding="utf-8") == reference(), (
        "the tree has changed; type: python -m zennb.commands.reference > docs/commands.md"
    )


@pytest.mark.parametrize("noun", sorted({path[0] for _, path, _ in VERBS}))
def test_the_guide_to_the_magics_names_every_command(noun: str) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "magics.md").read_text(encoding="utf-8")
    assert f"`%{noun}" in guide or f"`%zennb {noun}" in guide or f"`zennb {noun}" in guide


@pytest.mark.parametrize(
    ("interface", "path", "verb"), VERBS, ids=lambda each: "-".join(each) if isinstance(each, tuple) else ""
)
def test_every_verb_has_help_with_usage_and_an_example_that_can_be_typed(
    interface: Interface, path: tuple[str, ...], verb: Verb
) -> None:
    text = help_text(verb, path, interface=interface)
    command_line = interface.spell(path, magics=MAGICS)
    assert text.startswith(command_line)
    assert verb.help[0].islower()
    assert not verb.help.endswith(".")
    assert verb.examples
    for line in verb.examples:
        prefix, *words = example(line, interface).split()
        words = words if prefix in {"zennb", "%zennb"} else [prefix[1:], *words]
        found = find(TREE, words, interface=interface, magics=MAGICS)
        assert isinstance(found.node, Verb)
        parse(found.node, found.rest, interface=interface, command_line=command_line)


@pytest.mark.parametrize("words", [["--help"], ["help"], ["-h"]])
def test_help_of_everything_names_every_command(command: Commands, words: list[str]) -> None:
    text = command.text(*words)
    for name in (
        "stack",
        "orchestrator",
        "artifact-store",
        "pipeline",
        "runs",
        "artifacts",
        "trust",
        "version",
    ):
        assert f"\n  {name}" in text


@pytest.mark.parametrize(
    ("interface", "command_line"),
    [(Interface.MAGIC, "%stack register NAME"), (Interface.TERMINAL, "zennb stack register NAME")],
)
def test_help_speaks_the_words_of_the_face(
    command: Commands, interface: Interface, command_line: str
) -> None:
    for words in (
        ["stack", "register", "--help"],
        ["help", "stack", "register"],
        ["stack", "register", "x", "-h"],
    ):
        assert command.text(*words, interface=interface).startswith(command_line)


def test_help_of_a_command_lists_its_verbs_and_says_what_it_means_alone(command: Commands) -> None:
    text = command.text("stack", "--help")
    assert "`%stack` alone means `%stack describe`." in text.replace("\n", " ")
    assert "register NAME -o ORCHESTRATOR -a ARTIFACT_STORE [-s STEP_OPERATOR] [--set]" in " ".join(
        text.split()
    )
    assert max(map(len, text.splitlines())) <= 80


def test_help_changes_nothing_and_needs_no_workspace() -> None:
    from zennb.commands.dispatch import run
    from zennb.commands.outcome import Context

    def opener(_start: object) -> Any:
        raise AssertionError("help opened a workspace")

    for words in (["--help"], ["stack", "--help"], ["help", "runs"], ["version"]):
        assert run(words, Context(interface=Interface.TERMINAL, opener=opener)).code == 0


def test_the_version_is_shown(command: Commands) -> None:
    assert command.text("version").startswith("zennb ")
    assert set(command.data("version")) == {"version"}
