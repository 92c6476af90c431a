from __future__ import annotations

from typing import Any

import pytest

from zennb.digests.reachability import is_reachable


class Holder:
    """Holds something."""

    def __init__(self, held: Any) -> None:
        self.held = held


def test_what_lies_inside_is_found() -> None:
    rows: list[int] = [1, 2]
    assert is_reachable(Holder([rows]), {id(rows)})
    assert is_reachable(rows, {id(rows)})
    assert not is_reachable(Holder([[1, 2]]), {id(rows)})


@pytest.mark.parametrize(
    "module", ["ipykernel.zmqshell", "IPython.core.interactiveshell", "zennb.jupyter.kernel.session"]
)
def test_what_holds_the_shell_as_a_widget_does_holds_no_variable_because_of_that(module: str) -> None:
    rows: list[int] = [1, 2]
    shell = type("Shell", (Holder,), {"__module__": module})
    namespace = {"rows": rows}
    widget = Holder(shell(namespace))
    assert not is_reachable(widget, {id(rows)})
    assert is_reachable(Holder({"mine": rows, "shell": shell(namespace)}), {id(rows)})
