"""Local modules and packages edited, patched and upgraded, in two kernels, with zennb and without."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.reuse.pair import Action
from tests.reuse.story import cell, restart, status, step, write

if TYPE_CHECKING:
    from tests.reuse.pair import Pair


MODULES: dict[str, tuple[dict[str, str], dict[str, str], str]] = {
    "a function": (
        {"lib.py": "def f(): return 1"},
        {"lib.py": "def f(): return 2"},
        "import lib\nr = lib.f()",
    ),
    "a helper of a function": (
        {"lib.py": "def g(): return 1\ndef f(): return g()"},
        {"lib.py": "def g(): return 2\ndef f(): return g()"},
        "from lib import f\nr = f()",
    ),
    "a constant": (
        {"lib.py": "N = 1\ndef f(): return N"},
        {"lib.py": "N = 2\ndef f(): return N"},
        "import lib\nr = lib.f()",
    ),
    "a constant that the step reads": ({"lib.py": "N = 1"}, {"lib.py": "N = 2"}, "import lib\nr = lib.N"),
    "a class": (
        {"lib.py": "class K:\n    n = 1"},
        {"lib.py": "class K:\n    n = 2"},
        "from lib import K\nr = K().n",
    ),
    "a module that it imports": (
        {"lib.py": "import low\ndef f(): return low.g()", "low.py": "def g(): return 1"},
        {"low.py": "def g(): return 2"},
        "import lib\nr = lib.f()",
    ),
    "a module that a function of it imports": (
        {"lib.py": "def f():\n    import low\n    return low.g()", "low.py": "def g(): return 1"},
        {"low.py": "def g(): return 2"},
        "import lib\nr = lib.f()",
    ),
    "a relative import": (
        {"pack/__init__.py": "from .low import g", "pack/low.py": "def g(): return 1"},
        {"pack/low.py": "def g(): return 2"},
        "import pack\nr = pack.g()",
    ),
    "a relative import inside a function": (
        {
            "pack/__init__.py": "def f():\n    from . import low\n    return low.g()",
            "pack/low.py": "def g(): return 1",
        },
        {"pack/low.py": "def g(): return 2"},
        "import pack\nr = pack.f()",
    ),
    "a star import": (
        {"lib.py": "def f(): return 1"},
        {"lib.py": "def f(): return 2"},
        "from lib import *\nr = f()",
    ),
    "a star import's constant": ({"lib.py": "N = 1"}, {"lib.py": "N = 2"}, "from lib import *\nr = N"),
    "names made as they are asked for": (
        {"lib.py": "def __getattr__(name): return 1"},
        {"lib.py": "def __getattr__(name): return 2"},
        "import lib\nr = lib.anything",
    ),
    "names made from a constant as they are asked for": (
        {"lib.py": "N = 1\ndef __getattr__(name): return N"},
        {"lib.py": "N = 2\ndef __getattr__(name): return N"},
        "from lib import anything\nr = anything",
    ),
    "a fallback for a module that is not there": (
        {"lib.py": "try:\n    from absent import f\nexcept ImportError:\n    def f(): return 1"},
        {"lib.py": "try:\n    from absent import f\nexcept ImportError:\n    def f(): return 2"},
        "import lib\nr = lib.f()",
    ),
}


@pytest.mark.parametrize(("before", "after", "text"), MODULES.values(), ids=MODULES)
def test_an_edited_local_module_makes_steps_run_again(
    pair: Pair, before: dict[str, str], after: dict[str, str], text: str
) -> None:
    write(pair, before)
    assert status(pair, text) == "completed"
    write(pair, after)
    assert status(pair, text) == "cached"  # what is imported is what was imported: a plain kernel has it too
    restart(pair)
    again = step(pair, text)
    assert again.facts["status"] == "completed", again.facts
    restart(pair)
    assert status(pair, text) == "cached"


@pytest.mark.parametrize("how", ["reload", "autoreload"])
@pytest.mark.parametrize(("before", "after", "text"), MODULES.values(), ids=MODULES)
def test_an_edited_local_module_counts_as_what_is_loaded(
    pair: Pair, before: dict[str, str], after: dict[str, str], text: str, how: str
) -> None:
    if how == "autoreload":
        cell(pair, "%load_ext autoreload\n%autoreload 2")
    write(pair, before)
    assert status(pair, text) == "completed"
    write(pair, after)
    edited = next(iter(after)).removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    cell(
        pair,
        f"import importlib, sys\nimportlib.reload(sys.modules[{edited!r}])\nNone"
        if how == "reload"
        else "None",
    )
    step(
        pair, text
    )  # the plain kernel says what is right: a name imported from there may still be the old one
    restart(pair)
    again = step(pair, text)
    restart(pair)
    assert status(pair, text) == "cached", again.facts


def test_an_alias_pointed_to_another_local_module(pair: Pair) -> None:
    write(pair, {"one.py": "def f(): return 1", "two.py": "def f(): return 2"})
    cell(pair, "import one as m")
    assert status(pair, "r = m.f()") == "completed"
    cell(pair, "import two as m")
    assert status(pair, "r = m.f()") == "completed"


def test_a_patched_local_module(pair: Pair) -> None:
    write(pair, {"one.py": "N = 1\ndef g(): return N\ndef f(): return g()"})
    text = "import one\nr = one.f()"
    assert status(pair, text) == "completed"
    cell(pair, "import one\none.N = 5")
    assert status(pair, text) == "completed"
    cell(pair, "one.g = lambda: 7")
    assert status(pair, text) == "completed"
    restart(pair)
    assert status(pair, text) == "cached"


def test_another_version_of_a_package(pair: Pair) -> None:
    text = "import fakepkg\nr = fakepkg.work(1)"
    pair.do(Action("install", "1.0"))
    assert status(pair, text) == "completed"
    pair.do(Action("install", "2.0"))
    assert status(pair, text) == "cached"  # the old one is loaded
    restart(pair)
    assert step(pair, text).facts["reason"] == "fakepkg 1.0 → 2.0"
    pair.do(Action("install", "1.0"))
    restart(pair)
    assert status(pair, text) == "cached"


def test_a_package_that_was_upgraded_after_it_was_imported_counts_as_what_is_loaded(pair: Pair) -> None:
    text = "import fakepkg\nr = fakepkg.work(1)"
    pair.do(Action("install", "1.0"))
    cell(pair, "import fakepkg")
    pair.do(Action("install", "2.0"))
    step(pair, text)
    restart(pair)
    assert status(pair, text) == "completed"


RELOADS = {
    "by autoreload": ("%load_ext autoreload\n%autoreload 2", "pass"),
    "by hand": ("pass", "import importlib\nimportlib.reload(fakepkg)\nNone"),
}


@pytest.mark.parametrize("reload", RELOADS.values(), ids=RELOADS)
def test_a_package_that_was_upgraded_and_loaded_again_counts_as_what_is_loaded(
    pair: Pair, reload: tuple[str, str]
) -> None:
    text = "import fakepkg\nr = fakepkg.work(1)"
    on, again = reload
    pair.do(Action("install", "2.0"))
    cell(pair, on)
    step(pair, text)
    pair.do(Action("install", "1.0"))
    cell(pair, again)
    assert status(pair, text) == "completed"
    pair.do(Action("install", "2.0"))
    cell(pair, again)
    assert status(pair, text) == "cached"


def test_a_module_that_raises_what_it_should_not_when_asked_for_a_name(pair: Pair) -> None:
    """Its `__getattr__` ought to raise AttributeError; Python forgives it as long as nobody asks, and so must we."""
    lib = "RATE = 5\ndef f(x): return x * RATE\ndef __getattr__(name): return {'late': RATE}[name]"
    write(pair, {"lib.py": lib})
    cell(pair, "import lib as m")
    step(pair, "r = m.f(2)")
    step(pair, "r = m.late")
    restart(pair)
    cell(pair, "import lib as m")
    assert status(pair, "r = m.f(2)") == "cached"
