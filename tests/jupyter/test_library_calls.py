"""A bare call to a library is made for its effect: later steps depend on it, and reuse of a step repeats it."""

from __future__ import annotations

import builtins
import csv
import gettext
import os
import sys
import zoneinfo
from typing import TYPE_CHECKING, Any

import nbformat
import pytest

from zennb import api
from zennb.commands.file_pipeline import NotebookFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.jupyter.conftest import Notebook

GADGET = """
STATE, REGISTRY, HOOKS = {"mode": "a"}, {}, []

class Config:
    x64 = False
    hooks = []
    def update(self, key, value):
        setattr(self, key, value)

config = Config()

def set_mode(mode): STATE["mode"] = mode
def enable(): STATE["on"] = True
def register(name, function): REGISTRY[name] = function
def create_function(name, function):
    register(name, function)
    return config
def add_hook(hook): HOOKS.append(hook)
def get_config(): return config
def register_shape(name):
    def apply(cls):
        REGISTRY[name] = cls
        return cls
    return apply
class options:
    def __init__(self, **more):
        STATE.update(more)
def look(): return str([STATE, sorted(REGISTRY), [f() for f in REGISTRY.values()], len(HOOKS), vars(config)])
def run(name): return REGISTRY[name]()
def draw(data): data.append(1)
"""
OTHER = "def double(x): return 2 * x\n"


@pytest.fixture
def gadget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two packages that are installed, and new in each kernel."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    (folder / "gadget.py").write_text(GADGET)
    (folder / "othergadget.py").write_text(OTHER)
    monkeypatch.syspath_prepend(str(folder))
    yield
    forget()


def forget() -> None:
    for name in ("gadget", "othergadget"):
        sys.modules.pop(name, None)


def restart(notebook: Notebook) -> None:
    forget()
    notebook.restart()


SETTINGS = [
    ("import gadget", "gadget.set_mode('b')", "gadget.set_mode('c')"),
    ("import gadget as g", "g.config.update('x64', True)", "g.config.update('x64', False)"),
    ("from gadget import config", "config.update('x64', True)", "config.update('x64', False)"),
    ("import gadget", "gadget.get_config().update('x64', 1)", "gadget.get_config().update('x64', 2)"),
    ("import gadget\nc = gadget.get_config()", "c.update('x64', 1)", "c.update('x64', 2)"),
    ("import gadget", "gadget.options(mode='b')", "gadget.options(mode='c')"),
    ("from gadget import options", "_ = options(mode='b')", "_ = options(mode='c')"),
    ("import gadget", "old = gadget.set_mode('b')", "old = gadget.set_mode('c')"),
    ("import gadget", "[gadget.set_mode(m) for m in 'ab']", "[gadget.set_mode(m) for m in 'ac']"),
    ("import gadget", "old = [0, gadget.set_mode('b')]", "old = [0, gadget.set_mode('c')]"),
    ("import gadget", "True and gadget.set_mode('b')", "True and gadget.set_mode('c')"),
    ("import gadget", "gadget.config.x64 = 1", "gadget.config.x64 = 2"),
    ("import gadget", "gadget.STATE['mode'] = 'b'", "gadget.STATE['mode'] = 'c'"),
    ("import gadget", "setattr(gadget.config, 'x64', 1)", "setattr(gadget.config, 'x64', 2)"),
    (
        "import gadget",
        "def f(): return 1\ngadget.register('f', f)",
        "def f(): return 2\ngadget.register('f', f)",
    ),
    ("import gadget", "gadget.register('f', lambda: 1)", "gadget.register('f', lambda: 2)"),
    (
        "import gadget",
        "def f(): return 1\ngadget.create_function('f', f)",
        "def f(): return 2\ngadget.create_function('f', f)",
    ),
    (
        "import gadget",
        "@gadget.register_shape('s')\nclass S:\n    def __repr__(self): return 'b'",
        "@gadget.register_shape('s')\nclass S:\n    def __repr__(self): return 'c'",
    ),
    (
        "import gadget",
        "def setup(m):\n    gadget.set_mode(m)\nsetup('b')",
        "def setup(m):\n    gadget.set_mode(m)\nsetup('c')",
    ),
    (
        "import gadget",
        "for m in ['a', 'b']:\n    gadget.set_mode(m)",
        "for m in ['a', 'c']:\n    gadget.set_mode(m)",
    ),
    (
        "import gadget",
        "mode = {'mode': 'b'}\ngadget.options(**mode)",
        "mode = {'mode': 'c'}\ngadget.options(**mode)",
    ),
]

OF_PYTHON = {
    "csv.field_size_limit": ("import csv\ncsv.field_size_limit({})", 131072, 1000, "csv.field_size_limit()"),
    "csv.field_size_limit, kept": (
        "import csv\nold = csv.field_size_limit({})",
        131072,
        1000,
        "csv.field_size_limit()",
    ),
    "os.umask": ("import os\nos.umask({})", 0o22, 0o77, "os.umask(0o22)"),
    "gettext.textdomain": ("import gettext\ngettext.textdomain({})", "'a'", "'b'", "gettext.textdomain()"),
    "zoneinfo": ("import zoneinfo\nzoneinfo.reset_tzpath([{}])", "'/a'", "'/b'", "zoneinfo.TZPATH"),
    "builtins": ("import builtins\nbuiltins.limit_of_all = {}", 1, 2, "limit_of_all"),
}


@pytest.mark.parametrize(("sets", "before", "after", "look"), OF_PYTHON.values(), ids=OF_PYTHON)
def test_steps_depend_on_what_python_itself_was_told(
    notebook: Notebook, sets: str, before: object, after: object, look: str
) -> None:
    step = f"%%step look\nseen = {look}"
    try:
        notebook.run(sets.format(before), step)
        first = notebook.ns["seen"]
        notebook.restart()
        _, again = notebook.run(sets.format(before), step)
        assert again.status == "cached", again.reason
        notebook.restart()
        notebook.run(sets.format(after), step)
        assert notebook.ns["seen"] != first
    finally:
        csv.field_size_limit(131072)
        gettext.textdomain("messages")
        os.umask(0o22)
        zoneinfo.reset_tzpath()
        vars(builtins).pop("limit_of_all", None)


FILLED = {
    "a list": (
        "hook = [1]",
        "if hook not in gadget.HOOKS:\n    gadget.HOOKS.append(hook)",
        "len(gadget.HOOKS)",
    ),
    "a function": (
        "hook = [1]\ndef install(it):\n    if not gadget.HOOKS:\n        gadget.HOOKS.append(it)",
        "install(hook)",
        "len(gadget.HOOKS)",
    ),
    "a dictionary": (
        "more = {'on': [1]}",
        "if 'on' not in gadget.STATE:\n    gadget.STATE.update(more)",
        "'on' in gadget.STATE",
    ),
    "of a class": (
        "hook = [1]",
        "if not gadget.Config.hooks:\n    gadget.Config.hooks.append(hook)",
        "len(gadget.Config.hooks)",
    ),
    "hooks of Python": (
        "import sys\ndef hook(path): raise ImportError",
        "if 'hook' not in [getattr(h, '__name__', '') for h in sys.path_hooks]:\n    sys.path_hooks.append(hook)",
        "'hook' in [getattr(h, '__name__', '') for h in sys.path_hooks]",
    ),
    "finders of Python": (
        "import sys\nclass Finder:\n    def find_spec(self, *_): return None\nfinder = Finder()",
        "if not any(type(f).__name__ == 'Finder' for f in sys.meta_path):\n    sys.meta_path.append(finder)",
        "'Finder' in [type(f).__name__ for f in sys.meta_path]",
    ),
}


@pytest.mark.parametrize(("before", "fills", "look"), FILLED.values(), ids=FILLED)
def test_a_step_that_found_a_container_of_a_library_filled_fills_it_in_a_new_kernel(
    before: str, fills: str, look: str, notebook: Notebook, gadget: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("meta_path", "path_hooks"):
        monkeypatch.setattr(sys, name, [*getattr(sys, name)])
    notebook.run(
        "import gadget", before, f"%%step fill\n{fills}\nedit = 1", f"%%step fill\n{fills}\nedit = 2"
    )
    restart(notebook)
    hooks: list[Any] = [sys.meta_path, sys.path_hooks]
    for each in hooks:
        each[:] = [one for one in each if "__main__" not in f"{one} {getattr(one, '__module__', '')}"]
    notebook.run("import gadget", before, f"%%step fill\n{fills}\nedit = 2", f"seen = {look}")
    assert notebook.ns["seen"]


@pytest.mark.parametrize(("imports", "before", "after"), SETTINGS)
def test_later_steps_that_use_the_library_depend_on_a_call_in_a_plain_cell(
    imports: str, before: str, after: str, notebook: Notebook, gadget: None
) -> None:
    used = "%%step used\nimport gadget as lib\nseen = lib.look()"
    other = "%%step other\nimport othergadget\ny = othergadget.double(2)"
    notebook.run(imports, before, used, other)
    first = notebook.ns["seen"]
    restart(notebook)
    _, _, again, _ = notebook.run(imports, before, used, other)
    assert (again.status, notebook.ns["seen"]) == ("cached", first), again.reason
    restart(notebook)
    _, _, changed, beside = notebook.run(imports, after, used, other)
    assert changed.status == "completed"
    assert notebook.ns["seen"] != first
    assert beside.status == "cached", beside.reason
    restart(notebook)
    _, _, back, _ = notebook.run(imports, before, used, other)
    assert (back.status, notebook.ns["seen"]) == ("cached", first), back.reason


@pytest.mark.parametrize(("imports", "call"), [(imports, call) for imports, call, _ in SETTINGS])
def test_a_step_repeats_its_calls_when_it_is_reused_or_runs_every_time(
    imports: str, call: str, notebook: Notebook, gadget: None
) -> None:
    cells = [
        imports,
        f"%%step sets\n{call}",
        "%%step used\nimport gadget as lib\nseen = lib.look()",
        "now = lib.look()",
    ]
    notebook.run(*cells)
    first = notebook.ns["seen"], notebook.ns["now"]
    for _ in range(2):
        restart(notebook)
        _, sets, used, _ = notebook.run(*cells)
        assert (notebook.ns["seen"], notebook.ns["now"]) == first
        assert used.status == "cached", used.reason
        assert sets.status == "cached" or sets.reason.startswith("not cacheable: it "), sets.reason


HARMLESS = [
    "import gadget\nxs = [1]\ngadget.draw(xs)",
    "import time\ntime.sleep(0)",
    "import gc\ngc.collect()",
    "from IPython.display import display\nh = display('a', display_id=True)\nfor n in range(2):\n    h.update(n)",
    "import math\nmath.sqrt(4)",
    "import numpy as np\na = np.eye(3)\nnp.fill_diagonal(a, 5)",
    "import heapq\nh = [3, 1]\nheapq.heapify(h)\nheapq.heappush(h, 0)",
    "import random\nrandom.seed(3)\nxs = [1, 2, 3]\nrandom.shuffle(xs)",
    "import os\nos.makedirs('out', exist_ok=True)",
    "import logging\nlogging.getLogger('a').info('x')\nlogging.info('x')",
    "import pandas as pd\ndf = pd.DataFrame({'a': [1]})\ndf.info()\npd.testing.assert_frame_equal(df, df)",
    "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.title('x')\nplt.show()\nplt.close('all')",
    "import asyncio\nawait asyncio.sleep(0)",
    "import sys\nsys.stdout.write('x')\nsys.stdout.flush()",
    "import json\nwith open('f.json', 'w') as f:\n    json.dump([1], f)",
    "import pprint\npprint.pprint([1])",
    "def f():\n    import time\n    time.sleep(0)\n    return 1\ny = f()",
]


@pytest.mark.parametrize("body", HARMLESS)
def test_calls_that_draw_print_wait_or_work_on_what_they_are_given_do_not_count(
    body: str, notebook: Notebook, gadget: None
) -> None:
    used = (
        "%%step used\nimport gadget, math, numpy, heapq, random, os, logging, pandas, matplotlib, sys, gc, json\n"
        "y = math.sqrt(4) + len(gadget.look()) + heapq.nlargest(1, [1])[0] + len(json.dumps(1))"
    )
    notebook.run("import gadget", "z = 1", used)
    restart(notebook)
    _, _, again = notebook.run("import gadget", body, used)
    assert again.status == "cached", again.reason
    restart(notebook)
    notebook.run(f"%%step harmless\n{body}")
    restart(notebook)
    (reused,) = notebook.run(f"%%step harmless\n{body}")
    assert reused.status == "cached", reused.reason


PIPELINE = [
    "import gadget",
    "%%step sets\ngadget.set_mode('b')",
    "%%step used\nimport gadget as lib\nseen = lib.look()",
    "%%step beside\nimport othergadget\ny = othergadget.double(2)",
]


def states(notebook: Notebook) -> dict[str, str]:
    plan = notebook.shell.zennb_step.pipeline.plan()
    return {step.name: step.state.value for step in plan.steps}


def test_a_pipeline_run_and_its_plan_take_the_calls_of_steps_into_account(
    notebook: Notebook, gadget: None
) -> None:
    notebook.run(*PIPELINE)
    first = notebook.ns["seen"]
    restart(notebook)
    notebook.run(*PIPELINE)
    assert set(states(notebook).values()) == {"fresh"}
    notebook.run("gadget.set_mode('z')")
    assert states(notebook) == {"sets": "stale", "used": "may run", "beside": "fresh"}
    notebook.run("%pipeline run", "now = gadget.look()")
    assert (notebook.ns["seen"], notebook.ns["now"]) == (first, first)
    assert set(states(notebook).values()) == {"fresh"}


def test_a_pipeline_run_repeats_a_call_that_this_process_has_not_made(
    notebook: Notebook, gadget: None
) -> None:
    notebook.run(*PIPELINE[:3])
    first = notebook.ns["seen"]
    restart(notebook)
    notebook.run(*PIPELINE[:3])
    # As if the process was a new one, in which the steps are known but have not run.
    notebook.shell.zennb_step.calls._calls.clear()
    notebook.ns["gadget"].set_mode("a")
    assert states(notebook)["sets"] == "fresh"
    notebook.run("%pipeline run", "now = gadget.look()")
    assert (notebook.ns["seen"], notebook.ns["now"]) == (first, first)


def test_a_step_that_sets_something_and_reads_it_is_reused_in_the_same_kernel(
    notebook: Notebook, gadget: None
) -> None:
    step = "%%step both\nimport gadget\ngadget.set_mode('b')\nseen = gadget.look()"
    notebook.run(step)
    (again,) = notebook.run(step)
    assert again.status == "cached", again.reason
    (edited,) = notebook.run(step.replace("'b'", "'c'"))
    assert "'c'" in notebook.ns["seen"], edited.reason


def file_states(folder: Path, *cells: str) -> dict[str, str]:
    """Return what `zennb pipeline status` says of a notebook file with these cells."""
    path = folder / "saved.ipynb"
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in cells])
    nbformat.write(book, path)
    plan = NotebookFile(path).state(api.workspace())
    return {step.name: step.state.value for step in plan.steps}


@pytest.mark.parametrize(("imports", "before", "after"), SETTINGS)
def test_the_status_of_the_file_is_not_fresh_where_the_kernel_would_run(
    imports: str, before: str, after: str, notebook: Notebook, gadget: None, tmp_path: Path
) -> None:
    used = "%%step used\nimport gadget as lib\nseen = lib.look()"
    notebook.run(imports, before, used)
    assert file_states(tmp_path, imports, before, used) == {"used": "fresh"}
    assert file_states(tmp_path, imports, after, used)["used"] in {"stale", "unknown"}


@pytest.mark.parametrize(("imports", "before", "after"), SETTINGS)
def test_the_status_of_the_file_takes_the_calls_of_steps_into_account(
    imports: str, before: str, after: str, notebook: Notebook, gadget: None, tmp_path: Path
) -> None:
    used = "%%step used\nimport gadget as lib\nseen = lib.look()"
    notebook.run(imports, f"%%step sets\n{before}", used)
    restart(notebook)
    _, sets, ran = notebook.run(imports, f"%%step sets\n{before}", used)
    said = file_states(tmp_path, imports, f"%%step sets\n{before}", used)
    assert said["used"] in (
        {"fresh", "unknown", "may run"} if ran.status == "cached" else {"stale", "unknown"}
    )
    assert said["sets"] == ("fresh" if sets.status == "cached" else "stale")
    said = file_states(tmp_path, imports, f"%%step sets\n{after}", used)
    assert said["sets"] != "fresh"
    assert said["used"] != "fresh"
