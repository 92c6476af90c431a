"""Owns what a magic or shell line does besides reading and binding names: nothing, a setting, or what nobody sees."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from zennb.core.magic_lines.shell_lines import files_named

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Effect", "effect_of_cell_magic", "effect_of_line_magic", "effect_of_shell_line"]


class Effect(StrEnum):
    """What is to be done about a line when its step is reused.

    Attributes:
        NONE: nothing but to show what it showed: `%time`, `%pinfo`.
        SETTING: execute it again, it sets something in this process: `%matplotlib inline`, `%precision 3`.
        FILES: show what it showed, as long as the files it names are what they were: `!ls data`, `!head data.csv`.
        UNSEEN: run the step, since the line may read or change anything: `!cmd`, `%run`, magics of others.
    """

    NONE = "none"
    SETTING = "setting"
    FILES = "files"
    UNSEEN = "unseen"


_HARMLESS = frozenset(
    {"time", "timeit", "prun", "memit", "mprun", "lprun", "xdel"}
    | {"pinfo", "pinfo2", "psearch", "pdef", "pdoc", "psource", "pfile"}
    | {"lsmagic", "magic", "quickref"}
)
"""Line magics that run Python, which is read as such, or only show what the code itself says."""

_DISPLAYS = frozenset(["html", "HTML", "javascript", "js", "latex", "markdown", "svg", "SVG", "capture"])
"""Cell magics that show their body, or what running it shows."""


def _set_by_line(line: str) -> Effect:
    """Judge a magic that sets what its line says, and switches to and fro without one."""
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
"""Line magics that set something in the process or the shell → judge of their line."""


def effect_of_line_magic(name: str, line: str) -> Effect:
    """Return the effect of `%name line`."""
    if name in _HARMLESS:
        return Effect.NONE
    judge = _SETTINGS.get(name)
    return Effect.UNSEEN if judge is None else judge(line.strip())


def effect_of_cell_magic(name: str) -> Effect:
    """Return the effect of `%%name`, besides that of Python in its body."""
    return Effect.NONE if name in _HARMLESS | _DISPLAYS else Effect.UNSEEN


def effect_of_shell_line(command: str) -> Effect:
    """Return the effect of `!command`."""
    return Effect.UNSEEN if files_named(command) is None else Effect.FILES
