from __future__ import annotations

from typing import Any

import pytest

from zennb.commands.interface import Interface
from zennb.commands.outcome import Context, Outcome
from zennb.commands.parser import find, parse
from zennb.commands.syntax import Argument, Command, Verb
from zennb.errors import UsageError


def _nothing(context: Context, **arguments: Any) -> Outcome:
    return Outcome(view=None)


REGISTER = Verb(
    name="register",
    help="register one",
    run=_nothing,
    free="an option of the flavor",
    arguments=(
        Argument("NAME", "its name", required=True),
        Argument("-f --flavor", "its flavor", required=True),
    ),
)
LIST = Verb(
    name="list",
    help="list them",
    run=_nothing,
    arguments=(
        Argument("--limit", "how many", type=int, default=20),
        Argument("--timeout", "how long", type=float),
        Argument("--status", "which", choices=("failed", "cached")),
        Argument("-p --parameter", "a parameter", type=dict),
        Argument("--only", "some names", type=tuple),
        Argument("--quick", "at once", type=bool),
    ),
)
COPY = Verb(
    name="copy",
    help="copy one",
    run=_nothing,
    arguments=(
        Argument("NOTEBOOK", "a file", required=True, interfaces=frozenset({Interface.TERMINAL})),
        Argument("SOURCE", "from", required=True),
        Argument("TARGET", "to", required=True),
        Argument("--force", "even if there is one", type=bool),
    ),
)
STORE = Command(name="store", help="stores", default="list", parts=(LIST, REGISTER, COPY))
ROOT = Command(name="zennb", help="all", parts=(STORE,))


def arguments(verb: Verb, *words: str, interface: Interface = Interface.MAGIC) -> dict[str, Any]:
    return parse(verb, words, interface=interface, command_line=f"%store {verb.name}")


def test_places_may_stand_before_between_and_after_options() -> None:
    for words in (["a", "b", "--force"], ["a", "--force", "b"], ["--force", "a", "b"]):
        assert arguments(COPY, *words) == {"notebook": None, "source": "a", "target": "b", "force": True}


def test_a_place_of_one_face_is_not_asked_for_in_the_other() -> None:
    assert arguments(COPY, "nb.ipynb", "a", "b", interface=Interface.TERMINAL)["notebook"] == "nb.ipynb"
    assert arguments(COPY, "a", "b")["source"] == "a"


@pytest.mark.parametrize(
    "words",
    [
        ["mine", "--flavor", "local", "--path", "/data"],
        ["mine", "--flavor=local", "--path=/data"],
        ["mine", "-f", "local", "--path=/data"],
        ["--path=/data", "-flocal", "mine"],
    ],
)
def test_free_options_are_understood_in_every_spelling(words: list[str]) -> None:
    assert arguments(REGISTER, *words) == {"name": "mine", "flavor": "local", "free": {"path": "/data"}}


def test_a_free_option_keeps_everything_after_its_first_equals_sign() -> None:
    assert arguments(REGISTER, "m", "-f", "x", "--url=s3://b?a=1")["free"] == {"url": "s3://b?a=1"}


def test_a_free_option_without_value_is_a_switch() -> None:
    assert arguments(REGISTER, "m", "-f", "x", "--durable", "--path=/d")["free"] == {
        "durable": "true",
        "path": "/d",
    }


def test_a_free_option_takes_a_negative_number() -> None:
    assert arguments(REGISTER, "m", "-f", "x", "--offset", "-3")["free"] == {"offset": "-3"}


def test_dashes_and_underscores_in_free_options_are_one() -> None:
    assert arguments(REGISTER, "m", "-f", "x", "--max-workers=3")["free"] == {"max_workers": "3"}


def test_what_follows_two_dashes_is_no_option() -> None:
    assert arguments(REGISTER, "-f", "x", "--", "--odd name")["name"] == "--odd name"


def test_repeated_options_are_collected() -> None:
    found = arguments(LIST, "-p", "a=1", "--parameter", "b=x=y")
    assert found["parameter"] == {"a": "1", "b": "x=y"}


def test_numbers_are_numbers() -> None:
    found = arguments(LIST, "--limit", "3", "--timeout=0.5")
    assert (found["limit"], found["timeout"]) == (3, 0.5)


def test_arguments_left_out_are_their_defaults() -> None:
    assert arguments(LIST) == {
        "limit": 20,
        "timeout": None,
        "status": None,
        "parameter": {},
        "only": (),
        "quick": False,
    }


def test_names_may_be_repeated_or_joined_by_commas() -> None:
    assert arguments(LIST, "--only", "a, b", "--only=c")["only"] == ("a", "b", "c")


def test_the_last_of_several_values_counts() -> None:
    assert arguments(LIST, "--limit", "3", "--limit=4")["limit"] == 4


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--jsn"], "%store list: no option '--jsn'; did you mean '--json'?"),
        (["--limit", "few"], "%store list: --limit takes a whole number, not 'few'."),
        (["--timeout", "long"], "%store list: --timeout takes a number, not 'long'."),
        (["--limit=-1"], "%store list: --limit cannot be negative, as -1 is."),
        (["--status", "faild"], "%store list: --status cannot be 'faild'; did you mean 'failed'?"),
        (["--limit"], "%store list: --limit needs a value."),
        (["--limit", "--status=my state"], "%store list: --limit needs a value."),
        (["--statsu=my state"], "%store list: no option '--statsu=my state'; did you mean '--status'?"),
        (["--json=1"], "%store list: --json takes no value."),
        (["there"], "%store list: 'there' is one word too many; type `%store list"),
    ],
)
def test_a_mistake_is_one_sentence(words: list[str], sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        arguments(LIST, *words)
    assert str(caught.value).startswith(sentence)


def test_a_missing_word_is_named_with_the_whole_usage() -> None:
    with pytest.raises(UsageError) as caught:
        arguments(REGISTER, "mine")
    assert str(caught.value) == (
        "%store register: -f or --flavor is missing; "
        "type `%store register NAME -f FLAVOR [--key=value ...] [--json]`."
    )


def test_a_parameter_without_equals_sign_is_refused() -> None:
    with pytest.raises(UsageError, match="'depth' is not of the form NAME=VALUE"):
        arguments(LIST, "-p", "depth")


def test_options_are_never_abbreviated() -> None:
    with pytest.raises(UsageError, match="no option '--lim'; did you mean '--limit'"):
        arguments(LIST, "--lim", "3")


def test_nothing_is_printed_by_any_mistake(capfd: pytest.CaptureFixture[str]) -> None:
    for words in (["--nope"], ["--limit"], ["a", "b"], ["--json=1"]):
        with pytest.raises(UsageError):
            arguments(LIST, *words)
    assert capfd.readouterr() == ("", "")


def test_a_command_without_verb_means_its_default() -> None:
    assert find(ROOT, ["store"], interface=Interface.MAGIC).node is LIST
    assert find(ROOT, ["store", "--json"], interface=Interface.MAGIC).node is LIST


def test_a_request_for_help_stays_at_the_command() -> None:
    assert find(ROOT, ["store", "--help"], interface=Interface.MAGIC).node is STORE


@pytest.mark.parametrize(
    ("interface", "sentence"),
    [
        (Interface.MAGIC, "%store lst: no verb 'lst'; did you mean 'list'?"),
        (Interface.TERMINAL, "zennb store lst: no verb 'lst'; did you mean 'list'?"),
    ],
)
def test_an_unknown_verb_is_answered_in_the_words_of_the_face(interface: Interface, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        find(ROOT, ["store", "lst"], interface=interface, magics=frozenset({"store"}))
    assert str(caught.value) == sentence


def test_an_unknown_command_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        find(ROOT, ["stor"], interface=Interface.TERMINAL)
    assert str(caught.value) == "zennb: no command 'stor'; did you mean 'store'?"
