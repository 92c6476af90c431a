"""What libraries know by being one object, and parts that recipes of libraries copy, are the same after reuse."""

from __future__ import annotations

import random
import sys
from typing import TYPE_CHECKING

import pytest

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
    for name in [name for name in sys.modules if name.startswith("zz_")]:
        del sys.modules[name]


_PARSER = """
parser = argparse.ArgumentParser(prog='fit', argument_default=argparse.SUPPRESS)
_ = parser.add_argument('--rate', type=float)
_ = parser.add_argument('--seed', help=argparse.SUPPRESS)
"""


def test_a_text_that_parsers_compare_by_identity_stays_that_text(notebook: Notebook) -> None:
    cells = [
        "import argparse",
        f"%%step make\n{_PARSER}",
        "parsed, shown = vars(parser.parse_args([])), parser.format_help()",
    ]
    notebook.run(*cells)
    assert notebook.ns["parsed"] == {}
    shown = notebook.ns["shown"]
    notebook.restart()
    assert notebook.run(*cells)[1].status == "cached"
    assert notebook.ns["parsed"] == {}
    assert notebook.ns["shown"] == shown


@pytest.mark.parametrize(
    "constant",
    [
        "class Missing: pass\nMISSING = Missing()",
        "class Missing: __slots__ = ()\nMISSING = Missing()",
        "MISSING = object()",
    ],
)
def test_constants_of_libraries_stay_the_objects_they_are(
    notebook: Notebook, packages: Path, constant: str
) -> None:
    (packages / "zz_fields.py").write_text(
        f"{constant}\n"
        "class Field:\n"
        "    def __init__(self, default=MISSING): self.default = default\n"
        "    def has_default(self): return self.default is not MISSING\n"
    )
    cells = [
        "import zz_fields",
        "%%step make\nfields = [zz_fields.Field(), zz_fields.Field(3), zz_fields.MISSING]",
        "told = [fields[0].has_default(), fields[1].has_default(), fields[2] is zz_fields.MISSING]",
    ]
    notebook.run(*cells)
    notebook.restart()
    assert notebook.run(*cells)[1].status == "cached"
    assert notebook.ns["told"] == [False, True, True]


def test_an_object_of_a_library_with_attributes_is_no_constant(notebook: Notebook, packages: Path) -> None:
    (packages / "zz_defaults.py").write_text("class Defaults: width = None\ndefaults = Defaults()\n")
    cells = [
        "import zz_defaults",
        "made = zz_defaults.Defaults()",
        "%%step make\nmine = zz_defaults.defaults\nmine.width = 5",
        "width = mine.width",
    ]
    notebook.run(*cells)
    notebook.restart()
    del sys.modules["zz_defaults"]
    notebook.run(*cells)
    assert notebook.ns["width"] == 5


_COPYING = (
    "class Part:\n"
    "    def __init__(self, name=''): self.name = name\n"
    "class Whole:\n"
    "    def __init__(self, names): self.parts = [Part(name) for name in names]\n"
    "    def __reduce__(self): return Whole, ([part.name for part in self.parts],)\n"
)


def test_a_step_whose_values_a_recipe_of_a_library_would_part_runs_every_time(
    notebook: Notebook, packages: Path
) -> None:
    (packages / "zz_whole.py").write_text(_COPYING)
    cells = [
        "import zennb, zz_whole",
        "@zennb.digest(zz_whole.Whole)\ndef content(whole): return [part.name for part in whole.parts]",
        "%%step make\nwhole = zz_whole.Whole(['a'])\npart = whole.parts[0]",
        "part.name = 'b'\nseen = whole.parts[0].name",
    ]
    notebook.run(*cells)
    notebook.restart()
    made = notebook.run(*cells)[2]
    assert made.status == "completed"
    assert "share state, and would not after they are stored" in made.reason
    assert notebook.ns["seen"] == "b"


def test_values_that_a_recipe_of_a_library_keeps_together_are_reused(
    notebook: Notebook, packages: Path
) -> None:
    kept = _COPYING.replace(
        "Whole, ([part.name for part in self.parts],)", "object.__new__, (Whole,), vars(self)"
    )
    (packages / "zz_kept.py").write_text(kept)
    cells = [
        "import zz_kept",
        "%%step make\nwhole = zz_kept.Whole(['a'])\npart = whole.parts[0]",
        "part.name = 'b'\nseen = whole.parts[0].name",
    ]
    notebook.run(*cells)
    notebook.restart()
    assert notebook.run(*cells)[1].status == "cached"
    assert notebook.ns["seen"] == "b"


@pytest.mark.parametrize("module", ["random", "numpy.random"])
def test_loading_draws_no_random_numbers(notebook: Notebook, packages: Path, module: str) -> None:
    (packages / "zz_layers.py").write_text(
        f"import {module} as r\n"
        "class Layer:\n"
        "    def __init__(self): self.state = {}\n"
        "    def __getstate__(self): return {'state': self.state}\n"
        "    def __setstate__(self, state): r.random(); self.__dict__.update(state)\n"
    )
    cells = [
        f"import zz_layers, {module} as r\nr.seed(5)",
        "%%step make\nlayer = zz_layers.Layer()",
        "%%step draw\ndrawn = r.random(); layer",
        "after = r.random()",
    ]
    notebook.run(*cells)
    if module == "random":
        numbers = random.Random(5)
        assert (notebook.ns["drawn"], notebook.ns["after"]) == (numbers.random(), numbers.random())
    first = notebook.ns["drawn"], notebook.ns["after"]
    notebook.restart()
    assert [ran.status for ran in notebook.run(*cells)[1:3]] == ["cached", "cached"]
    assert (notebook.ns["drawn"], notebook.ns["after"]) == first


def test_a_class_that_a_library_makes_and_keeps_is_not_made_again(notebook: Notebook, packages: Path) -> None:
    (packages / "zz_creator.py").write_text(
        "import copyreg\n"
        "class Meta(type): pass\n"
        "def make(name, base):\n"
        "    globals()[name] = made = Meta(name, (base,), {})\n"
        "    return made\n"
        "copyreg.pickle(Meta, lambda cls: (make, (cls.__name__, cls.__bases__[0])))\n"
    )
    cells = [
        "import zz_creator\nzz_creator.make('Item', list)",
        "%%step fill\nitems = [zz_creator.Item([1])]",
        "kept = type(items[0]) is zz_creator.Item",
    ]
    for status in ("completed", "cached"):
        assert notebook.run(*cells)[1].status == status
        assert notebook.ns["kept"]
        notebook.restart()
        del sys.modules["zz_creator"]


@pytest.mark.parametrize("drawing", ["random.random", "functools.partial(random.randint, 1, 10**9)"])
def test_functions_of_random_that_a_value_holds_go_on_drawing_from_the_same_generator(
    notebook: Notebook, drawing: str
) -> None:
    cells = [
        "import functools, random\nrandom.seed(3)",
        f"%%step make\ntools = {{'draw': {drawing}}}",
        "%%step use\nfirst = tools['draw']()",
        "rest = [random.random(), tools['draw'](), random.random()]",
    ]
    notebook.run(*cells)
    drawn = notebook.ns["first"], notebook.ns["rest"]
    notebook.restart()
    random.seed(9)
    assert [ran.status for ran in notebook.run(*cells)[1:3]] == ["cached", "cached"]
    assert (notebook.ns["first"], notebook.ns["rest"]) == drawn
    notebook.restart()
    cells[2] += "\nagain = None"
    notebook.run(*cells)
    assert (notebook.ns["first"], notebook.ns["rest"]) == drawn


_AGENTS = """
from collections import defaultdict
from functools import partial
from itertools import count
class Agent:
    _ids = defaultdict(partial(count, 1))
    def __init__(self, model):
        self.unique_id = next(self._ids[model])
"""


def test_agents_of_a_model_go_on_with_their_numbers(
    notebook: Notebook, packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (packages / "mesa").mkdir()
    (packages / "mesa" / "__init__.py").write_text(
        "from mesa.model import Model\nfrom mesa.agent import Agent\n"
    )
    (packages / "mesa" / "model.py").write_text("class Model:\n    steps = 0\n")
    (packages / "mesa" / "agent.py").write_text(_AGENTS)
    cells = [
        "import mesa\nclass Town(mesa.Model):\n    pass",
        "%%step found\ntown = Town()\nfirst = mesa.Agent(town)",
        "%%step pass_by\nmesa.Agent(town)\ntown.steps = 1",
        "late, other = mesa.Agent(town).unique_id, mesa.Agent(Town()).unique_id",
    ]
    for status in ("completed", "cached"):
        ran = notebook.run(*cells)
        assert [each.status for each in ran[1:3]] == [status] * 2, [each.reason for each in ran]
        assert (notebook.ns["late"], notebook.ns["other"], notebook.ns["town"].steps) == (3, 1, 1)
        notebook.restart()
        for name in ("mesa", "mesa.agent", "mesa.model"):
            monkeypatch.delitem(sys.modules, name)


def test_access_to_pixels_stays_with_the_image_that_steps_change(notebook: Notebook) -> None:
    pytest.importorskip("PIL")
    cells = [
        "from PIL import Image, ImageDraw",
        "%%step make\nimg = Image.new('L', (3, 3), 5)\npx = img.load()",
        "%%step draw\nImageDraw.Draw(img).point((1, 1), 9)",
        "%%step other\nplain = Image.new('L', (1, 1))",
        "px[0, 0] = 7\nseen = img.getpixel((0, 0)), px[1, 1]",
    ]
    for _ in range(2):
        ran = notebook.run(*cells)
        assert notebook.ns["seen"] == (7, 9)
        notebook.restart()
    assert "`px`, an object of type PixelAccess, shares state with `img`, which it changes" in ran[2].reason
    assert ran[3].status == "cached", ran[3].reason


_DRAFT = """
class Draft:
    def __init__(self, path):
        self.path = path
        open(path, 'w').close()
    def __del__(self):
        gone.append(self.path)
        os.remove(self.path)
"""


def test_what_acts_when_it_goes_away_is_never_copied(notebook: Notebook, tmp_path: Path) -> None:
    cells = [
        "import os\ngone = []",
        _DRAFT,
        f"%%step make\ndraft = Draft({str(tmp_path / 'draft')!r})",
        "there = os.path.exists(draft.path), len(gone)",
        "%%step drop\ndraft = None",
        "after = len(gone)",
    ]
    for _ in range(2):
        ran = notebook.run(*cells)
        assert (notebook.ns["there"], notebook.ns["after"]) == ((True, 0), 1)
        notebook.restart()
    assert "it has `__del__`, which would run for each copy" in ran[2].reason
