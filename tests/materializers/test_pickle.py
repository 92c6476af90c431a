from __future__ import annotations

import hashlib
import logging
import pickle
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from zennb.digests.digest import digest
from zennb.errors import DamagedArtifact, MissingDefinition, NotStorable, UntrustedArtifact
from zennb.materializers.buffers import joined
from zennb.materializers.registry import Dumped, Materializers
from zennb.materializers.signature import pack
from zennb.materializers.signer import Signer

Trip = Callable[[Any], tuple[Dumped, Any]]
MAGIC = b"zennbPK\x01"


def run_cell(code: str, scope: dict[str, Any]) -> dict[str, Any]:
    """Execute code as a notebook cell: in `__main__`, with these names."""
    scope["__name__"] = "__main__"
    exec(code, scope)
    return scope


MODEL = """
class Model:
    def __init__(self, w):
        self.w = w
    def predict(self):
        return self.w * 2
"""


def dumped(materializers: Materializers, value: Any, name: str = "m") -> Dumped:
    return materializers.dump(value, digest="", name=name)


def test_a_notebook_class_goes_by_name_and_is_needed_again(
    materializers: Materializers, scope: dict[str, Any], signer: Signer
) -> None:
    value = run_cell(MODEL + "m = Model(21)", scope)["m"]
    stored = dumped(materializers, value)
    assert stored.needs == ("Model",)
    blob = bytes(joined(stored.buffers))

    fresh: dict[str, Any] = {}
    after_restart = Materializers(fresh, signer)
    with pytest.raises(MissingDefinition) as caught:
        after_restart.load("pickle", blob, name="m")
    assert str(caught.value) == (
        "artifact 'm' is an instance of Model, a class written in the notebook; "
        "run the cell that defines Model, then try again."
    )
    assert caught.value.name == "Model"

    run_cell(MODEL.replace("* 2", "* 3"), fresh)
    again = after_restart.load("pickle", blob, name="m")
    assert type(again) is fresh["Model"]
    assert again.predict() == 63


def test_classes_functions_and_nested_classes_inside_a_value_go_by_name(
    materializers: Materializers, scope: dict[str, Any], trip: Trip
) -> None:
    run_cell(
        "class Outer:\n    class Inner: pass\n"
        "import enum\nclass Colour(enum.Enum):\n    RED = 1\n"
        "from collections import namedtuple\nPoint = namedtuple('Point', 'x y')\n"
        "def clean(x): return x + 1\n"
        "v = [Outer.Inner(), Colour.RED, Point(1, 2), clean, Outer]",
        scope,
    )
    stored, again = trip(scope["v"])
    assert set(stored.needs) == {"Outer.Inner", "Colour", "Point", "clean", "Outer"}
    assert [type(again[0]), *again[1:]] == [
        scope["Outer"].Inner,
        scope["Colour"].RED,
        (1, 2),
        scope["clean"],
        scope["Outer"],
    ]
    blob = bytes(joined(stored.buffers))
    del scope["clean"]
    with pytest.raises(
        MissingDefinition,
        match="needs clean, a function written in the notebook; run the cell that defines clean",
    ):
        materializers.load("pickle", blob, name="v")


def test_a_name_that_means_something_else_now_is_missing(
    materializers: Materializers, scope: dict[str, Any]
) -> None:
    blob = bytes(joined(dumped(materializers, run_cell(MODEL + "m = Model(1)", scope)["m"]).buffers))
    scope["Model"] = 3
    with pytest.raises(MissingDefinition):
        materializers.load("pickle", blob, name="m")


def test_a_class_that_its_name_no_longer_leads_to_goes_by_value(scope: dict[str, Any], trip: Trip) -> None:
    value = run_cell(MODEL + "m = Model(4)\nModel = None", scope)["m"]
    stored, again = trip(value)
    assert stored.needs == ()
    assert again.predict() == 8


def test_lambdas_and_closures_go_by_value(scope: dict[str, Any], trip: Trip) -> None:
    run_cell(
        "RATE = 3\ndef make(n):\n    return lambda x: x * n * RATE\nf = make(2)\ng = lambda x: x + RATE",
        scope,
    )
    assert trip(scope["f"])[1](5) == 30
    assert trip({"g": scope["g"]})[1]["g"](1) == 4
    assert trip(partial(scope["f"], 1))[1]() == 6


def test_a_fitted_pipeline_predicts_exactly_the_same(trip: Trip) -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(size=(200, 5)), random.normal(size=200)
    model = make_pipeline(StandardScaler(), Ridge(alpha=0.3)).fit(x, y)
    stored, again = trip(model)
    assert stored.type == "sklearn.pipeline.Pipeline"
    assert np.array_equal(again.predict(x), model.predict(x))
    assert digest(again) == digest(model)


def test_a_forest_loaded_from_a_map_predicts_the_same_and_can_be_fitted_again(trip: Trip) -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(size=(100, 3)), random.integers(0, 2, 100)
    model = RandomForestClassifier(n_estimators=5, random_state=0).fit(x, y)
    _, again = trip(model)
    assert np.array_equal(again.predict_proba(x), model.predict_proba(x))
    again.fit(x, 1 - y)


def test_arrays_inside_are_written_from_their_own_memory_and_aligned(materializers: Materializers) -> None:
    value = SimpleNamespace(weights=np.arange(10_000.0))
    stored = dumped(materializers, value)
    (large,) = [one for one in stored.buffers if len(one) > 10_000]
    assert np.shares_memory(np.frombuffer(large, "u1"), value.weights)
    before = stored.buffers[: list(map(id, stored.buffers)).index(id(large))]
    assert sum(map(len, before)) % 64 == 0


def test_arrays_inside_are_views_of_the_stored_bytes_and_writable(materializers: Materializers) -> None:
    blob = joined(dumped(materializers, SimpleNamespace(weights=np.arange(1000.0))).buffers)
    again = materializers.load("pickle", memoryview(blob), name="m")
    assert np.shares_memory(again.weights, np.frombuffer(blob, "u1"))
    again.weights += 1


def test_the_proof_cannot_write_into_the_value(scope: dict[str, Any], trip: Trip) -> None:
    run_cell(
        "class Scaled:\n    def __init__(self, a): self.a = a\n"
        "    def __setstate__(self, state):\n        self.a = state['a']\n        self.a *= 2\n",
        scope,
    )
    value = scope["Scaled"](np.ones(1000))
    with pytest.raises(NotStorable, match="another value when it is pickled and loaded"):
        trip(value)
    assert value.a.tolist() == [1.0] * 1000


class Loader:
    """Holds something."""

    def __init__(self, connection: Any) -> None:
        self.path = "data.db"
        self.connection = connection


class Slotted:
    __slots__ = ("inner",)

    def __init__(self, inner: Any) -> None:
        self.inner = inner


class Odd(Exception):
    """Can be pickled, but not loaded."""

    def __init__(self, first: int, second: int) -> None:
        super().__init__(f"{first} {second}")


def generator() -> Any:
    yield 1


def capturing(lock: Any) -> Any:
    return lambda: lock


@pytest.mark.parametrize(
    ("make", "path"),
    [
        (lambda: Loader(sqlite3.connect(":memory:")), "loader.connection"),
        (lambda: [1, {"gen": generator()}], "loader[1]['gen']"),
        (generator, "loader"),
        (lambda: Slotted(threading.Lock()), "loader.inner"),
        (lambda: {"deep": [Loader(Slotted([threading.RLock()]))]}, "loader['deep'][0].connection.inner[0]"),
        (lambda: socket.socket(), "loader"),
        (lambda: capturing(threading.Lock()), "loader (which captures lock)"),
        (lambda: partial(print, threading.Lock()), "loader.args[0]"),
        (lambda: Loader(memoryview(b"x")), "loader.connection"),
    ],
)
def test_what_cannot_be_stored_is_named_with_its_path(
    make: Callable[[], Any], path: str, materializers: Materializers
) -> None:
    value = make()
    with pytest.raises(NotStorable) as caught:
        dumped(materializers, value, "loader")
    assert caught.value.path == path
    assert f"`{path}` is a " in str(caught.value)
    assert "starts with `_`" in str(caught.value)
    held = value.connection if isinstance(value, Loader) else value
    if hasattr(held, "close"):
        held.close()


def test_an_open_file_is_never_stored_as_its_contents(materializers: Materializers, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("secret")
    with (tmp_path / "x").open() as file:
        assert b"secret" not in b"".join(map(bytes, dumped(materializers, Loader(file), "loader").buffers))
    with (
        (tmp_path / "x").open("a") as file,
        pytest.raises(NotStorable, match=r"`loader\.connection` is a .*open file"),
    ):
        dumped(materializers, Loader(file), "loader")


def test_bunches_of_sklearn_and_trees_of_scipy_are_the_same_when_loaded(trip: Trip) -> None:
    spatial, datasets = pytest.importorskip("scipy.spatial"), pytest.importorskip("sklearn.datasets")
    points = np.eye(20, 2)
    values = [datasets.load_iris(), spatial.KDTree(points, leafsize=3), spatial.cKDTree(points)]
    assert [digest(trip(each)[1]) == digest(each) for each in values] == [True] * 3
    trees = [spatial.KDTree(points.copy()), spatial.KDTree(points + 1), spatial.KDTree(points, leafsize=3)]
    assert [digest(each) == digest(spatial.KDTree(points)) for each in trees] == [True, False, False]


def test_loggers_modules_and_locks_of_the_library_are_no_trouble(trip: Trip) -> None:
    assert trip(SimpleNamespace(log=logging.getLogger("x"), module=np))[1].module is np


def test_what_can_be_pickled_but_not_loaded_is_refused(materializers: Materializers) -> None:
    with pytest.raises(NotStorable, match=r"`error` is a .*Odd, which can be pickled but not loaded again"):
        dumped(materializers, Odd(1, 2), "error")


def test_an_ordinary_exception_is_stored(trip: Trip) -> None:
    assert trip(ValueError("x", 1))[1].args == ("x", 1)


class Touch:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> Any:
        return Path.touch, (self.target,)


def foreign(tmp_path: Path) -> bytes:
    stream = pickle.dumps(Touch(tmp_path / "touched"))
    return b"".join(pack(MAGIC, [stream], []))


def test_an_unsigned_pickle_is_refused_with_the_command_and_nothing_runs(
    materializers: Materializers, tmp_path: Path
) -> None:
    with pytest.raises(
        UntrustedArtifact, match=r"artifact 'model'.*Nothing of it was run.*type `zennb trust model`"
    ):
        materializers.load("pickle", foreign(tmp_path), name="model")
    assert not (tmp_path / "touched").exists()


def test_a_pickle_of_another_user_is_refused_until_it_is_trusted(
    materializers: Materializers, signer: Signer, tmp_path: Path
) -> None:
    theirs = Materializers({}, Signer(tmp_path / "theirs"))
    blob = bytes(joined(dumped(theirs, {1, print}).buffers))
    with pytest.raises(UntrustedArtifact):
        materializers.load("pickle", blob, name="m")
    signer.trust(hashlib.sha256(blob).hexdigest())
    assert materializers.load("pickle", blob, name="m") == {1, print}
    with pytest.raises(UntrustedArtifact):
        materializers.load("pickle", blob[:-1] + bytes([blob[-1] ^ 1]), name="m")


def test_any_changed_byte_of_a_signed_pickle_is_refused(materializers: Materializers) -> None:
    blob = bytes(joined(dumped(materializers, SimpleNamespace(a=np.arange(5.0), b="text")).buffers))
    for at in range(len(blob)):
        with pytest.raises((UntrustedArtifact, DamagedArtifact)):
            materializers.load("pickle", blob[:at] + bytes([blob[at] ^ 1]) + blob[at + 1 :], name="m")


def test_a_plain_file_cannot_be_passed_off_as_a_pickle(materializers: Materializers) -> None:
    blob = bytes(joined(materializers.dump([1], digest="", name="x").buffers))
    with pytest.raises(DamagedArtifact):
        materializers.load("pickle", blob, name="x")


def test_a_module_that_is_gone_is_named(
    materializers: Materializers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mylib.py").write_text("class Thing:\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    import mylib  # type: ignore[import-not-found] # written above

    stored = dumped(materializers, mylib.Thing())
    assert stored.needs == ()
    assert stored.type == "mylib.Thing"
    del sys.modules["mylib"]  # for good: it is nobody else's
    (tmp_path / "mylib.py").unlink()
    with pytest.raises(MissingDefinition, match="needs the module `mylib`"):
        materializers.load("pickle", bytes(joined(stored.buffers)), name="m")


def test_a_pickle_that_no_longer_fits_is_damaged_and_says_to_run_again(materializers: Materializers) -> None:
    stored = dumped(materializers, Loader(1))
    blob = bytes(joined(stored.buffers))
    keep = Loader.__init__
    Loader.__setstate__ = lambda *_: 1 / 0  # type: ignore[attr-defined] # a newer version of the class, as it were
    try:
        with pytest.raises(DamagedArtifact, match=r"ZeroDivisionError.*run its step again"):
            materializers.load("pickle", blob, name="m")
    finally:
        del Loader.__setstate__  # type: ignore[attr-defined] # the same
    assert Loader.__init__ is keep


PROGRAM = """
import sys, pathlib, mmap
from zennb.materializers.registry import Materializers
from zennb.materializers.signer import Signer
from zennb.digests.digest import digest
home = pathlib.Path(sys.argv[1])
m = Materializers({}, Signer(home / "keys"))
for file in sorted(home.glob("*.blob")):
    with file.open("rb") as f:
        view = memoryview(mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_COPY))
    print(file.name, digest(m.load(file.name.split(".")[1], view, name="v")))
"""


def test_values_load_in_another_process_with_the_same_digest(
    materializers: Materializers, tmp_path: Path
) -> None:
    values: list[Any] = [
        np.arange(5.0),
        pd.DataFrame({"a": [1, 2], "s": ["x", None]}),
        pd.DataFrame({"o": [[1], {"x": 2}]}),
        {"plain": [1, (2.5, None)]},
        Ridge().fit([[0.0], [1.0]], [0.0, 2.0]),
    ]
    expected = []
    for at, value in enumerate(values):
        stored = materializers.dump(value, digest=digest(value), name="v")
        file = tmp_path / f"{at}.{stored.materializer}.blob"
        file.write_bytes(joined(stored.buffers))
        expected.append(f"{file.name} {digest(value)}")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == expected


def test_a_class_called_as_one_of_numpys_is_stored_where_numpy_is_not_loaded() -> None:
    code = (
        "import sys\n"
        "class RandomState: pass\n"
        "from zennb.digests.digest import digest\n"
        "from zennb.materializers.registry import Materializers\n"
        "from zennb.materializers.signer import Signer\n"
        "values = [RandomState()]\n"
        "stored = Materializers(globals(), Signer()).dump(values, digest=digest(values), name='values')\n"
        "assert 'numpy.random' not in sys.modules\n"
        "print(stored.materializer)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("pickle\n", "")
