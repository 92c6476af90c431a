from __future__ import annotations

from zennb.core.records.records import ComponentSpec
from zennb.views.component import Flavor, OptionHelp, component, components, flavors

POOL = ComponentSpec(type="orchestrator", name="pool", flavor="threads", config={"workers": "4"})
LOCAL = ComponentSpec(type="orchestrator", name="default", flavor="local")
STORE = ComponentSpec(type="artifact_store", name="default", flavor="local")


def test_one_component_with_its_options() -> None:
    choice = OptionHelp(name="workers", kind="Int", default="8", help="How many threads.")
    assert component(POOL, description="Runs steps in threads.", choices=[choice], used_by=["prod"]).text == (
        "orchestrator pool\n"
        "  what     Runs steps in threads.\n"
        "  flavor   threads\n"
        "  workers  4\n"
        "  used by  prod\n"
        "\n"
        "option   kind  value  default  help\n"
        "────────────────────────────────────────────────\n"
        "workers  Int   4      8        How many threads."
    )


def test_a_list_of_one_type_does_not_repeat_the_type() -> None:
    assert components([LOCAL, POOL], active=[LOCAL]).text == (
        "          name     flavor   configuration\n"
        "─────────────────────────────────────────\n"
        "● active  default  local\n"
        "          pool     threads  workers=4"
    )
    assert "artifact store" in components([LOCAL, STORE]).text


def test_flavors_say_what_is_missing() -> None:
    found = [
        Flavor(type="orchestrator", name="local", description="In the kernel."),
        Flavor(type="orchestrator", name="dask", description="On Dask.", needs='pip install "zennb[dask]"'),
    ]
    assert flavors(found).text == (
        "flavor  type          description     needs\n"
        "───────────────────────────────────────────────────────────────\n"
        "local   orchestrator  In the kernel.\n"
        'dask    orchestrator  On Dask.        pip install "zennb[dask]"'
    )
