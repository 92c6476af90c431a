from __future__ import annotations

import pytest

from zennb.core.records.records import ComponentSpec, StackSpec
from zennb.views.stack import snapshot, stack, stacks

LOCAL = ComponentSpec(type="orchestrator", name="default", flavor="local")
STORE = ComponentSpec(type="artifact_store", name="default", flavor="local")
POOL = ComponentSpec(type="orchestrator", name="pool", flavor="threads", config={"workers": "4"})
LAKE = ComponentSpec(type="artifact_store", name="lake", flavor="s3", config={"secret": "env:LAKE"})
DEFAULT = StackSpec(name="default", components={"orchestrator": LOCAL, "artifact_store": STORE})
PROD = StackSpec(name="prod", components={"orchestrator": POOL, "artifact_store": LAKE})


def test_the_card_of_the_active_stack() -> None:
    assert stack(DEFAULT, active=True).text == (
        "stack default  ● active\n  orchestrator    default  local\n  artifact store  default  local"
    )


def test_a_card_shows_configuration_and_why_a_stack_cannot_be_used() -> None:
    view = stack(PROD, unfit="the store is out of reach.", note="try another")
    assert view.text == (
        "stack prod\n"
        "  orchestrator    pool  threads  workers=4\n"
        "  artifact store  lake  s3       secret=•••• (env:LAKE)\n"
        "  ✘ not usable: the store is out of reach.\n"
        "  try another"
    )
    assert "not usable" in view.html


def test_the_list_marks_the_active_stack_with_a_symbol_and_a_word() -> None:
    table = stacks([DEFAULT, PROD], active="default")
    assert table.text == (
        "          stack    orchestrator     artifact store\n"
        "───────────────────────────────────────────────────\n"
        "● active  default  default (local)  default (local)\n"
        "          prod     pool (threads)   lake (s3)"
    )
    assert table.rows()[1] == {
        "active": False,
        "name": "prod",
        "orchestrator": "pool (threads)",
        "artifact_store": "lake (s3)",
    }


def test_a_snapshot_is_one_line() -> None:
    assert snapshot(DEFAULT) == "default: orchestrator default (local), artifact store default (local)"


def test_the_page_of_what_runs_the_steps_is_linked() -> None:
    spec = StackSpec(
        name="far",
        components={
            kind: ComponentSpec(type=kind, name="big", flavor="dask", config={"address": "tcp://host:8786"})
            for kind in ("orchestrator", "artifact_store")
        },
    )
    view = stack(spec, links={"orchestrator": "http://host:8787/status"})
    assert "address=tcp://host:8786, dashboard http://host:8787/status" in " ".join(view.text.split())
    assert 'href="http://host:8787/status"' in view.html
    assert view.html.count("<a ") == 1


@pytest.mark.parametrize("link", ["javascript:alert(1)", 'http://host/"><script>alert(1)</script>'])
def test_a_page_cannot_do_more_than_be_opened(link: str) -> None:
    part = ComponentSpec(type="orchestrator", name="big", flavor="dask")
    view = stack(StackSpec(name="far", components={"orchestrator": part}), links={"orchestrator": link})
    assert 'href="javascript' not in view.html
    assert "<script" not in view.html
