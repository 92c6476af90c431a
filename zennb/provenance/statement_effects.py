"""Owns the side effects of a statement: values changed in place, settings, files and random numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from zennb.core.magic_lines.effects import Effect
from zennb.core.records.setting_names import FOLDER, MODULE_PATH
from zennb.provenance.calls import (
    CallSite,
    changes_its_arguments,
    changes_its_receiver,
    differs_each_time,
    draws,
    may_write_files,
    seeds,
    sets_something,
    sets_through_result,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from zennb.core.reading.source import MagicLine
    from zennb.provenance.cell_statements import CellStatement
    from zennb.provenance.code_sites import Inner

__all__ = ["ALL", "ENVIRONMENT", "Effects", "Known", "effects_of"]

ALL = "*"
"""The topic of settings that may affect any step."""

ENVIRONMENT = "environment"
"""The topic of environment variables."""

_SETTINGS = {
    "matplotlib": "matplotlib style",
    "numpy": "numpy print options",
    "pandas": "pandas options",
    "polars": "polars options",
    "sklearn": "scikit-learn configuration",
}
"""Library → its setting (`core.records.observed.Observed.settings`) that its functions set."""

_ASSIGNED = re.compile(r"^[\w.,\s\[\]'\"()*]+=\s*(?=[%!])")
_SHELL_CELLS = tuple(
    f"%%{name}" for name in ("bash", "sh", "script", "writefile", "file", "!", "system", "sx", "cmd", "perl")
)
_QUIET_MAGICS = frozenset(
    {"autoreload", "conda", "mamba", "pip", "uv", "who", "whos", "who_ls", "history", "hist", "pwd", "ls"}
)
_EXTENSIONS = frozenset({"load_ext", "reload_ext", "unload_ext"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of the names that a statement uses.

    Attributes:
        module: returns the dotted name of the module that a name was imported as; None for any other name.
        is_bound: whether the notebook has a name.
        methods: names of methods that classes of the notebook define.
        seeded: libraries whose random generator has been seeded.
        ours: magics of this package, which change nothing in a notebook; `pipeline run` is among them where the steps
            that it runs are followed one by one.
        local_state: whether a local module keeps something that calls can change.
        local_settings: the libraries of which functions of a local module may set something.
    """

    module: Callable[[str], str | None]
    is_bound: Callable[[str], bool]
    methods: Collection[str]
    seeded: Collection[str]
    ours: Collection[str]
    local_state: Callable[[str], bool]
    local_settings: Callable[[str], frozenset[str]]


@dataclass(slots=True, kw_only=True)
class Effects:
    """The side effects of a statement.

    Attributes:
        touched: names whose values it may modify in place.
        stored: names into whose attributes or items it stores.
        touches_reached: whether it may modify anything it reaches, because it modifies the result of a call.
        binds: names that functions it calls may bind, by `global`.
        topics: libraries of which it may set something, or draw random numbers.
        seeded: libraries whose random generator it seeds.
        variables: environment variable → value written out, None where it is computed.
        folder: folder it goes to, where that is written out; None when it is not, "" when it goes nowhere.
        writes: whether it may write files.
        unsteady: why what it makes differs each time; "" as a rule.
        takes_all: whether it may read and bind anything (`exec`, `%run`).
    """

    touched: set[str] = field(default_factory=set)
    stored: set[str] = field(default_factory=set)
    binds: set[str] = field(default_factory=set)
    topics: set[str] = field(default_factory=set)
    seeded: set[str] = field(default_factory=set)
    variables: dict[str, str | None] = field(default_factory=dict)
    folder: str | None = ""
    touches_reached: bool = False
    writes: bool = False
    unsteady: str = ""
    takes_all: bool = False


def effects_of(statement: CellStatement, called: Iterable[Inner], known: Known) -> Effects:
    """Return the possible side effects of a statement.

    Args:
        statement: the statement.
        called: the code that it may call.
        known: what is known of the names.
    """
    found = Effects(variables=dict(statement.variables))
    analysis = statement.analysis
    found.takes_all = bool(analysis.dynamic or analysis.stars or "get_ipython" in analysis.reads)
    for magic in analysis.magics:
        _magic(found, magic, known, binds=bool(set(analysis.binds) - {"_exit_code"}))
    calls = bool(statement.sites) or bool(statement.definition and analysis.reads)
    for site in statement.sites:
        _note(found, site, known)
    # Code that is only passed around, not called, does nothing yet.
    for inner in called if calls else ():
        found.takes_all = found.takes_all or bool(inner.phrases)
        if inner.stores:
            found.stored |= {name for site in statement.sites for name in site.names}
        found.binds |= inner.binds
        for site in (*inner.sites, *_of_modules(inner.modules)):
            _note(found, site, known)
    return found


def _of_modules(paths: Iterable[str]) -> Iterator[CallSite]:
    """Yield the uses of modules that a function imports itself, as calls with unknown arguments."""
    for path in paths:
        root, *rest = path.split(".")
        if rest:
            yield CallSite(root=f"import {root}", path=tuple(rest), arguments=1)


def _note(found: Effects, site: CallSite, known: Known) -> None:
    module = site.root.removeprefix("import ") if site.root.startswith("import ") else known.module(site.root)
    found.touched |= _touched(site, module, known)
    if module is None and site.is_of_result and (site.names or site.root):
        found.touches_reached = (
            found.touches_reached or not site.is_call or changes_its_receiver(site, known.methods)
        )
    elif site.root and module is None and (not site.is_call or site.path[-1:] == ("register",)):
        found.stored.add(site.root)  # a class keeps what is registered with it
    elif site.root in {"setattr", "delattr", "vars"} and not site.path:
        found.stored |= site.names
    found.writes = found.writes or may_write_files(site, module)
    if (
        site.root
        and (module is not None or not known.is_bound(site.root))
        and differs_each_time(site, module)
    ):
        found.unsteady = found.unsteady or f"`{'.'.join((site.root.removeprefix('import '), *site.path))}`"
    if module is not None:
        _note_module(found, site, module, known)
    for each in filter(None, map(known.module, site.names)):
        if sets_through_result(site, each):
            found.topics |= {each.partition(".")[0], ALL}


def _touched(site: CallSite, module: str | None, known: Known) -> set[str]:
    if not site.is_call:
        return {site.root} if site.root and module is None else set()
    given = set(site.names)
    if module is not None or not known.is_bound(site.root):
        if site.root:
            return given if changes_its_arguments(site, module) else set()
        harmless = site.path and not changes_its_receiver(site, known.methods)
        return set() if harmless else given
    if site.path:
        return {site.root, *given} if changes_its_receiver(site, known.methods) else set()
    return {site.root, *given}


def _note_module(found: Effects, site: CallSite, module: str, known: Known) -> None:
    """Record what a use of a module sets, and the random numbers it draws."""
    top = module.partition(".")[0]
    names = (*module.split("."), *site.path)
    found.topics |= _of_local(site, module, known)
    if names[0] == "os" and ("environ" in names or names[-1] in {"putenv", "unsetenv"}):
        _note_environment(found, site, names)
    elif names[-1] == "chdir":
        found.topics.add(FOLDER)
        found.folder = site.texts[0] if len(site.texts) == 1 and not site.names else None
    elif names[:2] == ("sys", "path"):  # what is imported from there counts by itself
        found.topics.add(MODULE_PATH)
    elif sets_something(site, module) and not draws(site, module):
        found.topics |= _set_by(site, names)
    if draws(site, module):
        found.topics.add(f"random state of {top}")
        if seeds(site):
            found.seeded.add(top)
        # Without a seed nobody can compute the number again; with one it follows from the seed
        # and what was drawn before.
        elif top not in known.seeded and top not in found.seeded:
            found.unsteady = found.unsteady or "a random number that nobody seeded"
    elif seeds(site):
        found.seeded.add(top)


def _of_local(site: CallSite, module: str, known: Known) -> set[str]:
    """Return what a use of a local module may set, in the module itself or through its functions."""
    own = {module.partition(".")[0]} if known.local_state(module) else set()
    return own | known.local_settings(module) if site.is_call else own


def _set_by(site: CallSite, names: tuple[str, ...]) -> set[str]:
    """Return the settings that a use of a library changes. An unknown setting may affect any step."""
    if names[0] == "numpy" and names[-1] in {"seterr", "seterrcall"}:
        return {"numpy error handling"}
    if names[0] == "torch" and seeds(site):
        return {"random state of torch"}
    is_known = site.is_call or "options" in names or "rcParams" in names
    known = (
        _SETTINGS.get(names[0]) if is_known and (names[0] != "numpy" or "printoptions" in names[-1]) else None
    )
    return {names[0], ALL} if known is None else {known}


def _note_environment(found: Effects, site: CallSite, names: tuple[str, ...]) -> None:
    sets_one = not site.is_call or names[-1] in {"pop", "setdefault", "putenv", "unsetenv"}
    sets_any = sets_one or names[-1] in {"update", "clear", "popitem"}
    if sets_one and site.texts and names[-1] not in {"update", "clear", "popitem"}:
        found.variables.setdefault(site.texts[0], None)
    elif sets_any:
        found.topics.add(ENVIRONMENT)


def _magic(found: Effects, magic: MagicLine, known: Known, *, binds: bool) -> None:
    text = _ASSIGNED.sub("", magic.text)
    name, _, line = text.lstrip("%").partition(" ")
    # What a program prints is not known without running it.
    if text.startswith("!") and binds:
        found.unsteady = f"`{text}`"
    if text.startswith(("!", *_SHELL_CELLS)):
        found.writes = found.writes or magic.effect in {Effect.UNSEEN, Effect.SETTING}
    elif magic.effect is Effect.SETTING:
        _setting_magic(found, name, line.strip())
    elif magic.effect is Effect.UNSEEN and name not in _QUIET_MAGICS:
        ours = name.replace("_", "-")
        is_quiet = ours in known.ours and ("run" not in line.split() or f"{ours} run" in known.ours)
        found.takes_all = found.takes_all or not is_quiet


def _setting_magic(found: Effects, name: str, line: str) -> None:
    if name in {"env", "set_env"}:
        variable, _, value = line.partition("=") if "=" in line else line.partition(" ")
        # IPython fills in Python values there.
        computed = "{" in value or "$" in value
        found.variables[variable.strip()] = None if computed else value.strip()
    elif name == "cd":
        found.topics.add(FOLDER)
        found.folder = None if "{" in line or "$" in line or not line else line.strip("\"'")
    elif name in {"matplotlib", "pylab"} or (name == "config" and "InlineBackend" in line):
        found.topics.add(_SETTINGS["matplotlib"])
    elif name in _EXTENSIONS and line in {"zennb", "autoreload"}:
        return
    elif name not in _QUIET_MAGICS:
        found.topics.add(ALL)
