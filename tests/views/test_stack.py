from __future__ import annotations

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
