"""A step to run is plain data, and so is what comes of it."""

from __future__ import annotations

import ast
import pickle
from typing import TYPE_CHECKING, Any

import pytest

from zennb.engine.run.variable_tracker import VariableTracker
from zennb.engine.step.definition import StepOptions, define
from zennb.engine.step.outcome import StepOutcome
from zennb.engine.step.perform import perform
from zennb.engine.step.request import StepRequest, request_for
from zennb.engine.step.resolve import resolve_step
from zennb.errors import StepRefused

if TYPE_CHECKING:
    from pathlib import Path

    from zennb.engine.step.definition import StepDefinition


def step(text: str) -> StepDefinition:
    return define(
        ast.parse(text),
        options=StepOptions(name="s"),
        source=f"%%step s\n{text}",
        text=text,
        filename="<cell 1>",
    )


def requested(text: str, namespace: dict[str, Any]) -> tuple[StepRequest, Any]:
    resolved = resolve_step(step(text), namespace, value_digest=VariableTracker().digest)
    return request_for(resolved, {}, namespace)


def test_a_request_survives_pickling_with_all_that_is_in_it() -> None:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec("import math\nK = 3\ndef f(v): return math.floor(v) * K", namespace)
    request, channels = requested("y = f(2.5)\n'done'", namespace)
    again: StepRequest = pickle.loads(pickle.dumps(request))
    assert ast.dump(again.definition.tree) == ast.dump(request.definition.tree)
    assert again.definition.analysis == request.definition.analysis
    assert (again.reached, again.names, again.modules) == (request.reached, request.names, request.modules)
    assert again.code == request.code
    assert dict(channels.values) == {"K": 3}
    assert not channels.definitions


def test_what_cannot_be_packed_is_handed_over_beside_it() -> None:
    import threading

    lock = threading.Lock()
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec("def f(v, guard=None): return v", namespace)
    namespace["f"].__defaults__ = (lock,)
    request, channels = requested("y = f(1)", namespace)
    assert request.code == b""
    assert channels.definitions["f"] is namespace["f"]


def test_an_outcome_survives_pickling() -> None:
    outcome = StepOutcome(
        deletes=("x",), not_reusable=("why",), seconds=1.5, error=ValueError("bad"), process=7
    )
    again: StepOutcome = pickle.loads(pickle.dumps(outcome))
    assert (again.deletes, again.not_reusable, again.seconds, again.process) == (("x",), ("why",), 1.5, 7)
    assert isinstance(again.error, ValueError)


def test_a_request_that_lacks_its_store_is_refused_by_name() -> None:
    with pytest.raises(StepRefused, match="step 's' was sent to another process without its artifact store"):
        perform(StepRequest(definition=step("y = 1")))


def test_reached_code_is_told_with_its_kind(tmp_path: Path) -> None:
    del tmp_path
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec("class C:\n    pass\ndef f(): return C()", namespace)
    request, _ = requested("y = f()", namespace)
    assert {known.partition(" ")[0] for known in request.reached} == {"function", "class"}
    assert {"f", "C"} <= set(request.names)


def test_inputs_whose_content_a_function_of_the_notebook_says_stay_in_this_process() -> None:
    import zennb
    from zennb.digests import hooks as digest_hooks
    from zennb.engine.remote.dispatch import submit_remotely

    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec("class Box:\n    items = ()\ndef content(box): return box.items\nbox = Box()", namespace)
    assert requested("n = box", namespace)[0].hooked == ()
    zennb.digest(namespace["Box"])(namespace["content"])
    try:
        request, channels = requested("n = box", namespace)
        assert request.hooked == ("Box",)
        assert requested("n = 1", namespace)[0].hooked == ()
        with pytest.raises(StepRefused, match=r"step 's' cannot run in another process: it reads a Box"):
            submit_remotely(None, request, channels)  # type: ignore[arg-type] # refused before it is asked for
    finally:
        digest_hooks._hooks.clear()
