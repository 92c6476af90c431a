"""What a model is asked and what it answers, as JSON and back."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from zennb.components.model_deployers.wire import decode_inputs, decode_outputs, encode_inputs, encode_outputs
from zennb.errors import UsageError

VALUES: dict[str, Any] = {
    "floats": np.array([[0.1, 2.5], [1 / 3, -0.0]]),
    "float32": np.array([[0.1, np.nan]], dtype="float32"),
    "integers": np.array([[1, 2**62]]),
    "bytes": np.arange(6, dtype="uint8").reshape(2, 3),
    "booleans": np.array([True, False]),
    "text array": np.array(["a", "bcd"]),
    "object array": np.array(["a", None, "bcd"], dtype=object),
    "empty": np.empty((0, 3)),
    "scalar": np.float64(0.1),
    "list": [1, "a", None, [True]],
    "texts": ["a text", "another"],
    "number": 3,
    "frame": pd.DataFrame({"a": [1, 2], "b": [0.5, np.nan], "c": ["x", "y"], "d": [True, False]}),
    "frame with an index": pd.DataFrame({"a": [1, 2]}, index=["r1", "r2"]),
    "frame with numbers as names": pd.DataFrame([[1, 2]], columns=[0, 1]),
    "frame without rows": pd.DataFrame(
        {"a": pd.Series([], dtype="int64"), "b": pd.Series([], dtype="float64")}
    ),
    "frame without columns": pd.DataFrame(index=range(2)),
    "frame of types": pd.DataFrame(
        {
            "when": pd.to_datetime(["2026-01-01", "NaT"]),
            "there": pd.to_datetime(["2026-01-01T12:00:00.123456", "NaT"]).tz_localize("Europe/Berlin"),
            "long": pd.to_timedelta(["1D", "90s"]),
            "kind": pd.Categorical(["x", None], categories=["y", "x"], ordered=True),
            "nullable": pd.array([1, None], dtype="Int64"),
            "small": np.array([1, 2], dtype="int8"),
            "text": pd.array(["a", None], dtype="string"),
        }
    ),
    "series": pd.Series([0.5, 1.5], name="y", index=[3, 4]),
}


def same(one: Any, other: Any) -> None:
    assert type(one) is type(other)
    if isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(one, other, check_column_type=False)
    elif isinstance(one, pd.Series):
        pd.testing.assert_series_equal(one, other)
    elif isinstance(one, np.ndarray):
        np.testing.assert_array_equal(one, other)
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
    else:
        assert one == other


@pytest.mark.parametrize("name", [name for name in VALUES if name != "empty"])
def test_a_value_arrives_as_it_was_sent(name: str) -> None:
    same(VALUES[name], decode_inputs(json.loads(json.dumps(encode_inputs(VALUES[name])))))


@pytest.mark.parametrize("name", [name for name in VALUES if name != "empty"])
def test_an_answer_arrives_as_the_model_gave_it(name: str) -> None:
    same(VALUES[name], decode_outputs(json.loads(json.dumps(encode_outputs(VALUES[name])))))


@pytest.mark.parametrize("name", VALUES)
def test_it_is_strict_json(name: str) -> None:
    for content in (encode_inputs(VALUES[name]), encode_outputs(VALUES[name])):
        json.dumps(content, allow_nan=False)


FRAME = pd.DataFrame({"a": [1, 3], "b": [2.5, 4.5]})
PLAIN: dict[str, tuple[str, Any]] = {
    "list": ("[[1, 2], [3, 4]]", np.array([[1, 2], [3, 4]])),
    "instances": ('{"instances": [[1, 2.5]]}', np.array([[1, 2.5]])),
    "inputs": ('{"inputs": [1, 2]}', np.array([1, 2])),
    "missing": ("[[1, null]]", np.array([[1, np.nan]])),
    "texts": ('["a", "b"]', ["a", "b"]),
    "records": ('[{"a": 1, "b": 2.5}, {"a": 3, "b": 4.5}]', FRAME),
    "dataframe_records": ('{"dataframe_records": [{"a": 1, "b": 2.5}, {"a": 3, "b": 4.5}]}', FRAME),
    "split": ('{"columns": ["a", "b"], "data": [[1, 2.5], [3, 4.5]]}', FRAME),
    "dataframe_split": ('{"dataframe_split": {"columns": ["a", "b"], "data": [[1, 2.5], [3, 4.5]]}}', FRAME),
    "instances as records": ('{"instances": [{"a": 1, "b": 2.5}, {"a": 3, "b": 4.5}]}', FRAME),
}


@pytest.mark.parametrize("name", PLAIN)
def test_plain_json_is_understood(name: str) -> None:
    text, wanted = PLAIN[name]
    same(wanted, decode_inputs(json.loads(text)))


@pytest.mark.parametrize(
    "text",
    [
        "3",
        '"text"',
        "null",
        "{}",
        '{"rows": []}',
        '{"instances": {"a": 1}}',
        "[[1, 2], [3]]",
        '{"dataframe_split": 3}',
        '{"dataframe_split": {"columns": ["a"]}}',
        '{"dataframe_split": {"columns": ["a"], "data": [[1, 2]]}}',
        '{"dataframe_records": [1]}',
        '{"instances": [1], "dtype": "no such"}',
        '{"series": 3}',
        '{"dataframe_split": {"columns": ["a"], "data": [["x"]], "dtypes": ["int64"]}}',
        '{"dataframe_split": {"columns": ["a"], "data": [["x"]], "dtypes": [{"categories": 1}]}}',
    ],
)
def test_anything_else_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(UsageError):
        decode_inputs(json.loads(text))


@pytest.mark.parametrize(
    "value",
    [
        object(),
        [object()],
        np.array([1 + 2j]),
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
        pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])),
        pd.DataFrame({"a": [1]}, index=pd.MultiIndex.from_tuples([("a", "b")])),
        pd.DataFrame({"a": [object()]}),
    ],
)
def test_what_has_no_form_in_json_is_refused(value: object) -> None:
    with pytest.raises(UsageError):
        encode_inputs(value)
