"""What a pickle refers to rather than copies: classes that say another home, numpy's random state, other arrays."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy import stats

from zennb.digests.digest import digest
from zennb.materializers.buffers import joined

if TYPE_CHECKING:
    from tests.materializers.conftest import Trip
    from zennb.materializers.registry import Materializers

RECORDS = """
import sys
import numpy as np
sys.modules.pop("numpy.rec", None)  # as in a kernel that only imported numpy
from zennb.materializers.registry import Materializers
from zennb.materializers.signer import Signer
from pathlib import Path
records = np.zeros(3, dtype=[("age", "i4")]).view(np.recarray)
dumped = Materializers({}, Signer(Path(sys.argv[1]))).dump_together({"r": records}, name="r")
Path(sys.argv[2]).write_bytes(b"".join(map(bytes, dumped.buffers)))
"""


def test_a_class_is_referred_to_though_its_public_module_was_not_imported(
    tmp_path: Any, materializers: Materializers
) -> None:
    subprocess.run([sys.executable, "-c", RECORDS, tmp_path / "keys", tmp_path / "blob"], check=True)
    (records,) = materializers.load("pickle", (tmp_path / "blob").read_bytes(), name="r").values()
    assert type(records) is np.recarray
    assert records["age"].tolist() == [0, 0, 0]


def test_a_distribution_refers_to_the_random_state_of_numpy(trip: Trip) -> None:
    np.random.seed(3)
    one = stats.norm(2, 3)
    before = digest(one)
    one.rvs()
    assert digest(one) == before
    _, again = trip(one)
    np.random.seed(3)
    expected = stats.norm(2, 3).rvs()
    np.random.seed(3)
    assert again.rvs() == expected


def test_a_random_state_of_its_own_is_content() -> None:
    state = np.random.RandomState(3)
    before = digest(state)
    state.rand()
    assert digest(state) != before


@pytest.mark.parametrize("kind", [np.recarray, np.matrix])
def test_a_view_of_another_kind_comes_back_as_a_view(kind: type[Any], materializers: Materializers) -> None:
    base = np.zeros((2, 2), dtype=[("a", "i4")] if kind is np.recarray else "f8")
    dumped = materializers.dump_together({"base": base, "view": base.view(kind)}, name="x")
    found = materializers.load(dumped.materializer, bytearray(joined(dumped.buffers)), name="x")
    assert type(found["view"]) is kind
    assert np.shares_memory(found["base"], found["view"])
