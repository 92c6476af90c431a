"""The dashboard, values in and values out: every page, its filters and ways on, and what they cost."""

from __future__ import annotations

from html import unescape
from typing import TYPE_CHECKING, Any

import pytest
from ipywidgets.widgets import widget as ipywidgets_widget

from zennb import api
from zennb.components.artifact_stores.local import LocalArtifactStore
from zennb.core.records.records import Artifact, ComponentSpec, Run, StackSpec, Status, Step
from zennb.metadata.table import RecordTable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.jupyter.panels.pages.conftest import Board

HOSTILE = "<img src=x onerror=alert(1)>"
STUDY = (
    "base = 2\ndef scale(v): return v * base",
    "%%step load\nnumbers = list(range(10))\nprint('loaded', len(numbers))",
    "%%step total\ntotal = sum(scale(n) for n in numbers)\ntotal",
)


def record(number_of_runs: int, **fields: Any) -> None:
    """Put runs of one step each into the store, as other kernels would."""
    kinds = ("orchestrator", "artifact_store")
    parts = {kind: ComponentSpec(type=kind, name="default", flavor="local") for kind in kinds}
    made = Artifact(
        name="numbers", digest="d", blob="0" * 64, materializer="plain", size=1, type="builtins.int"
    )
    for number in range(number_of_runs):
        name = fields.get("stack", f"stack_{number % 2}")
        run = Run(
            stack=StackSpec(name=name, components=parts),
            notebook=fields.get("notebook", "other.ipynb"),
            status=Status.FAILED if number % 5 == 0 else Status.COMPLETED,
            started=1000.0 + number,
        )
        output = Artifact(
            name=f"x{number % 30}",
            digest=str(number),
            blob="0" * 64,
            materializer="plain",
            size=1,
            type="builtins.int",
        )
        step = Step(name="make", notebook=run.notebook, status=run.status, source=f"# {number}")
        made = (
            api.workspace()
            .metadata.add(
                Step(
                    name=step.name,
                    notebook=step.notebook,
                    status=step.status,
                    source=step.source,
                    inputs={"numbers": made},
                    outputs={output.name: output},
                ),
                run=run,
            )
            .inputs["numbers"]
        )


def test_bare_zennb_shows_the_one_dashboard_and_showing_and_walking_it_makes_nothing_new(
    board: Board,
) -> None:
    record(40)

    def walk() -> int:
        board.notebook.run("%zennb", "%zennb dashboard", "board = zennb.Dashboard()")
        for title in board.panel.pages.buttons:
            board.page(title)
        for listing in (board.panel.runs.rows, board.panel.artifacts.rows):
            listing.older.click()
            listing.newer.click()
        return len(ipywidgets_widget._instances)

    first = walk()
    assert {walk() for _ in range(5)} == {first}
    assert board.notebook.ns["board"] is board.panel
    text = board.notebook.run("%zennb")[-1].displays[0]["data"]["text/plain"]
    assert text.endswith("run `%zennb` for the panel itself.")


def test_runs_are_filtered_and_walked_page_by_page(board: Board) -> None:
    record(40)
    said = board.page("Runs")
    assert "runs: 1–15 of 40" in said
    runs = board.panel.runs
    assert [button.description for button in runs.rows.buttons][:2] == ["run 40", "run 39"]
    assert (runs.rows.newer.disabled, runs.rows.older.disabled) == (True, False)
    runs.rows.older.click()
    runs.rows.older.click()
    assert "runs: 31–40 of 40" in board.words
    assert (runs.rows.newer.disabled, runs.rows.older.disabled) == (False, True)
    runs.stack.choose("stack_1")
    runs.status.choose("failed")
    assert "failed runs on stack 'stack_1': all 4" in board.words
    assert set(runs.rows.keys) == {6, 16, 26, 36}
    runs.notebook.choose("other.ipynb")
    runs.span.choose("3600")
    assert "failed runs on stack 'stack_1' of 'other.ipynb', in the last hour: none" in board.words


def test_runs_and_artifacts_are_filtered_by_the_tags_that_there_are(board: Board) -> None:
    board.notebook.run(*STUDY, "%%step load\nnumbers = list(range(12))\nprint('loaded', len(numbers))")
    record(3)
    board.notebook.run("%runs tag 2 baseline data=2024", "%artifacts tag numbers --version 1 good")
    assert "baseline" in board.page("Runs")
    runs = board.panel.runs
    assert [key for _, key in runs.tag.widget.options] == ["", "baseline", "data=2024"]
    runs.tag.choose("data=2024")
    assert "runs tagged 'data=2024': one" in board.words
    assert runs.rows.keys == (2,)
    assert "artifacts: all" in board.page("Artifacts")
    board.panel.artifacts.tag.choose("good")
    assert "artifacts tagged 'good': one" in board.words
    board.press(board.panel.artifacts.rows, "numbers")
    assert "artifact numbers v1" in board.words, "the version that has the tag, which is not the latest"
    board.notebook.run("%artifacts note numbers --version 1 'without outliers'")
    board.panel.refresh()
    assert "without outliers" in board.words


def test_runs_are_filtered_by_what_they_logged(board: Board) -> None:
    board.notebook.run("import zennb\nrate = 1", "%%step fit\nzennb.log(accuracy=rate / 10)\nm = 1")
    board.notebook.run("%pipeline run -p rate=9", "%pipeline run -p rate=2")
    board.page("Runs")
    runs = board.panel.runs
    runs.where.value = "accuracy > 0.15 and rate < 5"
    assert "runs where accuracy > 0.15 and rate < 5: one" in board.words
    assert runs.rows.keys == (3,)
    runs.where.value = "accuracy more than 1"
    assert "is no condition; write the name of a metric" in board.panel.message.text
    runs.where.value = ""
    assert len(runs.rows.keys) == 3


def test_all_runs_of_a_stack_are_one_step_from_the_stack(board: Board) -> None:
    board.notebook.run(*STUDY)
    record(3)
    board.page("Stacks")
    board.notebook.run("%pipeline run")
    board.panel.stacks.all_runs.click()
    assert board.panel.pages.current == "Runs"
    assert "runs on stack 'default': all 2" in board.words
    assert "load, total" in board.words
    board.panel.runs.kind.choose("session")
    assert "runs of kind session on stack 'default': one" in board.words


def test_a_run_shows_its_graph_its_steps_and_of_a_step_all_that_is_known(board: Board) -> None:
    board.notebook.run(*STUDY, "%pipeline run --rerun")
    board.page("Runs")
    board.press(board.panel.runs.rows, "run 2")
    assert board.panel.pages.current == "Run"
    assert 'aria-label="✔ load → ✔ total; (✔ completed)"' in board.html
    board.press(board.panel.one_run.rows, "load")
    assert "print('loaded', len(numbers))" in board.words
    assert "asked for with --rerun" in board.words
    assert "loaded 10" not in board.words
    board.panel.one_run.output.click()
    assert "loaded 10" in board.words
    board.press(board.panel.one_run.rows, "total")
    assert "loaded 10" not in board.words
    assert "numbers 1 list" in board.words
    board.panel.one_run.field.value = "1"
    assert board.panel.one_run.number == 1
    board.panel.one_run.field.value = "99"
    assert "no run '99'" in board.panel.message.text


def test_a_failed_step_shows_its_error(board: Board) -> None:
    board.notebook.cell(f"%%step bad\nraise ValueError({HOSTILE!r})")
    said = board.page("Run")
    assert "✘ failed" in said
    assert f"ValueError: {HOSTILE}" in said
    assert "<img" not in board.html


def test_an_artifact_shows_versions_maker_uses_lineage_and_how_to_load_it(board: Board) -> None:
    board.notebook.run(*STUDY, "%%step load\nnumbers = list(range(12))\nprint('loaded', len(numbers))")
    board.page("Artifacts")
    board.panel.artifacts.text.value = "NUM"
    assert board.panel.artifacts.rows.keys == ("numbers",)
    board.press(board.panel.artifacts.rows, "numbers")
    assert "12 items type value 0 int 0 1 int 1" in board.words  # its preview
    one = board.panel.artifacts.one
    assert "artifact numbers v2" in board.words
    assert "numbers = zennb.load('numbers', version=2)" in board.words
    assert "used by no step" in board.words
    board.press(one.versions, "v1")
    assert "artifact numbers v1" in board.words
    assert "numbers v1 list" in board.words
    assert "total v1" in board.words, "what came of it is in its lineage"
    board.press(one.uses, "run 1")
    assert (board.panel.pages.current, board.panel.one_run.number) == ("Run", 1)
    board.page("Artifacts")
    one.maker.click()
    assert board.panel.one_run.number == 1
    board.page("Artifacts")
    board.panel.artifacts.back.click()
    assert "artifacts whose name has 'NUM': one" in board.words


def test_the_pipeline_says_what_is_stale_and_why(board: Board) -> None:
    board.notebook.run(*STUDY)
    assert "2 steps fresh" in board.page("Pipeline")
    board.notebook.run("def scale(v): return v * base + 1")
    board.panel.refresh()
    assert "1 step fresh, 1 step stale" in board.words
    board.press(board.panel.pipeline.rows, "total")
    assert "total stale: it would run function scale changed" in board.words


def test_two_runs_stand_side_by_side(board: Board) -> None:
    board.notebook.run(*STUDY, "%pipeline run", "base = 3", STUDY[2].replace("total = ", "total = 1 + "))
    board.notebook.run("%pipeline run")
    board.page("Run")
    board.panel.one_run.before.click()
    assert board.panel.pages.current == "Compare"
    assert (board.panel.compare.old.value, board.panel.compare.new.value) == ("2", "3")
    assert "its code changed" in board.words
    assert "total result total v1 90 v2 136" in board.words
    assert "+total = 1 + sum(" in board.words
    board.panel.compare.old.value = "77"
    board.panel.compare.start.click()
    assert "no run '77'" in board.panel.message.text


def test_names_are_shown_literally_on_every_page(board: Board) -> None:
    board.notebook.run(f"%stack copy default '{HOSTILE}'", f"%stack set '{HOSTILE}'")
    board.notebook.run(f"%%step '{HOSTILE}'\nx = {HOSTILE!r}\nprint(x)\nx")
    board.notebook.run(f"%%step '{HOSTILE}'\nx = {HOSTILE + '2'!r}\nprint(x)\nx", "%pipeline run")
    pages = [board.page(title) and board.html for title in board.panel.pages.buttons]
    board.page("Run")
    board.panel.one_run.output.click()
    pages.append(board.html)
    board.panel.one_run.before.click()
    pages.append(board.html)
    board.panel.artifacts.open("x")
    board.page("Artifacts")
    pages.append(board.html)
    pages += [board.panel.html]
    named = [page for page in pages if HOSTILE in unescape(page)]
    assert len(named) >= 7
    assert not any("<img src=x" in page for page in pages)


@pytest.fixture
def sealed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody may look at the bytes of an artifact."""

    def refuse(*_args: object) -> None:
        raise AssertionError("the bytes of an artifact were looked at")

    for method in ("get", "has", "digests"):
        monkeypatch.setattr(LocalArtifactStore, method, refuse)


def visit(board: Board) -> None:
    for title in board.panel.pages.buttons:
        board.page(title)
    board.panel.artifacts.open("numbers")
    board.page("Artifacts")
    board.panel.artifacts.close()
    board.panel.open_run(2)
    board.panel.one_run.before.click()
    assert board.panel.text


def test_looking_at_every_page_touches_no_bytes(board: Board, sealed: None) -> None:
    record(40)
    visit(board)
    assert board.panel.message.text == ""


def test_every_page_costs_as_many_reads_on_a_store_seven_times_as_full(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    decode = RecordTable.fields

    def counting(table: RecordTable, row: Any) -> dict[str, Any]:
        read.append(table.query)
        return decode(table, row)

    monkeypatch.setattr(RecordTable, "fields", counting)
    statements: list[str] = []
    database = api.workspace().metadata._database
    database._reader.set_trace_callback(statements.append)  # the main thread reads by itself
    costs = []
    for more in (150, 900):
        record(more)
        read.clear()
        statements.clear()
        visit(board)
        costs.append((len(statements), len(read)))
    database._reader.set_trace_callback(None)
    (few, decoded), (many, decoded_later) = costs
    assert 0 < many <= few * 1.05
    assert decoded_later <= decoded * 1.05


@pytest.fixture(autouse=True)
def quiet(board: Board) -> Iterator[None]:
    yield
    assert "went wrong" not in board.panel.message.text


def test_the_pipeline_draws_files_and_says_what_the_notebook_holds_now(board: Board) -> None:
    write = "%%step write\n_ = Path('f.txt').write_text(word)"
    read = "%%step read\ntext = [Path('f.txt').read_text()]"
    board.notebook.run("from pathlib import Path\nword = 'one'", write, read, "text.append('more')")
    board.page("Pipeline")
    assert "2 steps fresh" in board.words
    assert 'aria-label="✔ write ⇢ f.txt ⇢ ✔ read; (✔ fresh  ⇢ by a file)"' in board.html
    assert "text was changed by a plain cell" in board.words
    board.notebook.run("word = 'two'")
    board.panel.refresh()
    assert "1 step stale, 1 step may run" in board.words
    board.press(board.panel.pipeline.rows, "read")
    assert "read may run: it runs if a step before it makes something else" in board.words


def test_all_of_a_long_text_is_searched(board: Board) -> None:
    board.notebook.run("%%step log\nlog = 'start\\n' * 900 + 'the END'\nnumber = 3")
    board.page("Artifacts")
    board.panel.artifacts.open("log")
    search = board.panel.artifacts.one.search
    search.find.value = "end"
    assert "1 place in 1 line" in board.words
    assert "901 the END" in board.words
    assert "901  the END" in board.panel.text
    board.panel.artifacts.open("number")
    assert "901" not in board.words
    assert "zennb-none" in search.widget._dom_classes
