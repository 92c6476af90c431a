"""Every view, with everything a user can name set to something hostile."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import unicodedata
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

import zennb.views
from tests.views.safe_html import check_html
from zennb.core.records.check_findings import Check, CheckedCell
from zennb.core.records.component_types import ComponentType
from zennb.core.records.findings import Finding
from zennb.core.records.log import RunLog, StepLog
from zennb.core.records.metrics import Metric
from zennb.core.records.pages import ArtifactFilter, Page, RunFilter, Use
from zennb.core.records.records import (
    ComponentSpec,
    StackSpec,
    Status,
)
from zennb.views import space
from zennb.views.artifact import artifact, artifacts, history, loading, uses
from zennb.views.attempts import attempts
from zennb.views.background import ended, started, step_line
from zennb.views.captured import captured
from zennb.views.check import check
from zennb.views.checks import last_checks
from zennb.views.comparison import compare, compare_many
from zennb.views.component import Flavor, OptionHelp, component, components, flavors
from zennb.views.component_type import component_types
from zennb.views.deployment import deployment, deployments
from zennb.views.estimator import estimator
from zennb.views.examination import examination_view
from zennb.views.found_text import found_text
from zennb.views.graphs.graph import Node, graph
from zennb.views.graphs.run_graph import flow
from zennb.views.lineage import lineage
from zennb.views.listing_caption import artifacts_caption, runs_caption
from zennb.views.log import log
from zennb.views.messages import delivered, waiting
from zennb.views.metrics import (
    curves,
    metrics,
    metrics_side_by_side,
    parameters_side_by_side,
    runs_with_metrics,
)
from zennb.views.metrics import history as metric_history
from zennb.views.metrics import live as live_curves
from zennb.views.model import model_version, model_versions, models
from zennb.views.page import page
from zennb.views.pipeline import live, pipeline, plan_graph, plan_table, progress
from zennb.views.preview import preview
from zennb.views.rows import beside
from zennb.views.run import run, runs, steps
from zennb.views.shared_runs import shared_runs
from zennb.views.stack import stack, stacks
from zennb.views.step import explain, running_line, started_line, status_line, step
from zennb.views.table import Column, Table, card
from zennb.views.timeline import timeline
from zennb.views.view import Shown, View, join, note

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
from tests.views.named import (
    artifact_named,
    deployment_named,
    events_named,
    every_state_named,
    logging_named,
    model_named,
    plan_named,
    pruned_named,
    run_named,
    shared_named,
    stack_named,
    step_named,
    usage_named,
)

HOSTILE = {
    "image": "<img src=x onerror=alert(1)>",
    "quote": '"><script>alert(1)</script>',
    "apostrophe": "' onmouseover='alert(1)",
    "entity": "&amp;&lt;b&gt;",
    "comment": "--><!-- ]]>",
    "backticks": "`<b>x</b>` and `",
    "tag end": "</td></table></details></pre></div><h1>",
    "address": "javascript:alert(1)",
    "right to left": "نموذج",
    "override": "a\u202egnp.exe\u2066\u200f",
    "lines": "one\ntwo\r\nthree\u2028four\x85five",
    "terminal": "\x1b[31mred\x07\x00\x9b2J",
    "surrogate": "a\ud800b\ufffe",
    "wide": "データ🎉é",
    "long": "x" * 500 + " " + "y" * 500,
    "blank": "   ",
    "empty": "",
}


KINDS = ("scalar", "text", "array", "frame", "picture", "mapping", "sequence", "object", "unheard of")

VIEWS: Mapping[str, Callable[[str], Shown]] = {
    "artifact.artifact": lambda n: artifact(
        artifact_named(n, 1), producer=step_named(n), consumers=[step_named(n)]
    ),
    "artifact.artifacts": lambda n: artifacts([artifact_named(n, 1)], producers={1: step_named(n)}),
    "artifact.history": lambda n: history([artifact_named(n, 1)], producers={1: step_named(n)}),
    "artifact.loading": lambda n: loading(artifact_named(n, 1)),
    "artifact.uses": lambda n: uses(
        [Use(step=1, name=n, status=Status.CACHED, run=1, stack=n, notebook=n, started=1.0)]
    ),
    "attempts.attempts": lambda n: attempts([step_named(n)]),
    "background.ended": lambda n: ended(run_named(n), [n], remarks=[n]),
    "background.started": lambda n: started(run_named(n), [n]),
    "background.step_line": lambda n: step_line(
        {
            "step": n,
            "status": "failed",
            "reason": n,
            "seconds": 1.0,
            "outputs": [n],
            "failure": [n, n, n],
        }
    ),
    "captured.captured": lambda n: captured(events_named(n)),
    "check.check": lambda n: check(
        Check(
            name=n,
            cells=(
                CheckedCell(
                    number=1,
                    code=n,
                    cold=False,
                    reused=False,
                    reason=n,
                    cold_difference=n,
                    reused_difference=n,
                ),
                CheckedCell(number=2, code=n, stays=n),
            ),
            notes=(n,),
        )
    ),
    "comparison.compare": lambda n: compare(
        run_named(n), [step_named(n)], run_named(n, 2), [step_named(n, number=2), step_named(n + "2")]
    ),
    "comparison.compare_many": lambda n: compare_many(
        [(run_named(n), [logging_named(n)]), (run_named(n, 2), [logging_named(n)])]
    ),
    "deployment.deployment": lambda n: deployment(deployment_named(n), command=n, sentence=n),
    "deployment.deployments": lambda n: deployments([deployment_named(n)]),
    "metrics.curves": lambda n: curves(n, [(run_named(n), [logging_named(n)])]),
    "metrics.history": lambda n: metric_history("loss", [logging_named(n)], by=n),
    "metrics.live": lambda n: live_curves({n: logging_named(n).metrics}),
    "metrics.runs_with_metrics": lambda n: runs_with_metrics([(run_named(n), [logging_named(n)])]),
    "checks.last_checks": lambda n: last_checks(
        [
            replace(
                step_named(n, Status.FAILED),
                metrics={f"check/{n}/{word}": Metric(last=1.0) for word in ("passed", "failed")},
            )
        ]
    ),
    "messages.delivered": lambda n: delivered([SimpleNamespace(type=n, component=n, what=n, sent=1.0)]),
    "messages.waiting": lambda n: waiting(
        [SimpleNamespace(type=n, component=n, payload={"title": n}, created=1.0, attempts=1, problem=n)]
    ),
    "metrics.metrics": lambda n: metrics([logging_named(n)]),
    "metrics.metrics_side_by_side": lambda n: metrics_side_by_side([(run_named(n), [logging_named(n)])]),
    "metrics.parameters_side_by_side": lambda n: parameters_side_by_side([(run_named(n), [])]),
    "model.model_version": lambda n: model_version(model_named(n), artifact_named(n, 1), [n]),
    "model.model_versions": lambda n: model_versions([model_named(n)]),
    "model.models": lambda n: models([model_named(n)], {(n, 1): n}),
    "component.component": lambda n: component(
        ComponentSpec(type=n, name=n, flavor=n, config={n: n}),
        description=n,
        choices=[OptionHelp(name=n, kind=n, default=n, help=n)],
        used_by=[n],
        reach=n,
    ),
    "component.components": lambda n: components(list(stack_named(n).components.values()), active=[]),
    "component_type.component_types": lambda name: component_types(
        [ComponentType(name=name, purpose=name)], {name: [Flavor(type=name, name=name, needs=name)]}
    ),
    "component.flavors": lambda n: flavors([Flavor(type=n, name=n, description=n, needs=n)]),
    "table.card": lambda n: card(n, n, [(n, n)], state=Status.CACHED),
    "view.note": note,
    "run_graph.flow": lambda n: flow(
        [step_named(n), step_named(n + "2")], order=[n, n + "3"], edges=[(n, n + "3")]
    ),
    "examination.examination_view": lambda n: examination_view(
        n,
        exists=True,
        findings=[Finding(kind="damaged", path=n, what=n)],
        records={"runs": 1},
        stores=[(n, 1, 2)],
        backups=1,
        done=[n],
    ),
    "graph.graph": lambda n: graph(
        [
            Node(id="a", label=n, state=n),
            Node(id="b", label=n, note=n, shape="artifact"),
            Node(id="c", label=n, shape="file"),
        ],
        [("a", "b"), ("b", "c")],
    ),
    "lineage.lineage": lambda n: lineage(
        artifact_named(n, 2),
        producers={2: step_named(n)},
        consumers={2: [replace(step_named(n, number=3), outputs={})]},
    ),
    "log.log": lambda n: log(
        RunLog(
            run=run_named(n),
            steps=[
                StepLog(step=step_named(n), events=events_named(n)),
                StepLog(step=step_named(n, Status.FAILED), missing=n),
            ],
        )
    ),
    "page.page": lambda n: page([(n, note(n)), ("", stack(stack_named(n)))]),
    "pipeline.live": lambda n: live(
        [n, n + "2"],
        steps={n: step_named(n, Status.RUNNING)},
        now=5.0,
        run=run_named(n, status=Status.RUNNING),
        printed={n: n},
    ),
    "pipeline.pipeline": lambda n: pipeline(plan_named(n), title=n),
    "pipeline.progress": lambda n: progress(
        [n],
        steps={n: step_named(n, Status.RUNNING)},
        now=5.0,
        run=run_named(n, status=Status.RUNNING),
        naming=True,
    ),
    "pipeline.plan_graph": lambda n: plan_graph(plan_named(n)),
    "pipeline.plan_table": lambda n: plan_table(plan_named(n), last={n + "stale": step_named(n)}),
    "estimator.estimator": lambda n: estimator(
        {"name": n, "parameters": [[n, n]], "layout": n, "parts": [[n, n, {"name": n}], n, [n]]}
    ),
    "found_text.found_text": lambda n: found_text(f"{n} and {n}", n),
    "preview.preview": lambda n: join(preview(artifact_named(n, 1, kind=kind).summary) for kind in KINDS),
    "rows.beside": lambda n: View(
        runs([run_named(n)]).text, beside(runs([run_named(n), run_named(n, 2)]), caption=n)
    ),
    "run.run": lambda n: run(run_named(n), every_state_named(n), started=[run_named(n, 2)]),
    "run.runs": lambda n: runs([run_named(n), run_named(n, 2, Status.RUNNING)]),
    "run.steps": lambda n: steps(every_state_named(n)),
    "timeline.timeline": lambda n: timeline(
        [replace(step_named(n), started=1.0 + at, ran_on=n) for at in range(3)], now=9.0
    ),
    "shared_runs.shared_runs": lambda n: shared_runs([shared_named(n)], store=n),
    "stack.stack": lambda n: stack(stack_named(n), active=True, unfit=n, note=n),
    "stack.stacks": lambda n: stacks([stack_named(n)], active=n),
    "listing_caption.artifacts_caption": lambda n: artifacts_caption(
        ArtifactFilter(text=n, kind="output", notebook=n), Page(items=[1], total=3), before=1
    ),
    "listing_caption.runs_caption": lambda n: runs_caption(
        RunFilter(stack=n, notebook=n, kind=n, since=1.0, until=2.0), Page(items=[1], total=3), since=n
    ),
    "step.explain": lambda n: join(
        explain(each, differences=[n + "2"], remarks=[n], previous=step_named(n))
        for each in plan_named(n).steps
    ),
    "step.running_line": lambda n: running_line(step_named(n, Status.RUNNING), seconds=3.2),
    "step.started_line": lambda n: started_line(step_named(n, Status.RUNNING)),
    "space.pruned_blobs": lambda n: space.pruned_blobs(pruned_named(n)),
    "space.groups": lambda n: space.groups(n, n, usage_named(n).steps, 10),
    "space.items": lambda n: space.items(n, usage_named(n).largest),
    "space.pruned": lambda n: space.pruned(pruned_named(n), again=n),
    "space.usage": lambda n: space.usage(usage_named(n)),
    "step.status_line": lambda n: join(map(status_line, every_state_named(n)), gap=0),
    "step.step": lambda n: join(step(each, consumers={n: [n]}) for each in every_state_named(n)),
    "table": lambda n: Table(columns=[Column.of("name", n, n)], data=[{n: n}], title=n, empty=n),
    "table without rows": lambda n: Table(columns=[Column.of("name", n, n)], data=[], title=n, empty=n),
    "view.join": lambda n: join([note(n), note(n)]),
}


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS.keys())
def test_a_hostile_name_stays_text(view: Callable[[str], Shown], name: str) -> None:
    shown = view(name)
    check_html(shown.html)
    for character in shown.text:
        category = unicodedata.category(character)
        assert character in "\n\u200c\u200d" or category not in {"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"}, repr(
            character
        )


@pytest.mark.parametrize("view", [view for key, view in VIEWS.items() if key != "stack.stacks"])
def test_what_was_named_can_be_read_in_both_faces(view: Callable[[str], Shown]) -> None:
    shown = view("<i>&A</i>")
    assert "<i>&A</i>" in shown.text
    assert "<i>&A</i>" in " ".join(check_html(shown.html).said)


def test_a_secret_typed_as_a_value_is_shown_by_no_view() -> None:
    config = {"password": "hunter2", "api_key": "hunter2", "url": "https://me:hunter2@host/x"}
    spec = ComponentSpec(type="artifact_store", name="lake", flavor="s3", config=config)
    held = StackSpec(name="prod", components={"artifact_store": spec})
    other = replace(run_named("b", 2), stack=held)
    options = [OptionHelp(name="password", default="hunter2")]
    shown: list[Shown] = [stack(held), stacks([held]), component(spec, choices=options), components([spec])]
    shown += [compare(run_named("a"), [], other, []), run(other), runs([other])]
    for each in shown:
        assert "hunter2" not in each.text + each.html
        assert not isinstance(each, Table) or "hunter2" not in repr(each.rows())


def test_every_view_function_is_checked_here() -> None:
    known = set()
    for module in pkgutil.walk_packages(zennb.views.__path__, "zennb.views."):
        loaded = importlib.import_module(module.name)
        for public in [] if module.ispkg else loaded.__all__:
            thing = getattr(loaded, public)
            if inspect.isfunction(thing) and thing.__annotations__.get("return") in {"View", "Table"}:
                known.add(f"{module.name.rpartition('.')[2]}.{public}")
    assert known <= set(VIEWS)


def test_no_line_of_a_table_is_wider_than_a_terminal() -> None:
    for name in ("default", "a_rather_long_name_for_a_thing", "x" * 300):
        for key in ("artifact.artifacts", "run.runs", "run.steps", "pipeline.live", "component.flavors"):
            lines = VIEWS[key](name).text.split("\n")
            assert max(map(len, lines)) <= 80, key


def test_views_carry_their_styles_inline_and_load_nothing() -> None:
    for view in VIEWS.values():
        html = view("name").html
        assert not re.search(r"<(style|script|link|svg|iframe|object)\b", html)
        assert "http" not in html
