from __future__ import annotations

from zennb.core.records.component_types import COMPONENT_TYPES, component_type
from zennb.views.component import Flavor
from zennb.views.component_type import component_types

FLAVORS = {
    "orchestrator": [
        Flavor(type="orchestrator", name="dask", needs='pip install "zennb[dask]"'),
        Flavor(type="orchestrator", name="local"),
    ]
}


def test_types_say_what_they_are_for_what_is_here_and_what_is_not_supported_yet() -> None:
    kinds = [component_type("orchestrator"), component_type("image-builder")]
    assert component_types(kinds, FLAVORS).text == (
        "component type  purpose                            flavors here\n"
        "────────────────────────────────────────────────────────────────────────────────\n"
        "orchestrator    runs the steps: in the kernel, in  dask (to be installed), local\n"
        "                threads, on a cluster\n"
        "image builder   builds the container images that   not supported yet\n"
        "                steps run in"
    )


def test_every_type_is_a_row_with_plain_values() -> None:
    rows = component_types(COMPONENT_TYPES, FLAVORS).rows()
    assert [row["type"] for row in rows] == [kind.name for kind in COMPONENT_TYPES]
    assert [row["type"] for row in rows if row["supported"]] == ["orchestrator"]
    assert rows[0]["flavors"][0] == {"name": "dask", "needs": 'pip install "zennb[dask]"'}


def test_a_flavor_of_another_package_cannot_write_html() -> None:
    hostile = {"orchestrator": [Flavor(type="orchestrator", name="<img src=x>")]}
    assert "<img" not in component_types(COMPONENT_TYPES, hostile).html
