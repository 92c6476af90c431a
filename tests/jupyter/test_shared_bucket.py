"""Two people and one bucket, on a server with the API of S3: what is asked of it, and what goes wrong with it."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

import pytest

from tests.components.artifact_stores.remote.bucket_server import BUCKET, refusal, skip_without_s3
from tests.components.artifact_stores.remote.conftest import bucket, server, session
from tests.jupyter.people import People

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.components.artifact_stores.remote.bucket_server import Answer, BucketServer, Request
    from tests.jupyter.conftest import Ran

skip_without_s3()
pytestmark = pytest.mark.s3

__all__ = ["bucket", "server", "session"]

CELLS = (
    "%%step few\nfew = [1, 2, 3]",
    "%%step make\nlarge = list(range(100_000))",
    "%%step add\ntotal = sum(large) + sum(few)",
)


@pytest.fixture
def people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bucket: BucketServer) -> Iterator[People]:
    main = sys.modules["__main__"]
    options = (
        f"--flavor=s3 --url=s3://{BUCKET}/x --endpoint={bucket.address} --connect_timeout=1 --read_timeout=2"
    )
    found = People(tmp_path, monkeypatch, options)
    yield found
    found.leave()
    sys.modules["__main__"] = main


def shown(ran: Ran) -> str:
    return str(ran.result or ran.displays or ran.out)


def listings(bucket: BucketServer) -> list[Request]:
    return [each for each in bucket.requests if "list-type=2" in each.query]


def test_what_somebody_ran_is_reused_by_others(people: People, bucket: BucketServer) -> None:
    people.turn("ada").run(*CELLS)
    created = [each for each in bucket.requests if each.method == "PUT" and "/records/" in each.path]
    assert len(created) == 3
    assert all(each.condition == "*" for each in created)
    bob = people.turn("bob")
    bucket.requests.clear()
    again = bob.run(*CELLS)
    assert [ran.status for ran in again] == ["cached"] * 3, [ran.reason for ran in again]
    assert all("run 1 of ada on " in ran.reason for ran in again)
    # One bounded listing for each step, of the folder of its key.
    assert len(listings(bucket)) == 3
    assert all(
        "prefix=x%2Frecords%2F" in each.query and "max-keys=" in each.query for each in listings(bucket)
    )
    bucket.requests.clear()
    bob.restart()
    assert [ran.status for ran in bob.run(*CELLS)] == ["cached"] * 3
    assert listings(bucket) == []


def test_a_bucket_that_may_only_be_read_is_enough_to_reuse(people: People, bucket: BucketServer) -> None:
    people.turn("ada").run(*CELLS)
    before = bucket.keys()

    def refuse(seen: Request) -> Answer | None:
        return None if seen.method in {"GET", "HEAD"} else refusal("403 Forbidden", "AccessDenied")

    bob = people.turn("bob")
    bucket.fault = refuse
    assert [ran.status for ran in bob.run(*CELLS)] == ["cached"] * 3
    own = bob.cell("%%step own\nown = [4]")
    assert own.error is None
    assert "read-only" in str(own.displays)
    bucket.fault = lambda _: None
    assert bucket.keys() == before


def test_a_bucket_that_may_not_be_listed_is_named_once(people: People, bucket: BucketServer) -> None:
    people.turn("ada").run(*CELLS)
    bob = people.turn("bob")
    bucket.fault = lambda seen: refusal("403 No", "AccessDenied") if "list-type" in seen.query else None
    found = bob.run(*CELLS)
    assert [ran.status for ran in found] == ["completed"] * 3
    assert ["nothing that others share is reused" in ran.reason for ran in found] == [True, False, False]


def test_a_server_that_is_silent_about_records_costs_one_wait(
    people: People, bucket: BucketServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    people.turn("ada").run(*CELLS)
    bob = people.turn("bob")
    go_on = threading.Event()

    def silent(seen: Request) -> Answer | None:
        if "list-type" in seen.query:
            go_on.wait(20)
        return None

    people.hurry(2.0)
    bucket.fault = silent
    bucket.requests.clear()
    found = bob.run(*CELLS)
    go_on.set()
    assert [ran.status for ran in found] == ["completed"] * 3
    assert len({each.query for each in listings(bucket)}) == 1
    assert ["nothing that others share is reused" in ran.reason for ran in found] == [True, False, False]


def test_a_bucket_of_which_half_is_gone(people: People, bucket: BucketServer) -> None:
    people.turn("ada").run(*CELLS)
    people.leave()
    for key in list(bucket.keys()):
        if not key.startswith(("x/records/", "x/history/")):
            bucket.client.delete_object(Bucket=BUCKET, Key=key)
    bob = people.turn("bob")
    found = bob.run(*CELLS)
    assert [ran.status for ran in found] == ["completed"] * 3
    assert "run 1 of ada on " in found[0].reason
    assert "is not in artifact store 'shared'" in found[0].reason
    assert people.turn("carol").run(CELLS[0])[0].status == "cached"


def test_history_and_people_are_listed_newest_first(people: People, bucket: BucketServer) -> None:
    people.turn("ada").run(*CELLS)
    bob = people.turn("bob")
    bob.run(CELLS[0], "%%step own\nown = [4]")
    text = shown(bob.cell("%runs list --shared"))
    assert text.index("bob") < text.index("ada")
    assert people.key("ada")[:16] in shown(bob.cell("%zennb trust"))
