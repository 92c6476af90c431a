"""Under `--json` every verb and every failure is one JSON object; the tree is walked, so that none is forgotten."""

from __future__ import annotations

import importlib
import io
import json
import os
import re
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.commands.words import WORDS
from tests.keyrings import install_keyring
from tests.read_only import read_only
from zennb import api, errors
from zennb.commands.catalogue import tree
from zennb.commands.interface import Interface
from zennb.commands.json_envelope import MOST_ITEMS, MOST_KNOWN, MOST_TEXT
from zennb.commands.syntax import paths
from zennb.core.planning.run_plan import Edge, PlannedStep, RunPlan
from zennb.core.records.check_findings import Check
from zennb.core.records.component_types import COMPONENT_TYPES
from zennb.core.records.metrics import Metric
from zennb.core.records.models import Deployment
from zennb.core.records.records import Run, Status, Step
from zennb.errors import UnknownName, ZennbError
from zennb.headless.execute import CellFailure, Execution
from zennb.jupyter.kernel.status_data import facts
from zennb.lifecycle import deployments as lifecycle_deployments
from zennb.registry.workspace import Workspace
from zennb.views.view import View

if TYPE_CHECKING:
    from collections.abc import Iterator

Commands = Any
Record = Any

TERMINAL, MAGIC = Interface.TERMINAL, Interface.MAGIC
_LIKE = {each: words for each, words in WORDS.items() if each.startswith("orchestrator")}
_LIKE["orchestrator describe"] = "spare"
OPTIONAL = [each.command for each in COMPONENT_TYPES[2:] if tree().part(each.command, TERMINAL)]
WORDS |= {each.replace("orchestrator", noun): words for noun in OPTIONAL for each, words in _LIKE.items()}

VERBS = sorted(
    {(" ".join(path[1:]), interface) for interface in Interface for path, _ in paths(tree(), interface)}
)


@dataclass
class FakeSession:
    """A kernel's session as the commands see it."""

    autostep: bool = False
    notebook: str = "study.ipynb"
    said: list[str] = field(default_factory=list)

    def step_names(self) -> list[str]:
        return ["train"]

    def plan(self) -> RunPlan:
        steps = (PlannedStep(name="load"), PlannedStep(name="train", reason="first run"))
        return RunPlan(steps=steps, edges=(Edge(start="load", end="train", names=("rows",)),))

    def latest(self) -> dict[str, Step]:
        return {}

    def forget(self, step: str) -> None:
        self.said.append(step)

    def run_pipeline(self, **_asked: object) -> Run:
        return Run(stack=self.stack, status=Status.COMPLETED)

    def explain(self, step: str) -> list[str]:
        return [f"{step} is new"]

    def forget_records(self) -> None:
        """Nothing is known of any."""

    def annotate(self, name: str, **_asked: object) -> View:
        return self.panel(name)

    def panel(self, kind: str) -> View:
        return View(f"the {kind}", "")

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)


class FakeDeployer:
    """A deployer with one deployment, which nothing serves."""

    name = flavor = "fake"
    predictions = "/predict"

    def deployments(self, *_asked: object) -> list[Deployment]:
        known: dict[str, Any] = {
            "model": "numbers",
            "version": 1,
            "artifact": "rows v1",
            "deployer": "fake",
            "flavor": "fake",
        }
        where: dict[str, Any] = {"url": "http://127.0.0.1:1", "host": "127.0.0.1", "port": 1}
        return [Deployment(name="served", state="running", **known, **where)]

    def deploy(self, *_asked: object, **_more: object) -> Deployment:
        return self.deployments()[0]

    start = stop = delete = deploy

    def logs(self, _name: str) -> str:
        return "a line"

    token = logs


@pytest.fixture
def ready(
    command: Commands, workspace: Workspace, record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Commands:
    """Commands on a workspace that holds something for every verb, with notebooks that are not really run."""
    record("train", {"rows": [1, 2]}, metrics={"accuracy": Metric(last=0.5, points=((0, 0.5),))})
    for words in (
        "stack copy default other",
        "stack export other other.json",
        "orchestrator register spare --flavor=local",
        *(f"{noun} register spare --flavor=local" for noun in OPTIONAL),
        "artifact-store register spare --flavor=local",
        "model register numbers --from rows --alias best",
    ):
        command(*words.split())
    cell = {"cell_type": "code", "source": "%%step train\nrows = [1]", "metadata": {}, "outputs": []}
    (tmp_path / "study.ipynb").write_text(json.dumps({"nbformat": 4, "nbformat_minor": 4, "cells": [cell]}))
    done = Execution(
        path=Path("study.ipynb"), out=None, status=Status.COMPLETED, seconds=1.0, cells=1, total=1
    )
    monkeypatch.setattr(importlib.import_module("zennb.headless.execute"), "execute", lambda *_, **__: done)
    checked = Check(name="study.ipynb", cells=(), notes=(), seconds=1.0)
    monkeypatch.setattr(importlib.import_module("zennb.headless.check"), "check", lambda *_, **__: checked)
    fake = FakeDeployer()
    monkeypatch.setattr(lifecycle_deployments, "_deployers", lambda _workspace: [fake])
    monkeypatch.setattr(lifecycle_deployments, "_deployer_for", lambda _workspace, _name: (fake, None))
    keyring = install_keyring(monkeypatch)
    keyring.set_password("zennb", ".names", '["SLACK_URL"]')
    monkeypatch.setattr("getpass.getpass", lambda _prompt: "typed")
    monkeypatch.setattr("sys.stdin", io.StringIO("typed\n"))
    session = FakeSession()
    session.__dict__["stack"] = workspace.snapshot()
    return type(command)(workspace, session=session)


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    """Close what `reopen` opens for the whole process."""
    yield
    api.close()


def words_for(verb: str, interface: Interface) -> list[str]:
    words = f"{verb} {WORDS[verb]}".split()
    return [word for word in words if word != "study.ipynb"] if interface is MAGIC else words


def parsed(outcome: Any) -> dict[str, Any]:
    found = json.loads(outcome.view.text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert isinstance(found, dict)
    assert found["schema"] == 1
    return found


def test_every_verb_has_words_here() -> None:
    assert {verb for verb, _ in VERBS} == WORDS.keys()


@pytest.mark.parametrize(("verb", "interface"), VERBS)
def test_every_verb_answers_with_one_object(verb: str, interface: Interface, ready: Commands) -> None:
    outcome = ready(*words_for(verb, interface), "--json", interface=interface)
    found = parsed(outcome)
    assert (set(found), found["command"]) == ({"schema", "command", "data", "cut"}, verb)
    assert found["data"] is not None
    assert (outcome.code, outcome.raised, outcome.view.html.count("<pre")) == (0, None, 1)
    assert ready.said == []


@pytest.mark.parametrize(("verb", "interface"), VERBS)
def test_every_mistake_is_one_object_with_the_exit_code(
    verb: str, interface: Interface, ready: Commands
) -> None:
    words = ["help", "nothing"] if verb == "help" else [*words_for(verb, interface), "--nope"]
    outcome = ready(*words, "--json", interface=interface)
    found = parsed(outcome)
    assert (set(found), found["command"]) == ({"schema", "command", "error", "cut"}, verb)
    assert found["error"].keys() == {"type", "message", "exit_code", "details"}
    code = 1 if "Configuration" in found["error"]["type"] else 2
    assert outcome.code == found["error"]["exit_code"] == code
    assert found["error"]["type"] == type(outcome.raised).__name__
    assert "nope" in found["error"]["message"] or verb == "help"


@pytest.mark.skipif(os.name != "posix", reason="rights are those of POSIX")
def test_in_a_read_only_home_every_verb_answers_or_says_in_one_sentence_why_not(ready: Commands) -> None:
    def answers() -> dict[tuple[str, Interface], BaseException | None]:
        with closing(Workspace(ready.workspace.home)) as workspace:
            answer = type(ready)(workspace, session=ready.session)
            return {(v, i): answer(*words_for(v, i), "--json", interface=i).raised for v, i in VERBS}

    ready.workspace.close()
    with read_only(ready.workspace.home) as where:
        raised = where(answers)
    assert [each for each in raised.items() if not isinstance(each[1], ZennbError | None)] == []
    assert {raised[f"artifacts {verb}", TERMINAL] for verb in ("usage", "prune", "forget")} == {None}
    assert "is read-only here" in str(raised["stack copy", TERMINAL])


@pytest.mark.parametrize(
    ("words", "named", "kind", "code"),
    [
        ("nothing", "", "UsageError", 2),
        ("runs lst", "runs", "UsageError", 2),
        ("stack set nothing", "stack set", "UnknownName", 1),
        ("stack delete default", "stack delete", "InUse", 1),
        ("runs show 99", "runs show", "UnknownName", 1),
        ("runs list --limit few", "runs list", "UsageError", 2),
        ("runs list --limit", "runs list", "UsageError", 2),
        ("artifacts", "artifacts list", None, 0),
        ("run gone.ipynb --stack nothing", "run", "UnknownName", 1),
        ("pipeline status gone.ipynb", "pipeline status", "UnknownName", 1),
        ("stack import gone.json", "stack import", "UsageError", 2),
    ],
)
def test_failures_name_the_command_and_their_class(
    words: str, named: str, kind: str | None, code: int, ready: Commands
) -> None:
    outcome = ready(*words.split(), "--json", interface=TERMINAL)
    found = parsed(outcome)
    assert (found["command"], found.get("error", {}).get("type"), outcome.code) == (named, kind, code)


def test_an_error_carries_its_parts_and_speaks_the_words_of_the_terminal(ready: Commands) -> None:
    error = parsed(ready("stack", "set", "defualt", "--json", interface=TERMINAL))["error"]
    assert error["details"] == {
        "kind": "stack",
        "name": "defualt",
        "known": ["default", "other"],
        "nearest": "default",
    }
    assert error["message"].endswith("List them with `zennb stack list`.")


def test_what_is_no_error_of_ours_is_told_too(ready: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(importlib.import_module("zennb.metadata.store").MetadataStore, "runs", broken)
    outcome = ready("runs", "list", "--json")
    assert parsed(outcome)["error"]["type"] == "ZeroDivisionError"
    assert isinstance(outcome.raised, ZeroDivisionError)
    monkeypatch.setattr(ready.workspace.registry, "stacks", lambda: (_ for _ in ()).throw(KeyboardInterrupt))
    outcome = ready("stack", "list", "--json")
    assert (parsed(outcome)["error"]["message"], outcome.code) == ("interrupted", 130)


def test_a_run_that_failed_has_its_data_and_the_error(
    ready: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    failure = CellFailure(
        number=2, id="b", step="train", type="ValueError", message="no rows\nat all", traceback="the frames"
    )
    path, ended = Path("study.ipynb"), Status.FAILED
    failed = Execution(path=path, out=None, status=ended, seconds=1.0, cells=2, total=3, failures=(failure,))
    monkeypatch.setattr(importlib.import_module("zennb.headless.execute"), "execute", lambda *_, **__: failed)
    outcome = ready("run", "study.ipynb", "--json", interface=TERMINAL)
    found = parsed(outcome)
    assert (outcome.code, found["data"]["status"], found["data"]["cells"]) == (1, "failed", 2)
    assert found["error"]["type"] == "RunFailed"
    assert found["error"]["message"] == "study.ipynb: cell [2] (step `train`) failed: ValueError: no rows"
    assert found["error"]["details"]["traceback"] == "the frames"


def test_what_stands_after_two_dashes_is_no_option(ready: Commands) -> None:
    with pytest.raises(UnknownName, match="no stack '--json'"):
        ready("stack", "describe", "--", "--json")


def test_a_list_says_that_there_is_more(ready: Commands, record: Record) -> None:
    for value in range(4):
        record("train", {"rows": value})
    for words, option in (("runs list", "--limit"), ("artifacts history rows", "--limit")):
        found = parsed(ready(*words.split(), "--limit", "2", "--json"))
        assert len(found["data"]) == 2
        assert found["cut"] == [{"path": "data", "kept": 2, "of": None, "option": option}]
        assert parsed(ready(*words.split(), "--limit", "5", "--json"))["cut"] == []


def test_long_texts_and_collections_are_cut_and_said_to_be(ready: Commands, record: Record) -> None:
    source = "a" * MOST_TEXT + "b" * MOST_TEXT
    record("long", {"x": 1}, source=source, defines=tuple(f"f{at}" for at in range(MOST_ITEMS + 5)))
    found = parsed(ready("runs", "show", "2", "--json"))
    (step,) = found["data"]["steps"]
    assert step["source"].startswith("aaa")
    assert step["source"].endswith("bbb")
    assert f"... {MOST_TEXT:,} characters left out ..." in step["source"]
    assert len(step["defines"]) == MOST_ITEMS
    assert {(cut["path"], cut["kept"], cut["of"]) for cut in found["cut"]} == {
        ("data.steps[0].source", MOST_TEXT, 2 * MOST_TEXT),
        ("data.steps[0].defines", MOST_ITEMS, MOST_ITEMS + 5),
    }


@pytest.mark.parametrize("place", [MOST_TEXT // 2 - 10, 3 * MOST_TEXT + MOST_TEXT // 2 - 20])
def test_a_secret_that_a_cut_divides_is_masked(ready: Commands, record: Record, place: int) -> None:
    text = "a " * (2 * MOST_TEXT)
    record("long", {"x": 1}, source=f"{text[:place]} ghp_{'Q7' * 18} {text[place:]}"[: 4 * MOST_TEXT])
    found = parsed(ready("runs", "show", "2", "--json"))
    (step,) = found["data"]["steps"]
    assert "characters left out" in step["source"]
    assert "Q7" not in step["source"]


def test_an_error_names_some_of_the_known_names_only(ready: Commands, record: Record) -> None:
    record("many", {f"x{at}": at for at in range(MOST_KNOWN + 10)})
    found = parsed(ready("artifacts", "show", "zzz", "--json"))
    assert len(found["error"]["details"]["known"]) == MOST_KNOWN
    assert found["cut"][0]["path"] == "error.details.known"


@pytest.fixture
def chain(record: Record) -> int:
    """Record fifty steps, each of which reads what the one before made."""
    inputs: dict[str, Any] = {}
    for at in range(50):
        made = record(f"step_{at}", {f"x{at}": [at]}, inputs=inputs).outputs[f"x{at}"]
        inputs = {f"x{at}": made}
    return 50


def test_a_lineage_of_fifty_steps_is_a_few_kilobytes_and_says_what_was_cut(
    command: Commands, chain: int
) -> None:
    outcome = command("artifacts", "lineage", "x49", "--json")
    found = parsed(outcome)
    assert len(outcome.view.text) < 8_000
    assert len(found["data"]["producers"]) == 10
    assert found["cut"] == [{"path": "data.producers", "kept": 10, "of": None, "option": "--depth"}]
    made = found["data"]["producers"]["x49 v1"]
    assert (made["name"], made["inputs"]) == ("step_49", {"x48": {"name": "x48", "version": 1}})


def test_the_depth_of_a_lineage_can_be_chosen(command: Commands, chain: int) -> None:
    whole = parsed(command("artifacts", "lineage", "x49", "--depth", "60", "--json"))
    assert (len(whole["data"]["producers"]), whole["cut"]) == (chain, [])
    near = parsed(command("artifacts", "lineage", "x25", "--depth", "2", "--json"))
    assert sorted(near["data"]["producers"]) == ["x24 v1", "x25 v1"]
    assert sorted(near["data"]["consumers"]) == ["x25 v1", "x26 v1"]
    assert [cut["path"] for cut in near["cut"]] == ["data.producers", "data.consumers"]
    assert "further away than 2 are left out" in command.text("artifacts", "lineage", "x25", "--depth", "2")
    assert "left out" not in command.text("artifacts", "lineage", "x2", "--depth", "60")


DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "json.md"
EXAMPLES = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.get("command", "a status line"))
def test_the_examples_in_the_document_have_the_fields_of_real_answers(
    example: dict[str, Any], ready: Commands
) -> None:
    assert example["schema"] == 1
    if "command" not in example:
        made = Step(name="train", status=Status.COMPLETED)
        assert example.keys() - {"schema"} == facts(replace(made, status=Status.CACHED, original=made)).keys()
        return
    real = parsed(ready(*words_for(example["command"], TERMINAL), "--json", interface=TERMINAL))
    if "data" in example:
        assert fields(example["data"]) == fields(real["data"])
    if "error" in example:
        assert set(example["error"]) == {"type", "message", "exit_code", "details"}
        assert issubclass(getattr(errors, example["error"]["type"]), errors.ZennbError)


def fields(data: Any) -> set[str]:
    return set(data[0] if isinstance(data, list) else data)


def test_the_document_says_of_every_verb_what_its_data_is() -> None:
    table = DOCUMENT.read_text().partition("## What `data` holds")[2].partition("###")[0]
    described: set[str] = set()
    for line in table.splitlines():
        words = re.findall(r"`([a-z -]+)`", line.split("|")[1]) if "`" in line else []
        for word in words:  # `stack set`, or only `set` where the words before say of what
            described |= {word, f"{words[0].partition(' ')[0]} {word}"}
    known = {verb for verb, _ in VERBS if not verb.startswith(("artifact-s", *OPTIONAL))}
    assert known - described == set()
