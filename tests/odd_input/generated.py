"""Owns the trial of a reader with inputs that hypothesis makes: of the shape of honest ones, anything in any place.

It runs in a process of its own: an input may end it, and memory is limited.
"""

from __future__ import annotations

import json
import pickle
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.odd_input.home_files import HOME_FILES, store_rows
from tests.odd_input.limits import bounded, lift_limit, limit_memory, run_apart
from tests.odd_input.mutations import ODD_VALUES
from tests.odd_input.reader import Reader
from tests.odd_input.readers import READERS, WEIGHTS, in_a_folder
from tests.odd_input.records import row_reader
from zennb import api

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import SimpleNamespace

    from hypothesis.strategies import SearchStrategy

__all__ = ["STRATEGIES", "fault_of"]

Anything: TypeAlias = "SearchStrategy[Any]"

AT_ONCE = 1_000
"""Inputs for one process: hypothesis remembers them all."""

_NUMBERS = st.integers() | st.floats() | st.sampled_from([2**63, 10**400, -(10**400), 1e308, float("nan")])
_SCALARS = st.none() | st.booleans() | _NUMBERS | st.text() | st.sampled_from(ODD_VALUES)
ANY_JSON: Anything = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def like(sample: Any, other: Anything = ANY_JSON) -> Anything:
    """Return values of the shape of a sample; any part is as it was, another of its kind, missing, or anything else."""
    same: Anything = st.just(sample)
    if isinstance(sample, dict):
        fields = {key: like(value, other) for key, value in sample.items()}
        return (
            same
            | st.fixed_dictionaries(fields)
            | st.fixed_dictionaries({}, optional=fields)
            | st.builds(
                dict.__or__, st.fixed_dictionaries(fields), st.dictionaries(st.text(), other, max_size=2)
            )
            | other
        )
    if isinstance(sample, list | tuple):
        each = st.one_of([like(value, other) for value in sample[:6]] or [other])
        whole = st.tuples(*(like(value, other) for value in sample))
        return same | (st.lists(each, max_size=6) | whole.map(list)).map(type(sample)) | other
    if isinstance(sample, np.ndarray):
        return same | st.lists(st.integers(-2, 2**40), max_size=4).map(np.array) | _rounded(sample) | other
    kinds: dict[type, Anything] = {
        bool: st.booleans(),
        int: st.integers(),
        float: _NUMBERS,
        str: st.text(),
        bytes: st.binary(),
    }
    return same | kinds.get(type(sample), other) | other


def _rounded(sample: np.ndarray[Any, Any]) -> Anything:
    kinds = st.sampled_from(["i1", "u2", "i4", "i8", "f4", "f8", "?", "S3", "U2", "M8[s]", "m8[ns]"])
    return kinds.map(lambda kind: np.zeros(sample.shape, kind))


# Notebooks: a small one, for hypothesis makes only so much of a large one.


def _notebook(sample: dict[str, Any]) -> dict[str, Any]:
    """Return a real notebook, cut to its first cells, with outputs of each kind and a step."""
    cells = [each for each in sample["cells"] if len(str(each)) < 300][:3]
    code = next(each for each in sample["cells"] if each["cell_type"] == "code")
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": ["a\n"]},
        {"output_type": "display_data", "data": {"text/plain": "x", "image/png": "aGk="}, "metadata": {}},
        {"output_type": "execute_result", "data": {"text/plain": "x"}, "metadata": {}, "execution_count": 1},
        {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["t"]},
    ]
    step = {**code, "source": "%%step s -o x --expires 7d\nx = a + 1", "outputs": outputs}
    return {**sample, "cells": [*cells, {**step, "metadata": {"tags": ["parameters"]}}]}


def _older(version: int) -> dict[str, Any]:
    """Return a notebook of an older format, in which headings were cells of their own."""
    code = {"cell_type": "code", "input": ["x = 1"], "language": "python", "outputs": [], "metadata": {}}
    heading = {"cell_type": "heading", "level": 2, "source": ["Title"], "metadata": {}}
    first = {"cell_type": "code", "code": "x = 1", "text": "y"}
    sheets = {"worksheets": [{"cells": [code, heading]}]} if version > 1 else {"cells": [first]}
    return {"nbformat": version, "nbformat_minor": 0, "metadata": {"name": "x"}, **sheets}


def _of_notebooks(reader: Reader) -> Anything:
    samples = [_notebook(reader.samples[0]), *map(_older, (1, 2, 3))]
    return st.one_of([like(each) for each in samples]).map(reader.packed)


def _of_json(reader: Reader) -> Anything:
    return st.one_of([like(sample) for sample in reader.samples]).map(reader.packed) | st.binary().map(bytes)


# Blobs: plain pickles that call what they may with anything, frames whose notes hold anything, and bytes.


class _Call:
    """Is pickled as a call."""

    def __init__(self, function: Any, arguments: tuple[Any, ...]) -> None:
        self._how = function, arguments

    def __reduce__(self) -> Any:
        return self._how


def _of_blobs(reader: Reader) -> Anything:
    from zennb.materializers.plain import MAKERS
    from zennb.materializers.signature import pack

    makers: SimpleNamespace = MAKERS
    types = st.sampled_from(["O", "<f8", "|S0", "|V8", "<M8[s]", "<U3", "x", [("a", "<i4")], [("a", "O")]])
    shapes = st.lists(st.integers(-1, 2**40), max_size=3).map(tuple)
    order = st.sampled_from(["C", "F", "A", ""])
    array = st.tuples(
        types | ANY_JSON, shapes | ANY_JSON, order | ANY_JSON, st.binary(max_size=64) | ANY_JSON
    )
    anything = st.lists(_SCALARS | st.binary(max_size=8), max_size=4).map(tuple)
    calls = st.builds(_Call, st.sampled_from(list(vars(makers).values())), anything) | st.builds(
        _Call, st.just(makers.array), array
    )
    trees = st.recursive(
        calls | _SCALARS,
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(_SCALARS.filter(_hashes), inner, max_size=2)
        ),
    )

    def plain(value: Any) -> tuple[str, bytes]:
        return "plain", b"".join(pack(b"zennbPL\x01", [pickle.dumps(value, 5)], []))

    heads = {sample[0]: sample[1][:at] for sample in reader.samples for at in (8,)}
    ends = st.one_of(
        [st.tuples(st.just(kind), st.binary().map(head.__add__)) for kind, head in heads.items()]
    )
    cuts = st.one_of(
        [
            st.tuples(
                st.just(kind),
                st.builds(lambda at, end, data=data: data[:at] + end, st.integers(0, len(data)), st.binary()),
            )
            for kind, data in reader.samples
        ]
    )
    header = like({"descr": "<f8", "fortran_order": False, "shape": (2,)}, st.text() | _NUMBERS)
    arrays = st.builds(_npy, header.map(repr) | st.text(), st.binary())
    return trees.map(plain) | _frames(reader) | arrays | cuts | ends


def _hashes(value: Any) -> bool:
    return not isinstance(value, list | dict)


def _npy(header: str, data: bytes) -> tuple[str, bytes]:
    text = header.encode("utf-8", "replace")[:2_000]
    return "numpy", b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


def _frames(reader: Reader) -> Anything:
    from zennb.errors import NotStorable
    from zennb.materializers.buffers import joined
    from zennb.materializers.plain import PlainData

    def stored(note: Any) -> tuple[str, bytes]:
        try:
            return "frame", bytes(joined(PlainData().dump(note)))
        except NotStorable:
            return "frame", b""

    notes = [PlainData().load(data, {}) for kind, data in reader.samples if kind == "frame"]
    return st.one_of(
        [like(note, ANY_JSON | st.lists(_SCALARS, max_size=3).map(tuple)) for note in notes]
    ).map(stored)


# Rows of a database.

ROWS = "rows of records"


_COLUMNS = st.none() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text() | st.binary()


def _of_store_rows(reader: Reader) -> Anything:
    (honest,) = reader.samples
    same = {name: st.just(value) for name, value in honest.items()}
    odd = {name: like(value, _COLUMNS) for name, value in honest.items()}
    # Two or three odd columns: with more, hardly any row is looked at for long.
    chosen = st.lists(st.sampled_from(list(honest)), min_size=1, max_size=3)
    return chosen.flatmap(
        lambda names: st.fixed_dictionaries({**same, **{name: odd[name] for name in names}})
    )


def _of_rows(reader: Reader) -> Anything:
    def others(value: Any) -> Anything:
        if isinstance(value, str) and value[:1] in {"{", "["}:
            return like(json.loads(value)).map(json.dumps) | _COLUMNS
        return like(value, _COLUMNS)

    made = {place: others(place[2]) for place in reader.samples}
    changes = st.sampled_from(list(made)).flatmap(lambda place: st.tuples(st.just(place), made[place]))
    return st.tuples(st.lists(changes, min_size=1, max_size=3), st.integers(0, 10_000))


STRATEGIES: dict[str, Callable[[Reader], Anything]] = {
    "home marker": _of_json,
    "store marker": _of_json,
    "stack file": _of_json,
    "display": _of_json,
    "background state": _of_json,
    "background output": _of_json,
    **dict.fromkeys(HOME_FILES, _of_json),
    "sealed changes": lambda reader: st.binary().map(bytes),
    "notebook cells": _of_notebooks,
    "notebook document": _of_notebooks,
    "notebook status": _of_notebooks,
    "blobs": _of_blobs,
    "rows of a store": _of_store_rows,
    ROWS: _of_rows,
}
"""Reader → what is made for it."""


def _failing(_folder: Path) -> Reader:
    """Return what is no reader: it shows that failures are noticed."""

    def read(content: str) -> None:
        if len(content) > 1:
            raise ValueError("odd")

    return Reader(read, [""])


OTHERS: dict[str, Callable[[Path], Reader]] = {
    ROWS: row_reader,
    "rows of a store": store_rows,
    "a reader that fails": _failing,
}
"""Name → makes a reader that is tried here only."""


def fault_of(names: Sequence[str], *, rounds: int, start: int) -> str:
    """Let readers read generated inputs; return what was wrong with one of them, "" if nothing was.

    Args:
        names: the readers.
        rounds: how many inputs each is given; fewer if it takes long.
        start: the seed of the first process; each has at most `AT_ONCE` inputs for a reader.
    """
    for number in range(0, rounds, AT_ONCE):
        words = (",".join(names), str(min(AT_ONCE, rounds - number)), str(start + number))
        with tempfile.NamedTemporaryFile() as last:
            process = run_apart("tests.odd_input.generated", *words, last.name)
            if process.returncode:
                content = Path(last.name).read_text("utf-8")
                return f"{words}: ended with {process.returncode}\n{process.stderr[-3_000:]}\nThe last input: {content}"
    return ""


def _tried(name: str, rounds: int, start: int, last: Path) -> None:
    """Read inputs in this process; each is noted before, in case that it ends the process."""
    with in_a_folder() as folder:
        reader = OTHERS[name](folder) if name in OTHERS else READERS[name](folder)
        assert isinstance(reader, Reader)
        strategy = STRATEGIES[name](reader) if name in STRATEGIES else st.text()

        @seed(start)
        @settings(
            max_examples=rounds,
            database=None,
            deadline=None,
            derandomize=False,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        )
        @given(strategy)
        def reads(content: Any) -> None:
            last.write_text(f"{name}: {content!r}"[:2_000], "utf-8", "replace")
            what, how = bounded(lambda: reader.read(content))
            assert what != "wrong", how

        limit_memory()
        try:
            reads()
        finally:
            lift_limit()
            api.close()


if __name__ == "__main__":
    for each in sys.argv[1].split(","):
        share = min(1.0, WEIGHTS.get("records" if each == ROWS else each, 1.0))
        _tried(each, max(5, round(int(sys.argv[2]) * share)), int(sys.argv[3]), Path(sys.argv[4]))
