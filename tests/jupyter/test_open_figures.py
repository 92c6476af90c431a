"""Figures that pyplot has open: what a step leaves open is open after its reuse, and what it draws in counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from zennb.core.records.observed import UNTOUCHED
from zennb.engine.environment.figure_backend import FigureBackend
from zennb.engine.environment.open_figures import FigureRecorder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.jupyter.conftest import Notebook

IMPORT = "import matplotlib\nmatplotlib.use('agg')\nimport matplotlib.pyplot as plt"
LOOK = (
    "seen = (plt.get_fignums(), plt.gcf().number if plt.get_fignums() else 0,\n"
    "    [[[list(line.get_ydata()) for line in ax.lines] + [ax.get_title()] for ax in plt.figure(n).axes]\n"
    "     for n in plt.get_fignums()])"
)

CASES: dict[str, tuple[str, ...]] = {
    "drawn in a figure without a name": ("%%step a\n_ = plt.plot([1, 2])",),
    "a figure and its axes": ("%%step a\nfig, ax = plt.subplots()\n_ = ax.plot([1, 2])", "ax.set_title('t')"),
    "axes alone": ("%%step a\nax = plt.subplot()\n_ = ax.plot([1, 2])", "ax.set_title('t')"),
    "many axes": ("%%step a\nfig, axes = plt.subplots(2, 2)\n_ = axes[1, 1].plot([3])", "plt.title('last')"),
    "two figures": (
        "%%step a\nplt.figure()\n_ = plt.plot([1])\nplt.figure(7)\n_ = plt.plot([2])\n_ = plt.figure(1)",
        "plt.title('first')",
    ),
    "one closed again": ("%%step a\nplt.figure()\n_ = plt.plot([1])\nplt.close()",),
    "others closed": ("plt.figure()\nplt.plot([0])", "%%step a\nplt.close('all')\nx = 1"),
    "a title of the figure before": ("_ = plt.plot([1])", "%%step a\nplt.title('later')\nx = 1"),
    "a title of a step's figure": ("%%step a\n_ = plt.plot([1])", "%%step b\nplt.title('later')\nx = 1"),
    "a title of a named figure": (
        "%%step a\nfig, ax = plt.subplots()\n_ = ax.plot([1])",
        "%%step b\nplt.title('later')\nx = 1",
        "y = ax.get_title()",
    ),
    "a named figure changed by name": (
        "%%step a\nfig, ax = plt.subplots()\n_ = ax.plot([1])",
        "%%step b\n_ = ax.plot([2])",
    ),
    "another figure": (
        "%%step a\nfig, ax = plt.subplots()\n_ = ax.plot([1])",
        "%%step b\nother, _ax = plt.subplots()\n_ = _ax.plot([2])",
        "plt.figure(1)",
        "%%step c\nplt.title('one')\nx = 1",
    ),
    "drawn through a module that passes pyplot on": (
        "%%step a\nimport pylab\nfig, ax = plt.subplots()\n_ = ax.plot([1])\npylab.title('t')\nx = 1",
    ),
    "a large figure": (
        "%%step a\nimport numpy as np\nfig, ax = plt.subplots()\n_ = ax.plot(np.arange(50_000))",
        "plt.title('large')\n_ = [line.set_ydata([1]) for line in plt.gca().lines]",
    ),
}


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    import matplotlib.pyplot as plt

    plt.close("all")
    yield
    plt.close("all")


def plain(cell: str) -> str:
    return cell.partition("\n")[2] if cell.startswith("%%step") else cell


def restart(notebook: Notebook) -> None:
    import matplotlib.pyplot as plt

    plt.close("all")
    notebook.restart()


@pytest.mark.parametrize("cells", CASES.values(), ids=CASES)
def test_the_figures_that_are_open_are_those_of_a_plain_kernel(
    notebook: Notebook, cells: tuple[str, ...]
) -> None:
    notebook.run(IMPORT, *map(plain, cells), LOOK)
    expected = notebook.ns["seen"]
    for _ in range(3):
        restart(notebook)
        done = notebook.run(IMPORT, *cells, LOOK)
        steps = [ran for ran, cell in zip(done[1:], cells, strict=False) if cell.startswith("%%step")]
        said = [(ran.status, ran.reason) for ran in steps]
        assert notebook.ns["seen"] == expected, said
    assert said[0][0] == "cached", said


@pytest.mark.parametrize("cells", CASES.values(), ids=CASES)
def test_cells_that_are_run_again_draw_as_in_a_plain_kernel(
    notebook: Notebook, cells: tuple[str, ...]
) -> None:
    notebook.run(IMPORT, *map(plain, cells), *map(plain, cells), LOOK)
    expected = notebook.ns["seen"]
    for _ in range(2):
        restart(notebook)
        notebook.run(IMPORT, *cells, *cells, LOOK)
        assert notebook.ns["seen"] == expected


def test_an_edit_of_what_a_step_draws_in_runs_it_again(notebook: Notebook) -> None:
    step = "%%step a\nplt.title('later')\nlines = [list(line.get_ydata()) for line in plt.gca().lines]"
    for values in ([1], [2], [1], [2]):
        restart(notebook)
        *_, ran = notebook.run(IMPORT, f"_ = plt.plot({values})", step)
        assert notebook.ns["lines"] == [values]
    assert ran.status == "cached"


def test_a_step_that_draws_in_a_figure_without_a_digest_draws_each_time(notebook: Notebook) -> None:
    notebook.run(IMPORT, "plt.figure().of_the_user = lambda: 1", "plt.title('')")
    step = "%%step a\nplt.title(plt.gca().get_title() + '!')\nx = 1"
    for _ in range(3):
        notebook.run(step)
    assert notebook.ns["plt"].gca().get_title() == "!!!"


OTHERS = {
    "all are closed": "plt.close('all')\nx = 1",
    "one is closed": "plt.close(1)\nx = 1",
    "all are closed, and one is opened": "plt.close('all')\n_ = plt.plot([1])",
    "the numbers are asked for": "x = plt.get_fignums()",
    "a number is asked for": "x = plt.fignum_exists(1)",
    "the names are asked for": "x = plt.get_figlabels()",
    "its own are opened and closed": "plt.figure('mine')\nplt.close('mine')\nx = 1",
}


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("made", ["plt.figure(1)\nNone", "plt.figure('f')\nplt.figure(4)\nNone"])
def test_other_figures_may_be_open_than_in_the_run_before(notebook: Notebook, made: str, text: str) -> None:
    notebook.run(IMPORT, f"%%step a\n{text}")
    restart(notebook)
    notebook.run(IMPORT, made, f"%%step a\n{text}", LOOK)
    given = (notebook.ns["seen"], notebook.ns.get("x"))
    restart(notebook)
    notebook.run(IMPORT, made, text, LOOK)
    assert given == (notebook.ns["seen"], notebook.ns.get("x"))


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_steps_that_close_figures_or_ask_for_them_are_reused(notebook: Notebook, text: str) -> None:
    notebook.run(IMPORT, f"%%step a\n{text}")
    restart(notebook)
    assert notebook.run(IMPORT, f"%%step a\n{text}")[-1].status == "cached"


def test_a_pipeline_run_opens_the_figures_of_what_it_reuses(notebook: Notebook) -> None:
    import matplotlib.pyplot as plt

    cells = (
        IMPORT,
        "%%step a\n_ = plt.plot([1])",
        "%%step b\nplt.title(name)\nlines = len(plt.gca().lines)",
    )
    notebook.run("name = 'x'", *cells, "name = 'y'")
    plt.close("all")
    notebook.run("%pipeline run", LOOK)
    assert notebook.ns["lines"] == 1
    assert notebook.ns["seen"] == ([1], 1, [[[[1], "y"]]])


def test_the_current_figure_is_the_one_that_is_bound(notebook: Notebook) -> None:
    for _ in range(2):
        restart(notebook)
        _, ran, _ = notebook.run(
            IMPORT,
            "%%step a\nfig, ax = plt.subplots()\n_ = ax.plot([1])",
            "same = plt.gcf() is fig and plt.gca() is ax",
        )
        assert notebook.ns["same"]
    assert ran.status == "cached"


def test_steps_that_end_in_any_order_leave_pyplot_as_it_was() -> None:
    from matplotlib._pylab_helpers import Gcf

    before = dict(vars(Gcf))
    first, second = FigureRecorder(), FigureRecorder()
    first.start()
    second.start()
    assert vars(Gcf) != before
    first.stop()
    second.stop()
    second.stop()
    assert dict(vars(Gcf)) == before


def test_a_step_elsewhere_is_refused_while_figures_are_open_here(notebook: Notebook) -> None:
    """They are not there, so it would draw in another figure, or close none."""
    notebook.run(IMPORT, "%orchestrator register p --flavor=processes", "_ = plt.plot([1])")
    refused = notebook.cell("%%step a --on p\nplt.title('later')\nx = 1")
    assert "pyplot, which has figures open in the notebook" in str(refused.error)
    notebook.run("plt.close('all')")
    assert notebook.cell("%%step a --on p\n_fig, _ax = plt.subplots()\nx = 1").error is None


INLINE = "module://matplotlib_inline.backend_inline"


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Begin as a kernel of Jupyter does, and end with the backend from before."""
    import matplotlib as mpl

    before = mpl.get_backend()
    monkeypatch.setenv("MPLBACKEND", INLINE)
    mpl.use(INLINE)
    yield
    mpl.use(before)


def test_the_backend_that_a_step_chose_is_in_use_when_it_is_reused(notebook: Notebook, inline: None) -> None:
    import matplotlib as mpl

    cells = ["%%step choose\nimport matplotlib\nmatplotlib.use('svg')", "now = matplotlib.get_backend()"]
    for status in ("completed", "cached"):
        mpl.use(INLINE)
        ran, _ = notebook.run(*cells)
        assert (ran.status, notebook.ns["now"]) == (status, "svg")
        restart(notebook)


def test_a_step_that_draws_depends_on_the_backend(notebook: Notebook, inline: None) -> None:
    import matplotlib as mpl

    draw = "%%step draw\nfig, ax = plt.subplots()\n_ = ax.plot([1])"
    for backend, status in (("svg", "completed"), (INLINE, "completed"), (INLINE, "cached")):
        restart(notebook)
        mpl.use(backend)
        _, ran = notebook.run("import matplotlib.pyplot as plt", draw)
        assert ran.status == status, ran.reason


def test_a_format_that_is_chosen_before_the_first_figure_counts(
    notebook: Notebook, inline: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`%config` notes it for the backend, which the first figure loads: not the figure that a reused step shows."""
    from IPython import get_ipython
    from matplotlib_inline.config import InlineBackend
    from traitlets.config import Config

    InlineBackend.clear_instance()
    notebook.run("import matplotlib")
    setting = FigureBackend()
    assert setting.digest(setting.read()) == UNTOUCHED
    monkeypatch.setitem(get_ipython().config, "InlineBackend", Config({"figure_format": "retina"}))
    assert setting.read() == ("inline", ("retina",))
    monkeypatch.setitem(get_ipython().config, "InlineBackend", Config({"figure_formats": {"svg", "png"}}))
    assert setting.read() == ("inline", ("png", "svg"))


def test_a_picture_that_a_step_saves_may_be_there_already(notebook: Notebook) -> None:
    cells = [
        f"{IMPORT}\nfig, ax = plt.subplots()",
        "%%step save\nfig.savefig('picture.png')",
        "%%step save_large\nfig.savefig('picture.png', dpi=200)",
    ]
    notebook.run(*cells)
    restart(notebook)
    _, *again = notebook.run(*cells)
    assert [each.status for each in again] == ["cached", "cached"], [each.reason for each in again]


@pytest.mark.parametrize(
    ("made", "look", "shown"),
    [
        (
            (
                "class L(Line2D):\n    k = 1\n    def get_ydata(self, orig=True): return [self.k]\n"
                "plt.figure(1)\n_ = plt.gca().add_line(L([0, 1], [2, 3]))"
            ),
            "[[*line.get_ydata()] for line in plt.gca().lines]",
            ([[1]], [[2]]),
        ),
        (
            (
                "class F:\n    k = 1\n    def show(self, x, at): return f'{self.k}'\n"
                "plt.figure(1)\nplt.gca().xaxis.set_major_formatter(F().show)"
            ),
            "plt.gca().xaxis.get_major_formatter()(0)",
            ("1", "2"),
        ),
        (
            "class MF(Figure):\n    k = 1\n_ = plt.figure(1, FigureClass=MF)",
            "plt.gcf().k",
            (1, 2),
        ),
        (
            (
                "def unit(): return k\nk = 1\ndef show(x, at): return f'{unit()}'\n"
                "plt.figure(1)\nplt.gca().xaxis.set_major_formatter(show)"
            ),
            "plt.gca().xaxis.get_major_formatter()(0)",
            ("1", "2"),
        ),
    ],
)
def test_an_edit_of_code_that_a_figure_holds_runs_steps_that_look_at_it(
    notebook: Notebook, made: str, look: str, shown: tuple[object, object]
) -> None:
    setup = f"{IMPORT}\nfrom matplotlib.lines import Line2D\nfrom matplotlib.figure import Figure"
    for text, result in [(made, shown[0]), (made.replace("k = 1", "k = 2"), shown[1])]:
        notebook.run(setup, "plt.close('all')", text, f"%%step look\nout = {look}")
        assert notebook.ns["out"] == result
        notebook.restart()
        (*_, again) = notebook.run(setup, "plt.close('all')", text, f"%%step look\nout = {look}")
        assert again.status == "cached", again.reason
        notebook.restart()
