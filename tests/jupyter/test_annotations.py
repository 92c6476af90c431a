"""`%annotate`: labels that people give, what is bound, on record and kept, and where the next kernel goes on."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest

import zennb
from zennb.commands.dispatch import run
from zennb.commands.interface import Interface
from zennb.commands.outcome import Context
from zennb.errors import UnknownName, UsageError

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook
    from zennb.jupyter.panels.labeller import Labeller


def _open(notebook: Notebook, line: str) -> Labeller:
    notebook.run(line)
    panels: Any = notebook.shell.zennb_hooks.pipeline.panels
    return [each for name, each in panels._panels.items() if name.startswith("labeller")][-1]  # type: ignore[no-any-return]


def _history(name: str) -> list[list[str | None]]:
    return [each.load() for each in reversed(zennb.artifacts(name))]


def test_labels_are_bound_and_have_versions(notebook: Notebook) -> None:
    notebook.run("texts = ['good film', 'bad film', 'nice']")
    panel = _open(notebook, "%annotate texts --labels pos,neg")
    assert notebook.ns["texts_labels"] == [None, None, None]
    panel.choices[0].click()
    panel.choices[1].click()
    assert panel.place == 2
    notebook.run("labels = list(texts_labels)")
    assert notebook.ns["labels"] == ["pos", "neg", None]
    record = [each.record for run in zennb.runs() for each in run.steps][-1]
    assert (record.name, record.reason) == ("annotate texts", "2 of 3 labelled by hand")
    assert record.outputs["texts_labels"].version == 2


def test_the_panel_opens_from_python_too(notebook: Notebook) -> None:
    with pytest.raises(UnknownName):
        zennb.annotate("texts", ["pos", "neg"])
    notebook.run("import zennb\ntexts = ['good film', 'bad film']")
    panel = _open(notebook, "zennb.annotate('texts', ['pos', 'neg'], target='given')")
    panel.choices[1].click()
    notebook.run("labels = list(given)")
    assert notebook.ns["labels"] == ["neg", None]
    with pytest.raises(UsageError, match="'not a name' is no name"):
        zennb.annotate("texts", ["pos"], target="not a name")


def test_a_step_that_reads_labels_runs_again_when_they_change(notebook: Notebook) -> None:
    count = "%%step count\nn = texts_labels.count('pos')"
    notebook.run("texts = ['a', 'b']")
    panel = _open(notebook, "%annotate texts --labels pos,neg")
    panel.choices[0].click()
    notebook.run(count)
    assert notebook.cell(count).status == "cached"
    panel.choices[0].click()
    ran = notebook.cell(count)
    assert (ran.status, ran.reason, notebook.ns["n"]) == ("completed", "input `texts_labels` changed", 2)


def test_the_next_kernel_goes_on_where_it_stopped_also_with_other_items(notebook: Notebook) -> None:
    notebook.run("texts = ['a', 'b', 'c']")
    panel = _open(notebook, "%annotate texts --labels pos,neg")
    panel.choices[0].click()
    panel.choices[1].click()
    notebook.restart()  # no cell has run since
    notebook.run("texts = ['new', 'b', 'a']")
    panel = _open(notebook, "%annotate texts")
    assert (notebook.ns["texts_labels"], panel.place) == ([None, "neg", "pos"], 0)
    assert [each.description for each in panel.choices] == ["1 pos", "2 neg"]


def test_the_terminal_and_the_panel_give_the_same_labels(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook.run("%%step make\ntexts = ['a', 'b', 'c']")
    panel = _open(notebook, "%annotate texts --labels pos,neg")
    panel.choices[0].click()
    monkeypatch.setattr("sys.stdin", io.StringIO("neg\n"))
    done = run(("annotate", "texts"), Context(interface=Interface.TERMINAL))
    assert done.sentence == "texts_labels v2: 2 of 3 labelled."
    assert _history("texts_labels")[-1] == ["pos", "neg", None]
    panel.go(1)
    panel.choices[0].click()
    notebook.run("labels = list(texts_labels)")
    assert notebook.ns["labels"] == ["pos", "neg", "pos"]
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert run(("annotate", "texts"), Context(interface=Interface.TERMINAL)).data["labelled"] == 3


def test_a_label_can_be_changed_and_taken_back(notebook: Notebook) -> None:
    notebook.run("texts = ['a', 'b']")
    panel = _open(notebook, "%annotate texts --labels pos,neg --as marks")
    panel.choices[0].click()
    panel.earlier.click()
    panel.choices[1].click()
    panel.choices[1].click()
    panel.earlier.click()
    panel.earlier.click()
    panel.clear.click()
    panel.keep.click()
    assert "1 of 2 labelled" in panel.message.widget.value
    assert notebook.ns["marks"] == [None, "neg"]


@pytest.mark.parametrize(
    ("items", "shown"),
    [
        ("['<b>text</b>']", "&lt;b&gt;text&lt;/b&gt;"),
        ("np.arange(12.0).reshape(1, 3, 4)", "data:image/png;base64,"),
        ("np.zeros((1, 3, 4, 3), dtype='uint8')", "data:image/png;base64,"),
        ("pd.DataFrame({'age': [31]})", "<th>age</th><td>31</td>"),
        ("[path]", "data:image/png;base64,"),
        ("['missing.png']", "missing.png: No such file"),
        ("[cut]", 'alt="cut.png: this file is not a picture that can be shown"'),
        ("np.array([[[np.nan, 1.0], [np.inf, 0.5]]])", "data:image/png;base64,"),
        ("[image]", "data:image/png;base64,"),
        ("[3.5]", "<pre>3.5</pre>"),
        ("[]", ""),
    ],
)
def test_items_of_every_kind_are_shown(notebook: Notebook, items: str, shown: str) -> None:
    notebook.run(
        "import numpy as np, pandas as pd\nfrom PIL import Image\nfrom pathlib import Path",
        "image = Image.new('RGB', (4, 4))\nimage.save('a.png')\npath = Path('a.png')",
        "cut = Path('cut.png')\n_ = cut.write_bytes(path.read_bytes()[:40])",
        f"items = {items}",
    )
    assert shown in _open(notebook, "%annotate items --labels x,y")._item.value


@pytest.mark.parametrize(
    ("line", "kind", "said"),
    [
        ("%annotate missing --labels a", UnknownName, "no variable 'missing'"),
        ("%annotate pictures --labels a", UnknownName, "images = sorted(Path('pictures').iterdir())"),
        ("%annotate five --labels a", UsageError, "`five` is an int, which has no items to label"),
        ("%annotate texts", UsageError, "give the labels to choose from, such as `--labels cat,dog`"),
        ("%annotate texts --labels a --as 3x", UsageError, "`--as 3x` is no name of a variable"),
        ("%annotate texts --labels a --annotator nobody", UnknownName, "no annotator 'nobody'"),
    ],
)
def test_what_cannot_be_labelled_is_refused(
    notebook: Notebook, line: str, kind: type[Exception], said: str
) -> None:
    notebook.run("texts = ['a']\nfive = 5\nfrom pathlib import Path\nPath('pictures').mkdir()")
    error = notebook.cell(line).error
    assert isinstance(error, kind)
    assert said in str(error)


def test_every_version_can_be_loaded(notebook: Notebook) -> None:
    notebook.run("texts = ['a', 'b']")
    panel = _open(notebook, "%annotate texts --labels x")
    panel.choices[0].click()
    panel.keep.click()
    assert zennb.load("texts_labels", version=1) == [None, None]
    assert zennb.load("texts_labels") == ["x", None]
