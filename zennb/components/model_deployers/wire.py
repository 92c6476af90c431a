"""Owns the JSON of predictions: what a model is asked and what it answers, in the form of MLflow's servers.

Arrays are nested lists, frames have their columns, index and types beside the values, so that the notebook gets back
what the model would have returned to it. A client that knows nothing of this sends plain lists or records.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from typing import Any

from zennb.errors import UsageError

__all__ = ["decode_inputs", "decode_outputs", "encode_inputs", "encode_outputs"]


def encode_inputs(value: Any) -> dict[str, Any]:
    """Return what a model is asked as JSON values.

    Raises:
        UsageError: it has no form in JSON.
    """
    if (frame := _frame_fields(value)) is not None:
        return {"dataframe_split": frame}
    if (series := _series_fields(value)) is not None:
        return {"series": series}
    return {"instances": _plain(_listed(value)), **_dtype(value)}


def decode_inputs(content: Any) -> Any:
    """Return what a model is asked, from JSON values: `encode_inputs`, MLflow's forms, or just lists and records.

    Raises:
        UsageError: it is none of these.
    """
    try:
        return _decoded(content)
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError) as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(f"this cannot be read ({type(error).__name__}: {error}); {_FORMS}") from None


def _decoded(content: Any) -> Any:
    if isinstance(content, list):
        return _from_list(content, {})
    if not isinstance(content, Mapping):
        raise UsageError(_FORMS)
    if "dataframe_split" in content or {"columns", "data"} <= content.keys():
        return _to_frame(content.get("dataframe_split", content))
    for key in ("dataframe_records", "records"):
        if key in content:
            return _records(content[key])
    if "series" in content:
        return _to_series(content["series"])
    for key in ("instances", "inputs"):
        if key in content:
            return _from_list(content[key], content)
    raise UsageError(_FORMS)


_FORMS = (
    'send JSON of one of these forms: [[1, 2], [3, 4]], {"instances": [[1, 2], [3, 4]]}, [{"a": 1, "b": 2}], '
    '{"dataframe_records": [{"a": 1, "b": 2}]} or {"dataframe_split": {"columns": ["a", "b"], "data": [[1, 2]]}}.'
)


def encode_outputs(value: Any) -> dict[str, Any]:
    """Return what a model answered as JSON values, under `predictions`.

    Raises:
        UsageError: it has no form in JSON.
    """
    if (frame := _frame_fields(value)) is not None:
        names = list(map(_key, frame["columns"]))
        records = [dict(zip(names, row, strict=True)) for row in frame.pop("data")]
        return {"predictions": records, "frame": frame}
    if (series := _series_fields(value)) is not None:
        return {"predictions": series.pop("data"), "series": series}
    return {"predictions": _plain(_listed(value)), **_dtype(value)}


def decode_outputs(content: Mapping[str, Any]) -> Any:
    """Return what a model answered, from the JSON values of `encode_outputs` or of an MLflow server."""
    found = content["predictions"]
    if "frame" in content:
        frame = content["frame"]
        return _to_frame({**frame, "data": [[row[_key(name)] for name in frame["columns"]] for row in found]})
    if "series" in content:
        return _to_series({**content["series"], "data": found})
    if "dtype" in content or not isinstance(found, list):
        return _from_list(found, content)
    return _from_list(found, {}) if "kind" not in content else found


def _key(name: Any) -> str:
    """Return the name of a column as JSON has it in objects."""
    return name if isinstance(name, str) else json.dumps(name)


def _pandas() -> Any:
    try:
        import pandas as pd
    except ImportError:
        raise UsageError("frames need pandas, which is not installed where the model is served.") from None
    return pd


def _listed(value: Any) -> Any:
    """Return an array or tensor as nested lists; anything else as it is."""
    if _is_of(value, "torch", "Tensor"):
        return value.detach().cpu().numpy().tolist()
    return value.tolist() if _is_of(value, "numpy", "ndarray", "generic") else value


def _dtype(value: Any) -> dict[str, Any]:
    if _is_of(value, "torch", "Tensor"):
        return {"dtype": str(value.dtype).removeprefix("torch."), "kind": "torch"}
    if not _is_of(value, "numpy", "ndarray", "generic"):
        return {"kind": "plain"}
    if value.dtype.kind not in "biufUO":
        raise UsageError(
            f"an array of {value.dtype} has no form in JSON; send numbers, text or a data frame."
        )
    return {"dtype": value.dtype.str}


def _is_of(value: Any, module: str, *names: str) -> bool:
    """Whether a value is of one of a library's types; false where the library is not loaded."""
    library = sys.modules.get(module)
    types = tuple(getattr(library, name) for name in names if hasattr(library, name))
    return isinstance(value, types)


def _plain(value: Any) -> Any:
    """Return nested lists of JSON values, NaN as null.

    Raises:
        UsageError: something in it has no form in JSON.
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return None if math.isnan(value) else value
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if _is_of(value, "numpy", "ndarray", "generic") or _is_of(value, "torch", "Tensor"):
        return _plain(_listed(value))
    if _is_of(value, "pandas", "Timestamp", "Timedelta"):
        return value.isoformat()
    pandas = sys.modules.get("pandas")
    if pandas is not None and (value is pandas.NaT or value is pandas.NA):
        return None
    if hasattr(value, "isoformat"):
        return value.isoformat()
    kind = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
    raise UsageError(f"a {kind} has no form in JSON; use numbers, text, lists, arrays or data frames.")


def _frame_fields(value: Any) -> dict[str, Any] | None:
    if not _is_of(value, "pandas", "DataFrame"):
        return None
    if value.columns.nlevels > 1 or not value.columns.is_unique:
        raise UsageError(
            "a data frame needs one name for each column, and no name twice, to be sent as JSON."
        )
    columns = [_plain(name) for name in value.columns.tolist()]
    values = [_plain(value[name].tolist()) for name in value.columns]
    return {
        "columns": columns,
        "data": [list(row) for row in zip(*values, strict=True)]
        if values
        else [[] for _ in range(len(value))],
        "dtypes": [_type_of(value[name]) for name in value.columns],
        **_index(value),
    }


def _series_fields(value: Any) -> dict[str, Any] | None:
    if not _is_of(value, "pandas", "Series"):
        return None
    return {
        "name": _plain(value.name),
        "data": _plain(value.tolist()),
        "dtypes": [_type_of(value)],
        **_index(value),
    }


def _index(value: Any) -> dict[str, Any]:
    index, pandas = value.index, sys.modules["pandas"]
    if isinstance(index, pandas.RangeIndex) and (index.start, index.step) == (0, 1):
        return {}
    if index.nlevels > 1:
        raise UsageError(
            "a data frame with several levels of rows cannot be sent; use `reset_index()` first."
        )
    return {"index": _plain(index.tolist()), "index_dtype": str(index.dtype)}


def _type_of(series: Any) -> Any:
    if _is_of(series.dtype, "pandas", "CategoricalDtype"):
        categories = series.dtype.categories
        return {
            "categories": _plain(categories.tolist()),
            "dtype": str(categories.dtype),
            "ordered": bool(series.dtype.ordered),
        }
    return str(series.dtype)


def _typed(series: Any, kind: Any) -> Any:
    """Return a column of JSON values as one of the type that it had."""
    pandas = _pandas()
    if isinstance(kind, Mapping):
        categories = _typed(pandas.Index(kind["categories"]), kind["dtype"])
        return series.astype(pandas.CategoricalDtype(categories, ordered=bool(kind["ordered"])))
    if not isinstance(kind, str) or kind == "object":
        return series
    if kind.startswith("datetime64"):
        return pandas.to_datetime(series, format="ISO8601", utc="," in kind).astype(kind)
    if kind.startswith("timedelta64"):
        return pandas.to_timedelta(series).astype(kind)
    return series.astype(kind)


def _to_frame(split: Any) -> Any:
    pandas = _pandas()
    frame = pandas.DataFrame(split["data"], columns=split["columns"], dtype=object)
    kinds = split.get("dtypes")
    if kinds is None:
        return _with_index(frame.infer_objects(), split)
    typed = [_typed(frame.iloc[:, at], kind) for at, kind in enumerate(kinds)]
    return _with_index(pandas.concat(typed, axis=1) if typed else frame, split)


def _to_series(fields: Any) -> Any:
    pandas = _pandas()
    series = pandas.Series(fields["data"], name=fields.get("name"), dtype=object)
    return _with_index(_typed(series, fields["dtypes"][0]), fields)


def _with_index(value: Any, fields: Mapping[str, Any]) -> Any:
    if "index" in fields:
        index = _pandas().Index(fields["index"])
        value.index = _typed(index, fields["index_dtype"]) if "index_dtype" in fields else index
    return value


def _records(content: Any) -> Any:
    if not isinstance(content, list) or not all(isinstance(each, Mapping) for each in content):
        raise UsageError(_FORMS)
    return _pandas().DataFrame(content)


def _from_list(content: Any, more: Mapping[str, Any]) -> Any:
    if more.get("kind") == "plain":
        return content
    if isinstance(content, list) and content and all(isinstance(each, Mapping) for each in content):
        return _records(content)
    if isinstance(content, Mapping):
        raise UsageError(_FORMS)
    if "dtype" not in more and _has_text(content):  # what models of text take
        return content
    try:
        import numpy as np
    except ImportError:
        return content
    dtype = more.get("dtype")
    if more.get("kind") == "torch":
        return _tensor(content, str(dtype))
    found = np.asarray(content, dtype=None if dtype is None else np.dtype(str(dtype)))
    # A null among numbers is a missing one.
    found = found.astype(float) if dtype is None and found.dtype == object else found
    return found[()] if found.ndim == 0 else found


def _tensor(content: Any, dtype: str) -> Any:
    try:
        import torch  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        raise UsageError("tensors need torch, which is not installed where the model is served.") from None
    return torch.tensor(content, dtype=getattr(torch, dtype))


def _has_text(content: Any) -> bool:
    while isinstance(content, list) and content:
        if any(isinstance(each, str) for each in content):
            return True
        content = content[0]
    return isinstance(content, str)
