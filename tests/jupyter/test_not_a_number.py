"""A NaN in stored data is afterwards the NaN that it was: those are compared by identity."""

from __future__ import annotations

import io
import math
import pickle
import struct
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from zennb.errors import DamagedArtifact
from zennb.materializers.plain import _MAGIC, PlainData
from zennb.materializers.signature import pack

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook

MADE = r"""
own = float('nan')
missing = [None, np.nan, '?']
names = {np.nan: 'numpy', math.nan: 'math', own: 'own'}
twice = [own, own, -own, float('nan')]
nested = (np.nan, (math.nan, [np.nan]))
objects = np.array([np.nan, 'a', None], dtype=object)
frame = pd.DataFrame({'a': ['x', np.nan], 'b': [1.0, np.nan]})
thing = SimpleNamespace(value=np.nan, values=[math.nan, np.nan])
single = np.nan
other = struct.unpack('<d', b'\x01\0\0\0\0\0\xf8\x7f')[0]
others = [other, other, np.nan, {other: 1}]
"""

ASKED = {
    "in a list": "np.nan in missing",
    "as a key": "[names.get(np.nan), names.get(math.nan), names.get(float('nan')), len(names)]",
    "one object twice": "[twice[0] is twice[1], twice[1] is twice[2], twice[0] is twice[3], len(set(twice))]",
    "a sign": "[math.copysign(1, each) for each in twice]",
    "in tuples": "[nested[0] is np.nan, nested[1][0] is math.nan, nested[1][1][0] is np.nan]",
    "in an array": "[each in missing for each in objects]",
    "in a frame": "[each in missing for each in frame['a'].tolist()]",
    "in floats of a frame": "[each in missing for each in frame['b'].tolist()]",
    "in an object": "[thing.value is np.nan, thing.values[0] is math.nan, thing.values[1] in missing]",
    "with other bits": (
        "[others[0] is others[1], others[0] in others[3], others[0] is others[2], struct.pack('<d', others[0])]"
    ),
    "alone": "[single is np.nan, single in missing]",
}

IMPORTS = "import math, struct\nimport numpy as np\nimport pandas as pd\nfrom types import SimpleNamespace"


def test_after_reuse_each_nan_is_the_one_it_was(notebook: Notebook) -> None:
    step = f"%%step made{MADE}"
    plain: dict[str, Any] = {
        "math": math,
        "struct": struct,
        "np": np,
        "pd": pd,
        "SimpleNamespace": SimpleNamespace,
    }
    exec(MADE, plain)
    notebook.run(IMPORTS, step)
    notebook.restart()
    *_, made = notebook.run(IMPORTS, step)
    assert made.status == "cached"
    for what, code in ASKED.items():
        assert eval(code, notebook.ns) == eval(code, plain), what


def test_a_text_that_looks_like_one_is_stored_as_it_is() -> None:
    value = ["G\x7f\xf8\0\0\0\0\0\0", b"G\x7f\xf8\0\0\0\0\0\0", 1.0]
    materializer = PlainData()
    assert materializer.load(b"".join(map(bytes, materializer.dump(value))), {}) == value


@pytest.mark.parametrize("name", [["a list"], 5, ("numpy", "x"), {"a": 1}])
def test_forged_names_do_nothing(name: Any) -> None:
    class Forged(pickle.Pickler):
        def persistent_id(self, value: object) -> object:
            return name if value == 1.5 else None

    stream = io.BytesIO()
    Forged(stream, protocol=5).dump([1.5])
    with pytest.raises(DamagedArtifact):
        PlainData().load(b"".join(map(bytes, pack(_MAGIC, [stream.getvalue()], []))), {})
