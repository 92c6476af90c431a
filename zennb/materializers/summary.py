"""Owns the stored summary of a value, which is shown without loading it: small, JSON only, and never an error."""

from __future__ import annotations

import datetime as dt
import json
import math
import sys
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import attributes_of, elements_of, is_a, is_one_of, length_of, module_name, plain
from zennb.materializers.charts import preview_altair, preview_plotly
from zennb.materializers.estimators import estimator_text, preview_estimator
from zennb.materializers.own_texts import runs_own_text
from zennb.materializers.previews import preview_figure, preview_image, preview_pixels
from zennb.packages.origin import public_name

if TYPE_CHECKING:
    from collections.abc import Callable


__all__ = [
    "DISTRIBUTION",
    "KINDS",
    "short",
    "short_label",
    "summarise",
    "summarise_all",
    "summary_by",
    "type_text",
]

DISTRIBUTION = "distribution"
"""Entry of a stored summary: the package that brought the materializer; absent for ours."""

KINDS = frozenset({"scalar", "text", "array", "frame", "picture", "mapping", "sequence", "object"})
"""What a summary can be of (see `Materializer`)."""

_TEXT = 2_000
_REPR = 500
_CELL = 80
_ITEMS = 10
_HEAD = 5
_COLUMNS = 50
_ELEMENTS = 4_000_000
_BINS = 24
_SAMPLE = 50_000
"""Elements of an array from which its histogram is made."""
_COUNTED = 500_000
"""Cells of a frame of pandas up to which missing values are counted; those of other libraries know the number."""
_DIGITS = 8
_TIMES = dt.date | dt.time | dt.timedelta
_SCALARS = (bool, int, float, complex, type(None))
_ATTRIBUTES = 12
_MANY = 2_000
_LARGEST = 128 * 1024
_SHAPED = {"numpy", "pandas", "polars", "pyarrow", "scipy"}


def summarise(value: Any) -> dict[str, Any]:
    """Return the summary of `value` (see `Materializer`); never raises, whatever its class does."""
    try:
        return _summary(value)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - classes written in notebooks may raise anything, even from len()
        return _none(value, type(error).__name__)


def summary_by(summarize: Callable[[Any], Mapping[str, Any]], value: Any) -> dict[str, Any]:
    """Return the summary that `Materializer.summary` gives, where it can be stored and shown; never raises."""
    try:
        found = summarize(value)
        if found["kind"] not in KINDS:
            return _none(value, f"of kind '{found['kind']}'")
        # Written out to see whether it can be, and how long it is. NaN is no JSON, and browsers refuse all of it.
        text = json.dumps(found, allow_nan=False)
        return dict(found) if len(text) <= _LARGEST else _none(value, f"of {len(text):,} characters")
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - packages and classes of notebooks may raise anything
        return _none(value, type(error).__name__)


def _none(value: Any, why: str) -> dict[str, Any]:
    return {"kind": "object", "text": f"<{type_text(value)}: no summary, {why}>"}


def summarise_all(
    values: Mapping[str, Any], how: Callable[[Any], dict[str, Any]] = summarise
) -> dict[str, dict[str, Any]]:
    """Return the summaries of values by name; axes and figures of one picture are drawn once."""
    drawn: dict[int, dict[str, Any]] = {}
    found: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        if module_name(type(value)).partition(".")[0] != "matplotlib":
            found[name] = how(value)
            continue
        # Drawing is slow, and a figure with its axes would be drawn for each name.
        picture = id(getattr(value, "figure", None) or value)
        found[name] = drawn[picture] = drawn.get(picture) or how(value)
    return found


def type_text(value: object) -> str:
    """Return the type of `value` as people write it: `pandas.DataFrame`, `sklearn.linear_model.Ridge`, `int`."""
    return public_name(type(value))


def short(value: object, limit: int = _CELL) -> str:
    """Return at most `limit` characters of the text of `value`; never raises."""
    try:
        text = _text(value, limit)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - a repr may raise anything
        text = f"<{type_text(value)}: its repr raises {type(error).__name__}>"
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _text(value: object, limit: int) -> str:
    """Return the repr, without computing a long one only to cut it."""
    if type(value) is str:
        return repr(value[:limit])
    if is_a(value, bytes) or type(value) is bytearray:
        return repr(plain(value)[:limit])
    if type(value) is int and value.bit_length() > 4 * limit:
        return f"<int of {value.bit_length()} bits>"
    if is_one_of(value, _SCALARS):  # as most of what is shown
        return repr(value)
    if is_a(value, list | tuple | set | frozenset | dict) and length_of(value) > limit:
        return f"<{type_text(value)} of {length_of(value):,} items>"
    if is_one_of(value, {list, tuple, set, frozenset, dict}) and is_a(value, Iterable):
        return _container(value, limit)
    shape = getattr(value, "shape", None) if type_text(value).partition(".")[0] in _SHAPED else None
    if shape:
        return f"<{type_text(value)} {' × '.join(map(str, shape))}>"
    if not _is_large(value) and not runs_own_text(value):
        return estimator_text(value) or str(repr(value))
    return f"<{type_text(value)}>" if plain(value) is value else _text(plain(value), limit)


def _is_large(value: object) -> bool:
    """Whether an object is so large that its repr could take long; shared parts count repeatedly."""
    count = 0
    left: list[object] = [value]
    while left and count <= _MANY:
        part = left.pop()
        if is_a(part, str | bytes):
            count += length_of(part) // _CELL
        inner = _inner(part)
        count += 1 + len(inner)
        left.extend(islice(inner, _MANY))
    return count > _MANY


def _inner(part: object) -> Collection[Any]:
    if is_a(part, list | tuple | set | frozenset):
        return list(islice(elements_of(part), _MANY + 1))
    return list(dict.values(part) if is_a(part, dict) else attributes_of(part).values())[: _MANY + 1]


def _container(value: Any, limit: int) -> str:
    # Nested containers are shown by type and size only: their repr can be very long.
    inner = [one for pair in value.items() for one in pair] if is_a(value, dict) else list(value)
    nested = any(is_a(one, Iterable) and not is_a(one, str | bytes) for one in inner) or runs_own_text(value)
    if nested or _is_large(value) or any(is_a(one, str | bytes) and len(one) > limit for one in inner):
        return f"<{type_text(value)} of {len(value):,} items>"
    return str(repr(value))


def _summary(value: Any) -> dict[str, Any]:
    package = module_name(type(value)).partition(".")[0]
    by_package = {
        "numpy": _numpy,
        "pandas": _pandas,
        "polars": _polars,
        "pyarrow": _arrow,
        "PIL": preview_image,
        "matplotlib": preview_figure,
        "plotly": preview_plotly,
        "altair": preview_altair,
    }
    found = by_package[package](value) if package in by_package else None
    return found or _python(value)


def _python(value: Any) -> dict[str, Any]:
    if is_a(value, str):
        text = plain(value)
        return {"kind": "text", "text": text[:_TEXT], "length": len(text)}
    if is_a(value, _SCALARS):
        return {"kind": "scalar", "text": short(value, _REPR)}
    if is_a(value, dict):
        items = [[short(key), type_text(one), short(one)] for key, one in islice(elements_of(value), _ITEMS)]
        return {"kind": "mapping", "length": length_of(value), "items": items}
    if is_a(value, list | tuple | set | frozenset | deque):
        inside = deque.__iter__(value) if is_a(value, deque) else elements_of(value)
        return {
            "kind": "sequence",
            "length": deque.__len__(value) if is_a(value, deque) else length_of(value),
            "items": [[type_text(o), short(o)] for o in islice(inside, _ITEMS)],
        }
    if module_name(type(value)) == "datetime":
        return {"kind": "scalar", "text": short_label(value)}
    if module_name(type(value)) in {"decimal", "fractions", "uuid", "pathlib"}:
        return {"kind": "scalar", "text": short(value, _REPR)}
    return _object(value)


def _object(value: Any) -> dict[str, Any]:
    parts = islice(attributes_of(value).items(), _MANY)
    public = [(str(name), one) for name, one in parts if not str(name).startswith("_")]
    estimator = preview_estimator(value, short)
    if estimator:  # what it has learned comes first, and ends in "_": its parameters are told with it
        public.sort(key=lambda pair: not pair[0].endswith("_"))
    attributes = [[short_label(name), short(one)] for name, one in public[:_ATTRIBUTES]]
    return {"kind": "object", "text": short(value, _REPR), "attributes": attributes, **estimator}


def _numpy(value: Any) -> dict[str, Any] | None:
    np = sys.modules["numpy"]
    if is_a(value, np.generic):
        return {
            "kind": "scalar",
            "text": short(value.item() if value.dtype.kind in "biufcSU" else value, _REPR),
        }
    if not is_a(value, np.ndarray):
        return None
    found = {"kind": "array", "shape": list(value.shape), "dtype": str(value.dtype), "head": _head(value)}
    # Minimum, maximum and mean read all elements, which takes too long for what is only shown.
    if value.dtype.kind in "biuf" and 0 < value.size <= _ELEMENTS:
        found |= _range(value) | _histogram(value)
    return found | preview_pixels(value)


def _range(value: Any) -> dict[str, Any]:
    with sys.modules["numpy"].errstate(all="ignore"):
        numbers = {
            "min": value.min().item(),
            "max": value.max().item(),
            "mean": float(value.mean(dtype="f8")),
        }
    return {name: number for name, number in numbers.items() if math.isfinite(number)}


def _histogram(value: Any) -> dict[str, Any]:
    """Return how often values lie in each of equally wide ranges from the least to the largest; of many, a sample."""
    np = sys.modules["numpy"]
    if value.dtype.kind == "b" or value.size < _BINS or not value.flags.c_contiguous:
        return {}
    some = value.reshape(-1)[:: max(1, value.size // _SAMPLE)].astype("f8")
    some = some[np.isfinite(some)]
    with np.errstate(all="ignore"):
        if not some.size or not np.isfinite(some.max() - some.min()) or some.max() == some.min():
            return {}
        return {"histogram": [int(each) for each in np.histogram(some, bins=_BINS)[0]]}


def _head(value: Any) -> Any:
    corner = value[tuple(slice(0, _HEAD) for _ in value.shape[-2:])] if value.ndim <= 2 else value
    while corner.ndim > 2:
        corner = corner[0] if len(corner) else corner.reshape(0, 0)
    return _texts(corner[tuple(slice(0, _HEAD) for _ in corner.shape)])


def _texts(corner: Any) -> Any:
    if corner.dtype.kind in "mM":  # `item` gives a number of nanoseconds for most of them
        return corner.astype(str).tolist()
    np = sys.modules["numpy"]
    if corner.ndim == 0:
        return _number(corner[()] if corner.dtype.hasobject else corner.item())
    return [
        _texts(one)
        if is_a(one, np.ndarray) and one.ndim
        else _number(one.item() if is_a(one, np.ndarray | np.generic) else one)
        for one in corner
    ]


def _number(value: object) -> str:
    """Return an element of an array or frame, a long float with six digits."""
    text = short(value)
    return f"{value:.6g}" if type(value) is float and len(text) > _DIGITS else text


def _pandas(value: Any) -> dict[str, Any] | None:
    pandas = sys.modules["pandas"]
    if is_a(value, pandas.Series):
        head = [[short(at), short(one)] for at, one in value.iloc[:_HEAD].items()]
        columns = [{"name": str(value.name if value.name is not None else ""), "dtype": str(value.dtype)}]
        return {"kind": "frame", "rows": len(value), "columns": columns, "head": head}
    if is_a(value, pandas.DataFrame):
        some = value.iloc[:_HEAD, :_COLUMNS]
        names = [
            {"name": short_label(n), "dtype": str(t)} for n, t in zip(some.columns, some.dtypes, strict=True)
        ]
        head = [[short_label(one) for one in row] for row in some.itertuples(index=True, name=None)]
        if some.shape[1] * len(value) <= _COUNTED:
            _count_missing(names, value.iloc[:, :_COLUMNS].isna().to_numpy().sum(axis=0))
        return _cut(value, {"kind": "frame", "rows": len(value), "columns": names, "head": head})
    if is_a(value, pandas.Index):
        items = [[type_text(one), short_label(one)] for one in value[:_ITEMS]]
        return {"kind": "sequence", "length": len(value), "items": items}
    return None


def _count_missing(columns: list[dict[str, Any]], counts: Iterable[Any]) -> None:
    """Add how many values are missing to the columns in which some are."""
    for column, missing in zip(columns, counts, strict=True):
        if missing:
            column["missing"] = int(missing)


def _cut(frame: Any, found: dict[str, Any]) -> dict[str, Any]:
    """Add the number of columns when not all of them are listed."""
    return found | {"width": int(frame.shape[1])} if frame.shape[1] > _COLUMNS else found


def short_label(value: object) -> str:
    """Return a cell or label of a frame as text.

    Strings have no quotes, floats six digits, and dates and times are as people write them.
    """
    if module_name(type(value)).partition(".")[0] in {"datetime", "pandas"} and is_a(value, _TIMES):
        return str(value).removesuffix(" 00:00:00")
    return plain(value)[:_CELL] if is_a(value, str) else _number(value)


def _polars(value: Any) -> dict[str, Any] | None:
    polars = sys.modules["polars"]
    if is_a(value, polars.Series):
        value = value.to_frame()
    if not is_a(value, polars.DataFrame):
        return None
    names = [{"name": n, "dtype": str(t)} for n, t in islice(value.schema.items(), _COLUMNS)]
    rows = value[:, :_COLUMNS].head(_HEAD).rows()
    _count_missing(names, value[:, :_COLUMNS].null_count().row(0) if names else ())
    head = [[str(at), *map(short_label, row)] for at, row in enumerate(rows)]
    return _cut(value, {"kind": "frame", "rows": value.height, "columns": names, "head": head})


def _arrow(value: Any) -> dict[str, Any] | None:
    arrow = sys.modules["pyarrow"]
    if not is_a(value, arrow.Table | arrow.RecordBatch):
        return None
    names = [{"name": str(f.name), "dtype": str(f.type)} for f in islice(value.schema, _COLUMNS)]
    columns = [value.column(at).slice(0, _HEAD).to_pylist() for at in range(len(names))]
    _count_missing(names, [value.column(at).null_count for at in range(len(names))])
    head = [[str(at), *map(short_label, row)] for at, row in enumerate(zip(*columns, strict=True))]
    return _cut(value, {"kind": "frame", "rows": value.num_rows, "columns": names, "head": head})
