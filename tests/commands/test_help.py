from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from zennb.commands.catalogue import MAGICS, build, tree
from zennb.commands.help import example, help_text
from zennb.commands.interface import Interface
from zennb.commands.parser import find, parse
from zennb.commands.reference import reference
from zennb.commands.step_options import STEP
from zennb.commands.syntax import Verb, paths
from zennb.errors import UsageError

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
        prefix, *words = shlex.split(example(line, interface))
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


def test_help_of_a_command_lists_its_verbs(command: Commands) -> None:
    text = command.text("help", "stack")
    assert text.startswith("Stacks: named combinations of components that steps run on. `%stack` alone")
    assert "\n  set NAME " in text
    assert command.text("help", "stack", "set").startswith("%stack set NAME")


def test_the_help_of_step_cells_spells_them_as_cells() -> None:
    text = help_text(STEP, ("%step",), interface=Interface.MAGIC)
    assert text.startswith("%%step [NAME]")
    assert "  %%step train -o model --rerun\n" in text
    assert "%zennb %step" not in text


@pytest.mark.parametrize(
    ("interface", "word", "sentence"),
    [
        (
            Interface.TERMINAL,
            "dashboard",
            "zennb dashboard: works in a notebook only; type %zennb dashboard there.",
        ),
        (Interface.MAGIC, "init", "%zennb init: works in a terminal only; type zennb init there."),
    ],
)
def test_a_command_of_the_other_interface_is_named(interface: Interface, word: str, sentence: str) -> None:
    with pytest.raises(UsageError) as raised:
        find(tree(), [word], interface=interface)
    assert raised.value.message == sentence


def test_a_terminal_is_not_promised_the_dashboard(command: Commands) -> None:
    assert "dashboard" not in command.text("help", interface=Interface.TERMINAL)
    assert "`%zennb` alone means `%zennb dashboard`" in " ".join(command.text("help").split())
