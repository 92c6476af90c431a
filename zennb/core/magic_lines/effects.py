"""Owns the side effects of magics and shell lines: none, a setting, files that are read, or unknown."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from zennb.core.magic_lines.shell_lines import files_named, makes_folders

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Effect", "effect_of_cell_magic", "effect_of_line_magic", "effect_of_shell_line"]


class Effect(StrEnum):
    """How reuse of a step treats a magic or shell line.

    Attributes:
        NONE: replay its output: `%time`, `%pinfo`.
        SETTING: run it again, because it changes a setting of the process, or makes a folder: `%matplotlib inline`,
            `%precision 3`, `!mkdir -p data`.
        FILES: replay its output while the files it names are unchanged: `!ls data`, `!head data.csv`.
        UNSEEN: do not reuse the step, because the line may read or change anything: `!cmd`, `%run`, third-party magics.
    """

    NONE = "none"
    SETTING = "setting"
    FILES = "files"
    UNSEEN = "unseen"


_HARMLESS = frozenset(
    {"time", "timeit", "prun", "memit", "mprun", "lprun", "xdel"}
    | {"pinfo", "pinfo2", "psearch", "pdef", "pdoc", "psource", "pfile"}
    | {"lsmagic", "magic", "quickref", "pwd"}
)
"""Line magics without side effects: they run Python, which is analysed, or only show information."""

_DISPLAYS = frozenset(["html", "HTML", "javascript", "js", "latex", "markdown", "svg", "SVG", "capture"])
"""Cell magics that only display their body or its output."""

_WRITERS = frozenset(["writefile", "file"])
"""Cell magics that write their body to a file, which is seen."""

_ALIASES = frozenset(["cat", "ls", "mkdir"])
"""Programs that IPython offers as line magics."""


def _set_by_line(line: str) -> Effect:
    """Magics that set what their argument says, and toggle without one."""
    return Effect.SETTING if line else Effect.UNSEEN


def _env(line: str) -> Effect:
    """`%env A=1` and `%env A 1` set; `%env` and `%env A` read what the code does not say."""
    return Effect.SETTING if "=" in line or len(line.split()) > 1 else Effect.UNSEEN


def _cd(line: str) -> Effect:
    """`%cd folder` sets; `%cd -`, `%cd -2` and bookmarks depend on where one was before."""
    words = [word for word in line.split() if word != "-q"]
    return Effect.UNSEEN if any(word.startswith("-") for word in words) else Effect.SETTING


_SETTINGS: dict[str, Callable[[str], Effect]] = {
    **dict.fromkeys(
        ["matplotlib", "precision", "gui", "alias_magic", "load_ext", "reload_ext", "unload_ext"],
        lambda _line: Effect.SETTING,
    ),
    **dict.fromkeys(
        ["autoreload", "pprint", "pdb", "autocall", "automagic", "autoawait", "xmode", "colors"], _set_by_line
    ),
    "config": lambda line: Effect.SETTING if "=" in line else Effect.NONE,
    "env": _env,
    "set_env": _env,
    "cd": _cd,
}
"""Line magics that change a setting of the process or shell → function from their argument to the effect."""


def effect_of_line_magic(name: str, line: str) -> Effect:
    """Return the effect of `%name line`."""
    if name in _HARMLESS:
        return Effect.NONE
    if name in _ALIASES:
        return effect_of_shell_line(f"{name} {line}".strip())
    # A magic that nobody here knows may do anything.
    judge = _SETTINGS.get(name)
    return Effect.UNSEEN if judge is None else judge(line.strip())


def effect_of_cell_magic(name: str) -> Effect:
    """Return the effect of `%%name`, besides that of Python in its body."""
    return Effect.NONE if name in _HARMLESS | _DISPLAYS | _WRITERS else Effect.UNSEEN


def effect_of_shell_line(command: str) -> Effect:
    """Return the effect of `!command`."""
    if makes_folders(command):
        return Effect.SETTING
    return Effect.UNSEEN if files_named(command) is None else Effect.FILES
