"""What one reads of a deployment."""

from __future__ import annotations

import pytest

from zennb.core.records.models import Deployment
from zennb.views.deployment import deployment


@pytest.mark.parametrize(
    ("host", "is_open"),
    [("127.0.0.1", False), ("localhost", False), ("::1", False), ("0.0.0.0", True), ("::", True)],
)
def test_that_other_machines_reach_it_is_said(host: str, is_open: bool) -> None:
    found = Deployment(
        name="a",
        model="m",
        version=1,
        artifact="m v1",
        deployer="default",
        flavor="local",
        state="running",
        url="http://127.0.0.1:5000",
        host=host,
        port=5000,
    )
    assert (f"listens on  {host}: other machines can reach it" in deployment(found).text) is is_open
    assert ("other machines" in deployment(found).html) is is_open
