"""Which memory values stand on, whatever else is loaded."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from zennb.digests.digest import digest_value
from zennb.digests.stretches import share_memory


@pytest.mark.parametrize("with_arrow", [False, True])
def test_a_series_of_polars_over_an_array_shares_its_memory(
    monkeypatch: pytest.MonkeyPatch, with_arrow: bool
) -> None:
    pl = pytest.importorskip("polars")
    pytest.importorskip("pyarrow")
    if not with_arrow:
        monkeypatch.delitem(sys.modules, "pyarrow")
    array = np.arange(4)
    series = pl.Series(array)
    one, other = (digest_value(each).memory for each in (array, series))
    array[0] = 9
    assert share_memory(one, other) is (series[0] == 9), "releases that copy share nothing"
