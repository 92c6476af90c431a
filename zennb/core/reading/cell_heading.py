"""Owns the line that makes a cell a step (`%%step`, `#| step: ...`) or keeps it from being one (`#| step: off`)."""

from __future__ import annotations

import ast
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zennb.core.magic_lines.effects import Effect
from zennb.core.magic_lines.magics import line_magic, read_magic

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = [
    "Heading",
    "body",
    "comment_title",
    "heading",
    "is_only_magics",
    "short_title",
    "stays_plain",
    "switch",
]

_MAGIC = re.compile(r"^[ \t]*%%step(?P<line>[ \t].*)?$")
_RUNS_CELL = re.compile(r"%%capture\b")
_OPTION = re.compile(r"^[ \t]*#\|")
_STEP = re.compile(r"^[ \t]*#\|[ \t]*step(?:[ \t]*:(?P<line>.*)|(?P<bare>[ \t].*)?)$")
_NAME = re.compile(r"""^(?:"(?P<double>[^"]+)"|'(?P<single>[^']+)'|(?P<plain>[^\s"'-]\S*))""")

_INVISIBLE = re.compile("[\u200b-\u200d\ufe00-\ufe0f]")
"""Joiners of letters, and what chooses the look of an emoji."""

_TITLE = 32
"""Characters of a comment or heading that name a step."""

_OFF = frozenset({"off", "no", "false"})
_ON = frozenset({"on", "yes", "true"})
"""Words for no and yes in YAML, in which Quarto writes such options."""

_DEFINING = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
"""Statements that only make names for other cells to use: their code counts for the steps that use them."""

_LOADERS = frozenset({"load_ext", "reload_ext", "unload_ext"})
_QUESTIONS = frozenset({"pinfo", "pinfo2", "psearch"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """The line that makes a cell a step, or keeps it from being one.

    Attributes:
        marker: its form: `%%step` or `#| step:`.
        line: the rest of the line: the step's name and options.
        is_off: whether it turns the step off (`#| step: off`).
        problem: what is wrong with the line, as a sentence; "" when it is valid.
    """

    marker: str
    line: str = ""
    is_off: bool = False
    problem: str = ""

    @property
    def name(self) -> str:
        """The step's name; "" when the line has none."""
        found = _NAME.match(self.line)
        return next((each for each in found.groups() if each), "") if found is not None else ""


def heading(source: str) -> Heading | None:
    """Return the line that makes a cell a step or keeps it from being one; None when there is none.

    It is `%%step` as the first line, or `#| step: ...` among the lines `#| ...` that the cell, or the body of its cell
    magic, starts with; blank lines may stand before and between. `%%capture` runs its body as a cell of its
    own, and that is the step.
    """
    lines = [line for line in source.splitlines() if line.strip()]
    if lines and (found := _MAGIC.match(lines[0])):
        return Heading(marker="%%step", line=(found["line"] or "").strip())
    if lines and lines[0].startswith("%%") and not _RUNS_CELL.match(lines[0]):
        lines = lines[1:]
    for line in lines:
        # Options of a cell stand at its top; below code `#| step:` is a comment like any other.
        if not _OPTION.match(line):
            return None
        if found := _STEP.match(line):
            return _option(found["line"], (found["bare"] or "").strip())
    return None


def _option(line: str | None, bare: str) -> Heading:
    if line is None and bare:
        problem = f"`#| step {bare}` lacks its colon; type `#| step: {bare}`."
        return Heading(marker="#| step:", line=bare, problem=problem)
    line = (line or "").strip()
    if line.lower() in _OFF:
        return Heading(marker="#| step:", is_off=True)
    return Heading(marker="#| step:", line="" if line.lower() in _ON else line)


def short_title(text: str) -> str:
    """Return a comment or heading as a name of at most 32 characters: `# ## Load the data!` is `load the data`.

    It is "" where it would be an option (`--rerun`) or the number of a run (`2024`) on a command line.
    """
    plain = _INVISIBLE.sub("", unicodedata.normalize("NFC", text.lstrip("# \t")).lower())
    words = "".join(each if _is_of_word(each) else " " for each in plain).split()
    found = ""
    for word in (each.strip("-") for each in words):
        if found and len(found) + len(word) >= _TITLE:
            break
        found = f"{found} {word}".strip()
    end = min(_TITLE, len(found))
    while end < len(found) and unicodedata.category(found[end]).startswith("M"):
        end -= 1  # a letter stays with its marks
    return found[:end].rstrip("-") if any(map(str.isalpha, found)) else ""


def _is_of_word(character: str) -> bool:
    """Whether a character belongs to a word; in many scripts, words are letters with marks on them."""
    return character.isalnum() or character in "_-" or unicodedata.category(character) in {"Mn", "Mc"}


def comment_title(source: str) -> str:
    """Return the comment on top of a cell as a name: `# ## Load the data` is `load the data`; "" for none."""
    for line in source.splitlines():
        if not line.strip() or _OPTION.match(line) or line.startswith("%%"):
            continue
        return short_title(line) if line.startswith("#") else ""
    return ""


def body(source: str) -> str:
    """Return a cell's text without the `%%step` line and the blank lines before it; other cells are as they are."""
    found = heading(source)
    return source.lstrip().partition("\n")[2] if found is not None and found.marker == "%%step" else source


def stays_plain(tree: ast.Module, magics: Collection[str]) -> bool:
    """Whether a cell without a heading is no step even while autostep is on.

    These are cells that start with a cell magic, cells without code, cells that switch autostep, and cells that hold
    nothing but imports, functions, classes, `magics`, magics that set something (`%matplotlib inline`), extension
    loading and help requests (`x?`).

    Args:
        tree: the cell after IPython's input transformation, parsed.
        magics: the line magics that do not count as code.
    """
    if switch(tree) is not None or (tree.body and _is_cell_magic(tree.body[0])):
        return True
    only_defines = [
        isinstance(node, _DEFINING) or _is_ours(node, magics) or _is_setting(node) for node in tree.body
    ]
    return all(only_defines[ast.get_docstring(tree) is not None and len(only_defines) > 1 :])


def is_only_magics(tree: ast.Module, magics: Collection[str]) -> bool:
    """Whether a cell holds nothing but lines of these magics, extension loading and help requests (`x?`)."""
    return all(_is_ours(node, magics) for node in tree.body)


def switch(tree: ast.Module) -> str | None:
    """Return the argument of `%zennb autostep` in a cell ("on", "off", or "" for none); None without that line."""
    found = None
    for node in tree.body:
        name, line = _line_magic(node)
        words = line.split()
        if name == "zennb" and words[:1] == ["autostep"]:
            found = next((word for word in words[1:] if word in {"on", "off"}), "")
    return found


def _is_ours(node: ast.stmt, magics: Collection[str]) -> bool:
    name, _ = _line_magic(node)
    return name.replace("_", "-") in magics or name in _LOADERS | _QUESTIONS


def _is_setting(node: ast.stmt) -> bool:
    magic = read_magic(node.value) if isinstance(node, ast.Expr) else None
    return magic is not None and magic.effect is Effect.SETTING


def _line_magic(node: ast.stmt) -> tuple[str, str]:
    return line_magic(node.value if isinstance(node, ast.Expr | ast.Assign) else None)


def _is_cell_magic(node: ast.stmt) -> bool:
    call = node.value if isinstance(node, ast.Expr) else None
    return getattr(getattr(call, "func", None), "attr", "") == "run_cell_magic"
