from __future__ import annotations

import pytest

from zennb.core.records.component_types import COMPONENT_TYPES, ComponentType, component_type
from zennb.plugins import all_flavors
from zennb.views.component import Flavor
from zennb.views.component_type import component_types

FLAVORS = {
    "orchestrator": [
        Flavor(type="orchestrator", name="dask", needs='pip install "zennb[dask]"'),
        Flavor(type="orchestrator", name="local"),
    ]
}


def test_types_say_what_they_are_for_what_is_here_and_what_is_not_supported_yet() -> None:
    kinds = [component_type("orchestrator"), ComponentType(name="oracle", purpose="knows it all")]
    assert component_types(kinds, FLAVORS).text == (
        "component type  purpose                          flavors here\n"
        "────────────────────────────────────────────────────────────────────────────────\n"
        "orchestrator    runs the steps: in the kernel,   supported: dask (to be\n"
        "                in threads, on a cluster         installed), local\n"
        "oracle          knows it all                     not supported yet"
    )


def test_a_type_without_flavors_says_what_does_its_job() -> None:
    (row,) = component_types([component_type("log-store")], FLAVORS).rows()
    assert row["supported"] is False
    assert row["instead"] == "not needed: what a step prints is kept with its run, and `%runs logs` shows it"
    text = " ".join(component_types([component_type("log-store")], FLAVORS).text.split())
    assert "not supported" not in text


@pytest.mark.parametrize("kind", COMPONENT_TYPES, ids=lambda kind: kind.name)
def test_every_type_has_a_flavor_of_ours_or_says_why_not(kind: ComponentType) -> None:
    assert bool(kind.instead) is not (kind.name in all_flavors())


def test_every_type_is_a_row_with_plain_values() -> None:
    rows = component_types(COMPONENT_TYPES, FLAVORS).rows()
    assert [row["type"] for row in rows] == [kind.name for kind in COMPONENT_TYPES]
    assert [row["type"] for row in rows if row["supported"]] == ["orchestrator"]
    assert rows[0]["flavors"][0] == {"name": "dask", "needs": 'pip install "zennb[dask]"'}


def test_a_flavor_of_another_package_cannot_write_html() -> None:
    hostile = {"orchestrator": [Flavor(type="orchestrator", name="<img src=x>")]}
    assert "<img" not in component_types(COMPONENT_TYPES, hostile).html
