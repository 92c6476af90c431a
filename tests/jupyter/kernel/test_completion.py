"""Tab completion of our magics in a real shell, beside what IPython completes itself."""

from __future__ import annotations

from threading import current_thread
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

import pytest
from IPython.core.completer import provisionalcompleter

from zennb import api
from zennb.commands.catalogue import MAGICS
from zennb.errors import StoreBusy
from zennb.jupyter.kernel.completion import Completion
from zennb.jupyter.kernel.extension import unload

if TYPE_CHECKING:
    from collections.abc import Callable

Notebook = Any


@pytest.fixture(params=[True, False], ids=["with jedi", "without jedi"])
def complete(notebook: Notebook, request: pytest.FixtureRequest) -> Callable[[str], list[str]]:
    """Return what tab offers at the end of a text."""
    notebook.shell.Completer.use_jedi = request.param

    def at_the_end(text: str) -> list[str]:
        if (hooks := notebook.shell.zennb_hooks) is not None:
            hooks.completion.settle()
        with provisionalcompleter():
            return [found.text for found in notebook.shell.Completer.completions(text, len(text))]

    return at_the_end


Complete = Any


def test_verbs_options_and_names_are_offered_and_nothing_else(notebook: Notebook, complete: Complete) -> None:
    notebook.run("%stack copy default my_stack", "%%step load\nrows = [1]")
    assert complete("%stack se") == ["set"]
    assert complete("%stack set ") == ["default", "my_stack"]
    assert complete("%stack register x --orch") == ["--orchestrator"]
    assert complete("%artifact-store register x --flavor=me") == ["--flavor=memory"]
    assert complete("%artifact_store register x -f ") == ["local", "memory", "fsspec", "s3", "gcs", "azure"]
    assert complete("%pipeline explain ") == ["load"]
    assert complete("taken = %artifacts load ro") == ["rows"]
    assert complete("x = 1\n%runs show ") == ["1"]
    assert complete("%zennb artifacts load ") == ["rows"]
    assert complete("%zennb ru") == ["runs"]


def test_the_line_of_a_step_is_completed(notebook: Notebook, complete: Complete) -> None:
    notebook.run("%%step load\nrows = [1]")
    assert complete("%%step train --re") == ["--rerun", "--retries"]
    assert complete("%%step train --after ") == ["load"]
    assert complete("%%step lo") == ["load"]
    assert complete("%%step train --stack=d") == ["--stack=default"]


def test_the_words_replace_what_was_typed_and_no_more(notebook: Notebook) -> None:
    notebook.shell.zennb_hooks.completion.settle()
    text = "%artifact-store register x --flavor=lo"
    with provisionalcompleter():
        (found,) = notebook.shell.Completer.completions(text, len(text))
    assert text[: found.start] + found.text + text[found.end :] == "%artifact-store register x --flavor=local"


def test_the_names_of_the_magics_are_offered(complete: Complete) -> None:
    assert "%artifact-store" in complete("%art")
    assert complete("%artifact-st") == ["%artifact-store"]


OTHERS = (
    "os.pa",
    "import os; os.pa",
    "words['al",
    "pri",
    "%timei",
    "%time enum",
    "%%time\nenum",
    "x = 1\nenumer",
    "stack set pri",
    "x %stack se",
    "'%stack se",
    "%cd /us",
)


@pytest.mark.parametrize("text", OTHERS)
def test_other_completions_are_not_disturbed(notebook: Notebook, complete: Complete, text: str) -> None:
    notebook.run("import os", "words = {'alpha': 1}")
    ours = [word for word in complete(text) if word.lstrip("%") not in MAGICS]  # IPython offers every magic
    unload(notebook.shell)
    assert ours == complete(text)
    notebook.start()


def test_attributes_are_completed_as_ever(notebook: Notebook, complete: Complete) -> None:
    notebook.run("import os")
    assert {found.lstrip(".") for found in complete("os.pa")} >= {"path", "pardir"}
    assert {found.lstrip(".") for found in complete("import os; os.pa")} >= {"path", "pardir"}
    assert complete("%%step a\nwords = prin") == complete("words = prin")


def test_both_ways_of_asking_ipython_agree(notebook: Notebook) -> None:
    with pytest.warns(PendingDeprecationWarning):
        assert notebook.shell.complete("", "%stack se", 9)[1] == ["set"]


def test_completing_does_no_input_or_output(
    notebook: Notebook, complete: Complete, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook.run("%stack list")

    def refuse(*_: object, **__: object) -> Any:
        raise AssertionError("completion asked the store")

    notebook.shell.zennb_hooks.completion.settle()
    with monkeypatch.context() as patch:
        patch.setattr(type(api.workspace().metadata._database), "read", refuse)
        assert complete("%stack set ") == ["default"]
        assert complete("%artifacts load ") is not None


def test_names_follow_commands_also_failed_ones(notebook: Notebook, complete: Complete) -> None:
    assert complete("%stack set ") == ["default"]
    ran = notebook.cell("%stack copy default other\n%stack set nothing")
    assert ran.error is not None
    assert complete("%stack set ") == ["default", "other"]


def test_names_follow_a_moment_after_a_cell_and_no_cell_waits_for_them(notebook: Notebook) -> None:
    names = notebook.shell.zennb_hooks.completion.names
    asked: list[str] = []
    take = notebook.shell.zennb_hooks.completion._take

    def taken(workspace: object) -> None:
        asked.append(current_thread().name)
        take(workspace)

    notebook.shell.zennb_hooks.completion._take = taken
    notebook.run("%%step load\nrows = [1]", "%%step more\nothers = [2]")
    deadline = monotonic() + 20
    while "others" not in names.of("artifact") and monotonic() < deadline:
        sleep(0.01)
    assert {"rows", "others"} <= set(names.of("artifact"))
    assert current_thread().name not in asked


def test_a_busy_store_leaves_the_old_names(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    completion = Completion(notebook.shell, None)
    completion.settle()

    def busy(*_: object, **__: object) -> Any:
        raise StoreBusy("somebody else writes")

    monkeypatch.setattr(api.workspace().metadata, "stacks", busy)
    completion.refresh()
    assert completion.names.of("stack") == ("default",)
    completion.remove()


def test_unloading_takes_the_matcher_away(notebook: Notebook, complete: Complete) -> None:
    before = complete("%stack se")
    unload(notebook.shell)
    assert before == ["set"]
    assert complete("%stack se") != ["set"]
    assert notebook.shell.Completer.custom_matchers == []
    notebook.start()


def test_inputs_and_outputs_are_variables(notebook: Notebook, complete: Complete) -> None:
    notebook.run("import json\nrows = [1]\ntable = 2\n_hidden = 3")
    assert complete("%%step train -i ") == ["rows", "table"]
    assert complete("%%step train --input=ro") == ["--input=rows"]
    assert complete("%%step train -i rows,") == ["rows,table"]
    assert complete("%%step train --map ta") == ["table"]
    assert complete("#| step: train -i ta") == ["table"]
    assert complete("%%step train -o ro") == ["rows"]


def test_outputs_are_first_what_the_cell_binds(notebook: Notebook) -> None:
    notebook.run("rows = [1]")
    with provisionalcompleter():
        text = "%%step train -o \nmodel, score = 1, 2\n_half = 3\nif model == 1:\n    best: int = 2"
        found = notebook.shell.Completer.completions(text, len("%%step train -o "))
        assert [each.text for each in found] == ["model", "score", "best", "rows"]


def test_options_of_a_flavor_are_offered_behind_it(notebook: Notebook, complete: Complete) -> None:
    assert complete("%orchestrator register pool --flavor=threads --") == ["--json", "--workers"]
    assert complete("%orchestrator register pool --flavor threads --w") == ["--workers"]
    assert complete("%orchestrator register pool -f threads --workers=2 --w") == []
    assert "--path" in complete("%artifact-store register s --flavor=local --")
    assert complete("%orchestrator register pool --") == ["--flavor", "--json"]
