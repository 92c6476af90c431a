"""Owns the views of components and flavors: lists, one component, the flavors of a type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zennb.views.configuration import masked, options
from zennb.views.links import LINKS, address, link
from zennb.views.markup import name, prose
from zennb.views.table import Column, Table, card, values
from zennb.views.text import clean, type_title
from zennb.views.view import View, join

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zennb.core.records.records import ComponentSpec

__all__ = ["Flavor", "OptionHelp", "component", "components", "flavors"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionHelp:
    """One option of a flavor.

    Attributes:
        name: as typed after `--`.
        kind: what it takes, e.g. `Int`.
        default: the default as text.
        help: one sentence.
    """

    name: str
    kind: str = ""
    default: str = ""
    help: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flavor:
    """One flavor that could be registered.

    Attributes:
        type: the component type, `artifact_store`.
        name: as typed after `--flavor=`.
        description: one sentence.
        needs: how to install what is missing; "" when it can be used at once.
    """

    type: str
    name: str
    description: str = ""
    needs: str = ""


def component(
    spec: ComponentSpec,
    *,
    description: str = "",
    choices: Sequence[OptionHelp] = (),
    used_by: Sequence[str] = (),
    reach: str = "",
) -> View:
    """Show one component: its flavor, its configuration, the stacks that use it, and the options it has.

    Args:
        spec: the component as registered.
        description: what its flavor does, one sentence.
        choices: all options of its flavor.
        used_by: names of the stacks that it belongs to.
        reach: from where it can be reached, in words.
    """
    shown = [(option, masked(option, value)) for option, value in spec.config.items()]
    rows = [("flavor", spec.flavor), *shown, ("reach", reach), ("used by", ", ".join(map(clean, used_by)))]
    all_rows = [("what", description), *rows]
    stacks = ", ".join(link(address("stack", each), name(each)) for each in used_by)
    markup = {"what": prose(description), "used by": stacks}
    head = card(type_title(spec.type), spec.name, all_rows, markup=markup)
    return join([head, _choices(spec, choices)]) if choices else head


def _choices(spec: ComponentSpec, choices: Sequence[OptionHelp]) -> Table:
    columns = (
        Column.of("name", "option"),
        Column.of("names", "kind"),
        Column.of("names", "value", most=40),
        Column.of("names", "default"),
        Column.of("prose", "help"),
    )
    rows = [
        {
            "option": choice.name,
            "kind": choice.kind,
            "value": masked(choice.name, spec.config[choice.name]) if choice.name in spec.config else None,
            "default": masked(choice.name, choice.default),
            "help": choice.help,
        }
        for choice in choices
    ]
    return Table(columns=columns, data=rows)


def components(
    specs: Sequence[ComponentSpec],
    *,
    active: Sequence[ComponentSpec] = (),
    empty: str = "no components of this type",
) -> Table:
    """List components.

    Args:
        specs: what to list.
        active: the components of the active stack; they are marked.
        empty: the sentence shown when there are none.
    """
    used = {(spec.type, spec.name) for spec in active}
    rows = [
        {
            "active": (spec.type, spec.name) in used,
            **values(spec, "name", "type", "flavor"),
            "configuration": options(spec.config),
            LINKS: {"name": address("component", spec.type, spec.name)},
        }
        for spec in specs
    ]
    kinds = {spec.type for spec in specs}
    columns = [
        Column.of("active", "active", ""),
        Column.of("name", "name"),
        *([Column.of("type", "type")] if len(kinds) > 1 else []),
        Column.of("names", "flavor"),
        Column.of("names", "configuration", wrap=True),
    ]
    return Table(columns=columns, data=rows, empty=empty)


def flavors(found: Sequence[Flavor]) -> Table:
    """List flavors: what each does, and what has to be installed first, if anything."""
    columns = (
        Column.of("name", "name", "flavor"),
        Column.of("type", "type"),
        Column.of("prose", "description"),
        Column.of("prose", "needs"),
    )
    rows = [values(each, "name", "type", "description", "needs") for each in found]
    return Table(columns=columns, data=rows, empty="no flavors of this type")
