"""What the status of a notebook file says is what a run of it then does, proved with kernels."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.file_status.cases import CASES
from tests.file_status.machine import Project, notebook
from zennb.core.planning.run_plan import Freshness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.reuse.pair import Warm

FRESH, STALE, MAY_RUN, UNKNOWN = Freshness.FRESH, Freshness.STALE, Freshness.MAY_RUN, Freshness.UNKNOWN
ALL = int(os.environ.get("ZENNB_FILE_ROUNDS", "0")) > 0
"""Whether every case is run with kernels, which takes minutes; else some."""

S = "%%step s\n"


class Study:
    """A notebook that is written, run and asked about.

    Args:
        project: where it is.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        for file in project.folder.iterdir():
            if file.is_file():
                file.unlink()

    def write(self, *cells: str) -> None:
        self.cells = cells
        self.project.path.write_text(notebook(cells))

    def run(self, *, named: bool = True) -> dict[str, str]:
        return self.project.run(self.cells, named=named)

    def ran(self, *cells: str) -> dict[str, str]:
        """Write cells and run them."""
        self.write(*cells)
        return self.run()

    def says(self) -> dict[str, Freshness]:
        return {name: state for name, (state, _) in self.project.status().items()}

    def reason(self, step: str = "s") -> str:
        return self.project.status()[step][1]

    def agree(self) -> tuple[dict[str, Freshness], dict[str, str]]:
        """Return what the status says and what a run then does, which must agree."""
        said = self.says()
        did = self.run()
        for step, ended in did.items():
            assert said[step] is not FRESH or ended == "cached", (step, ended)
            assert said[step] is not STALE or ended != "cached", (step, ended)
        return said, did


@pytest.fixture
def study(warm: Warm) -> Iterator[Study]:
    project = Project(warm)
    yield Study(project)
    project.close()


@pytest.fixture
def file(study: Study) -> Callable[[str, str], None]:
    return study.project.write


def test_nothing_has_run_and_then_all_is_fresh(study: Study) -> None:
    study.write("K = 1", S + "r = K")
    assert study.project.status() == {"s": (STALE, "first run")}
    study.run()
    assert study.project.status() == {"s": (FRESH, "same code and inputs as run 1")}
    assert study.agree()[1] == {"s": "cached"}
    assert study.reason() == "same code and inputs as run 1"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("K = 1", "K = 2", "input `K` changed"),
        ("return x * 2", "return x * 3", "function `clean` changed"),
        ("r = clean(K)", "r = clean(K) + 1", "its code changed"),
    ],
)
def test_an_edit_that_matters_is_told_in_the_words_of_a_kernel(
    study: Study, old: str, new: str, reason: str
) -> None:
    cells = ["K = 1", "def clean(x):\n    return x * 2", S + "r = clean(K)"]
    study.ran(*cells)
    study.write(*(cell.replace(old, new) for cell in cells))
    assert study.project.status() == {"s": (STALE, reason)}
    assert study.agree()[1] == {"s": "completed"}


def test_what_holds_for_the_cells_after_a_future_import_is_read_too(study: Study) -> None:
    study.ran(
        "from __future__ import annotations", S + "def f(x: Later): return x\nr = str(f.__annotations__)"
    )
    assert study.says() == {"s": FRESH}


def test_a_data_file_that_changed_makes_its_reader_stale(
    study: Study, file: Callable[[str, str], None]
) -> None:
    file("data.csv", "1")
    study.ran(S + "r = open('data.csv').read()")
    file("data.csv", "2")
    assert study.project.status() == {"s": (STALE, "data.csv changed")}
    assert study.agree()[1] == {"s": "completed"}


NATIVE = """import ctypes, os
def native(path):
    libc, buffer = ctypes.CDLL(None), ctypes.create_string_buffer(9)
    file = libc.open(os.fsencode(path), 0)
    libc.read(file, buffer, 9)
    libc.close(file)
    return buffer.value"""


@pytest.mark.parametrize(
    ("body", "edit", "answer"),
    [
        ("r = native('data.csv')", {"data.csv": "2"}, (STALE, "data.csv changed")),
        (
            "r = [native(each) for each in ['data.csv']]",
            {"other.csv": "2"},
            (FRESH, "same code and inputs as run 1"),
        ),
        ("r = os.path.exists('data.csv')", {"data.csv": "2"}, (FRESH, "same code and inputs as run 1")),
        ("r = os.path.exists('new.csv')", {"new.csv": "2"}, (STALE, "new.csv is new")),
        ("r = os.path.getsize('data.csv')", {"data.csv": "2"}, (FRESH, "same code and inputs as run 1")),
        ("r = os.path.getsize('data.csv')", {"data.csv": "22"}, (STALE, "data.csv changed")),
        ("if not os.path.isdir('made'): os.mkdir('made')", {}, (FRESH, "same code and inputs as run 1")),
    ],
)
def test_what_compiled_code_read_or_a_step_asked_of_a_file_counts(
    study: Study,
    file: Callable[[str, str], None],
    body: str,
    edit: dict[str, str],
    answer: tuple[Freshness, str],
) -> None:
    file("data.csv", "1")
    file("other.csv", "1")
    study.ran(NATIVE, S + body)
    for name, text in edit.items():
        file(name, text)
    assert study.project.status()["s"] == answer
    study.agree()


@pytest.mark.parametrize(
    ("old", "new", "answer"),
    [
        ("return x * 2", "return x * 3", (STALE, "function `mylib.clean` changed")),
        ("RATE = 5", "RATE = 6", (STALE, "constant `mylib.RATE` changed")),
        ("def other(): return 1", "def other(): return 2", (FRESH, "same code and inputs as run 1")),
        ("def clean", "# a comment\ndef clean", (FRESH, "same code and inputs as run 1")),
    ],
)
def test_of_a_local_module_counts_what_the_step_uses(
    study: Study, file: Callable[[str, str], None], old: str, new: str, answer: tuple[Freshness, str]
) -> None:
    text = "RATE = 5\ndef clean(x):\n    return x * 2\ndef other(): return 1\n"
    file("mylib.py", text)
    study.ran("import mylib", S + "r = mylib.clean(mylib.RATE)")
    file("mylib.py", text.replace(old, new))
    assert study.project.status() == {"s": answer}
    study.agree()


def test_a_constant_that_is_as_it_was_before_is_fresh_again(study: Study) -> None:
    for number in (1, 2):
        study.ran(f"K = {number}", S + "r = K")
    study.write("K = 1", S + "r = K")
    assert study.says() == {"s": FRESH}
    assert study.agree()[1] == {"s": "cached"}


def test_what_ran_where_the_notebook_was_not_known_counts(study: Study) -> None:
    study.write("K = 1", S + "r = K")
    study.run(named=False)
    assert study.says() == {"s": FRESH}
    assert study.agree()[1] == {"s": "cached"}


def test_a_step_under_another_name_is_reused_and_said_to_be(study: Study) -> None:
    study.ran("K = 1", S + "r = K")
    study.write("K = 1", "%%step other\nr = K")
    assert study.agree() == ({"other": FRESH}, {"other": "cached"})


def test_a_step_that_changes_an_input_in_place_is_fresh_after_it_ran(study: Study) -> None:
    study.ran("%%step load\nxs = [1]", "%%step grow\nxs.append(2)", "%%step sums\ntotal = sum(xs)")
    said, did = study.agree()
    assert set(said.values()) == {FRESH}
    assert set(did.values()) == {"cached"}
    study.write("%%step load\nxs = [5]", "%%step grow\nxs.append(2)", "%%step sums\ntotal = sum(xs)")
    assert study.says() == {"load": STALE, "grow": MAY_RUN, "sums": MAY_RUN}
    assert study.reason("grow") == "needs step 'load', which would run again"
    study.agree()


def test_files_between_steps_are_followed(study: Study) -> None:
    cells = [
        "K = 1",
        "%%step write\nopen('o.txt', 'w').write(str(K))",
        "%%step read\nt = open('o.txt').read()",
    ]
    study.ran(*cells)
    (study.project.folder / "o.txt").unlink()
    said, did = study.agree()  # reuse writes the file again
    assert said == {"write": FRESH, "read": FRESH}
    assert did == {"write": "cached", "read": "cached"}
    study.write("K = 2", *cells[1:])
    assert study.says() == {"write": STALE, "read": MAY_RUN}
    study.agree()


def test_files_that_plain_cells_write_are_followed(study: Study) -> None:
    cells = ["K = 1", "open('o.txt', 'w').write(str(K));", S + "t = open('o.txt').read()"]
    study.ran(*cells)
    (study.project.folder / "o.txt").write_text("by hand")
    assert study.says() == {"s": FRESH}
    assert study.agree()[1] == {"s": "cached"}
    study.write("K = 2", *cells[1:])
    assert study.says() == {"s": UNKNOWN}
    assert study.reason() == "a plain cell writes files; only running it tells"


def test_the_environment_is_compared_by_its_seal(study: Study) -> None:
    study.project.environment["FILE_LEVEL"] = "low"
    study.ran("import os", S + "r = os.environ['FILE_LEVEL']")
    assert study.says() == {"s": FRESH}
    study.project.environment["FILE_LEVEL"] = "high"
    assert study.project.status() == {"s": (STALE, "environment variable FILE_LEVEL changed")}
    study.write("import os\nos.environ['FILE_LEVEL'] = 'low'", S + "r = os.environ['FILE_LEVEL']")
    assert study.says() == {"s": FRESH}
    study.agree()


def test_a_seed_that_changed_is_looked_at_only_where_it_matters(study: Study) -> None:
    drawing, other = "%%step draw\nr = random.random()", "%%step other\nt = 1"
    study.ran("import random\nrandom.seed(1)", drawing, other)
    assert study.agree()[1] == {"draw": "cached", "other": "cached"}
    study.write("import random\nrandom.seed(2)", drawing, other)
    assert study.says() == {"draw": UNKNOWN, "other": FRESH}
    study.agree()


def test_a_computed_value_is_unknown_when_its_cell_changed(study: Study) -> None:
    study.ran("K = 1", "rows = [K, K]", S + "r = rows")
    study.write("K = 1", "rows = [K] * 2", S + "r = rows")
    assert study.project.status() == {
        "s": (UNKNOWN, "`rows` is computed by cell [2], which changed; only running it tells")
    }
    assert study.agree()[1] == {"s": "cached"}
    assert study.says() == {"s": FRESH}  # the run has told


def test_a_plain_cell_that_reads_a_file_is_watched(study: Study, file: Callable[[str, str], None]) -> None:
    file("data.csv", "1")
    study.ran("rows = open('data.csv').read()", "K = 1", S + "r = rows", "%%step t\nq = K")
    assert study.says() == {"s": FRESH, "t": FRESH}
    file("data.csv", "2")
    assert study.says() == {"s": UNKNOWN, "t": FRESH}
    assert study.reason() == "a plain cell reads data.csv, which changed; only running it tells"
    study.agree()


def test_cells_run_out_of_order_by_hand_make_nothing_falsely_fresh(study: Study) -> None:
    cells = ["xs = [1]", "xs.append(2)", S + "r = sum(xs)"]
    study.write(*cells)
    study.project.run([cells[0], cells[1], cells[1], cells[2]], by_hand=True)
    assert study.says()["s"] is not FRESH
    study.agree()
    assert study.says() == {"s": FRESH}


def test_a_local_module_that_was_edited_after_its_import_is_not_trusted(
    study: Study, file: Callable[[str, str], None]
) -> None:
    file("mylib.py", "def clean(x):\n    return x * 2\n")
    edit = "from pathlib import Path\nPath('mylib.py').write_text('def clean(x):\\n    return x * 3\\n');"
    study.write("import mylib", S + "r = mylib.clean(1)")
    study.project.run([study.cells[0], edit, study.cells[1]], by_hand=True)
    assert study.says()["s"] is not FRESH
    study.agree()


def test_options_of_the_step_count(study: Study, file: Callable[[str, str], None]) -> None:
    file("data.txt", "1")
    study.ran("%%step s --depends-on data.txt\nr = 1", "%%step t -o q\nq = 1")
    assert study.says() == {"s": FRESH, "t": FRESH}
    file("data.txt", "2")
    study.write("%%step s --depends-on data.txt\nr = 1", "%%step t\nq = 1")
    assert study.project.status() == {
        "s": (STALE, "option `--depends-on data.txt` changed"),
        "t": (STALE, "its declared outputs changed"),
    }
    study.agree()
    study.write("%%step s --rerun\nr = 1", "%%step t --no-cache\nq = 1")
    assert study.project.status() == {
        "s": (STALE, "asked for with --rerun"),
        "t": (STALE, "asked for with --no-cache"),
    }
    study.agree()


def test_results_that_are_not_in_the_store_any_more_are_told(study: Study) -> None:
    study.ran(S + "r = 1")
    shutil.rmtree(study.project.home / "artifacts")
    assert study.project.status() == {"s": (STALE, "`r v1` is not in artifact store 'default'")}


def test_a_step_that_failed_is_told_to_have_failed(study: Study) -> None:
    study.ran(S + "1 / 0")
    assert study.project.status() == {"s": (STALE, "the run before failed")}


def test_a_step_that_runs_every_time_is_stale_with_the_reason(study: Study) -> None:
    study.ran("K = 1", S + "r = globals()['K']")
    state, reason = study.project.status()["s"]
    assert state is STALE
    assert reason.startswith("not cacheable: ")


HARD = list(CASES) if ALL else list(CASES)[::9]


@pytest.mark.parametrize("name", HARD)
def test_an_edit_that_is_hard_to_see_is_never_falsely_fresh(study: Study, name: str) -> None:
    case = CASES[name]
    for path, text in case.files.items():
        study.project.write(path, text)
    study.ran(*case.before)
    for path, text in case.edited.items():
        study.project.write(path, text)
    study.write(*case.after)
    study.agree()


def test_a_large_package_of_ones_own_is_compared_as_a_whole(
    study: Study, file: Callable[[str, str], None]
) -> None:
    file("big/__init__.py", "from big.work import clean\n")
    file("big/more.py", f"TEXT = '{'x' * 200_000}'\n")
    file("big/work.py", "def clean(x):\n    return x * 2\n")
    study.ran("import big\nrows = big.clean(3)", S + "r = rows + big.clean(1)", "%%step t\nq = 1")
    assert study.agree()[0] == {"s": FRESH, "t": FRESH}
    file("big/work.py", "def clean(x):\n    return x * 3\n")
    assert study.says() == {"s": UNKNOWN, "t": FRESH}
    study.agree()
