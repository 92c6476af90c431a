from __future__ import annotations

from typing import Any

import pytest

from zennb.commands.catalogue import build
from zennb.commands.completion import candidates
from zennb.commands.interface import Interface
from zennb.commands.known_names import KnownNames
from zennb.commands.step_options import STEP

NAMES = KnownNames(
    {
        "stack": ("default", "my_stack", "two words"),
        "artifact": ("model", "rows"),
        "step": ("load", "train"),
        "run": ("2", "1"),
        "orchestrator": ("default", "pool"),
        "artifact_store": ("default",),
        "flavor:artifact_store": ("local", "memory"),
    }
)
TREE = build(frozenset({"orchestrator", "artifact_store"}))


def complete(line: str, interface: Interface = Interface.MAGIC) -> list[str]:
    *words, fragment = line.split(" ")
    return candidates(TREE, words, fragment, names=NAMES, interface=interface)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("sta", ["stack"]),
        ("stack re", ["register", "rename"]),
        ("stack set m", ["my_stack"]),
        ("stack set t", ["'two words'"]),
        ("stack set my_stack ", ["--json"]),
        ("stack describe ", ["default", "my_stack", "'two words'"]),
        ("stack describe my_stack ", ["--json"]),
        ("stack register n -o p", ["pool"]),
        ("stack register n -o pool -", ["--artifact-store", "--set", "--json"]),
        ("stack register n --orchestrator=p", ["--orchestrator=pool"]),
        ("stack nothing ", []),
        ("artifact-store register n --flavor=m", ["--flavor=memory"]),
        ("artifact-store register n -f ", ["local", "memory"]),
        ("artifact-store flavor ", ["list"]),
        ("runs show ", ["2", "1"]),
        ("runs compare 1 ", ["2", "1"]),
        ("runs --sta", ["--stack", "--status"]),
        ("runs list --status c", ["completed", "cached"]),
        ("runs list --status=c", ["--status=completed", "--status=cached"]),
        ("artifacts load m", ["model"]),
        ("artifacts load model --v", ["--version"]),
        ("pipeline explain ", ["load", "train"]),
        ("pipeline run --only t", ["train"]),
        ("pipeline run -p a=1 --par", ["--parameter"]),
        ("trust ", ["model", "rows"]),
    ],
)
def test_what_can_stand_next_is_offered(line: str, found: list[str]) -> None:
    assert complete(line) == found


def test_the_terminal_is_not_offered_what_only_magics_have() -> None:
    assert "--only" in complete("pipeline run --")
    assert "--only" not in complete("pipeline run nb.ipynb --", Interface.TERMINAL)
    assert "run" not in complete("")
    assert "run" in complete("", Interface.TERMINAL)


@pytest.mark.parametrize(
    ("words", "fragment", "found"),
    [
        ([], "t", ["train"]),
        ([], "--re", ["--rerun", "--retries"]),
        (["train", "--stack"], "my", ["my_stack"]),
        (["train", "--after"], "", ["load", "train"]),
        (["train", "--rerun"], "--re", ["--retries"]),
    ],
)
def test_the_line_of_a_step_is_completed(words: list[str], fragment: str, found: list[str]) -> None:
    assert candidates(STEP, words, fragment, names=NAMES, interface=Interface.MAGIC) == found


def test_names_are_a_snapshot_that_is_taken_again_on_request(
    workspace: Any, command: Any, record: Any
) -> None:
    names = KnownNames()
    assert names.of("stack") == ()
    names.refresh(workspace, None)
    command("stack", "copy", "default", "other")
    record("train", {"model": 1})
    assert (names.of("stack"), names.of("artifact")) == (("default",), ())
    names.refresh(workspace, None)
    assert names.of("stack") == ("default", "other")
    assert names.of("artifact") == ("model",)
    assert names.of("run") == ("1",)
    assert names.of("flavor:artifact_store") == ("local", "memory", "fsspec", "s3", "gcs", "azure")
    assert names.of("orchestrator") == ("default",)
