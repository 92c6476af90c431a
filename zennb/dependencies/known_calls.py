"""Owns the names of library calls that are harmless, or whose effect is carried as a setting or seen in another way."""

from __future__ import annotations

import re

__all__ = [
    "concerned",
    "is_carried",
    "is_changing_sql",
    "is_decorator",
    "is_known_harmless",
    "sets_when_assigned",
    "sets_when_given",
    "surely_sets",
]

_SETTING = re.compile(
    r"(un)?register|(en|dis)able|(un)?install|(de)?activate|(un)?subscribe|config|basicConfig|dictConfig|fileConfig"
    r"|captureWarnings|set(?!diff|xor|p$)|use(_|$)|init(_|ialize|$)|patch|monkey|extension|output_notebook|apply$|reset"
    r"|switch|add[A-Z_]|(create|remove)_function|for_type|attach|hook|mount|signal$|update$|login|[Oo]ptions?$|[Ss]ettings?$|Config"
)
"""Begins the names of functions that set or register something, whatever they return and are given."""

_ASSIGNED = re.compile(r"set(?!diff|xor|p$|_index)|(un)?register|(en|dis)able|(un)?subscribe|install|signal$")
"""Begins the names of those among them that are called for their effect also when their result is kept."""

_BOTH = frozenset(
    {
        "csv.field_size_limit",
        "gettext.bindtextdomain",
        "gettext.textdomain",
        "os.umask",
        "threading.stack_size",
    }
)
"""Functions that set what they are given, and tell it when they are given nothing."""

_HARMLESS = re.compile(
    r"show|display|p?print|pprint|plot|draw|sleep|wait|read|fetch|download|get|list|dump|save|write|export|to_|close"
    r"|flush|assert|check|verif|valid|test|describe|info$|debug$|warn|error$|critical$|exception$|log$|help|view|head$"
    r"|tail$|summary|collect$|time(it)?$|run(call|ctx|_|$)|gather$|create_task|exit$|reload$|synchronize|empty_cache"
    r"|dis$|walk|clear_output|main$|breakpoint|set_trace|start_new_thread|require|import_module|seterr$"
    r"|getLogger$|compile$|render|figure|load(?!_ext)|open$|clip_grad|unwatch|barrier|progress|tqdm$|trange$"
)
"""Begins the names of functions that draw, print, read, write files, check or wait. Files are seen in another way."""

_HARMLESS_MODULES = frozenset(
    {
        "IPython.display",
        "bisect",
        "builtins",
        "cProfile",
        "collections",
        "contextlib",
        "dataclasses",
        "doctest",
        "enum",
    }
    | {
        "functools",
        "heapq",
        "itertools",
        "matplotlib.pyplot",
        "matplotlib.pylab",
        "networkx",
        "numpy.testing",
        "operator",
        "os",
    }
    | {
        "pathlib",
        "pdb",
        "pickle",
        "pprint",
        "profile",
        "random",
        "shutil",
        "subprocess",
        "tempfile",
        "timeit",
    }
    | {"traceback", "typing", "unittest", "warnings", "webbrowser", "zennb", "abc", "types", "concurrent"}
)
"""Modules whose functions draw, print, work on what they are given, or change what is carried or seen anyway."""

_DRAWING = frozenset(
    {"altair", "bokeh", "cv2", "folium", "graphviz", "holoviews", "hvplot", "matplotlib", "missingno"}
    | {"plotly", "plotnine", "seaborn", "shap", "wordcloud"}
)
"""Packages of which only calls count that set something by their name."""

_CARRIED = re.compile(
    r"numpy\.(set_printoptions|seterr|random\..*)|pandas\.(set|reset)_option|pandas\.options\..*"
    r"|matplotlib\.(rc.*|style\.((core\.)?use|.*context.*)|use|set_loglevel|interactive|pyplot\..*)"
    r"|sklearn\.set_config|polars\.Config.*"
    r"|torch\.(manual_seed|seed|random\..*|cuda\.(manual_seed|seed).*)"
    r"|torch\.backends\.cudnn\.(benchmark|deterministic|enabled)|sys\.(path|setrecursionlimit|std\w+|modules|exit)(\W.*)?"
    r"|locale\.setlocale|decimal\.(getcontext|setcontext|localcontext).*|logging\.(.*setLevel|disable)"
    r"|os\.(environ|chdir|putenv|unsetenv).*|IPython\..*(run_(line|cell)_magic|system|getoutput|run_cell|ast_node_int).*"
    r"|IPython\..*\.zennb_step.*|IPython\.core\.getipython\.get_ipython\(\)\.(ex|ev|push|user_ns|system|magic).*"
)
"""Calls whose effect is carried as a setting, seen as such, or looked at elsewhere."""

_CHANGING_SQL = re.compile(
    r"\s*(create|insert|update|delete|drop|alter|attach|detach|set|pragma|install|load|use|copy)\b",
    re.IGNORECASE,
)

_RELATED = {
    "builtins": {"*"},
    "copyreg": {"copy", "pickle", "joblib", "cloudpickle"},
    "time": {"datetime", "pandas"},
    "IPython": {"*"},
    "codecs": {"*"},
    "sys": {"*"},
}
"""Module → what is concerned as well when something of it is set; `*` is every step."""

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9]*")


def surely_sets(name: str) -> bool:
    """Whether a dotted name says that it sets or registers something: `xarray.set_options`, `lib.config.x`."""
    *inner, last = name.split(".")
    within = ("config", "options", "settings", "registry", "colormaps", "backends")
    return _SETTING.match(last) is not None or any(each in within for each in inner[1:])


def sets_when_given(name: str) -> bool:
    """Whether a function sets what it is given, and else only tells it."""
    return name in _BOTH


def sets_when_assigned(name: str) -> bool:
    """Whether a function is called for its effect although its result is kept: `old = signal.signal(...)`."""
    return _ASSIGNED.match(name.rpartition(".")[2]) is not None


def is_known_harmless(name: str) -> bool:
    """Whether a call of a dotted name draws, prints, reads, writes files or waits, and sets nothing."""
    parts = name.split(".")
    if name in {"time.tzset", "os.umask", "os.nice", "sqlite3.register_adapter", "abc.ABCMeta.register"}:
        return False
    heads = {".".join(parts[:end]) for end in range(1, len(parts))}
    if not heads.isdisjoint(_HARMLESS_MODULES):
        return "register" not in name
    return bool(_HARMLESS.match(parts[-1])) or (parts[0] in _DRAWING and not surely_sets(name))


def is_carried(name: str) -> bool:
    """Whether what a dotted name sets is carried as a setting."""
    return _CARRIED.fullmatch(name) is not None


def is_changing_sql(text: str) -> bool:
    """Whether a text is SQL that changes a database; that of `duckdb.sql` belongs to the library."""
    return _CHANGING_SQL.match(text) is not None


def is_decorator(name: str) -> bool:
    """Whether a decorator registers what it decorates."""
    return any("register" in part or part.startswith(("add_", "on_")) for part in name.split("."))


def concerned(package: str, name: str, loaded: frozenset[str]) -> frozenset[str]:
    """Return the packages that a call concerns: its own, and those that its name names: `tqdm.pandas`, `nest_asyncio`.

    Args:
        package: its own.
        name: its dotted name.
        loaded: the packages that there are.
    """
    words = {word for word in _WORD.findall(name) if word in loaded and len(word) > 2}
    return frozenset({package, *words} | _RELATED.get(package, set()))
