"""An interrupt in the middle of `import pandas`: what was stored before is neither blamed nor made again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.kernel.conftest import Kernel

pytestmark = pytest.mark.kernel

FRAME = "%%step frame\nimport pandas as pd\ndf = pd.DataFrame({'a': range(9), 't': ['x'] * 9})\nprint('made')"
INTERRUPTING = """
import sys

class Finder:
    def __init__(self, at):
        self.at = at

    def find_spec(self, name, path=None, target=None):
        if name == self.at:
            sys.meta_path.remove(self)
            raise KeyboardInterrupt

def import_pandas(at):
    sys.meta_path.insert(0, Finder(at))
    import pandas
"""


@pytest.mark.parametrize("at", ["numpy._core._asarray", "pandas._libs.algos"])
def test_a_frame_is_not_made_again_because_of_a_library_that_is_imported_by_half(
    kernels: Callable[[], Kernel], at: str
) -> None:
    first = kernels()
    (first.folder / "interrupting.py").write_text(INTERRUPTING)
    first.run(FRAME)
    kernel = kernels()
    ran = kernel.cell(f"import interrupting\ninterrupting.import_pandas('{at}')")
    assert ran.reply["ename"] == "KeyboardInterrupt", ran.shown
    ran = kernel.cell(FRAME)
    if not ran.error:  # what is broken depends on the release; the rest works
        assert ran.status == "cached", ran.reason
    else:
        assert ran.error.startswith("BrokenLibrary: "), (ran.error, ran.shown)
        assert f"{at.partition('.')[0]} is imported only by half here" in ran.error
        assert "made" not in ran.stdout
    assert kernels().run(FRAME)[0].status == "cached"
