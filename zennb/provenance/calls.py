"""Owns what a call does, judged by its name: change an argument, set an option, write a file, return a new value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = [
    "SCALAR_MAKERS",
    "CallSite",
    "changes_its_arguments",
    "changes_its_receiver",
    "differs_each_time",
    "draws",
    "may_write_files",
    "seeds",
    "sets_something",
    "sets_through_result",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSite:
    """A place in code where something is called, or stored into an attribute or item.

    Attributes:
        root: the name it starts at: `df` of `df.loc[0].fillna(1)`; "" when it starts at something else.
        path: the attributes behind that.
        names: names in the arguments, or in what is stored.
        is_call: whether it is a call.
        is_bare: whether it is a statement of its own, so that its result is discarded.
        keywords: names of keyword arguments.
        texts: constant strings among the arguments, or the constant key that is stored under, in order.
        arguments: how many arguments are passed.
        is_of_result: whether it is a method of, or a store into, what another call returned.
        hands_over_method: whether an attribute of something is passed, perhaps to be called: `map(xs.append, ys)`.
    """

    root: str
    path: tuple[str, ...] = ()
    names: frozenset[str] = frozenset()
    is_call: bool = True
    is_bare: bool = False
    keywords: frozenset[str] = frozenset()
    texts: tuple[str, ...] = ()
    arguments: int = 0
    is_of_result: bool = False
    hands_over_method: bool = False

    @property
    def last(self) -> str:
        """The name right before the parentheses."""
        return self.path[-1] if self.path else self.root


def _words(text: str) -> frozenset[str]:
    """Return the words of a text: long lists of names read best as one."""
    return frozenset(text.split())


SCALAR_MAKERS = _words(
    """
    abs ascii bin bool bytes callable chr complex float format hash hex int isinstance issubclass len
    oct ord range repr round str
    """
)
"""Builtins whose result is immutable and shares nothing with their arguments."""

_HARMLESS_BUILTINS = SCALAR_MAKERS | _words(
    """
    all any bytearray dict dir display divmod enumerate filter frozenset getattr hasattr id iter list
    map max memoryview min object open pow print reversed set slice sorted sum super tuple type zip
    """
)
"""Builtins that do not modify their arguments, unless these are iterators."""

_HARMLESS_TYPES = _words("bytes dict float frozenset int list set str tuple")

_MAKERS = _words("fromkeys from_bytes fromhex maketrans")
_CALLING = _words("filter map max min sorted")

_HARMLESS_METHODS = _words(
    """
    abs agg all any astype capitalize casefold center columns copy corr count cov cumsum decode
    describe diff dot encode endswith equals filter find format group_by groupby head idxmax idxmin
    index info isalpha isdigit isin isna isnull items join keys ljust lower lstrip max mean median
    merge min mode nlargest notna nsmallest nunique predict predict_proba quantile query read reindex
    rjust rsplit rstrip score select sort_values split splitlines startswith std strip sum tail title
    to_dict to_numpy to_string tolist unique upper value_counts values var with_columns zfill
    """
)
"""Methods of common types that modify nothing, unless the notebook defines one of that name."""

_PURE_LIBRARIES = _words(
    """
    collections copy dataclasses datetime decimal fractions functools itertools json math numpy
    operator os pandas pathlib polars pyarrow re scipy statistics string textwrap time typing warnings
    """
)
_CHANGING = _words(
    """
    copyto fill_diagonal heapify heappop heappush insort nditer place put put_along_axis putmask
    setdefault shuffle update_wrapper
    """
)
"""Functions of those libraries that modify their arguments."""

_MANY = 3
"""With this many arguments, one of them may be numpy's output array."""

_PLOTTING = frozenset({"matplotlib"})
_PLOT_SETTINGS = _words(
    """
    ioff ion rc rcParams rc_context rc_file rcdefaults register register_cmap set_cmap set_loglevel
    style switch_backend unregister update use xkcd
    """
)
"""Names of a plotting library that change settings which outlive the cell."""

_SETTERS = (
    *("set_", "seed", "manual_seed", "filterwarnings", "simplefilter", "resetwarnings", "basicConfig"),
    *("register", "unregister"),
)
_SETTING_NAMES = _words(
    """
    captureWarnings configure disable enable option_context options putenv rcParams register
    reset_option setLevel set_theme setcontext seterr seterrcall setlocale setrecursionlimit setstate
    settrace setup unsetenv update use
    """
)
"""Names of library functions that change a setting, even when their result is used."""

_WRITERS = ("write", "to_", "save", "dump", "export", "download", "extract", "sink_")
_WRITING_NAMES = _words(
    """
    Popen call check_call check_output connect copy2 copyfile copytree execute makedirs mkdir move
    remove removedirs rename rmdir rmtree run symlink_to system touch truncate unlink urlretrieve
    """
)
_NOT_WRITING = _words(
    """
    dumps to_arrow to_datetime to_dict to_frame to_list to_markdown to_numeric to_numpy to_pandas
    to_period to_pylist to_records to_string to_timedelta to_timestamp
    """
)

_CLOCKS = _words(
    """
    datetime getpass httpx requests secrets socket time urllib uuid
    """
)
_STEADY = _words(
    """
    UUID combine date datetime fromisoformat fromordinal fromtimestamp isoformat mktime quote sleep
    strftime strptime struct_time timedelta timezone tzset urlencode urljoin urlparse uuid3 uuid5
    """
)
"""Functions of those modules that return the same value each time."""
_UNSTEADY = _words(
    """
    getatime getctime getmtime getpid lstat monotonic now perf_counter stat today urandom utcnow uuid1
    uuid4
    """
)
_GENERATORS = _words(
    """
    Generator MT19937 PCG64 Random RandomState SeedSequence default_rng
    """
)


def changes_its_receiver(site: CallSite, own_methods: Collection[str]) -> bool:
    """Whether a method call on a value may change that value.

    Args:
        site: the call.
        own_methods: names of methods that classes of the notebook define, which may do anything.
    """
    if not site.keywords.isdisjoint({"inplace", "out"}) or site.arguments >= _MANY:
        return True
    # An unknown method counts as one that changes its object: a false change costs a run, a
    # missed one a wrong `fresh`.
    return site.last not in _HARMLESS_METHODS or site.last in own_methods


def changes_its_arguments(site: CallSite, module: str | None) -> bool:
    """Whether a call may modify its arguments.

    Args:
        site: the call.
        module: the dotted name that its root was imported as; None when the root is no import: a builtin then.
    """
    if not site.keywords.isdisjoint({"inplace", "out"}):
        return True
    if module is not None and module.partition(".")[0] == "numpy" and site.arguments >= _MANY:
        return True
    if module is None and site.path:
        return site.root not in _HARMLESS_TYPES or site.last not in _HARMLESS_METHODS | _MAKERS
    if module is None:
        return site.root not in _HARMLESS_BUILTINS or (site.root in _CALLING and site.hands_over_method)
    last = site.last if site.path else module.rpartition(".")[2]
    return module.partition(".")[0] not in _PURE_LIBRARIES or last in _CHANGING


def sets_something(site: CallSite, module: str) -> bool:
    """Whether a use of an imported module may change a setting of the process.

    A bare call is made for its effect; so is storing into an attribute or item of a module.
    """
    names = (*module.split("."), *site.path)
    if names[0] in _PLOTTING:
        return not _PLOT_SETTINGS.isdisjoint(names)
    if not site.is_call:
        return True
    last = names[-1]
    if last.startswith(_SETTERS) or not _SETTING_NAMES.isdisjoint(names[1:]):
        return True
    harmless = {"sleep", "display", "show"} | _HARMLESS_METHODS
    return site.is_bare and last not in harmless and not may_write_files(site, module)


def sets_through_result(site: CallSite, module: str) -> bool:
    """Whether a bare call of a method of what a library handed out may set something: `lib.get().set(1)`."""
    if not (site.is_call and site.is_bare and site.is_of_result) or module.partition(".")[0] in _PLOTTING:
        return False
    harmless = {"display", "show"} | _HARMLESS_METHODS
    return site.last not in harmless and not may_write_files(site, module)


def draws(site: CallSite, module: str) -> bool:
    """Whether a use of a module draws from, or sets, its global random generator."""
    names = (*module.split("."), *site.path)
    if names[0] == "torch":
        return names[-1].startswith("rand")
    if names[0] != "random" and "random" not in names[:-1]:
        return False
    return names[-1] not in _GENERATORS


def seeds(site: CallSite) -> bool:
    """Whether a call seeds a random generator."""
    return "seed" in site.last.lower() and site.arguments > 0


def differs_each_time(site: CallSite, module: str | None) -> bool:
    """Whether a call is known to return a new value each time: the time, an unseeded random number."""
    if module is None:
        return site.root in {"input", "id", "hash", "object"} and not site.path
    names = (*module.split("."), *site.path)
    if names[-1] in _UNSTEADY:
        return True
    if names[-1] in _GENERATORS:
        return site.arguments == 0
    # Of these modules everything else gives another value each time: the time, random bytes, what a server answers.
    return names[0] in _CLOCKS and names[-1] not in _STEADY


def may_write_files(site: CallSite, module: str | None = None) -> bool:
    """Whether a call, by its name, may write, move or remove files, or run a program that does."""
    if not site.is_call:
        return False
    last = site.last if site.path or module is None else module.rpartition(".")[2]
    if last == "open":
        is_builtin = not site.path or (site.path == ("open",) and module is not None)  # the path comes first
        return (site.arguments > 1 or not is_builtin) and any(map(_is_writing_mode, site.texts))
    if last in {"copy", "replace"}:
        return module is not None and module.partition(".")[0] in {"os", "shutil"}
    return last not in _NOT_WRITING and (last.startswith(_WRITERS) or last in _WRITING_NAMES)


def _is_writing_mode(text: str) -> bool:
    return len(text) < 5 and set(text) <= set("rwaxbt+") and not set(text).isdisjoint("wax+")
