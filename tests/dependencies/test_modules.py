"""What a cell reaches through modules: local files, packages, imports of its own; and versions."""

from __future__ import annotations

import ast
import importlib
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from zennb.core.reading.source import analyse
from zennb.dependencies.dependencies import Dependencies, resolve_dependencies
from zennb.digests.digest import digest_value
from zennb.packages.versions import versions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Write = Callable[[str, str], None]

MYLIB = """
import math as m
import json
from mylib_parts import tools
RATE = 2
OTHER = 3
FACTORS = [1, 2]
def low(x):
    return x * RATE
def clean(x):
    '''Clean.'''
    return low(x) + 1
def far(x):
    from mylib_parts import late
    return late.work(x)
def joined(x):
    return tools.join(x) + m.floor(2.5)
class Shape:
    sides = 4
    def area(self):
        return low(self.sides)
shape = Shape()
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Write local modules; each version gets a time of its own, so that bytecode caches notice."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)
    times = iter(range(1_000_000_000, 2_000_000_000, 1000))

    def write_module(name: str, text: str) -> None:
        file = tmp_path / f"{name}.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        stamp = next(times)
        os.utime(file, (stamp, stamp))
        importlib.invalidate_caches()

    write_module("mylib_parts/__init__", "")
    write_module("mylib_parts/tools", "def join(x):\n    return x")
    write_module("mylib_parts/late", "from . import tools\ndef work(x):\n    return tools.join(x)")
    write_module("mylib", MYLIB)
    write_module("mynp", "pi = 3\ndef sqrt(x): return x")
    yield write_module
    for name in set(sys.modules) - before:
        if name.startswith(("mylib", "mynp", "broken")):
            del sys.modules[name]


def namespace(*imports: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "__main__"}
    exec("\n".join(imports), names)
    return names


def found(cell: str, *imports: str) -> Dependencies:
    names = namespace(*imports)
    first = resolve_dependencies(analyse(ast.parse(cell)), names)
    extra = [thing for value in first.data.values() for thing in digest_value(value).code]
    return resolve_dependencies(analyse(ast.parse(cell)), names, extra=extra)


def print_of(one: Dependencies) -> tuple[object, ...]:
    return (
        {n: digest_value(v).digest for n, v in one.data.items()},
        one.code,
        one.constants,
        one.packages,
        one.unclear,
    )


WAYS = {
    "mylib.clean(1)": ["import mylib"],
    "lib.clean(1)": ["import mylib as lib"],
    "clean(1)": ["from mylib import clean"],
    "wash(1)": ["from mylib import clean as wash"],
    "import mylib\nmylib.clean(1)": [],
    "from mylib import clean\nclean(1)": [],
    "from mylib import *\nclean(1)": [],
    "def step():\n    import mylib\n    return mylib.clean(1)\nstep()": [],
    "getattr(mylib, 'clean')": ["import mylib"],
}


@pytest.mark.parametrize(("cell", "imports"), WAYS.items(), ids=WAYS)
def test_an_edited_local_module_is_seen_after_reload(cell: str, imports: list[str], write: Write) -> None:
    old = found(cell, *imports)
    assert found(cell, *imports) == old
    assert "mylib.low" in old.code
    write("mylib", MYLIB.replace("x * RATE", "x * RATE - 1"))
    importlib.reload(sys.modules["mylib"])
    new = found(cell, *imports)
    assert old.code["mylib.low"] != new.code["mylib.low"]
    assert old.code["mylib.clean"] == new.code["mylib.clean"]
    assert not old.unclear


def test_comments_docstrings_and_moving_do_not_count_in_a_local_module(write: Write) -> None:
    old = found("mylib.clean(1)", "import mylib")
    write("mylib", "# moved\n\n" + MYLIB.replace("'''Clean.'''", "# clean"))
    importlib.reload(sys.modules["mylib"])
    assert print_of(found("mylib.clean(1)", "import mylib")) == print_of(old)


def test_a_local_module_edited_without_reload_still_counts_as_what_is_live(write: Write) -> None:
    old = found("mylib.clean(1)", "import mylib")
    edited = MYLIB.replace("x * RATE", "x * RATE - 1")
    write("mylib", edited)
    assert print_of(found("mylib.clean(1)", "import mylib")) == print_of(old)
    importlib.reload(sys.modules["mylib"])
    assert print_of(found("mylib.clean(1)", "import mylib")) != print_of(old)


def test_a_file_that_is_not_the_live_code_is_not_taken_for_it(write: Write) -> None:
    import mylib  # type: ignore[import-not-found]

    edited = MYLIB.replace("x * RATE", "x * RATE - 1")
    write("mylib", edited)  # before anybody has looked
    stale = found("mylib.clean(1)", "import mylib")
    importlib.reload(mylib)
    assert stale.code["mylib.low"] != found("mylib.clean(1)", "import mylib").code["mylib.low"]


def test_a_constant_of_a_local_module_counts_where_it_is_read(write: Write) -> None:
    old = found("mylib.clean(1)", "import mylib")
    assert set(old.constants) == {"mylib", "mylib.RATE"}
    assert old.kinds["mylib.RATE"] == "constant"
    assert not old.data
    sys.modules["mylib"].OTHER = 9  # type: ignore[attr-defined]
    assert print_of(found("mylib.clean(1)", "import mylib")) == print_of(old)
    sys.modules["mylib"].RATE = 9  # type: ignore[attr-defined]
    assert print_of(found("mylib.clean(1)", "import mylib")) != print_of(old)


def test_a_local_constant_or_instance_that_the_cell_names_counts(write: Write) -> None:
    assert "mylib.FACTORS" in found("mylib.FACTORS[0]", "import mylib").constants
    shape = found("mylib.shape.area()", "import mylib")
    assert {"mylib.Shape", "mylib.Shape.area", "mylib.low"} == set(shape.code)


def test_a_local_module_used_whole_counts_whole(write: Write) -> None:
    old = found("use(mylib)", "import mylib", "use = print")
    assert {"mylib.clean", "mylib.Shape.area"} <= set(old.code)
    assert {"mylib.OTHER", "mylib.FACTORS", "mylib.m"} <= set(old.constants)


def test_helpers_in_other_local_modules_are_reached(write: Write) -> None:
    assert "mylib_parts.tools.join" in found("mylib.joined(1)", "import mylib").code
    assert {"mylib_parts.late.work", "mylib_parts.tools.join"} <= set(
        found("mylib.far(1)", "import mylib").code
    )
    assert "mylib_parts.tools.join" in found("mylib.tools.join(1)", "import mylib").code


def test_a_patched_attribute_of_a_local_module_counts(write: Write) -> None:
    old = found("mylib.clean(1)", "import mylib")
    names = namespace("import mylib", "def other(x): return 0", "mylib.low = other")
    assert "other" in resolve_dependencies(analyse(ast.parse("mylib.clean(1)")), names).code
    assert "mylib.low" not in resolve_dependencies(analyse(ast.parse("mylib.clean(1)")), names).code
    assert "mylib.low" in old.code


def test_a_patched_attribute_of_a_package_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    import json

    old = found("json.dumps(1)", "import json")
    monkeypatch.setattr(json, "dumps", namespace("def mine(x): return 0")["mine"])
    new = found("json.dumps(1)", "import json")
    assert new.code.keys() - old.code.keys() == {"mine"}
    assert new.constants["json.dumps"].startswith("mine ")


def test_a_patched_method_of_a_package_class_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    import string

    mine = namespace("def mine(self, x): return 0")["mine"]
    imports = ["import string", "from string import Template", "one = Template('x')"]
    monkeypatch.setattr(string.Template, "substitute", mine)
    for cell in ("string.Template.substitute('1')", "Template.substitute('1')", "one.substitute('1')"):
        assert "mine" in found(cell, *imports).code, cell


def test_a_scalar_of_a_package_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    import json.scanner

    monkeypatch.setattr(json.scanner, "RATE", 2, raising=False)
    old = found("json.scanner.RATE", "import json.scanner")
    monkeypatch.setattr(json.scanner, "RATE", 3)
    assert old.constants.keys() == {"json", "json.scanner.RATE"}
    assert found("json.scanner.RATE", "import json.scanner") != old


def test_an_import_alias_pointed_elsewhere_counts(write: Write) -> None:
    old = found("np.sqrt(4)", "import numpy as np")
    new = found("np.sqrt(4)", "import mynp as np")
    assert old.constants["np"] == "numpy"
    assert new.constants["np"] == "mynp"
    assert (set(old.packages), set(new.packages)) == ({"numpy"}, set())
    assert new.code.keys() == {"mynp.sqrt"}
    one, other = found("f(4)", "from math import sin as f"), found("f(4)", "from math import cos as f")
    assert one.constants != other.constants


def test_packages_are_those_that_are_used() -> None:
    assert found("np.sqrt(4)", "import numpy as np, pandas as pd").packages == {"numpy"}
    assert found(
        "model.fit(1)", "from sklearn.linear_model import LinearRegression as L", "model = L()"
    ).packages == {"sklearn"}
    assert found("import numpy\nfrom sklearn.svm import SVC").packages == {"numpy", "sklearn"}
    assert found("import json, nobody_has_this").packages == frozenset()


def test_imports_of_the_cell_give_the_same_before_and_after_it_ran(write: Write) -> None:
    cell = "import math\nimport numpy as np\nfrom mylib import clean\nclean(np.pi + math.pi)"
    before = found(cell)
    assert print_of(found(cell, *cell.splitlines()[:3])) == print_of(before)


def test_a_local_module_that_fails_to_import_is_unclear(write: Write) -> None:
    write("broken_lib", "raise ValueError('no')")
    assert found("import broken_lib").unclear == (
        "the local module `broken_lib` cannot be imported (ValueError: no)",
    )


def test_a_star_import_of_an_unknown_module_is_unclear() -> None:
    assert found("from nobody_has_this import *").unclear
    assert not found("from math import *\nsin(1)").unclear


def test_a_global_random_function_does_not_bring_the_random_state() -> None:
    import random

    old = found("shuffle([1])", "from random import shuffle")
    random.random()
    assert found("shuffle([1])", "from random import shuffle") == old


def test_versions_name_distributions() -> None:
    from importlib.metadata import version

    shown = versions(["sklearn", "PIL", "numpy", "json", "nobody_has_this", "dateutil"])
    assert shown == {
        "python": f"{sys.version_info[0]}.{sys.version_info[1]}",
        "scikit-learn": version("scikit-learn"),
        "pillow": version("pillow"),
        "numpy": version("numpy"),
        "python-dateutil": version("python-dateutil"),
    }


def test_a_module_nobody_installed_counts_by_what_it_says(write: Write) -> None:
    write("mylib_versioned", "__version__ = '1.2'")
    importlib.import_module("mylib_versioned")
    assert versions(["mylib_versioned"])["mylib_versioned"] == "1.2"
