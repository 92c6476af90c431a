from __future__ import annotations

import logging
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from traitlets import Bool, Dict, Enum, Float, Int, List, TraitError, Unicode, validate

from zennb.components.component import Component, Secret, SecretRef, Visibility
from zennb.errors import InvalidConfiguration, MissingExtra


class Kettle(Component):
    """A component with an option of every kind."""

    type = "alerter"
    flavor = "kettle"
    description = "whistles"
    visibility = Visibility.NETWORK

    litres = Float(1.5, min=0, max=5, help="How much.").tag(config=True)
    whistles = Int(2, min=1, help="How often.").tag(config=True)
    colour = Enum(["red", "blue"], default_value="red", help="Which colour.").tag(config=True)
    electric = Bool(True, help="Whether it has a cable.").tag(config=True)
    label = Unicode("tea", help="What is written on it.").tag(config=True)
    note = Unicode(None, allow_none=True, help="A note, if any.").tag(config=True)
    rooms = List(Unicode(), help="Where it may stand.").tag(config=True)
    notes = Dict(help="More notes.").tag(config=True)
    token = SecretRef(help="How it proves itself.").tag(config=True)
    inner = Int(7, help="Not an option.")

    @validate("label")
    def _no_coffee(self, proposal: dict[str, Any]) -> str:
        if proposal["value"] == "coffee":
            raise TraitError("a kettle is not for coffee")
        return str(proposal["value"])


class Strict(Component):
    type = "alerter"
    flavor = "strict"
    description = "needs to be told"
    visibility = Visibility.NETWORK

    bucket = Unicode(help="Where things go.").tag(config=True, required=True)


def refused(**config: str) -> InvalidConfiguration:
    with pytest.raises(InvalidConfiguration) as caught:
        Kettle.from_config("k", config)
    return caught.value


def test_a_component_is_pickled_without_reading_its_class_again(monkeypatch: pytest.MonkeyPatch) -> None:
    kettle = Kettle.from_config("k", {"whistles": "3"})
    pickle.dumps(kettle)
    kettle.options().clear()  # it is nobody's but the caller's

    def read(*_given: Any, **_named: Any) -> Any:
        raise AssertionError("the traits were read again")

    monkeypatch.setattr(Kettle, "class_traits", read)
    assert pickle.loads(pickle.dumps(kettle)).config_text() == {"whistles": "3"}


def test_options_are_those_tagged_config_in_order() -> None:
    options = Kettle.options()
    assert list(options) == [
        "litres", "whistles", "colour", "electric", "label", "note", "rooms", "notes", "token",
    ]  # fmt: skip
    assert options["litres"].default == "1.5"
    assert options["electric"].default == "true"
    assert options["note"].default == ""
    assert options["whistles"].help == "How often."
    assert options["whistles"].allowed == "an int, at least 1"
    assert options["colour"].choices == ("red", "blue")
    assert options["electric"].choices == ("true", "false")
    assert [name for name, option in options.items() if option.secret] == ["token"]


def test_defaults_need_no_configuration_and_give_no_text() -> None:
    kettle = Kettle.from_config("k", {})
    assert (kettle.name, kettle.litres, kettle.colour) == ("k", 1.5, "red")
    assert kettle.config_text() == {}


def test_every_kind_of_option_is_parsed_from_text() -> None:
    kettle = Kettle.from_config(
        "k",
        {
            "litres": "2",
            "whistles": "3",
            "colour": "blue",
            "electric": "false",
            "label": "it's 'quoted' ~",
            "rooms": "['hall', 'attic']",
            "notes": "{'a': 1}",
            "token": "env:TOKEN",
        },
    )
    assert (kettle.litres, kettle.whistles, kettle.colour, kettle.electric) == (2.0, 3, "blue", False)
    assert kettle.label == "it's 'quoted' ~"
    assert (kettle.rooms, kettle.notes) == (["hall", "attic"], {"a": 1})
    assert kettle.token == Secret("env:TOKEN")


@pytest.mark.parametrize("text", ['"quoted"', "'quoted'", "~", "~/x", "None", "", "  ", "b'x'"])
def test_text_is_taken_as_typed(text: str) -> None:
    assert Kettle.from_config("k", {"label": text}).label == text


@pytest.mark.parametrize(
    ("option", "text", "said"),
    [
        ("whistles", "many", "expected an int"),
        ("whistles", "0", "should not be less than 1"),
        ("whistles", "", "expected an int"),
        ("litres", "nine", "expected a float"),
        ("litres", "9", "should not be greater than 5"),
        ("colour", "green", "red"),
        ("electric", "perhaps", "expected a boolean"),
        ("label", "coffee", "a kettle is not for coffee"),
        ("rooms", "hall", "expected a list"),
        ("rooms", "[1, 2]", "unicode string"),
        ("rooms", "__import__('os').getcwd()", "expected a list"),
    ],
)
def test_a_refused_value_is_said_in_the_traits_own_words(option: str, text: str, said: str) -> None:
    error = refused(**{option: text})
    assert error.option == option
    assert f"`{option}`" in str(error)
    assert said in str(error)
    assert f"Seen: {text!r}" in str(error)
    assert "allowed:" in str(error)


def test_an_unknown_option_names_the_nearest_one() -> None:
    error = refused(whistle="3")
    assert "no option `whistle`; did you mean `whistles`?" in str(error)
    assert error.option == "whistle"


def test_an_unknown_option_far_from_all_lists_them() -> None:
    assert "it has: litres, whistles" in str(refused(zzzzzz="3"))


def test_what_is_no_option_cannot_be_configured() -> None:
    assert "no option `inner`" in str(refused(inner="3"))
    assert "no option `name`" in str(refused(name="x"))


def test_a_required_option_has_to_be_given() -> None:
    with pytest.raises(InvalidConfiguration, match="needs the option `bucket`: Where things go"):
        Strict.from_config("s", {})
    assert Strict.from_config("s", {"bucket": "b"}).config_text() == {"bucket": "b"}


@given(
    litres=st.floats(0, 5),
    whistles=st.integers(1),
    electric=st.booleans(),
    label=st.text().filter(lambda text: text != "coffee"),
    note=st.none() | st.text(min_size=1).filter(lambda text: text != "None"),
    rooms=st.lists(st.text()),
    notes=st.dictionaries(st.text(), st.integers()),
)
def test_configuration_text_makes_an_equal_component(**values: Any) -> None:
    kettle = Kettle(name="k", **values)
    twin = Kettle.from_config("k", kettle.config_text())
    assert {name: getattr(twin, name) for name in values} == values


def test_setting_an_attribute_directly_is_validated_by_traitlets() -> None:
    with pytest.raises(TraitError):
        Kettle(name="k").whistles = 0


def test_pickling_takes_name_and_options_along() -> None:
    twin = pickle.loads(pickle.dumps(Kettle.from_config("k", {"whistles": "3", "token": "env:TOKEN"})))
    assert (twin.name, twin.whistles, twin.token) == ("k", 3, Secret("env:TOKEN"))


def test_repr_shows_what_differs_from_the_defaults() -> None:
    assert repr(Kettle.from_config("k", {"whistles": "3"})) == "<Kettle 'k' whistles='3'>"


# Secrets.

LITERAL = "hunter2-the-very-secret"


@pytest.mark.parametrize(
    "literal",
    [
        LITERAL,
        "env:",
        f"env:{LITERAL}",
        "env:A B",
        "keyring:x",
        "keyring:/x",
        "keyring:x/",
        "ENV:TOKEN",
        " env:X",
    ],
)
def test_a_literal_secret_is_refused_without_being_repeated(literal: str) -> None:
    error = refused(token=literal)
    assert "by reference, never by value" in str(error)
    assert "env:NAME" in str(error)
    assert LITERAL not in str(error)
    assert error.option == "token"
    link: BaseException | None = error
    while link is not None:
        assert LITERAL not in str(link.args)
        link = link.__cause__


def test_a_literal_set_as_an_attribute_is_refused_without_being_repeated() -> None:
    with pytest.raises(TraitError, match="never by value") as caught:
        Kettle(name="k").token = LITERAL
    assert LITERAL not in str(caught.value)


def test_a_secret_is_looked_up_when_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KETTLE", raising=False)
    kettle = Kettle.from_config("k", {"token": "env:KETTLE"})
    monkeypatch.setenv("KETTLE", LITERAL)
    assert kettle.token is not None
    assert kettle.token.reveal() == LITERAL


def test_a_secret_shows_nowhere(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("KETTLE", LITERAL)
    kettle = Kettle.from_config("k", {"token": "env:KETTLE"})
    assert kettle.token is not None
    kettle.token.reveal()
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("test").info("%s %r", kettle, kettle.token)
    shown = [repr(kettle), repr(kettle.token), f"{kettle.token}", str(kettle.config_text()), caplog.text]
    shown += [str(pickle.dumps(kettle)), str(vars(kettle)), str(kettle.trait_values())]
    assert not [text for text in shown if LITERAL in text]


@pytest.mark.parametrize("value", [None, ""])
def test_a_variable_that_is_not_set_says_so(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KETTLE", raising=False)
    if value is not None:
        monkeypatch.setenv("KETTLE", value)
    with pytest.raises(InvalidConfiguration, match="KETTLE is not set"):
        Secret("env:KETTLE").reveal()


def test_a_keyring_secret_is_fetched_from_the_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = {("service", "me/too"): LITERAL}
    fake = type("keyring", (), {"get_password": staticmethod(lambda *entry: entries.get(entry))})
    monkeypatch.setitem(__import__("sys").modules, "keyring", fake)
    assert Secret("keyring:service/me/too").reveal() == LITERAL
    with pytest.raises(InvalidConfiguration, match="keyring set service you"):
        Secret("keyring:service/you").reveal()


def test_without_the_keyring_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "keyring", None)
    with pytest.raises(MissingExtra, match="pip install keyring"):
        Secret("keyring:service/me").reveal()


def test_reach_is_ordered_from_near_to_far() -> None:
    assert Visibility.PROCESS < Visibility.MACHINE < Visibility.NETWORK
    assert [reach.words for reach in Visibility] == [
        "within this process", "on this machine", "from other machines",
    ]  # fmt: skip
