"""Owns what we use of pandas and numpy beyond their public names, and a public way for when it is gone.

A private name saves a copy or a lot of time. Without it everything works the same, only slower: digests stay as they
are, and what is stored comes back equal. No other module asks these libraries, pyarrow, polars or matplotlib for a
private attribute.
"""

from __future__ import annotations

import sys
import warnings
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = [
    "PRIVATE",
    "array_of",
    "arrays_in",
    "blocks_of",
    "blocks_with_references",
    "byte_bounds",
    "codes_of",
    "columns_of",
    "copies_on_write",
    "detached",
    "detached_array",
    "fill_value",
    "frame_of_blocks",
    "global_random_state",
    "has_sharers",
    "is_references",
    "masked_parts",
    "new_references",
    "numpy_array",
    "option_defaults",
    "option_names",
    "option_values",
    "references_of",
    "times_of",
    "with_references",
]

PRIVATE = (
    "_values",
    "_mgr",
    "_from_mgr",
    "_simple_new",
    "_data",
    "_mask",
    "_ndarray",
    "_fill_value",
    "_references",
    "_global_config",
    "_registered_options",
)
"""The private names that are used here."""

_Found = TypeVar("_Found")

_GONE = (AttributeError, ImportError, TypeError)
"""What a name raises that was removed, moved, or takes other arguments now."""


def _private(owner: Any, name: str) -> Any:
    """Return an attribute that may be gone one day; the tests take each away here, since pandas needs its own."""
    return getattr(owner, name)


def _loaded(name: str) -> Any:
    return sys.modules[name]


def copies_on_write() -> bool:
    """Whether a change of one frame or series never shows in another one, even if they share memory.

    Always in pandas 3, and in pandas 2 if the notebook says so.
    """
    pd = _loaded("pandas")
    return int(pd.__version__.partition(".")[0]) >= 3 or pd.options.mode.copy_on_write is True


def detached(value: Any, *, deep: bool = True, copied: bool = False) -> Any:
    """Return a frame or series of array objects that no other one has, over the same memory; None for other values.

    With `copied`, over a copy of it. Of a subclass, which knows best what belongs to it, it is a copy with the same
    memory unless `deep`. pandas 3 lets tables share arrays and copies one before the first write. It keeps the list of
    sharers outside the arrays, so stored arrays that are one object would be loaded as one that nobody copies any more.
    """
    pd = _loaded("pandas")
    if type(value) not in {pd.DataFrame, pd.Series}:
        return _copied(value, deep=deep) if isinstance(value, pd.DataFrame | pd.Series) else None
    if type(value) is pd.Series:
        array = detached_array(array_of(value), copied=copied)
        made = pd.Series(array, index=value.index, dtype=value.dtype, name=value.name, copy=False)
    else:
        blocks = [(at, detached_array(values, copied=copied)) for at, values in blocks_of(value)]
        made = frame_of_blocks(blocks, value.index, value.columns)
    made.attrs = value.attrs
    made.flags.allows_duplicate_labels = value.flags.allows_duplicate_labels
    return made


def blocks_with_references(table: Any) -> list[tuple[Any, Any]]:
    """Return (values, list of sharers) of each block of a frame or series; None for a list that cannot be seen."""
    try:
        return [(block.values, block.refs) for block in _private(table, "_mgr").blocks]
    except AttributeError:
        return [(a, None) for a in (columns_of(table) if hasattr(table, "columns") else [array_of(table)])]


def references_of(index: Any) -> Any:
    """Return the list of sharers of an index; None where there is none."""
    with suppress(AttributeError):
        return _private(index, "_references")
    return None


def with_references(table: Any, state: tuple[Any, list[Any]]) -> None:
    """Set the state of a new frame or series from a pickle, and the lists of sharers of its blocks."""
    own, references = state
    table.__setstate__(own)
    with suppress(*_GONE):
        for block, sharers in zip(_private(table, "_mgr").blocks, references, strict=True):
            if sharers is not None:
                block.refs = sharers
                sharers.add_reference(block)


def has_sharers(references: Any) -> bool:
    """Whether more than one living table is on a list of sharers."""
    return is_references(references) and bool(references.has_reference())


def is_references(value: object) -> bool:
    """Whether a value is a list of sharers."""
    return type(value).__name__ == "BlockValuesRefs"


def new_references() -> Any:
    """Return a list of sharers with nobody on it; None if pandas has none any more."""
    with suppress(*_GONE):
        return import_module("pandas._libs.internals").BlockValuesRefs()
    return None


def arrays_in(array: Any) -> list[Any]:
    """Return the arrays of numpy that one of pandas consists of, without a copy; none where it does not say."""
    pd, np = _loaded("pandas"), _loaded("numpy")
    if isinstance(array, np.ndarray):
        return [array]
    if isinstance(array, pd.arrays.ArrowExtensionArray):
        return []  # its `_data`, of which pandas 2 warns, is none of numpy's
    if isinstance(array, pd.arrays.IntervalArray):
        return [part for side in (array.left, array.right) for part in arrays_in(array_of(side))]
    if isinstance(array, pd.arrays.SparseArray):
        return [array.sp_values]
    for names in (("_data", "_mask"), ("_ndarray",)):
        with suppress(AttributeError):
            parts = [_private(array, name) for name in names]
            return [part for part in parts if isinstance(part, np.ndarray)]
    return []


def _copied(table: Any, *, deep: bool) -> Any:
    """Return a copy of the same class; None where there can be none.

    pandas makes a plain table of one whose class does not say how to make another (`_constructor`).
    """
    made, cls = table.copy(deep=deep), type(table)
    if type(made) is not cls:
        try:
            object.__setattr__(made, "__class__", cls)
        except TypeError:  # a class with a layout of its own
            return None
        for name in cls._metadata:
            object.__setattr__(made, name, getattr(table, name, None))
    return made


def detached_array(array: Any, *, copied: bool = False) -> Any:
    """Return an array of numpy or pandas over the same memory, or a copy, that shares no object with the given one."""
    return (
        array.copy() if copied else array[:]
    )  # not `view`: an extension array's view consists of the same arrays of numpy


def array_of(labelled: Any) -> Any:
    """Return the array inside a series or index: numpy's own where it is one, not a wrapper around it."""
    try:
        return _private(labelled, "_values")
    except AttributeError:
        found = labelled.array
        is_wrapped = type(found) is _loaded("pandas").arrays.NumpyExtensionArray
        return _writable(found.to_numpy()) if is_wrapped else found


def _writable(array: Any) -> Any:
    """Return a view that can be written to, unless the memory itself is read-only."""
    view = array.view()
    with suppress(ValueError):
        view.flags.writeable = True
    return view


def columns_of(frame: Any) -> list[Any]:
    """Return the arrays of the columns in order; making a series of each takes 30 times as long on wide frames."""
    places = range(frame.shape[1])
    try:
        take = _private(frame, "_mgr").iget_values
    except AttributeError:
        return [array_of(frame.iloc[:, place]) for place in places]
    return [take(place) for place in places]


def blocks_of(frame: Any) -> list[tuple[Any, Any]]:
    """Return (places of columns, their values) of each block of a frame; without blocks, of each column."""
    try:
        return [(block.mgr_locs.as_array, block.values) for block in _private(frame, "_mgr").blocks]
    except AttributeError:
        return [(_loaded("numpy").array([at]), _block(one)) for at, one in enumerate(columns_of(frame))]


def _block(column: Any) -> Any:
    """Return the values of a column as those of a block: arrays of numpy and times have two dimensions there."""
    arrays = _loaded("pandas").arrays
    kinds = (_loaded("numpy").ndarray, arrays.DatetimeArray, arrays.TimedeltaArray, arrays.PeriodArray)
    return column.reshape(1, -1) if isinstance(column, kinds) else column


def frame_of_blocks(blocks: Sequence[tuple[Any, Any]], index: Any, columns: Any) -> Any:
    """Return the frame that `blocks_of` took apart, over the same memory.

    Raises:
        ValueError: the blocks do not give each column once. pandas does not look, and would write past the end.
    """
    np = _loaded("numpy")
    places = np.concatenate([np.empty(0, np.intp), *(at for at, _ in blocks)])
    if not np.array_equal(np.sort(places), np.arange(len(columns))):
        raise ValueError("the blocks of a frame do not give each of its columns once")
    for make in (_frame_in_public, _frame_of_manager):
        with suppress(*_GONE):
            return make(blocks, index, columns)
    return _frame_of_columns(blocks, index, columns)


def _frame_in_public(blocks: Sequence[tuple[Any, Any]], index: Any, columns: Any) -> Any:
    """Return a frame over blocks by what pandas 3 made public."""
    make = import_module("pandas.api.internals").create_dataframe_from_blocks
    return make([(values, at) for at, values in blocks], index=index, columns=columns)


def _frame_of_manager(blocks: Sequence[tuple[Any, Any]], index: Any, columns: Any) -> Any:
    """Return a frame over blocks in the way of pandas 2."""
    kinds = import_module("pandas.core.internals.blocks")
    made = [kinds.new_block(values, placement=kinds.BlockPlacement(at), ndim=2) for at, values in blocks]
    manager = import_module("pandas.core.internals.managers").BlockManager(made, [columns, index])
    return _private(_loaded("pandas").DataFrame, "_from_mgr")(manager, axes=manager.axes)


def _frame_of_columns(blocks: Sequence[tuple[Any, Any]], index: Any, columns: Any) -> Any:
    pd = _loaded("pandas")
    lines = {
        int(place): values[line] if values.ndim == 2 else values
        for at, values in blocks
        for line, place in enumerate(at)
    }
    made = {
        place: pd.Series(lines[place], index=index, dtype=lines[place].dtype, copy=False)
        for place in sorted(lines)
    }
    frame = pd.DataFrame(made, index=index, copy=False)
    frame.columns = columns
    return frame


def times_of(numbers: Any, zone: Any) -> Any:
    """Return a datetime array over numbers of `M8`, in a time zone unless that is None; of `m8`, a timedelta array."""
    pd, np = _loaded("pandas"), _loaded("numpy")
    if numbers.dtype.kind == "m":
        kind, dtype = pd.arrays.TimedeltaArray, numbers.dtype
    else:
        kind = pd.arrays.DatetimeArray
        unit = np.datetime_data(numbers.dtype)[0]
        dtype = numbers.dtype if zone is None else pd.DatetimeTZDtype(unit, zone)
    try:
        return _private(kind, "_simple_new")(numbers, dtype=dtype)
    except _GONE:  # the public ways copy the numbers
        if numbers.dtype.kind == "m":
            return pd.TimedeltaIndex(numbers).array.copy()
        moments = pd.DatetimeIndex(numbers)
        return (moments if zone is None else moments.tz_localize("UTC").tz_convert(dtype.tz)).array.copy()


def codes_of(categorical: Any) -> Any:
    """Return the codes of a categorical: `.codes` is a read-only view of them."""
    return _writable(categorical.codes)


def masked_parts(array: Any) -> tuple[Any, Any] | None:
    """Return the numbers and the mask of a nullable array; without its own a copy; None for arrays of other kinds."""
    pd, np = _loaded("pandas"), _loaded("numpy")
    with suppress(AttributeError):
        data, mask = _private(array, "_data"), _private(array, "_mask")
        return (data, mask) if isinstance(data, np.ndarray) and isinstance(mask, np.ndarray) else None
    if not isinstance(array, pd.arrays.IntegerArray | pd.arrays.FloatingArray | pd.arrays.BooleanArray):
        return None
    return array.to_numpy(dtype=array.dtype.numpy_dtype, na_value=0), np.asarray(array.isna())


def numpy_array(array: Any) -> Any:
    """Return the array of numpy that one of pandas consists of; None for arrays of other kinds."""
    pd, np = _loaded("pandas"), _loaded("numpy")
    try:
        found = _private(array, "_ndarray")
    except AttributeError:
        is_wrapper = isinstance(array, pd.arrays.NumpyExtensionArray | pd.arrays.StringArray)
        found = array.to_numpy() if is_wrapper else None
    return found if isinstance(found, np.ndarray) else None


def fill_value(array: Any) -> Any:
    """Return the fill value of a masked array, None while it has none: reading `.fill_value` would give it one."""
    try:
        return _private(array, "_fill_value")
    except AttributeError:
        return array.__reduce__()[2][-1]


def global_random_state() -> Any:
    """Return numpy's own random state: a place, not a value, which distributions of scipy refer to."""
    return _loaded("numpy.random").get_state.__self__


def byte_bounds(array: Any) -> tuple[int, int]:
    """Return the addresses of the first byte of an array and of the first after it."""
    np = _loaded("numpy")
    utils: Any = getattr(np.lib, "array_utils", np)  # numpy 1 has it at its top
    return utils.byte_bounds(array)  # type: ignore[no-any-return]


def option_names() -> Sequence[str]:
    """Return the names of all options of pandas, always in the same order."""
    try:
        return tuple(_config("_registered_options"))
    except AttributeError:
        return _quietly(lambda: tuple(_named(_loaded("pandas").options)))


def _config(name: str) -> Any:
    return _private(sys.modules.get("pandas._config.config"), name)


def _named(options: Any, prefix: str = "") -> Iterator[str]:
    for name in dir(options):
        value = getattr(options, name)
        if isinstance(value, type(options)):
            yield from _named(value, f"{prefix}{name}.")
        else:
            yield prefix + name


def option_values() -> list[Any]:
    """Return the values of all options of pandas in the order of their names."""
    try:
        config = _config("_global_config")
    except AttributeError:  # takes a hundred times as long
        return _quietly(lambda: [_loaded("pandas").get_option(name) for name in option_names()])
    values = []
    for name in option_names():
        node = config
        for part in name.split("."):
            node = node[part]
        values.append(node)
    return values


def option_defaults() -> dict[str, Any]:
    """Return option → value that pandas starts with."""
    try:
        return {name: option.defval for name, option in _config("_registered_options").items()}
    except AttributeError:
        return _quietly(lambda: {name: _default(name) for name in option_names()})


def _default(name: str) -> Any:
    pd = _loaded("pandas")
    with pd.option_context(name, pd.get_option(name)):
        pd.reset_option(name)
        return pd.get_option(name)


def _quietly(read: Callable[[], _Found]) -> _Found:
    """Return what is read without the warnings of options that will be removed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return read()
