"""What comes back of a step in a worker whose artifact store has no room."""

from __future__ import annotations

import ast
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.engine.step.test_outcome import FULL
from zennb.core.records.observed import Carried
from zennb.core.records.records import Artifact
from zennb.engine.remote.unstored_blobs import LARGEST, with_unstored_results
from zennb.engine.run.unit_of_work import WriteBuffer
from zennb.engine.step.definition import StepOptions, define
from zennb.engine.step.request import StepRequest
from zennb.errors import StoreError, StoreFull

if TYPE_CHECKING:
    from zennb.engine.step.outcome import StepOutcome

OUTCOME = replace(FULL, error=None, displays="", unstored={}, carried=None)
STEP = define(ast.parse("y = 1"), options=StepOptions(name="fit"), source="", text="y = 1", filename="")


class _Full:
    """An artifact store without room."""

    def put_all(self, _blobs: Any) -> Any:
        raise StoreFull("there is no room.", short=8_000_000)

    put = put_all


def returned(
    outcome: StepOutcome, *values: bytes, limit: int | None = None, has_memory: bool = True, **blobs: bytes
) -> StepOutcome:
    """Return what a worker sends of an outcome with these values, and other blobs, that find no room."""
    buffer: Any = WriteBuffer(_Full(), keeps=has_memory, holds_back=False)  # type: ignore[arg-type]
    names = [buffer.put([value]) for value in values]
    artifacts = {
        f"v{number}": Artifact(
            name=f"v{number}", digest="d", blob=blob, materializer="json", size=1, type="int"
        )
        for number, blob in enumerate(names)
    }
    rest: dict[str, Any] = {name: buffer.put([content]) for name, content in blobs.items()}
    if "carried" in rest:
        rest["carried"] = Carried(blob=rest["carried"], materializer="pickle", names=("cwd",))
    request = StepRequest(definition=STEP, size_limit=limit)
    return with_unstored_results(replace(outcome, artifacts=artifacts, **rest), buffer, request)


@pytest.mark.parametrize("limit", [None, LARGEST])
def test_what_is_small_comes_back_with_its_step(limit: int | None) -> None:
    done = returned(OUTCOME, b"1", b"2", limit=limit)
    assert done.error is None
    assert sorted(content for content, _ in done.unstored.values()) == [b"1", b"2"]
    assert list(done.artifacts) == ["v0", "v1"]


def test_a_step_that_fails_for_it_keeps_all_that_is_known_of_it() -> None:
    done = returned(OUTCOME, b"1", has_memory=False)
    different = {
        field.name for field in fields(done) if getattr(done, field.name) != getattr(OUTCOME, field.name)
    }
    assert different == {"error", "artifacts"}
    assert done.artifacts == {}


def test_an_error_of_its_own_is_the_one_that_comes_back_with_what_it_showed() -> None:
    error = ValueError("bad")
    done = returned(replace(OUTCOME, error=error), bytes(LARGEST + 1), displays=b"shown", limit=LARGEST)
    assert done.error is error
    assert [content for content, _ in done.unstored.values()] == [b"shown"]
    assert done.displays in done.unstored


AGAIN = "Make room, or use a stack with an artifact store elsewhere, and run step 'fit' again"


@pytest.mark.parametrize(
    ("values", "blobs", "what"),
    [
        ([b"1"], {}, "`v0` is not stored"),
        ([b"1", b"2"], {}, "`v0`, `v1` are not stored"),
        ([b"1", b"2", b"3", b"4", b"5"], {}, "`v0`, `v1`, `v2` and 2 more are not stored"),
        ([], {"displays": b"shown"}, "what it shows is not stored"),
        ([], {"carried": b"changed"}, "what it changes is not stored"),
    ],
)
def test_what_is_lost_is_named_with_the_cause(values: list[bytes], blobs: dict[str, Any], what: str) -> None:
    error = returned(OUTCOME, *values, has_memory=False, **blobs).error
    assert isinstance(error, StoreError)
    assert str(error) == (
        f"{what} (disk full, 8 MB short), and no memory is left to hold that, so what the step made is lost. {AGAIN}."
    )
    large = {name: content + bytes(LARGEST) for name, content in blobs.items()}
    error = returned(OUTCOME, *(each + bytes(LARGEST) for each in values), **large, limit=LARGEST).error
    assert str(error) == (
        f"{what} (disk full, 8 MB short), and through a scheduler at most 1 MB comes back, so what the step made is "
        f"lost. {AGAIN}; on a stack that runs in the kernel, values without room stay in memory."
    )
