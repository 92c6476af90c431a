from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from tests.file_status.cases import CASES
from zennb.provenance.cell_statements import read_cell
from zennb.provenance.module_source import ModuleSources
from zennb.provenance.notebook import Provenance
from zennb.provenance.value_source import SourceKind, StepOutput

if TYPE_CHECKING:
    from collections.abc import Mapping


def after(*cells: str, modules: Mapping[str, str] | None = None) -> Provenance:
    """Return the provenance of a notebook after these plain cells."""
    texts = modules or {}
    sources = ModuleSources(lambda name: (ast.parse(texts[name]), False) if name in texts else None)
    found = Provenance(modules=sources, ours={"stack"})
    for number, cell in enumerate(cells, start=1):
        found.run(read_cell(cell), source=cell, number=number)
    return found


def needs(found: Provenance, *names: str) -> dict[str, str]:
    return found.of(dict.fromkeys(names, frozenset[str]()))


SAME: dict[str, tuple[list[str], list[str], str]] = {
    "a comment": (["K = 3"], ["K = 3  # three"], "K"),
    "another spelling": (["K = 3"], ["K = 1 + 2"], "K"),
    "a docstring": (["def f(x):\n    return x"], ["def f(x):\n    'Doc.'\n    return x"], "f"),
    "the layout": (["rows = [n for n in range(3)]"], ["rows = [\n    n\n    for n in range(3)\n]"], "rows"),
    "a cell that has nothing to do with it": (["xs = [1]", "K = 3"], ["xs = [1]", "K = 4"], "xs"),
    "a look at it": (["xs = [1]", "print(len(xs))"], ["xs = [1]", "print(sum(xs))"], "xs"),
    "a copy that is changed": (
        ["xs = [1]", "n = len(xs)", "n += 1"],
        ["xs = [1]", "n = len(xs)", "n += 2"],
        "xs",
    ),
    "running a constant again": (["K = 3"], ["K = 4", "K = 3"], "K"),
    "binding anew what was changed": (["xs = [1]"], ["xs = [2]", "xs.append(3)", "xs = [1]"], "xs"),
    "a cell of magics of ours": (["K = 1"], ["%stack list", "K = 1"], "K"),
    "sleeping": (["K = 1"], ["import time\ntime.sleep(1)", "K = 1"], "K"),
}


@pytest.mark.parametrize("case", SAME)
def test_what_does_not_matter_leaves_a_provenance_as_it_is(case: str) -> None:
    before, now, name = SAME[case]
    assert needs(after(*before), name)[name] == needs(after(*now), name)[name]


DIFFERENT: dict[str, tuple[list[str], list[str], str]] = {
    "another constant": (["K = 3"], ["K = 4"], "K"),
    "one and true": (["K = 1"], ["K = True"], "K"),
    "list and tuple": (["K = [1]"], ["K = (1,)"], "K"),
    "a constant it is computed from": (["K = 1", "x = f(K)"], ["K = 2", "x = f(K)"], "x"),
    "a constant that a function it calls reads": (
        ["K = 1\ndef f(): return K", "x = f()"],
        ["K = 2\ndef f(): return K", "x = f()"],
        "x",
    ),
    "a function that a function it calls calls": (
        ["def g(): return 1\ndef f(): return g()", "x = f()"],
        ["def g(): return 2\ndef f(): return g()", "x = f()"],
        "x",
    ),
    "the order of two changes": (
        ["xs = []", "xs.append(a())", "xs.append(b())"],
        ["xs = []", "xs.append(b())", "xs.append(a())"],
        "xs",
    ),
    "a change made twice": (["xs = []", "xs.append(1)"], ["xs = []", "xs.append(1)", "xs.append(1)"], "xs"),
    "a base class": (["class B: x = 1\nclass K(B): pass"], ["class B: x = 2\nclass K(B): pass"], "K"),
    "a default": (["N = 1\ndef f(x=N): return x"], ["N = 2\ndef f(x=N): return x"], "f"),
    "what is bound under a condition": (["K = 0", "if a: K = 1"], ["K = 2", "if a: K = 1"], "K"),
}


@pytest.mark.parametrize("case", DIFFERENT)
def test_what_matters_changes_a_provenance(case: str) -> None:
    before, now, name = DIFFERENT[case]
    assert needs(after(*before), name)[name] != needs(after(*now), name)[name]


ALIASES = (
    "ys = xs",
    "ys = [xs]",
    "ys = {'xs': xs}",
    "ys, zs = xs, 1",
    "ys = xs[1:]",
    "ys = xs if xs else []",
    "ys = view(xs)",
    "ys = xs.T",
    "for ys in [xs]: pass",
    "ys = (zs := xs)",
    "class A: pass\nys = A()\nys.part = xs",
    "ys = lambda: xs\nys = ys()",
    "def give(): return xs\nys = give()",
)


@pytest.mark.parametrize("alias", ALIASES)
def test_a_change_under_another_name_is_a_change(alias: str) -> None:
    one, other = (after("xs = [[1], [2]]", alias, f"ys.append({n})") for n in (1, 2))
    assert one.names["xs"].text != other.names["xs"].text
    assert one.names["xs"].kind is SourceKind.COMPUTED


def test_an_alias_that_is_bound_anew_shares_no_longer() -> None:
    found = after("xs = [1]", "ys = xs", "ys = [2]", "ys.append(3)")
    assert found.names["xs"].kind is SourceKind.VALUE


def test_a_name_that_shares_with_what_is_read_is_told() -> None:
    found = needs(after("xs = [1]", "ys = xs"), "xs")
    assert "shares ys" in found
    assert "shares xs" not in found


def test_what_is_reached_through_functions_is_told_unless_it_is_bound_before() -> None:
    found = after("K = 1\ndef f(): return K")
    assert found.of({"f": frozenset()}).keys() == {"f", "K"}
    assert found.of({"f": frozenset({"K"})}).keys() == {"f"}


@pytest.mark.parametrize(
    "cell",
    [
        "import time\nx = time.time()",
        "from datetime import datetime as dt\nx = dt.now()",
        "import uuid\nx = str(uuid.uuid4())",
        "import random\nx = random.random()",
        "import numpy as np\nx = np.random.rand(3)",
        "import numpy as np\nx = np.random.default_rng()",
        "import time\ndef now():\n    return time.time()\nx = now()",
        "def now():\n    import time\n    return time.time()\nx = now()",
        "x = input()",
        "x = !date",
        "import time\nt = time.time()\nx = [t]",
    ],
)
def test_what_differs_each_time_equals_nothing(cell: str) -> None:
    assert after(cell).names["x"].kind is SourceKind.OPAQUE


@pytest.mark.parametrize(
    "cell",
    [
        "import random\nrandom.seed(1)\nx = random.random()",
        "import numpy as np\nx = np.random.default_rng(1)",
        "from datetime import datetime, timedelta\nx = datetime(2024, 1, 1) + timedelta(1)",
        "import time\ntime.sleep(1)\nx = str(1)",
    ],
)
def test_what_is_seeded_or_only_sounds_like_chance_can_be_told(cell: str) -> None:
    assert after(cell).names["x"].is_certain


def test_a_seed_goes_into_what_is_drawn_after_it() -> None:
    one, other = (
        after(f"import random\nrandom.seed({n})", "x = random.random()").names["x"].text for n in (1, 2)
    )
    assert one != other


@pytest.mark.parametrize(
    ("cell", "topic"),
    [
        ("import numpy as np\nnp.random.seed(1)", "random state of numpy"),
        ("import numpy as np\nnp.set_printoptions(precision=2)", "numpy print options"),
        ("import pandas as pd\npd.options.display.precision = 2", "pandas options"),
        ("import pandas as pd\npd.set_option('a', 1)", "pandas options"),
        ("import warnings\nwarnings.simplefilter('error')", "*"),
        ("import matplotlib.pyplot as plt\nplt.rcParams['a'] = 1", "matplotlib style"),
        ("%matplotlib inline", "matplotlib style"),
        ("%precision 3", "*"),
        ("import foo\nfoo.configure(1)", "foo"),
        ("import numpy as np\ndef seed(): np.random.seed(1)\nseed()", "random state of numpy"),
    ],
)
def test_what_is_set_for_all_is_noted_by_library(cell: str, topic: str) -> None:
    assert topic in after(cell).topics


def test_drawing_a_picture_sets_nothing() -> None:
    assert not after("import matplotlib.pyplot as plt\nplt.plot([1])\nplt.title('a')\nplt.show()").topics


def test_environment_variables_folder_and_files_are_followed() -> None:
    found = after("import os\nos.environ['A'] = '1'", "%env B=2", "%cd data", "os.chdir('more')")
    assert found.variables.keys() == {"A", "B"}
    assert found.folder == "data/more"
    assert not found.files
    assert after("open('a', 'w').write('x')").files
    assert not after("x = open('a').read()").files
    assert after("import os\nos.chdir(where)").folder is None


def test_a_cell_that_failed_leaves_nothing_certain() -> None:
    found = after("xs = [1]")
    found.run(read_cell("K = 1\nxs.append(K)"), failed=True)
    assert {found.names["K"].kind, found.names["xs"].kind} == {SourceKind.OPAQUE}


def test_what_a_cell_read_goes_with_what_it_computed() -> None:
    found = Provenance()
    found.run(read_cell("K = 1\nrows = load()"), seen=[("file data.csv", "file 1")])
    found.run(read_cell("more = rows + [1]"))
    assert needs(found, "more")["read file data.csv"] == "file 1"
    assert "read file data.csv" not in needs(found, "K")


def test_a_step_leaves_its_outputs_and_puts_back_the_rest() -> None:
    found = after("xs = [1]\nK = 2")
    code = read_cell("_part = xs\ntotal = summed(xs)\nimport json\ndef f(): return 1")
    assert code is not None
    found.step("a", code, outputs={"total": StepOutput(digest="d1", type="int")}, defines=["json", "f"])
    assert found.names["total"].text == "value d1"
    assert not found.names["total"].can_change
    assert found.names["xs"].kind is SourceKind.VALUE
    assert "_part" not in found.names
    assert (found.names["json"].kind, found.names["f"].kind) == (SourceKind.IMPORT, SourceKind.DEFINITION)


def test_an_input_that_a_step_changed_in_place_is_its_output() -> None:
    found = after("xs = [1]", "ys = xs")
    code = read_cell("xs.append(2)")
    assert code is not None
    found.step("a", code, outputs={"xs": StepOutput(digest="d2", type="list")})
    assert found.names["xs"].text == "value d2"
    assert found.names["ys"].kind is SourceKind.VALUE  # its digest would be among the outputs, had it changed
    found.run(read_cell("ys.append(3)"))
    assert found.names["xs"].kind is SourceKind.COMPUTED  # they still share


def test_what_comes_from_a_step_that_will_run_waits_for_it() -> None:
    found = after("xs = [1]")
    code = read_cell("rows = [x + 1 for x in xs]")
    assert code is not None
    found.step("load", code, outputs=None, changes=())
    found.run(read_cell("more = rows + [1]"))
    assert found.names["more"].waits == {"load"}
    assert found.names["xs"].kind is SourceKind.VALUE


def test_code_that_may_bind_anything_goes_into_everything() -> None:
    one, other = (needs(after("K = 1", f"exec('K = {n}')"), "K", "later") for n in (1, 2))
    assert one["K"] != other["K"]
    assert one["later"] != other["later"]


LIBRARY = """
RATE = 2
def scale(x): return x * RATE
def make(): return helper()
def helper(): return 1
"""


@pytest.mark.parametrize(
    ("old", "new", "matters"),
    [
        ("RATE = 2", "RATE = 3", True),
        ("return x * RATE", "return x + RATE", True),
        ("return 1", "return 2", False),
        ("def helper", "# a comment\ndef helper", False),
    ],
)
def test_of_a_local_module_counts_what_is_used(old: str, new: str, *, matters: bool) -> None:
    cells = ["import lib", "x = lib.scale(1)"]
    one = after(*cells, modules={"lib": LIBRARY}).names["x"].text
    other = after(*cells, modules={"lib": LIBRARY.replace(old, new)}).names["x"].text
    assert (one != other) is matters


def test_local_modules_are_followed_through_their_imports() -> None:
    cells = ["from lib import f", "x = f()"]
    found = [
        after(
            *cells, modules={"lib": "from sub import g\ndef f(): return g()", "sub": f"def g(): return {n}"}
        )
        for n in (1, 2)
    ]
    assert found[0].names["x"].text != found[1].names["x"].text


BY_KERNEL = {
    "underscore",
    "Out",
    "In",
    "list iter",
    "interactivity",
    "seed sample",
    "write mode var",
    "string eval",
}
"""What only a kernel sees: what its history holds, what a cell was seen to draw or write."""

PURE = [
    name
    for name, case in CASES.items()
    if name not in BY_KERNEL
    # What `%%writefile` writes is a file: the status of a notebook file asks for it.
    if not case.files and not name.startswith("step ") and name != "writefile" and case.before != case.after
]


@pytest.mark.parametrize("name", PURE)
def test_an_edit_that_is_hard_to_see_changes_what_a_step_depends_on(name: str) -> None:
    """The step's needs differ, or hold something that equals nothing; tests of files prove it with real kernels."""
    case = CASES[name]
    told = []
    for cells in (case.before, case.after):
        found = after(*cells[:-1])
        step = read_cell(cells[-1].partition("\n")[2])
        assert step is not None
        named = {name: each for each in step for name in each.analysis.reads}
        for each in step:
            named |= dict.fromkeys(found.looked_up(found.reached(named), each.analysis), each)
        told.append(needs(found, *named))
    uncertain = any(text.startswith("opaque") for text in told[1].values())
    assert told[0] != told[1] or uncertain
