"""Owns the contract of all components, as tests; those of stores and orchestrators inherit it."""

from __future__ import annotations

import pickle

import pytest

from zennb.components.component import COMPONENT_TYPES, Component, Visibility
from zennb.errors import InvalidConfiguration, NotStorable

__all__ = ["ComponentContract"]


class ComponentContract:
    """The contract of every component. Fixture to define: `component`, a configured one."""

    @pytest.fixture
    def component(self) -> Component:
        """Return the component to test."""
        pytest.fail("Give a fixture `component` that returns a configured component.")

    def test_it_says_what_it_is(self, component: Component) -> None:
        assert component.type in {known.name for known in COMPONENT_TYPES}
        assert component.flavor
        assert isinstance(component.visibility, Visibility)
        assert component.description
        assert "\n" not in component.description

    def test_every_option_has_help(self, component: Component) -> None:
        for option in type(component).options().values():
            assert option.help, f"the option `{option.name}` needs `help=`"

    def test_an_unknown_option_is_refused_by_name(self, component: Component) -> None:
        with pytest.raises(InvalidConfiguration, match="no_such_option"):
            type(component).from_config("x", {**component.config_text(), "no_such_option": "1"})

    def test_its_options_as_text_make_an_equal_one(self, component: Component) -> None:
        twin = type(component).from_config(component.name, component.config_text())
        assert twin.name == component.name
        assert twin.config_text() == component.config_text()

    def test_it_travels_by_pickle_with_its_options_or_says_that_it_cannot(self, component: Component) -> None:
        try:
            twin = pickle.loads(pickle.dumps(component))
        except NotStorable:
            assert component.visibility is Visibility.PROCESS
            return
        assert type(twin) is type(component)
        assert twin.config_text() == component.config_text()

    def test_its_repr_names_it(self, component: Component) -> None:
        assert type(component).__name__ in repr(component)
