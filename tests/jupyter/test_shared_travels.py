"""Which results are the same in the folder of somebody else, and what else others can do with them."""

from __future__ import annotations

import sys

import pytest

from tests.jupyter.people import People, bucket, people

pytest.importorskip("fsspec")
pytest.importorskip("cryptography")
pytest.importorskip("pandas")

__all__ = ["bucket", "people"]

PLAIN = "%%step few\nfew = [1, 2, 3]"
MODEL = "%%step train\nfrom datetime import timezone\nmodel = [timezone.utc, len, object]"

TRAVELS: dict[str, tuple[str, ...]] = {
    "local module": ("import helper", "%%step use\nmade = helper.twice(4)"),
    "local module in the step": ("%%step use\nimport helper\nmade = helper.twice(4)",),
    "function of the notebook": ("def half(x):\n    return x / 2", "%%step use\nmade = half(9)"),
    "class of the notebook": (
        "class Model:\n    rate = 2\n    def fit(self, x):\n        return x * self.rate",
        "%%step use\nmade = Model().fit(4)",
    ),
    "function of the step": ("%%step use\ndef third(x):\n    return x / 3\nmade = third(9)",),
    "frame": ("import pandas as pd", "%%step use\nmade = pd.DataFrame({'a': [1.5, None], 'b': ['x', 'é']})"),
    "file by pandas": ("import pandas as pd", "%%step use\nmade = pd.read_csv('data/rows.csv')"),
    "named file": ("%%step use --depends-on data/rows.csv\nmade = 4",),
    "listed folder": ("import os", "%%step use\nmade = sorted(os.listdir('data'))"),
    "pattern": ("import glob", "%%step use\nmade = glob.glob('data/*.csv')"),
    "absent file": ("from pathlib import Path", "%%step use\nmade = Path('absent.txt').exists()"),
    "change in place": ("made = [1]", "%%step use\nmade.append(2)"),
    "large array": ("import numpy as np", "%%step use\nmade = np.ones((300, 300)).T"),
}


@pytest.mark.parametrize("cells", TRAVELS.values(), ids=TRAVELS)
def test_what_depends_on_nothing_but_the_folder_travels(
    people: People, cells: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ada", "bob"):
        (people.folder(name) / "data").mkdir(parents=True)
        (people.folder(name) / "data" / "rows.csv").write_text("a,b\n1,2\n")
        (people.folder(name) / "helper.py").write_text("def twice(x):\n    return 2 * x\n")
    monkeypatch.syspath_prepend(people.folder("ada"))
    ada = people.turn("ada")
    ada.run(*cells)
    expected = repr(ada.ns["made"])
    sys.modules.pop("helper", None)
    sys.path.remove(str(people.folder("ada")))
    monkeypatch.syspath_prepend(people.folder("bob"))
    bob = people.turn("bob")
    ran = bob.run(*cells)[-1]
    assert ran.status == "cached", ran.reason
    bob.run("shown = repr(made)")
    assert bob.ns["shown"] == expected
    bob.restart()
    again = bob.run(*cells)[-1]
    assert again.status == "cached", again.reason
    sys.modules.pop("helper", None)


def test_results_of_others_are_loaded_by_name_and_listed_like_own_ones(people: People) -> None:
    people.turn("ada").run(PLAIN, MODEL)
    key = people.key("ada")
    bob = people.turn("bob")
    bob.run(f"%zennb trust --signer {key[:16]}", PLAIN, MODEL)
    bob.restart()
    bob.run(
        "import zennb\nfew, model = zennb.load('few'), zennb.load('model')", "assert len(model) == len(few)"
    )
    bob.run(f"%zennb trust --signer {key[:16]} --revoke", "%artifacts show few", "%artifacts lineage model")
    bob.restart()
    (again,) = bob.run(PLAIN)  # plain data of anybody
    assert (again.status, key[:16] in again.reason) == ("cached", True)
    assert bob.run(MODEL)[0].status == "completed"


def test_steps_in_other_processes_read_what_others_made(people: People) -> None:
    pytest.importorskip("loky")
    use = "%%step use\nsize = len(model) + len(few)"
    people.turn("ada").run(PLAIN, MODEL)
    bob = people.turn("bob")
    bob.run(
        f"%zennb trust --signer {people.key('ada')[:16]}",
        "%orchestrator register procs --flavor=processes --workers=1",
        "%stack register far -o procs -a shared --set",
    )
    found = bob.run(PLAIN, MODEL, use)
    assert [ran.status for ran in found] == ["cached", "cached", "completed"], [ran.reason for ran in found]
    assert bob.ns["size"] == 6
    assert people.turn("carol").run(PLAIN)[0].status == "cached"
