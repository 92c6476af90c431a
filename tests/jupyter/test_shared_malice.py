"""What somebody can do who writes to a shared store: nothing of theirs is used that its author has not signed so."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.jupyter.people import People, bucket, people, records
from zennb.materializers.public_keys import public_key, public_signature

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytest.importorskip("fsspec")
pytest.importorskip("cryptography")

__all__ = ["bucket", "people"]

PLAIN = "%%step few\nfew = [1, 2, 3]"


EVE = b"m" * 32


def as_eve(change: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    """Return what leaves a changed record as one of somebody else, sound in all its parts."""

    def changed(body: dict[str, Any]) -> None:
        change(body)
        body["seal"] = f"- {public_key(EVE)} {'0' * 128}"

    return rewrite(changed, key=EVE)


def rewrite(change: Callable[[dict[str, Any]], None], key: bytes | None = None) -> Callable[[Path], None]:
    """Return what changes the body of a record: under the old signature, or in an envelope of somebody else."""

    def forge(path: Path) -> None:
        found = json.loads(path.read_bytes())
        body = json.loads(found["body"])
        change(body)
        found["body"] = json.dumps(body, separators=(",", ":"))
        if key is not None:
            found["signer"] = public_key(key)
            found["signature"] = public_signature(key, b"zennb shared record\0" + found["body"].encode())
        put(path, json.dumps(found).encode(), found["signer"])

    return forge


def put(path: Path, content: bytes, signer: str = "") -> None:
    """Put a record into the place of another one, under the name that belongs to it."""
    signer = signer or path.name.partition("-")[0]
    path.unlink()
    (path.parent / f"{signer}-{hashlib.sha256(content).hexdigest()}.json").write_bytes(content)


def set_digest(body: dict[str, Any]) -> None:
    for each in body["outputs"].values():
        each["digest"] = "0" * len(each["digest"])


def take_pickle(body: dict[str, Any]) -> None:
    for each in body["outputs"].values():
        each["materializer"] = "pickle"


def other_key(path: Path) -> None:
    """Put the record of another step under this cache key."""
    other = next(each for each in records(path.parents[2]) if each.parent != path.parent)
    content = other.read_bytes()
    put(path, content)


MALICE: dict[str, Callable[[Path], None]] = {
    "changed": rewrite(lambda body: body["step"].update(seconds=99.0)),
    "changed in its outputs": rewrite(set_digest),
    "a pickle instead": as_eve(take_pickle),
    "another value than it says": as_eve(set_digest),
    "in a new envelope": rewrite(lambda body: body.update(author="eve"), key=EVE),
    "binds another name": as_eve(lambda body: body["outputs"].update(evil=body["outputs"].pop("few"))),
    "of another key": other_key,
    "cut short": lambda path: put(path, path.read_bytes()[:100]),
    "empty": lambda path: put(path, b""),
    "deep": lambda path: put(path, b"[" * 100_000 + b"]" * 100_000),
    "giant": lambda path: put(path, b'{"format":"' + b"x" * 5_000_000 + b'"}'),
    "of a million parts": lambda path: put(path, b"[" + b"{}," * 1_000_000 + b"{}]"),
    "no object": lambda path: put(path, b"17"),
    "under a wrong name": lambda path: spoil(path),
    "under odd names": lambda path: put_odd(path),
}


def spoil(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b" ")


def put_odd(path: Path) -> None:
    content = path.read_bytes()
    path.unlink()
    for name in ("x.json", "..json", f"{'0' * 64}-{'1' * 63}.json", f"{'0' * 64}-{'1' * 64}.json"):
        (path.parent / name).write_bytes(content)


@pytest.mark.parametrize("malice", MALICE)
def test_a_record_that_its_author_has_not_left_so_is_not_used(
    people: People, bucket: Path, malice: str
) -> None:
    people.turn("ada").run("%%step other\nfew = [6]", PLAIN)
    people.leave()
    (path,) = [each for each in records(bucket) if b"few = [1, 2, 3]" in each.read_bytes()]
    MALICE[malice](path)
    bob = people.turn("bob")
    (ran,) = bob.run(PLAIN)
    assert ran.status == "completed", ran.reason
    assert bob.ns["few"] == [1, 2, 3]
    assert "evil" not in bob.ns
    assert "/tmp" not in ran.reason


def test_a_tampered_blob_is_noticed_and_the_step_runs(people: People, bucket: Path) -> None:
    people.turn("ada").run(PLAIN)
    people.leave()
    for path in bucket.glob("[0-9a-f][0-9a-f]/*"):
        path.write_bytes(b"x" * path.stat().st_size)
    bob = people.turn("bob")
    (ran,) = bob.run(PLAIN)
    assert ran.status == "completed"
    assert "damaged" in ran.reason
    assert bob.ns["few"] == [1, 2, 3]


def test_a_record_whose_blob_is_gone_is_named_and_the_step_runs(people: People, bucket: Path) -> None:
    people.turn("ada").run(PLAIN)
    people.leave()
    for path in bucket.glob("[0-9a-f][0-9a-f]/*"):
        path.unlink()
    bob = people.turn("bob")
    (ran,) = bob.run(PLAIN)
    assert ran.status == "completed"
    assert "run 1 of ada on " in ran.reason
    assert "`few` is not in artifact store 'shared'" in ran.reason
    carol = people.turn("carol")  # what Bob has stored again completes the record of Ada as well
    assert carol.run(PLAIN)[0].status == "cached"


@pytest.mark.parametrize("size", [3, 100_000], ids=["small", "large"])
def test_a_false_digest_reaches_no_step_that_reads_the_value(people: People, bucket: Path, size: int) -> None:
    """Else what Bob computes from Eve's value would be on record as computed from the true one."""
    make, use = (
        f"%%step make\nimport numpy as np\ndata = np.arange({size})",
        "%%step use\ntotal = int(data.sum())",
    )
    eve = people.turn("eve")
    eve.run(make.replace("arange", "zeros"), make)
    people.leave()
    (true,) = [each for each in records(bucket) if b"arange" in each.read_bytes()]
    (false,) = [each for each in records(bucket) if b"np.zeros" in each.read_bytes()]
    other = json.loads(json.loads(false.read_bytes())["body"])["outputs"]["data"]
    as_eve(lambda body: body["outputs"]["data"].update(blob=other["blob"]))(true)
    bob = people.turn("bob")
    first, second = bob.run(make, use)
    assert first.status == "completed"
    assert "`data` is not the value that its record says" in first.reason
    assert bob.ns["total"] == sum(range(size))
    assert second.status == "completed"


def test_a_reason_is_never_longer_than_a_line_or_two(people: People, bucket: Path) -> None:
    people.turn("ada").run(PLAIN)
    people.leave()
    (path,) = records(bucket)
    observed = json.dumps({"files": {f"/{'x' * 100_000}": "file 1"}})
    as_eve(lambda body: body["step"].update(observed=observed))(path)
    (ran,) = people.turn("bob").run(PLAIN)
    assert "outside" not in ran.reason
    assert "it uses /xxx" in ran.reason
    assert len(ran.reason) < 500


@pytest.mark.parametrize("size", [3, 100_000], ids=["small", "large"])
def test_a_wrong_result_in_plain_data_is_reused_and_the_status_line_names_the_key(
    people: People, bucket: Path, size: int
) -> None:
    """What Eve can do, as SECURITY.md says; unless the store's option `sharing` is `trusted`."""
    make = f"%%step make\nimport numpy as np\ndata = np.arange({size})"
    people.turn("eve").run(make.replace("arange", "zeros"), make)
    people.leave()
    (true,) = [each for each in records(bucket) if b"arange" in each.read_bytes()]
    (false,) = [each for each in records(bucket) if b"np.zeros" in each.read_bytes()]
    other = json.loads(json.loads(false.read_bytes())["body"])["outputs"]["data"]

    def lie(body: dict[str, Any]) -> None:
        body["author"] = "ada"
        body["outputs"]["data"] = other

    as_eve(lie)(true)
    bob = people.turn("bob")
    (ran,) = bob.run(make)
    bob.run("total = int(data.sum())")
    assert (ran.status, bob.ns["total"]) == ("cached", 0), ran.reason
    assert "of ada on " in ran.reason
    assert public_key(EVE)[:16] in ran.reason
    people.leave()
    carol = people.turn("carol")
    carol.run("%artifact-store update shared --sharing=trusted")
    (ran,) = carol.run(make)
    carol.run("total = int(data.sum())")
    assert (ran.status, carol.ns["total"]) == ("completed", sum(range(size)))
