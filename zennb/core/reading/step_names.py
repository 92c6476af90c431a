"""Owns the names of steps that nobody named, from their code and from where their cells stand."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, count
from typing import TYPE_CHECKING

from zennb.core.magic_lines.magics import parse_python
from zennb.core.reading.cell_heading import body, comment_title, heading, short_title, stays_plain
from zennb.core.reading.source import analyse
from zennb.core.reading.tree import nodes_in

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from zennb.core.reading.source import Analysis

__all__ = [
    "NO_HINTS",
    "NameHints",
    "NamedStep",
    "derived_names",
    "distinct_names",
    "name_hints",
    "numbered",
    "without_number",
]

_SECTION = re.compile(r"^ {0,3}(#{1,6})[ \t]+(.+?)[ \t#]*$")
_FENCE = re.compile(r"^ {0,3}(```|~~~)")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_COUNTED = re.compile(r"-\d+$")
_NUMBER = re.compile(r"^\W*\d+(\.\d+)*[.)]?\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class NameHints:
    """What the rest of a notebook says about the name of a step.

    Attributes:
        title: the heading that the cell is the first step below, as a name; "" for none.
        read_elsewhere: names that other cells read.
        names: those of the step in the saved notebook, the shown one first; empty if it is none there.
    """

    title: str = ""
    read_elsewhere: frozenset[str] = frozenset()
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedStep:
    """What the name of a step depends on.

    Attributes:
        given: the name given by the user; "" for none.
        derived: its `derived_names`.
        shown: the name in its saved output; "" for none.
    """

    given: str = ""
    derived: tuple[str, ...] = ()
    shown: str = ""

    @property
    def goes_on(self) -> bool:
        """Whether the step would still get the name that was shown, apart from its number."""
        return self.shown in self.derived or without_number(self.shown) in self.derived


NO_HINTS = NameHints()
"""Those of a cell in an unknown notebook."""


def derived_names(
    analysis: Analysis,
    *,
    outputs: Sequence[str] | None,
    tree: ast.Module,
    text: str,
    hints: NameHints = NO_HINTS,
) -> tuple[str, ...]:
    """Return the names that a step can have, the best one first; none is made from all of its code.

    What the saved notebook says holds. Else, with `-o`, it is the first output. Else these, as far as there are any:
    the heading above; the first assignment that another cell reads; and last, the only one that does not depend on
    other cells: the first assignment, else the comment on top, else what the cell calls.

    Args:
        analysis: what the cell binds.
        outputs: those given with `-o`; None for none.
        tree: its syntax tree.
        text: its text.
        hints: what the rest of the notebook says.
    """
    if hints.names:
        return hints.names
    if outputs:
        return (outputs[0],)
    named = [name for name in analysis.binds if not name.startswith("_") and name not in analysis.imports]
    loops = _loop_variables(tree)
    assigned = [each for each in named if each not in loops]
    read = next((each for each in assigned if each in hints.read_elsewhere), "")
    own = assigned[0] if assigned else comment_title(text) or _called(tree) or "step"
    return tuple(dict.fromkeys(str(each) for each in (hints.title, read, own) if each))


def distinct_names(steps: Sequence[NamedStep]) -> list[tuple[str, ...]]:
    """Return the names of each step of a notebook, the shown one first; none stands for two steps.

    A name that the user gave is the step's only one. Of the others, each goes on to have the name that was shown, as
    long as it is one of its derived names. It has its last derived name, with a number where another step has it, as
    in a kernel that runs the cells and does not know the file; and those of its better names that no other step has.

    Args:
        steps: those of the notebook, top to bottom.
    """
    given = {step.given for step in steps if step.given}
    shown: dict[str, int] = {}
    for place, step in enumerate(steps):
        if step.goes_on and step.shown not in given:
            shown.setdefault(step.shown, place)
    own = _own_names(steps, shown)
    taken = {*given, *shown, *own}
    names: list[list[str]] = [[step.given] if step.given else [] for step in steps]
    for name, place in shown.items():
        names[place].append(name)
    for place, step in enumerate(steps):
        better = [name for name in step.derived[:-1] if name not in taken]
        taken.update(better)
        names[place] += better
    for name, place in own.items():
        names[place].append(name)
    return [tuple(each) for each in names]


def _own_names(steps: Sequence[NamedStep], shown: Mapping[str, int]) -> dict[str, int]:
    """Return last derived name with its number → place of its step, for steps that do not have it as the shown name.

    As in a kernel, a step whose name the user gives to one further down gets the next number then.
    """
    found: dict[str, int] = {}
    given = set[str]()
    has_own = {place for name, place in shown.items() if without_number(name) == steps[place].derived[-1]}
    for place, step in enumerate(steps):
        unnamed = found.pop(step.given, None) if step.given else None if place in has_own else place
        given.update({step.given} - {""})
        if unnamed is not None:
            found[numbered(steps[unnamed].derived[-1], {*found, *shown, *given})] = unnamed
    return found


def without_number(name: str) -> str:
    """Return a name without the number that tells it from others."""
    return _COUNTED.sub("", name)


def numbered(name: str, taken: Collection[str]) -> str:
    """Return a name, with the first number that makes it another than those taken."""
    return next(each for each in chain([name], (f"{name}-{n}" for n in count(2))) if each not in taken)


def name_hints(cells: Sequence[tuple[str, str]], magics: frozenset[str]) -> list[NameHints]:
    """Return the hints for each code cell of a notebook that is not blank, top to bottom.

    A heading names the first cell below it that is or could be a step. The title of a notebook, its only heading of
    level 1, names none.

    Args:
        cells: type and source of all its cells.
        magics: the line magics that do not count as code.
    """
    titles = list(_titles(cells, magics))
    reads = [_reads(source) for kind, source in cells if _is_code(kind, source)]
    return [
        NameHints(title=title, read_elsewhere=frozenset().union(*reads[:n], *reads[n + 1 :]))
        for n, title in enumerate(titles)
    ]


def _is_code(kind: str, source: str) -> bool:
    return kind == "code" and bool(source.strip())


def _titles(cells: Sequence[tuple[str, str]], magics: frozenset[str]) -> Iterator[str]:
    """Yield for each code cell the title that names it, or ""."""
    sections = {n: list(_sections(source)) for n, (kind, source) in enumerate(cells) if kind == "markdown"}
    has_title = sum(level == 1 for found in sections.values() for level, _ in found) == 1
    above = ""
    for n, (kind, source) in enumerate(cells):
        for level, text in sections.get(n, ()):
            above = "" if has_title and level == 1 else short_title(text)
        if _is_code(kind, source):
            takes = _could_be_step(source, magics)
            yield above if takes else ""
            above = "" if takes else above


def _sections(source: str) -> Iterator[tuple[int, str]]:
    """Yield level and text of the headings of a Markdown cell."""
    fence = ""
    for line in source.splitlines():
        if found := _FENCE.match(line):
            fence = "" if fence == found[1] else fence or found[1]
        elif not fence and (found := _SECTION.match(line)):
            yield len(found[1]), _NUMBER.sub("", _LINK.sub(r"\1", found[2]))


@lru_cache(maxsize=1024)  # a notebook that is saved again has the same cells, but for a few
def _could_be_step(source: str, magics: frozenset[str]) -> bool:
    found = heading(source)
    if found is not None:
        return not found.is_off
    tree = _tree(source)
    return tree is not None and not stays_plain(tree, magics)


def _tree(source: str) -> ast.Module | None:
    try:
        statements = None if source.lstrip().startswith("%%") else parse_python(source)
    except (RecursionError, MemoryError):
        return None
    return None if statements is None else ast.Module(body=statements, type_ignores=[])


@lru_cache(maxsize=1024)
def _reads(source: str) -> frozenset[str]:
    tree = _tree(body(source))
    try:
        return frozenset() if tree is None else frozenset(analyse(tree).reads)
    except RecursionError:  # nested too deeply: other cells are named all the same
        return frozenset()


def _loop_variables(tree: ast.Module) -> frozenset[str]:
    """Return the names that loops and `with` bind: they are by-products."""
    targets: list[ast.AST] = []
    for node in nodes_in(tree):
        if isinstance(node, ast.For | ast.AsyncFor):
            targets.append(node.target)
        elif isinstance(node, ast.With | ast.AsyncWith):
            targets += [item.optional_vars for item in node.items if item.optional_vars is not None]
    return frozenset(name.id for target in targets for name in nodes_in(target) if isinstance(name, ast.Name))


def _called(tree: ast.Module) -> str:
    """Return the function that a cell calls last, and the first name it hands over: `print total`, `loop frames`."""
    calls = [
        node.value for node in tree.body if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    ]
    for call in reversed(calls):
        function = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        given = next(
            (each.id for each in nodes_in(call) if isinstance(each, ast.Name) and each is not call.func), ""
        )
        if function and not function.startswith(("_", "run_")):
            return f"{function} {given}".strip()
    last = tree.body[-1] if tree.body else None
    verb, shown = ("loop", last.iter) if isinstance(last, ast.For | ast.AsyncFor) else ("show", last)
    names = nodes_in(shown) if shown is not None else ()
    name = next((each.id for each in names if isinstance(each, ast.Name)), "")
    return f"{verb} {name}" if name and not name.startswith("_") and name != "get_ipython" else ""
