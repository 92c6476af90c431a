"""Owns the uses that read code as a value: docstrings, source, subclasses and members of modules."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from zennb.core.reading.embedded_names import LOOKUPS

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["NOTED", "SHOW_DOCSTRINGS", "Reflection", "is_noted", "name_docstrings", "reflections"]


class Reflection(StrEnum):
    """What of code is read."""

    DOCSTRINGS = "docstrings"
    SOURCE = "source"
    SUBCLASSES = "subclasses"
    MEMBERS = "members"


SHOW_DOCSTRINGS = frozenset({"argh", "click", "fastapi", "fastmcp", "fire", "smolagents", "typer"})
"""Packages that make help or schemas of docstrings."""

_DOCSTRING = "__doc__"

_KNOWN = {
    Reflection.DOCSTRINGS: {"__doc__", "getdoc", "help", "render_doc", "splitdoc", "writedoc"}
    | {"doctest", "DocTestFinder", "DocTestSuite", "run_docstring_examples", "testmod", "testsource"}
    | {"co_consts", "get_json_schema", "json_schema", "model_json_schema", "openapi", "schema_json"}
    | SHOW_DOCSTRINGS,
    Reflection.SOURCE: {"findsource", "getcomments", "getsource", "getsourcelines"}
    | {
        "Bytecode",
        "co_firstlineno",
        "co_lines",
        "co_linetable",
        "co_positions",
        "code_info",
        "get_instructions",
    },
    Reflection.SUBCLASSES: {"__subclasses__"},
    Reflection.MEMBERS: {
        "__dict__",
        "classify_class_attrs",
        "dir",
        "getmembers",
        "getmembers_static",
        "vars",
    },
}
_OF: dict[str, Reflection] = {name: kind for kind, names in _KNOWN.items() for name in names}

NOTED = LOOKUPS | _OF.keys()
"""Names whose uses `core.reading.source.Analysis.lookups` has."""


def is_noted(chain: Iterable[str]) -> bool:
    """Whether a dotted use finds more than the code names."""
    return not NOTED.isdisjoint(chain)


def reflections(chains: Iterable[tuple[str, ...]]) -> frozenset[Reflection]:
    """Return what of code these dotted uses read."""
    found = {_OF[name] for chain in chains for name in chain if name in _OF}
    # What shows the source shows the docstring in it.
    return frozenset(found | {Reflection.DOCSTRINGS} if Reflection.SOURCE in found else found)


def name_docstrings(texts: Iterable[str]) -> bool:
    """Whether one of some texts names the attribute that holds a docstring: `attrgetter("__doc__")`."""
    return any(_DOCSTRING in text for text in texts)
