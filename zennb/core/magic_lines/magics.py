"""Owns reading magics and shell lines (`get_ipython().run_line_magic(...)`): what they run, read and bind."""

from __future__ import annotations

import ast
import re
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from zennb.core.magic_lines.effects import (
    Effect,
    effect_of_cell_magic,
    effect_of_line_magic,
    effect_of_shell_line,
)
from zennb.core.reading.embedded_names import expanded

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Magic", "is_shell", "line_magic", "parse_python", "read_magic"]

_TIMERS = {"time": "", "timeit": "n:r:tcp:qov:", "prun": "D:l:rs:T:q", "memit": "r:t:i:co"}
_PROFILERS = {"mprun": "rsT:f:c", "lprun": "rsf:m:D:T:u:z"}
_PYTHON = _TIMERS | _PROFILERS
"""Magics that run the rest of the line as Python → their short options, `:` after those with a value."""

_SCRIPTS = frozenset(
    {"bash", "cmd", "perl", "pypy", "python", "python2", "python3", "ruby", "script", "sh"}
    | {"system", "sx", "!"}
)
"""Cell magics that run the body in another process."""

_TEXT_CELLS = _SCRIPTS | frozenset(
    ["file", "html", "HTML", "javascript", "js", "latex", "markdown", "svg", "SVG", "writefile"]
)
"""Cell magics whose body is not Python of this notebook."""

_QUESTIONS = {"pinfo": "?", "pinfo2": "??", "pdef": "", "pdoc": "", "psource": "", "pfile": ""}
_OPAQUE = frozenset(
    {"debug", "edit", "load", "loadpy", "macro", "pylab", "recall", "rerun", "reset", "reset_selective"}
    | {"run", "store", "who", "who_ls", "whos"}
)
"""Line magics that read or bind names that their line does not show."""

_ASSIGNED = re.compile(r"^(\s*)([\w.,\s\[\]'\"()*]+?)\s*=\s*([%!])(.*)$")
_ESCAPED = re.compile(r"^(\s*)(%|!!|!)(.*)$")
_QUESTION = re.compile(r"^(\s*)(?:(\?\??)([%\w.*]+)|([%\w.*]+)(\?\??))\s*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Magic:
    """What one magic or shell line does.

    Attributes:
        text: the line as typed, without a target it is assigned to.
        bare: the same when it is assigned: `!ls` where a statement says `!!ls`.
        code: Python that it runs, its first line being the magic's own line; None when it runs none.
        leaks: whether names bound by `code` stay bound in the notebook.
        reads: expressions it evaluates before anything else.
        binds: names it binds afterwards.
        deletes: names it deletes afterwards.
        opaque: short phrase for a magic whose effect on names is unknown; "" when it is known.
        effect: what it does besides.
    """

    text: str
    bare: str = ""
    code: str | None = None
    leaks: bool = True
    reads: tuple[ast.expr, ...] = ()
    binds: tuple[str, ...] = ()
    deletes: tuple[str, ...] = ()
    opaque: str = ""
    effect: Effect = Effect.UNSEEN


def read_magic(call: ast.expr | None) -> Magic | None:
    """Return what `call` does if it has the form IPython gives to magic and shell lines; else None."""
    match _parts(call):
        case "system" | "system_raw" | "system_piped", [command]:
            effect = effect_of_shell_line(command)
            return Magic(
                text=f"!{command}", reads=tuple(expanded(command)), binds=("_exit_code",), effect=effect
            )
        case "getoutput", [command]:
            effect = effect_of_shell_line(command)
            return Magic(
                text=f"!!{command}", bare=f"!{command}", reads=tuple(expanded(command)), effect=effect
            )
        case "run_line_magic", [name, line]:
            return replace(_line_magic(name, line), effect=effect_of_line_magic(name, line))
        case "magic", [text]:
            name, _, line = text.lstrip("%").partition(" ")
            return replace(_line_magic(name, line), effect=effect_of_line_magic(name, line))
        case "run_cell_magic", [name, line, body]:
            return replace(_cell_magic(name, line, body), effect=effect_of_cell_magic(name))
    return None


def line_magic(call: ast.expr | None) -> tuple[str, str]:
    """Return name and line of a `%magic`, `("", "")` for anything else."""
    match _parts(call):
        case "run_line_magic", [name, line]:
            return name, line
        case "magic", [text]:
            name, _, line = text.lstrip("%").partition(" ")
            return name, line
    return "", ""


def _parts(call: ast.expr | None) -> tuple[str, list[str]]:
    """Return the shell's method that is called, and its arguments; `("", [])` for anything else."""
    function = call.func if isinstance(call, ast.Call) else None
    if not (isinstance(call, ast.Call) and isinstance(function, ast.Attribute) and is_shell(function.value)):
        return "", []
    texts = [one.value for one in call.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    # Only constants: a call that somebody typed by hand with computed arguments is no magic line.
    return (function.attr, texts) if len(texts) == len(call.args) and not call.keywords else ("", [])


def is_shell(node: ast.expr) -> bool:
    """Say whether an expression is `get_ipython()`."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "get_ipython"


def _line_magic(name: str, line: str) -> Magic:
    text = f"%{name} {line}".rstrip()
    if name in _PYTHON:
        options, code = _options(line, _PYTHON[name])
        return _python(name, text, options, code)
    if name in _QUESTIONS:
        mark = _QUESTIONS[name]
        reads = (_expression(line),) if re.fullmatch(r"[A-Za-z_][\w.]*", line) else ()
        return Magic(
            text=f"{line}{mark}" if mark else text, reads=tuple(one for one in reads if one is not None)
        )
    if name == "R":
        return _rmagic(text, line)
    if name == "xdel":
        return Magic(text=text, deletes=(line.strip(),) if line.strip().isidentifier() else ())
    opaque = f"%{name}" if name in _OPAQUE else ""
    return Magic(text=text, reads=tuple(expanded(line)), opaque=opaque)


def _cell_magic(name: str, line: str, body: str) -> Magic:
    text = f"%%{name} {line}".rstrip()
    if name in _PYTHON:
        options, code = _options(line, _PYTHON[name])
        return _python(name, text, options, f"{code}\n{body}")
    if name == "capture":
        kept = tuple(word for word in line.split() if word.isidentifier())[:1]
        # IPython drops the capture again when the body ends in a semicolon.
        dropped = kept if body.rstrip().endswith(";") else ()
        return Magic(text=text, code=f"\n{body}", reads=tuple(expanded(line)), binds=kept, deletes=dropped)
    if name == "R":
        return _rmagic(text, line)
    binds = tuple(re.findall(r"--(?:out|err|proc)[ =]([A-Za-z_]\w*)", line)) if name in _SCRIPTS else ()
    opaque = "" if name in _TEXT_CELLS else f"%%{name}"
    return Magic(text=text, reads=tuple(expanded(line)), binds=binds, opaque=opaque)


def _python(name: str, text: str, options: list[tuple[str, str]], code: str) -> Magic:
    """Describe a magic that times or profiles Python."""
    binds = tuple(value for letter, value in options if name == "timeit" and letter == "v")
    watched = [_expression(value) for letter, value in options if name in _PROFILERS and letter in "fm"]
    reads = tuple(one for one in watched if one is not None)
    return Magic(text=text, code=code, leaks=name != "timeit", reads=reads, binds=binds)


def _rmagic(text: str, line: str) -> Magic:
    """Describe `%R` and `%%R` of rpy2: `-i x,y` hands values over, `-o z` takes them back."""
    given = re.findall(r"(?:^|\s)(?:-i|--input)[ =]?\s*([\w.,]+)", line)
    taken = re.findall(r"(?:^|\s)(?:-o|--output)[ =]?\s*([\w.,]+)", line)
    reads = [_expression(name) for names in given for name in names.split(",")]
    binds = tuple(name for names in taken for name in names.split(",") if name.isidentifier())
    return Magic(text=text, reads=tuple(one for one in reads if one is not None), binds=binds)


def _expression(source: str) -> ast.expr | None:
    try:
        return ast.parse(source, mode="eval").body
    except SyntaxError:
        return None


def _options(line: str, known: str) -> tuple[list[tuple[str, str]], str]:
    """Split `line` into short options (letter, value) and the rest, like getopt."""
    found: list[tuple[str, str]] = []
    rest = line.lstrip()
    while match := re.match(r"--[a-z][\w-]*\s*|--\s+|-([A-Za-z])", rest):
        letter = match[1]
        if letter is None:
            rest = rest[match.end() :]
        elif f"{letter}:" in known:
            value, _, rest = rest[2:].lstrip().partition(" ")
            found.append((letter, value))
        elif letter in known:
            found.append((letter, ""))
            joined = rest[2:3].isalpha()
            rest = f"-{rest[2:]}" if joined else rest[2:]
        else:
            break
        rest = rest.lstrip()
    return found, rest


def parse_python(code: str) -> list[ast.stmt] | None:
    """Parse Python that may hold magic and shell lines, as the body of `%%time` may; None when it cannot be.

    A line counts as a magic only where it is a Python syntax error.
    """
    lines = code.strip(" ").split("\n") if "\n" not in code.strip() else code.split("\n")
    found: list[ast.stmt] = []
    # The lines before `start` are in `found`: parsing them again for each magic takes seconds in long cells.
    start = 0
    # Each round turns one line into Python, so there are at most as many rounds as lines.
    for _ in range(len(lines) + 1):
        try:
            return found + _parsed(lines, start, len(lines))
        except SyntaxError as error:
            number = (error.lineno or 0) - 1
            if not 0 <= number < len(lines):
                return None
            python = _as_python(lines[number])
            if python is None:
                return None
            lines[number] = python
            if not python[
                :1
            ].isspace():  # a statement of the cell itself, before which all others are complete
                with suppress(SyntaxError):
                    found += _parsed(lines, start, number + 1)
                    start = number + 1
        except (ValueError, RecursionError, MemoryError):  # the last two where it is nested too deeply
            return None
    return None


def _parsed(lines: Sequence[str], start: int, end: int) -> list[ast.stmt]:
    return ast.parse("\n" * start + "\n".join(lines[start:end])).body


def _as_python(line: str) -> str | None:
    """Return a magic, shell or help line in the form IPython gives it; None when it is none of them."""
    if match := _ESCAPED.match(line):
        return f"{match[1]}{_call(match[2], match[3])}"
    if match := _ASSIGNED.match(line):
        mark = "!!" if match[3] == "!" else "%"
        return f"{match[1]}{match[2]} = {_call(mark, match[4])}"
    if match := _QUESTION.match(line):
        verb = "pinfo2" if "??" in (match[2], match[5]) else "pinfo"
        return f"{match[1]}get_ipython().run_line_magic({verb!r}, {match[3] or match[4]!r})"
    return None


def _call(mark: str, rest: str) -> str:
    if mark == "!":
        return f"get_ipython().system({rest.strip()!r})"
    if mark == "!!":
        return f"get_ipython().getoutput({rest.strip()!r})"
    name, _, line = rest.strip().partition(" ")
    return f"get_ipython().run_line_magic({name!r}, {line.strip()!r})"
