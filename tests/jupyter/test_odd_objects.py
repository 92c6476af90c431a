"""Nothing that merely looks at an object of the user may raise into a cell, or show anything."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING

import pytest

from zennb.packages.origin import Origin, origin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.jupyter.conftest import Notebook

pytestmark = pytest.mark.early


@pytest.fixture(autouse=True, scope="module")
def quiet_ends() -> Iterator[None]:
    """Let an end that raises pass, as a kernel does, which only prints it.

    pytest formats its traceback, and parses for that. CPython 3.11 counts the depth of what it parses for the whole
    process: where the garbage of an earlier test is collected while a cell is parsed, that fails with a SystemError.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "unraisablehook", lambda _: None)
        yield
        gc.collect()


@pytest.fixture(autouse=True)
def few_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take tests for a package: zennb looks through all modules of the user's, and here there are a thousand."""
    monkeypatch.setattr(
        "zennb.engine.step.code_owned_outputs.origin",
        lambda name: Origin.PACKAGE if name.partition(".")[0] == "tests" else origin(name),
    )


def _raising(*names: str) -> str:
    """Return a class whose methods of these names raise, whoever calls them."""
    return "class Odd:\n" + "".join(
        f"    def {name}(self, *given, **named): raise RuntimeError('{name}')\n" for name in names
    )


def _properties(*names: str) -> str:
    """Return a class whose attributes of these names raise."""
    return "class Odd:\n" + "".join(
        f"    @property\n    def {name}(self): raise RuntimeError('{name}')\n" for name in names
    )


def _derived(kind: str, *names: str) -> str:
    methods = "".join(
        f"    def {name}(self, *given, **named): raise RuntimeError('{name}')\n" for name in names
    )
    return f"class Odd({kind}):\n{methods}"


def _metaclass(body: str) -> str:
    return f"class Meta(type):\n{body}\nclass Odd(metaclass=Meta): pass\n"


def _says_it_is(kind: str, imports: str = "") -> str:
    return f"{imports}\nclass Odd:\n    @property\n    def __class__(self): return {kind}\n"


_GONE = "import weakref\nclass Thing:\n    def __call__(self): pass\n"
_MADE = "def make(): return Odd()\n"
_PROXY = "def make():\n    thing = Thing()\n    return weakref.proxy(thing)\n"
_SEQUENCE = ("__iter__", "__len__", "__getitem__", "__repr__", "__contains__", "__eq__")

ODD = {
    "a weak proxy whose object is gone": _GONE + _PROXY,
    "a weak proxy of nothing callable": "import weakref\nclass Thing: pass\n" + _PROXY,
    "a class that raises": _properties("__class__"),
    "it says it is a dictionary": _says_it_is("dict"),
    "it says it is a function": _says_it_is("types.FunctionType", "import types"),
    "it says it is a class": _says_it_is("type"),
    "it says it is a module": _says_it_is("types.ModuleType", "import types"),
    "it says it is a text": _says_it_is("str"),
    "it says it is an array": _says_it_is("np.ndarray", "import numpy as np"),
    "attributes return itself": (
        "class Odd:\n    def __getattr__(self, name): return self\n    def __call__(self, *given): return self\n"
    ),
    "attributes raise": _raising("__getattribute__"),
    "missing attributes raise": _raising("__getattr__"),
    "attributes without end": "class Odd:\n    def __getattr__(self, name): return getattr(self, name + 'x')\n",
    "comparisons give arrays": (
        "import numpy as np\nclass Odd:\n    def __eq__(self, other): return np.array([True, False])\n"
    ),
    "comparisons raise": _raising("__eq__", "__ne__", "__lt__", "__hash__", "__bool__"),
    "a huge length": (
        "class Odd:\n    def __len__(self): return 1 << 62\n    def __getitem__(self, place): return place\n"
    ),
    "a length that raises": _raising("__len__", "__contains__", "__index__", "__int__", "__float__"),
    "an iterator without end": (
        "class Odd:\n    def __iter__(self):\n        while True: yield 1\n    def keys(self): return self\n"
    ),
    "a recipe that raises": _raising("__reduce_ex__", "__reduce__", "__getstate__", "__copy__"),
    "a recipe of too many parts": "class Odd:\n    def __reduce_ex__(self, version): return tuple(range(9))\n",
    "a state that cannot be set": (
        "class Odd:\n    def __init__(self): self.a = 1\n    def __setstate__(self, state): raise RuntimeError('set')\n"
    ),
    "a recipe that exits": "class Odd:\n    def __reduce_ex__(self, version): raise SystemExit(3)\n",
    "errors that are no exceptions": (
        "class Stop(BaseException): pass\nclass Odd:\n    def __reduce_ex__(self, version): raise Stop\n"
        "    def __repr__(self): raise Stop\n"
    ),
    "errors that cannot be told": (
        "class Bad(Exception):\n    def __str__(self): raise RuntimeError('str')\n"
        "class Odd:\n    def __reduce_ex__(self, version): raise Bad\n    def __repr__(self): raise Bad\n"
    ),
    "a metaclass that judges instances": _metaclass(
        "    def __instancecheck__(cls, one): raise RuntimeError('instance')\n"
        "    def __subclasscheck__(cls, one): raise RuntimeError('subclass')"
    ),
    "a metaclass whose attributes raise": _metaclass(
        "    def __getattribute__(cls, name): raise RuntimeError(name)"
    ),
    "a metaclass without a hash": _metaclass("    def __eq__(cls, other): return True"),
    "a metaclass whose hash raises": _metaclass(
        "    def __eq__(cls, other): raise RuntimeError('eq')\n    def __hash__(cls): raise RuntimeError('hash')\n"
        "    def __ne__(cls, other): raise RuntimeError('ne')"
    ),
    "a metaclass with properties that raise": _metaclass(
        "".join(
            f"    @property\n    def {name}(cls): raise RuntimeError('{name}')\n"
            for name in ("__mro__", "__module__", "__dict__", "__bases__", "__name__")
        )
    ),
    "a metaclass that is no collection": _metaclass(
        "    def __repr__(cls): raise RuntimeError\n    def __len__(cls): raise RuntimeError\n"
        "    def __iter__(cls): raise RuntimeError\n    def __bool__(cls): raise RuntimeError"
    ),
    "an end that raises": _raising("__del__"),
    "a text that raises": _raising("__repr__", "__str__", "__format__", "__fspath__"),
    "a text that prints": "class Odd:\n    def __repr__(self):\n        print('PRINTED')\n        return 'odd'\n",
    "a state that prints": (
        "class Odd:\n    def __getstate__(self):\n        print('PRINTED')\n        return {'a': 1}\n"
        "    def __setstate__(self, state): print('PRINTED')\n"
    ),
    "a text that is a number": "class Odd:\n    def __repr__(self): return 5\n",
    "a text of its own": _derived(
        "str", *_SEQUENCE, "__str__", "__hash__", "encode", "lower", "strip", "startswith"
    ),
    "a number of its own": _derived(
        "int", "__repr__", "__str__", "__eq__", "__hash__", "__index__", "bit_length"
    ),
    "a dictionary of its own": _derived("dict", *_SEQUENCE, "items", "keys", "values", "get"),
    "a list of its own": _derived("list", *_SEQUENCE),
    "a tuple of its own": _derived("tuple", *_SEQUENCE) + "    _fields = 5\n",
    "a set of its own": _derived("set", *_SEQUENCE),
    "an array of its own": (
        _derived("np.ndarray", "view", "ravel", "__repr__", "tolist", "reshape").replace(
            "class Odd", "import numpy as np\nclass Odd"
        )
        + "def make(): return np.ndarray.view(np.arange(3), Odd)\n"
    ),
    "a dictionary of attributes that raises": _properties("__dict__"),
    "a dictionary of attributes that is a number": (
        "class Odd:\n    @property\n    def __dict__(self): return 7\n"
    ),
    "attributes that libraries ask for": _properties(
        *("__module__", "__name__", "__wrapped__", "__self__", "__func__", "base", "dtype", "shape", "ndim"),
        *("figure", "registry", "columns", "flags", "handlers", "__array_interface__", "_fields"),
    ),
    "a mapping that cannot be read": (
        "from collections.abc import Mapping\nclass Odd(Mapping):\n    def __getitem__(self, key): raise OSError(key)\n"
        "    def __iter__(self): return iter('ab')\n    def __len__(self): return 2\n"
    ),
    "a mapping without end": (
        "from collections.abc import Mapping\nfrom itertools import count\nclass Odd(Mapping):\n"
        "    def __getitem__(self, key): return key\n    def __iter__(self): return count()\n"
        "    def __len__(self): return 1 << 60\n"
    ),
    "slots and attributes that raise": (
        "class Odd:\n    __slots__ = ('a',)\n    def __getattr__(self, name): raise KeyError(name)\n"
    ),
    "it looks like a secret": _raising("get_secret_value").replace("Odd", "SecretStr")
    + "def make(): return SecretStr()\n",
    "it has displays of its own": _raising(
        "_repr_html_", "_ipython_display_", "_repr_mimebundle_", "__array__"
    ),
    "a mock": "from unittest.mock import MagicMock\ndef make(): return MagicMock()\n",
    "a member of an enumeration": (
        "from enum import Enum\nclass Odd(Enum):\n    A = 1\n    def __eq__(self, other): raise RuntimeError('eq')\n"
        "    def __repr__(self): raise RuntimeError('repr')\ndef make(): return Odd.A\n"
    ),
    "a function with odd parts": (
        _raising("__getattribute__")
        + "def make():\n    def function(given=Odd()): return 1\n    function.part = Odd()\n    return function\n"
    ),
}


@pytest.mark.parametrize("code", ODD.values(), ids=ODD)
def test_a_step_may_make_hold_and_read_an_odd_object(
    code: str, notebook: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code += "" if "def make" in code else _MADE
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "odd_module.py").write_text(
        f"{code}\nitem = make()\nitems = [item]\nclass Kept: pass\nKept.item = item\n"
    )
    monkeypatch.delitem(sys.modules, "odd_module", raising=False)
    cells = (
        f"{code}\nimport odd_module",
        "held = make()\nlisted = [held, {'a': held}]\nclass Kept: pass\nKept.item = held",
        "def given(one=held): return 2\nclosed = (lambda one: lambda: one)(held)",
        "%%step make\nodd = make()\nodds = [odd]\nfor each in [make()]: pass\n_own = make()\ndone = 1",
        "%%step read\nis_there = None not in map(id, (held, listed, Kept, closed))",
        "%%step call\nanswer = given()\nmod = odd_module\nof_module = (mod.item is mod.Kept.item, mod.items is None)",
        "%%step define\ndef own(one=make()): return 1\nclass Own:\n    item = make()\ndefined = 1",
        "%%step change\nlisted.append(1)\nchanged = 1",
    )
    for run in range(2):
        for cell in cells:
            ran = notebook.cell(cell)
            assert ran.error is None, f"{cell}\n{type(ran.error)}\n{ran.out}{ran.err}"
            assert "PRINTED" not in ran.out + ran.err
        names = ("done", "is_there", "answer", "of_module", "defined", "changed")
        assert [notebook.ns[name] for name in names] == [1, True, 2, (True, False), 1, 1]
        assert notebook.cell("%pipeline status").error is None
        if not run:
            notebook.restart()


@pytest.mark.parametrize(
    "code", [code for name, code in ODD.items() if "class" in name or "gone" in name or "attributes" in name]
)
def test_a_pipeline_may_run_beside_odd_objects(code: str, notebook: Notebook) -> None:
    code += "" if "def make" in code else _MADE
    notebook.run(code + "held = make()", "%%step here\nhere = held is None", "%%step other\nother = 1")
    assert notebook.cell("%pipeline run --rerun").error is None


def test_a_step_may_read_an_integer_that_python_does_not_write_out(notebook: Notebook) -> None:
    notebook.run("big = 10**5000", "%%step rest\nrest = big % 7")
    assert notebook.ns["rest"] == 10**5000 % 7


def test_a_step_may_use_a_module_with_an_object_that_answers_by_its_items(
    notebook: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "odd_config.py").write_text(
        "class Dots:\n    def __init__(self, **d): self.__dict__['d'] = d\n"
        "    def __getattr__(self, n): return self.__dict__['d'][n]\ncfg = Dots(a=1)\n"
    )
    notebook.run("import odd_config", "%%step use\nx = odd_config.cfg.a")
    assert notebook.ns["x"] == 1


def test_a_step_leaves_its_objects_as_they_are(notebook: Notebook) -> None:
    notebook.run(
        "class Lazy:\n    k = None\n    def __repr__(self):\n        self.k = 'computed'\n        return 'lazy'",
        "%%step make\nlazy = Lazy()",
        "%%step read\nfound = lazy.k",
    )
    assert notebook.ns["found"] is None
