"""State that restored objects need, and what a step leaves outside its outputs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from zennb.errors import StepTimeout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.jupyter.conftest import Notebook


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    yield folder
    _unload()


def _unload() -> None:
    for name in [name for name in sys.modules if name.startswith("zz_")]:
        del sys.modules[name]


def _registering(folder: Path) -> None:
    package = folder / "zz_registering"
    package.mkdir()
    (package / "__init__.py").write_text(
        "PARTS = {}\n"
        "class Tool:\n"
        "    def __init__(self, size): import zz_registering.parts; self.filling = list(range(size))\n"
        "    def use(self): return PARTS['part']\n"
    )
    (package / "parts.py").write_text("from zz_registering import PARTS\nPARTS['part'] = 'registered'\n")


@pytest.mark.parametrize("size", [1, 100_000], ids=["small", "large"])
@pytest.mark.parametrize("reader", ["used = tool.use()", "%%step use --rerun\nused = tool.use()"])
def test_modules_that_a_step_had_loaded_are_there_before_its_outputs(
    notebook: Notebook, packages: Path, size: int, reader: str
) -> None:
    _registering(packages)
    cells = ["import zz_registering", f"%%step make\ntool = zz_registering.Tool({size})", reader]
    notebook.run(*cells)
    notebook.restart()
    _unload()
    assert notebook.run(*cells)[1].status == "cached"
    assert notebook.ns["used"] == "registered"


def test_modules_that_the_maker_had_loaded_are_there_for_later_versions(
    notebook: Notebook, packages: Path
) -> None:
    _registering(packages)
    cells = [
        "import zz_registering",
        "%%step make\ntool = zz_registering.Tool(100_000)",
        "%%step change\ntool.filling.append(1)",
        "used = tool.use()",
    ]
    notebook.run(*cells)
    notebook.restart()
    _unload()
    assert [ran.status for ran in notebook.run(*cells)[1:3]] == ["cached", "cached"]
    assert (notebook.ns["used"], len(notebook.ns["tool"].filling)) == ("registered", 100_001)


def test_a_step_with_numbers_imports_nothing_again(notebook: Notebook, packages: Path) -> None:
    _registering(packages)
    cells = ["import zz_registering", "%%step make\nn = len(zz_registering.Tool(3).filling)"]
    notebook.run(*cells)
    notebook.restart()
    _unload()
    assert notebook.run(*cells)[1].status == "cached"
    assert "zz_registering.parts" not in sys.modules


def test_a_step_that_fails_on_what_came_from_the_store_names_the_steps_to_run(
    notebook: Notebook, packages: Path
) -> None:
    (packages / "zz_forgetful.py").write_text(
        "READY = []\nclass Tool:\n    def __init__(self): READY.append(1)\n    def use(self): return READY[0]\n"
    )
    cells = ["import zz_forgetful", "%%step make\ntool = zz_forgetful.Tool()"]
    notebook.run(*cells)
    notebook.restart()
    _unload()
    notebook.run(*cells)
    failed = notebook.cell("%%step use\nused = tool.use()")
    assert isinstance(failed.error, IndexError)
    assert "`tool` came from the store" in failed.reason
    assert "`%%step make --rerun`" in failed.reason
    # What zennb itself refuses is not due to what came from the store.
    refused = notebook.cell("%%step use --timeout 0.2\nimport time\ntime.sleep(9)\nused = tool")
    assert isinstance(refused.error, StepTimeout)
    assert "came from the store" not in refused.reason
    notebook.run("%%step make --rerun\ntool = zz_forgetful.Tool()", "%%step use\nused = tool.use()")


@pytest.mark.parametrize(
    "code",
    [
        "import sys\ndef init(): sys.modules['__main__'].brought = 5",
        "import sys\ndef init(): exec('brought = 5', sys.modules['__main__'].__dict__)",
        "from IPython import get_ipython\ndef init(): get_ipython().push({'brought': 5})",
        "from IPython import get_ipython\ndef init(): get_ipython().run_cell('brought = 5')",
    ],
)
def test_names_that_a_library_brings_are_there_each_time(
    notebook: Notebook, packages: Path, code: str
) -> None:
    (packages / "zz_init.py").write_text(code)
    cells = ["import zz_init", "%%step init\nzz_init.init()\ndone = 1", "seen = brought"]
    notebook.run(*cells)
    notebook.restart()
    again = notebook.run(*cells)
    assert again[1].status == "completed"
    assert "it binds or deletes `brought`" in again[1].reason
    assert notebook.ns["seen"] == 5


@pytest.mark.parametrize(
    ("cells", "value"),
    [
        (
            [
                "from dataclasses import make_dataclass",
                "%%step make\nP = make_dataclass('P', ['x', ('y', int)])",
            ],
            "P(1, 2)",
        ),
        (["from collections import namedtuple", "%%step make\nP = namedtuple('P', 'x y')"], "P(1, 2)"),
        (["x = 3", "%%step make\nP = type('P', (), {'x': 1})"], "P()"),
        (["from enum import IntFlag", "%%step make\nP = IntFlag('P', 'A B')"], "P.A"),
    ],
    ids=["make_dataclass", "namedtuple", "type", "IntFlag"],
)
@pytest.mark.parametrize("is_step", [True, False])
def test_classes_that_a_call_makes_are_those_of_their_instances(
    notebook: Notebook, cells: list[str], value: str, is_step: bool
) -> None:
    made = cells[1] if is_step else cells[1].partition("\n")[2]
    run = [
        cells[0],
        made,
        f"%%step use\np = {value}",
        "same = type(p) is P",
        f"%%step more\nq = [p, {value}]",
    ]
    notebook.run(*run)
    notebook.restart()
    ran = notebook.run(*run)
    assert {each.status for each, cell in zip(ran, run, strict=True) if cell.startswith("%%")} == {"cached"}
    assert notebook.ns["same"]
    assert notebook.ns["q"][0].__class__ is notebook.ns["P"]


def test_a_step_sees_that_a_made_dataclass_changed(notebook: Notebook) -> None:
    notebook.run("from dataclasses import make_dataclass", "P = make_dataclass('P', ['x'])")
    notebook.run("%%step use\nshown = repr(P(1))", "P = make_dataclass('P', ['z'])")
    assert notebook.run("%%step use\nshown = repr(P(1))")[0].status == "completed"
    assert notebook.ns["shown"] == "P(z=1)"


@pytest.mark.parametrize(
    "made",
    [
        "from typing import NewType\nT = NewType('T', int)",
        "from typing import TypedDict\nT = TypedDict('T', {'a': int})",
    ],
)
def test_types_made_by_a_call_are_defined_again(notebook: Notebook, made: str) -> None:
    notebook.run(f"%%step make\n{made}")
    notebook.restart()
    assert notebook.run(f"%%step make\n{made}")[0].status == "cached"
    assert notebook.ns["T"].__name__ == "T"


def test_what_a_class_leaves_out_is_said(notebook: Notebook) -> None:
    code = (
        "import threading\nclass Model:\n"
        "    def __init__(self): self.a, self.cache, self.lock = 1, {'k': 2}, threading.Lock()\n"
        "    def __getstate__(self): return {'a': self.a}\n"
        "    def __setstate__(self, state): self.__dict__.update(state, lock=threading.Lock())"
    )
    notebook.run(code)
    shown = notebook.run("%%step make\nmodel = Model()")[0].displays[-1]["data"]["text/plain"]
    assert "`model` is stored without `cache`, as its class decides." in shown
    assert "lock" not in shown


WATCH = "%%step watch\nmodel.observe(lambda change: seen.append(change['new']), 'x')"
WATCHED = [
    "import traitlets as T\nclass Model(T.HasTraits):\n    x = T.Int(1)",
    "%%step make\nmodel, seen = Model(), []",
    WATCH,
    "model.x += 1\nprint(seen)",
]


def test_what_a_step_observes_is_observed_after_a_restart_too(notebook: Notebook) -> None:
    assert notebook.run(*WATCHED)[-1].out == "[2]\n"
    notebook.restart()
    again = notebook.run(*WATCHED)
    assert (again[1].status, again[2].status) == ("cached", "completed")
    assert "callback `<lambda>` would be lost" in again[2].reason
    assert again[-1].out == "[2]\n"
