"""Owns `Configured`: options as traits, parsed from text, validated, and written back as text."""

from __future__ import annotations

from ast import literal_eval
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Self

from traitlets import Bool, Container, Dict, Enum, HasTraits, TraitError, TraitType, Undefined, Unicode

from zennb.components.secret import SecretRef
from zennb.errors import InvalidConfiguration, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Configured", "Option"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option of a flavor, as forms, `--key=value` arguments and help show it.

    Attributes:
        name: the trait's name, as typed: `workers` in `--workers=4`.
        trait: the trait itself.
        default: the default as text; "" when there is none.
        help: what it does, for users.
        allowed: which values it accepts, as the trait describes them: `an int`.
        choices: the values to choose from, when they are few; else empty.
        required: whether it has to be given.
        secret: whether it is a reference to a secret.
    """

    name: str
    trait: TraitType[Any, Any]
    default: str
    help: str
    allowed: str
    choices: tuple[str, ...] = ()
    required: bool = False
    secret: bool = False


class Configured(HasTraits):
    """Something configured by those of its traits that carry `.tag(config=True)`.

    `.tag(config=True, required=True)` makes an option compulsory.
    """

    type: ClassVar[str]
    flavor: ClassVar[str]

    name = Unicode(help="The name it is registered under.")

    @classmethod
    def options(cls) -> dict[str, Option]:
        """Return the options by name, in the order they are written in the class."""
        return dict(_options_of(cls))

    @classmethod
    def from_config(cls, name: str, config: Mapping[str, str]) -> Self:
        """Make a component called `name` from options as text, as typed: `{"workers": "4"}`.

        Nothing is opened: that happens at first use.

        Raises:
            InvalidConfiguration: an option is unknown, missing, or has a value its trait refuses. The message
                names the option, what was seen and what is allowed; a secret's value is not repeated.
        """
        options = cls.options()
        for given in config:
            if given not in options:
                raise _unknown(cls, given, options)
        for option in options.values():
            if option.required and option.name not in config:
                raise InvalidConfiguration(
                    f"{_title(cls)} needs the option `{option.name}`: {option.help} "
                    f"Give it as --{option.name}=VALUE ({option.allowed}).",
                    option=option.name,
                )
        component = cls(name=name)
        for option_name, text in config.items():
            component.configure(option_name, text)
        return component

    def configure(self, option: str, text: str) -> None:
        """Set one option from its text form.

        Raises:
            InvalidConfiguration: the option is unknown, or its trait refuses the value.
        """
        options = self.options()
        if option not in options:
            raise _unknown(type(self), option, options)
        found = options[option]
        try:
            setattr(self, option, _parse(found.trait, self, text))
        except (TraitError, ValueError, TypeError) as error:
            # A secret's refusal has no cause: a traceback could show the value that was typed.
            raise _refused(self, found, text, error) from (None if found.secret else error)

    def config_text(self) -> dict[str, str]:
        """Return the options that differ from their defaults, as text that `from_config` reads back."""
        options = self.options()
        texts = {name: _text(getattr(self, name)) for name in options}
        return {name: text for name, text in texts.items() if text != options[name].default}

    def __repr__(self) -> str:
        shown = "".join(f" {name}={text!r}" for name, text in self.config_text().items())
        return f"<{type(self).__name__} {self.name!r}{shown}>"

    def __reduce__(self) -> Any:
        # Open resources are not pickled, only the name and the options as text; secrets stay references.
        return type(self).from_config, (self.name, self.config_text())


@cache  # a store is pickled with each step that is sent to a worker, as its options
def _options_of(cls: type[Configured]) -> dict[str, Option]:
    traits = cls.class_traits(config=True)
    # `class_traits` returns them in alphabetical order; forms and help show them as the author wrote them.
    order = [name for base in reversed(cls.__mro__) for name in vars(base) if name in traits]
    return {name: _option(name, traits[name]) for name in dict.fromkeys(order)}


def _option(name: str, trait: TraitType[Any, Any]) -> Option:
    default = trait.default()
    return Option(
        name=name,
        trait=trait,
        default="" if default is Undefined else _text(default),
        help=trait.help,
        allowed=_allowed(trait),
        choices=_choices(trait),
        required=bool(trait.metadata.get("required", False)),
        secret=isinstance(trait, SecretRef),
    )


def _choices(trait: TraitType[Any, Any]) -> tuple[str, ...]:
    if isinstance(trait, Enum):
        return tuple(_text(value) for value in trait.values or ())
    if isinstance(trait, Bool):
        return ("true", "false")
    return ()


def _allowed(trait: TraitType[Any, Any]) -> str:
    words = str(trait.info())
    low, high = getattr(trait, "min", None), getattr(trait, "max", None)
    if low is not None:
        words += f", at least {low}"
    if high is not None:
        words += f", at most {high}"
    return words


def _text(value: Any) -> str:
    """Write a value so that `_parse` reads it back."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, bytes):
        return value.decode("ascii")
    if isinstance(value, (list, tuple, set, dict)):
        return repr(value)
    return str(value)


def _parse(trait: TraitType[Any, Any], owner: Configured, text: str) -> Any:
    if trait.allow_none and text in {"", "None"}:
        return None
    if isinstance(trait, Unicode):
        return text  # `from_string` would strip quotes and expand `~`: text is taken as typed
    try:
        if isinstance(trait, Container | Dict):
            return literal_eval(text)  # `from_string` cannot validate typed items; assigning does
        return trait.from_string(text)
    except (ValueError, TypeError, SyntaxError):
        trait.error(owner, text)  # says the same for every kind of trait: what it expected, and what it got


def _title(cls: type[Configured]) -> str:
    return f"The {cls.type.replace('_', ' ')} flavor '{cls.flavor}'"


def _unknown(cls: type[Configured], option: str, known: Mapping[str, Option]) -> InvalidConfiguration:
    close = nearest(option, known)
    if close is not None:
        advice = f"did you mean `{close}`?"
    elif known:
        advice = f"it has: {', '.join(known)}."
    else:
        advice = "it has no options."
    return InvalidConfiguration(f"{_title(cls)} has no option `{option}`; {advice}", option=option)


def _refused(owner: Configured, option: Option, text: str, error: Exception) -> InvalidConfiguration:
    seen = "" if option.secret else f" Seen: {text!r}; allowed: {option.allowed}."
    problem = str(error).rstrip(".")
    return InvalidConfiguration(
        f"{_title(type(owner))} cannot take `{option.name}`: {problem}.{seen}", option=option.name
    )
