"""What goes wrong with a bucket: uploads that end in the middle, refusals, silence, damage."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.components.artifact_stores.remote.bucket_server import BUCKET, refusal, skip_without_s3, wait_for
from zennb.components.content import name_of
from zennb.errors import DamagedArtifact, MissingArtifact, StoreBusy, StoreError, StoreReadOnly

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.components.artifact_stores.remote.bucket_server import Answer, BucketServer, Request
    from zennb.components.artifact_stores.s3 import S3ArtifactStore

skip_without_s3()
pytestmark = pytest.mark.s3

LARGE = os.urandom(1 << 20) * 40
"""Five parts."""


def key(digest: str) -> str:
    return f"x/{digest[:2]}/{digest}"


def test_an_error_in_the_middle_of_an_upload_leaves_nothing(
    store: S3ArtifactStore, bucket: BucketServer
) -> None:
    bucket.fault = lambda seen: refusal("400 Bad", "BadDigest") if "partNumber=3" in seen.query else None
    with pytest.raises(StoreError, match="refused by the test"):
        store.put([LARGE])
    assert bucket.keys() == []
    assert bucket.unfinished() == []
    assert not store.has(name_of(LARGE))
    bucket.fault = lambda _: None
    assert bytes(store.get(store.put([LARGE]))) == LARGE


def test_an_interrupt_gives_the_upload_up(store: S3ArtifactStore, bucket: BucketServer) -> None:
    def interrupt(seen: Request) -> None:
        if "partNumber=2" in seen.query:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            time.sleep(0.2)

    bucket.fault = interrupt
    with pytest.raises(KeyboardInterrupt):
        store.put([LARGE])
    wait_for(lambda: bucket.unfinished() == [])
    assert bucket.keys() == []
    bucket.fault = lambda _: None
    assert store.has(store.put([LARGE]))


def test_a_kill_during_an_upload_leaves_no_object(
    store: S3ArtifactStore, bucket: BucketServer, tmp_path: Path
) -> None:
    code = (
        "import sys\n"
        "from zennb.components.artifact_stores.remote import connection\n"
        "connection._S3.upload_options['chunksize'] = 8 << 20\n"
        "from zennb.components.artifact_stores.s3 import S3ArtifactStore\n"
        "config = dict(zip(['url', 'endpoint', 'cache'], sys.argv[1:]))\n"
        "S3ArtifactStore.from_config('test', config).put([b'0123456789abcdef' * (5 << 19)])\n"
    )
    content = b"0123456789abcdef" * (5 << 19)
    started: list[subprocess.Popen[bytes]] = []

    def kill(seen: Request) -> Answer | None:
        if "partNumber=4" in seen.query:
            started[0].kill()
            return refusal("503 Slow", "SlowDown")
        return None

    bucket.fault = kill
    arguments = [store.url, bucket.address, str(tmp_path / "other")]
    paths = os.pathsep.join(filter(None, sys.path))
    started.append(
        subprocess.Popen([sys.executable, "-c", code, *arguments], env={**os.environ, "PYTHONPATH": paths})
    )
    assert started[0].wait(120) == -signal.SIGKILL
    bucket.fault = lambda _: None
    assert not store.has(name_of(content))
    assert bucket.keys() == []
    assert bytes(store.get(store.put([content]))) == content


@pytest.mark.parametrize("content", [b"small", LARGE], ids=["small", "large"])
def test_one_of_several_writers_creates_the_object(
    opener: Callable[..., S3ArtifactStore], bucket: BucketServer, content: bytes
) -> None:
    stores = [opener() for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        assert set(pool.map(lambda store: store.put([content]), stores)) == {name_of(content)}
    created = [each for each in bucket.requests if each.method in {"PUT", "POST"} and not each.is_part]
    assert all(each.condition == "*" for each in created if "uploads" not in each.query)
    assert bucket.keys() == [key(name_of(content))]
    assert bucket.unfinished() == []


def test_content_that_is_there_is_not_sent_again(
    opener: Callable[..., S3ArtifactStore], bucket: BucketServer
) -> None:
    opener().put([LARGE])
    bucket.requests.clear()
    opener().put([LARGE])
    assert [each.method for each in bucket.requests] == ["HEAD"]


def test_an_object_that_was_cut_short_is_replaced(store: S3ArtifactStore, bucket: BucketServer) -> None:
    for content in (b"a small value", LARGE):
        digest = name_of(content)
        bucket.client.put_object(Bucket=BUCKET, Key=key(digest), Body=content[:5])
        assert bytes(store.get(store.put([content]))) == content
        assert bucket.client.head_object(Bucket=BUCKET, Key=key(digest))["ContentLength"] == len(content)


@pytest.mark.parametrize("code", ["NotImplemented", "ConditionalRequestConflict"])
def test_a_server_that_cannot_create_conditionally_is_served_all_the_same(
    store: S3ArtifactStore, bucket: BucketServer, code: str
) -> None:
    status = "501 No" if code == "NotImplemented" else "409 Conflict"
    bucket.fault = lambda seen: refusal(status, code) if seen.condition else None
    for content in (b"a small value", LARGE):
        assert store.has(store.put([content]))
    assert len(bucket.keys()) == 2
    assert bucket.unfinished() == []


@pytest.mark.parametrize("content", [b"", b"a small value", LARGE], ids=["empty", "small", "large"])
@pytest.mark.parametrize(
    "damage", [b"", b"something else", LARGE[1:] + b"x"], ids=["cut", "other", "swapped"]
)
def test_a_damaged_object_is_moved_aside(
    opener: Callable[..., S3ArtifactStore], bucket: BucketServer, content: bytes, damage: bytes
) -> None:
    store = opener(cache_size="0")
    digest = store.put([content])
    bucket.client.put_object(Bucket=BUCKET, Key=key(digest), Body=damage)
    if content == b"":  # nobody reads it to know what it holds; its size gives it away
        assert store.has(digest) == (damage == b"")
        return
    with pytest.raises(DamagedArtifact, match="is damaged"):
        store.get(digest)
    assert not store.has(digest)
    assert any(each.startswith("x/damaged/") for each in bucket.keys())  # noqa: SIM118 - no mapping
    assert list(store.digests()) == []
    assert bytes(store.get(store.put([content]))) == content


def test_an_answer_that_was_garbled_once_is_asked_for_again(
    store: S3ArtifactStore, bucket: BucketServer
) -> None:
    from tests.components.artifact_stores.remote.bucket_server import Answer

    digest = store.put([b"a small value"])
    store.copies.forget(digest)
    garbled = iter([Answer(status="200 OK", body=b"b small value")])
    bucket.fault = lambda seen: next(garbled, None) if seen.method == "GET" else None
    assert store.get(digest) == b"a small value"
    assert bucket.keys() == [key(digest)]


def test_deleted_objects_are_missing_and_the_others_are_there(
    opener: Callable[..., S3ArtifactStore], bucket: BucketServer
) -> None:
    store = opener(cache_size="0")
    digests = store.put_all([[b"%d" % number] for number in range(20)] + [[LARGE]])
    for digest in digests[::2]:
        bucket.client.delete_object(Bucket=BUCKET, Key=key(digest))
    assert store.present(digests) == frozenset(digests[1::2])
    for digest in digests[::2]:
        with pytest.raises(MissingArtifact):
            store.get(digest)


def test_presence_is_asked_for_by_name_and_never_listed(store: S3ArtifactStore, bucket: BucketServer) -> None:
    digests = store.put_all([[b"one"], [b"two"]])
    bucket.requests.clear()
    store.present([*digests, name_of(b"three")])
    assert not store.has(name_of(b"four"))
    assert store.touch(digests[0])
    assert bucket.counted() == {"HEAD": 5}


REFUSALS = [
    ("403 Forbidden", "AccessDenied", StoreReadOnly, "may not be written to"),
    ("403 Forbidden", "InvalidAccessKeyId", StoreError, "does not accept the credentials"),
    ("403 Forbidden", "SignatureDoesNotMatch", StoreError, "does not accept the credentials"),
    ("400 Bad", "ExpiredToken", StoreError, "does not accept the credentials"),
    ("404 Not Found", "NoSuchBucket", StoreError, "has no bucket"),
    ("507 Full", "QuotaExceeded", StoreError, "failed at"),
]


@pytest.mark.parametrize(("status", "code", "kind", "message"), REFUSALS, ids=[each[1] for each in REFUSALS])
@pytest.mark.parametrize("content", [b"small", LARGE], ids=["small", "large"])
def test_a_refusal_is_one_sentence(
    store: S3ArtifactStore,
    bucket: BucketServer,
    status: str,
    code: str,
    kind: type[StoreError],
    message: str,
    content: bytes,
) -> None:
    bucket.fault = lambda seen: refusal(status, code) if seen.method in {"PUT", "POST"} else None
    with pytest.raises(kind, match=message) as caught:
        store.put([content])
    assert "\n" not in str(caught.value)
    with pytest.raises(StoreError, match=message):
        store.probe(seconds=20)


def test_a_missing_bucket_is_named(opener: Callable[..., S3ArtifactStore]) -> None:
    store = opener(url="s3://no-such-bucket/x")
    for call in (
        lambda: store.put([b"a"]),
        lambda: store.get(name_of(b"a")),
        lambda: store.probe(seconds=20),
    ):
        with pytest.raises(StoreError, match="has no bucket: s3://no-such-bucket/x"):
            call()


def test_an_unreachable_server_is_named(opener: Callable[..., S3ArtifactStore]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    store = opener(endpoint=f"http://127.0.0.1:{port}")
    for call in (
        lambda: store.put([b"a"]),
        lambda: store.has(name_of(b"a")),
        lambda: store.probe(seconds=20),
    ):
        with pytest.raises(StoreError, match="cannot reach s3://team/x"):
            call()


def test_a_server_that_does_not_answer_is_given_up(
    opener: Callable[..., S3ArtifactStore], bucket: BucketServer
) -> None:
    store = opener(connect_timeout="0.5", read_timeout="0.5")
    store.has(name_of(b"a"))  # the library is loaded
    over = threading.Event()

    def wait(_: Request) -> None:
        over.wait(30)

    bucket.fault = wait
    try:
        for call in (lambda: store.put([b"a"]), lambda: store.get(name_of(b"a"))):
            with pytest.raises(StoreBusy, match="gives no answer"):
                call()
    finally:
        over.set()


def test_without_credentials_it_says_where_they_come_from(
    opener: Callable[..., S3ArtifactStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opener(key="env:TEAM_KEY", secret="env:TEAM_SECRET")
    with pytest.raises(Exception, match="TEAM_KEY is not set"):
        store.put([b"a"])
    monkeypatch.setenv("TEAM_KEY", "test")
    monkeypatch.setenv("TEAM_SECRET", "test")
    assert store.has(store.put([b"a"]))


def test_a_fork_connects_anew(store: S3ArtifactStore) -> None:
    digest = store.put([b"a"])
    child = os.fork()
    if child == 0:
        ok = store.has(digest) and store.put([b"b"]) == name_of(b"b")
        os._exit(0 if ok else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert store.has(name_of(b"b"))


def test_it_works_inside_a_running_event_loop(store: S3ArtifactStore) -> None:
    import asyncio

    async def work() -> bytes:
        return bytes(store.get(store.put([b"a"])))

    assert asyncio.run(work()) == b"a"
