from __future__ import annotations

import hmac
import os
import shutil
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from zennb.core.records.records import Artifact, Status, Step
from zennb.core.records.seal import Seal
from zennb.errors import StoreError
from zennb.materializers import public_keys
from zennb.materializers.signer import Signer

if TYPE_CHECKING:
    from pathlib import Path

DIGEST = "ab" * 32


def test_the_key_is_made_once_and_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    seal = Signer(tmp_path / "keys").sign([b"x"])
    key = tmp_path / "keys" / "signing-key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in key.parent.iterdir()] == ["signing-key"]
    assert Signer(tmp_path / "keys").verifies([b"x"], seal)


def test_a_seal_is_about_the_bytes_however_they_are_cut(tmp_path: Path) -> None:
    signer = Signer(tmp_path)
    assert signer.verifies([b"ab", memoryview(b"c")], signer.sign([b"abc"]))
    assert not signer.verifies([b"abd"], signer.sign([b"abc"]))


def test_another_user_makes_another_seal(tmp_path: Path) -> None:
    seal = Signer(tmp_path / "mine").sign([b"x"])
    assert not Signer(tmp_path / "yours").verifies([b"x"], seal)


def test_a_key_that_others_could_read_is_made_private_again(tmp_path: Path) -> None:
    Signer(tmp_path).sign([b"x"])
    (tmp_path / "signing-key").chmod(0o644)
    Signer(tmp_path).sign([b"x"])
    assert (tmp_path / "signing-key").stat().st_mode & 0o777 == 0o600


def test_a_damaged_key_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "signing-key").write_bytes(b"short")
    with pytest.raises(StoreError, match=r"damaged \(5 bytes.*zennb trust"):
        Signer(tmp_path).sign([b"x"])


def test_the_key_is_in_no_repr_and_no_error(tmp_path: Path) -> None:
    signer = Signer(tmp_path)
    signer.sign([b"x"])
    key = (tmp_path / "signing-key").read_bytes()
    assert repr(signer) == "Signer()"
    assert repr(key)[2:-1] not in repr(signer)


def test_many_threads_agree_on_one_key(tmp_path: Path) -> None:
    seals: list[bytes] = []
    start = threading.Barrier(8)

    def work() -> None:
        start.wait()
        seals.append(Signer(tmp_path).sign([b"x"]))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seals) == 8
    assert len(set(seals)) == 1


def test_many_processes_agree_on_one_key_and_lose_no_trust(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib; from zennb.materializers.signer import Signer;"
        "s = Signer(pathlib.Path(sys.argv[1])); s.trust(sys.argv[2] * 32); print(s.sign([b'x']).hex())"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", program, str(tmp_path), f"a{n}"], stdout=subprocess.PIPE)
        for n in range(4)
    ]
    assert len({one.communicate()[0] for one in running}) == 1
    assert all(Signer(tmp_path).is_trusted(f"a{n}" * 32) for n in range(4))


def test_trust_is_remembered_by_digest(tmp_path: Path) -> None:
    assert not Signer(tmp_path).is_trusted(DIGEST)
    Signer(tmp_path).trust(DIGEST)
    Signer(tmp_path).trust(DIGEST)
    assert Signer(tmp_path).is_trusted(DIGEST)
    assert not Signer(tmp_path).is_trusted("cd" * 32)
    assert (tmp_path / "trusted").read_text().split() == [DIGEST]
    assert (tmp_path / "trusted").stat().st_mode & 0o777 == 0o600


def test_a_line_that_a_killed_process_left_unfinished_harms_nobody(tmp_path: Path) -> None:
    (tmp_path / "trusted").write_text("\nabab")
    Signer(tmp_path).trust(DIGEST)
    assert Signer(tmp_path).is_trusted(DIGEST)


@pytest.mark.parametrize("text", ["", "abc", DIGEST.upper(), DIGEST + "\n", "../" + DIGEST])
def test_only_digests_can_be_trusted(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValueError, match="sha-256"):
        Signer(tmp_path).trust(text)


def test_the_key_lives_in_the_users_jupyter_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    Signer().sign([b"x"])
    assert (tmp_path / "jupyter" / "zennb" / "signing-key").exists()


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"JUPYTER_DATA_DIR|cannot be read"):
        Signer(tmp_path / "file" / "zennb").sign([b"x"])


def test_without_hard_links_the_key_is_still_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    seal = Signer(tmp_path).sign([b"x"])
    assert Signer(tmp_path).verifies([b"x"], seal)


def signed(signer: Signer, **fields: Any) -> Step:
    """Return a record that a signer has signed."""
    message = repr(sorted(fields.items())).encode()
    return Step(name="s", status=Status.COMPLETED, seal=countersigned(signer, message), **fields)


def countersigned(signer: Signer, message: bytes) -> Seal:
    """Return the seal of a record that has been there for a moment."""
    return Seal(message, signer.countersign(Seal(message, signer.sign_record(message))))


def test_a_record_is_accepted_from_its_maker_and_from_those_whom_the_user_trusts(tmp_path: Path) -> None:
    own, other = Signer(tmp_path / "own"), Signer(tmp_path / "other")
    record = signed(other)
    assert other.accepts(record)
    assert not own.accepts(record)
    own.trust(other.identity)
    assert own.accepts(record)
    own.distrust(other.identity)
    assert not own.accepts(record)


def test_a_record_without_a_signature_or_with_a_broken_one_is_not_accepted(tmp_path: Path) -> None:
    own, other = Signer(tmp_path / "own"), Signer(tmp_path / "other")
    own.trust(other.identity)
    message, good = b"message", countersigned(other, b"message").signature
    _, key, signature = good.split()
    for broken in (
        "",
        "0" * 64,
        other.sign_record(message),
        good[:-1],
        f"{'0' * 64} {key} {'0' * 128}",
        f"{'0' * 64} {own.identity} {signature}",
        f"{'0' * 64} {key} no-hexadecimal",
        "é" * 64,
    ):
        assert not own.accepts(Step(name="s", status=Status.COMPLETED, seal=Seal(message, broken))), broken
    changed = Step(name="s", status=Status.COMPLETED, seal=Seal(b"another", good))
    assert not own.accepts(changed)
    assert not own.accepts(Step(name="s", status=Status.COMPLETED))


def test_bytes_that_an_accepted_record_names_are_trusted_in_this_process_only(tmp_path: Path) -> None:
    own, other = Signer(tmp_path / "own"), Signer(tmp_path / "other")
    blob = "b" * 64
    artifact = Artifact(name="m", digest="d", blob=blob, materializer="pickle", size=1, type="Model")
    record = signed(other, outputs={"m": artifact})
    assert not own.is_trusted(blob)
    own.accepts(record)
    assert not own.is_trusted(blob)
    own.trust(other.identity)
    own.accepts(record)
    assert own.is_trusted(blob)
    assert not Signer(tmp_path / "own").is_trusted(blob)


def test_without_the_library_for_public_signatures_records_are_still_signed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(public_keys, "_library", lambda: None)
    signer = Signer(tmp_path)
    assert signer.accepts(signed(signer))
    assert signer.identity == ""
    assert " " not in countersigned(signer, b"message").signature


def test_only_seals_of_this_user_are_countersigned(tmp_path: Path) -> None:
    """Somebody who can write to the home must not get a signature for a record of theirs."""
    pytest.importorskip("cryptography")
    own, other = Signer(tmp_path / "own"), Signer(tmp_path / "other")
    forged = (f"{'0' * 64} {own.identity}", other.sign_record(b"message"), f"- {own.identity}", "")
    for signature in forged:
        assert own.countersign(Seal(b"message", signature)) == signature
    assert own.countersign(Seal(b"another", own.sign_record(b"message"))) == own.sign_record(b"message")
    whole = countersigned(own, b"message")
    assert own.countersign(whole) == whole.signature


def test_a_key_that_cannot_be_read_leaves_a_record_unsigned(tmp_path: Path) -> None:
    (tmp_path / "signing-key").write_bytes(b"too short")
    signer = Signer(tmp_path)
    assert signer.sign_record(b"message") == ""
    assert not signer.accepts(signed(signer))


def test_a_record_of_somebody_else_is_kept_with_a_mark_only_where_it_needed_no_trust(tmp_path: Path) -> None:
    pytest.importorskip("cryptography")
    ada, bob = Signer(tmp_path / "ada"), Signer(tmp_path / "bob")
    theirs = countersigned(ada, b"message")
    kept = Seal(b"other message", bob.adopted(theirs, b"other message"))
    assert bob.is_adopted(kept)
    assert not bob.is_own(kept)
    assert not bob.trusts(kept)
    assert not ada.is_adopted(kept)
    assert not bob.is_adopted(Seal(b"changed", kept.signature))
    assert not bob.is_adopted(theirs)
    bob.trust(ada.identity)
    trusted = Seal(b"message", bob.adopted(theirs, b"message"))
    assert bob.trusts(trusted)
    bob.distrust(ada.identity)
    assert not bob.trusts(trusted)
    assert not bob.is_adopted(trusted)
    own = Seal(b"other message", ada.adopted(theirs, b"other message"))
    assert ada.is_own(own)


def test_a_shared_record_is_signed_apart_from_all_other_records(tmp_path: Path) -> None:
    pytest.importorskip("cryptography")
    ada = Signer(tmp_path / "ada")
    signature = ada.sign_shared(b"body")
    assert Signer.has_signed_shared(ada.identity, signature, b"body")
    assert not Signer.has_signed_shared(ada.identity, signature, b"other")
    _, public, other = countersigned(ada, b"body").signature.split(" ")
    assert not Signer.has_signed_shared(public, other, b"body")


def test_whoever_has_the_key_signs_in_the_name_of_its_owner(tmp_path: Path) -> None:
    own = Signer(tmp_path / "own")
    own.sign([b"x"])
    shutil.copytree(tmp_path / "own", tmp_path / "thief")
    thief = Signer(tmp_path / "thief")
    assert own.verifies([b"theirs"], thief.sign([b"theirs"]))
    assert own.accepts(signed(thief))


def test_a_signature_is_hmac_sha256_under_the_key_in_the_file(tmp_path: Path) -> None:
    seal = Signer(tmp_path).sign([b"x"])
    key = (tmp_path / "signing-key").read_bytes()
    assert len(key) == 32
    assert seal == hmac.digest(key, b"x", "sha256")
