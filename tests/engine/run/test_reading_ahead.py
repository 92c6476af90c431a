"""What is known of a pipeline's steps before it runs is asked for at once, and only when something is wanted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from zennb.core.records.observed import Carried
from zennb.core.records.records import Artifact, Status, Step
from zennb.engine.run.unit_of_work import UnitOfWork

if TYPE_CHECKING:
    from collections.abc import Iterable


class Records:
    """Stands for the metadata store and the artifact store; counts the questions."""

    def __init__(self, steps: dict[str, Step], blobs: set[str]) -> None:
        self.steps, self.blobs = steps, blobs
        self.asked: list[Any] = []

    def find_all(self, keys: Iterable[str]) -> dict[str, Step]:
        self.asked.append(frozenset(keys))
        return {key: self.steps[key] for key in keys if key in self.steps}

    def present(self, blobs: Iterable[str]) -> frozenset[str]:
        self.asked.append(frozenset(blobs))
        return frozenset(blobs) & self.blobs


def output(blob: str) -> Artifact:
    return Artifact(name=blob, digest="d", blob=blob, materializer="json", size=1, type="int")


def made(key: str, **fields: Any) -> Step:
    return Step(name=key, cache_key=key, status=Status.COMPLETED, outputs={"y": output(f"{key}-y")}, **fields)


def prefetched(records: Records, previous: dict[str, Step], *, rerun: bool = False) -> UnitOfWork:
    return UnitOfWork(records, records, previous=previous, rerun=rerun)  # type: ignore[arg-type] # as above


def test_all_that_is_known_is_asked_for_when_the_first_result_is_wanted() -> None:
    a, b = made("ka"), made("kb")
    records = Records({"ka": a, "kb": b}, {"ka-y", "kb-y"})
    found = prefetched(records, {"a": a, "b": b})
    assert records.asked == []
    assert found.find("ka") == [a]
    assert found.find("kb") == [b]
    assert records.asked == [{"ka", "kb"}, {"ka-y", "kb-y"}]
    assert found.present == {"ka-y", "kb-y"}


def test_a_key_that_no_latest_record_has_is_not_asked_for() -> None:
    records = Records({"other": made("other")}, {"other-y"})
    found = prefetched(records, {"a": made("ka")})
    assert found.find("other") == []
    assert found.find("") == []
    assert records.asked == []


def test_a_result_of_which_a_part_is_gone_is_not_found() -> None:
    shown = made("ks", displays="shown")
    carrying = made("kc", carried=Carried(blob="carried", materializer="json", names=("n",)))
    whole = made("kw", displays="there")
    lost = made("kl")
    everything = {step.cache_key: step for step in (shown, carrying, whole, lost)}
    records = Records(everything, {"ks-y", "kc-y", "kw-y", "there"})
    found = prefetched(records, everything)
    assert [found.find(key) for key in ("ks", "kc", "kl")] == [[], [], []]
    assert found.find("kw") == [whole]
    assert found.present == {"ks-y", "kc-y", "kw-y", "there"}


def test_nothing_is_looked_for_when_all_steps_are_to_run() -> None:
    step = made("ka")
    records = Records({"ka": step}, {"ka-y"})
    found = prefetched(records, {"a": step}, rerun=True)
    assert found.find("ka") == []
    assert records.asked == []
    assert found.previous == {"a": step}


def test_what_is_stored_later_counts_as_present_only_when_it_is_added() -> None:
    step = made("ka")
    records = Records({"ka": step}, set())
    found = prefetched(records, {"a": step})
    assert found.find("ka") == []
    records.blobs.add("ka-y")
    assert found.find("ka") == []  # as it was when it was first asked
    found.present.add("new")
    assert "new" in found.present


def test_a_step_that_was_reused_is_found_by_the_record_that_its_key_gives() -> None:
    latest = replace(made("ka"), id=9, status=Status.CACHED)
    source = replace(made("ka"), id=1)
    records = Records({"ka": source}, {"ka-y"})
    assert prefetched(records, {"a": latest}).find("ka") == [source]
