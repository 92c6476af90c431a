"""Signatures that other people can check: they follow the record, and the step does not wait for them."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from zennb.core.records.records import Status, Step
from zennb.materializers import signer as signing
from zennb.materializers.signer import Signer
from zennb.metadata.store import MetadataStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytest.importorskip("cryptography")


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return Signer(tmp_path / "keys")


@pytest.fixture
def signed(tmp_path: Path, signer: Signer) -> Iterator[MetadataStore]:
    opened = MetadataStore(tmp_path / "signed.db", sign=signer.sign_record, countersign=signer.countersign)
    yield opened
    opened.close()


def seals(path: Path) -> list[str]:
    """Return the signatures of all steps, as somebody else reads them."""
    other = MetadataStore(path)
    try:
        return [step.seal.signature for step in other.latest_steps("") if step.seal is not None]
    finally:
        other.close()


def test_a_step_waits_only_for_its_own_seal(
    signed: MetadataStore, signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def public_signature(*_: object) -> str:
        raise AssertionError("the step waits for it")

    monkeypatch.setattr(signing, "public_signature", public_signature)
    added = signed.add(Step(name="a", status=Status.COMPLETED))
    assert added.seal is not None
    assert signer.is_own(added.seal)
    assert seals(signed.path) == [added.seal.signature]


def test_other_people_can_check_a_record_a_moment_later(
    signed: MetadataStore, signer: Signer, tmp_path: Path
) -> None:
    colleague = Signer(tmp_path / "colleague")
    colleague.trust(signer.identity)
    signed.add_all([Step(name=name, status=Status.COMPLETED) for name in "ab"])
    found: list[Step] = []
    deadline = time.monotonic() + 60.0
    while time.monotonic() < deadline and not (found and all(map(colleague.accepts, found))):
        found = signed.latest_steps("")
        time.sleep(0.02)
    assert [colleague.accepts(step) for step in found] == [True, True]
    assert all(signer.accepts(step) for step in found)


def test_what_waits_is_signed_when_the_store_is_closed(signed: MetadataStore) -> None:
    signed.add(Step(name="a", status=Status.COMPLETED))
    signed.close()
    assert [len(each.split()) for each in seals(signed.path)] == [3]


def test_what_waits_is_signed_when_the_process_ends(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from zennb.core.records.records import Status, Step;"
        "from zennb.materializers.signer import Signer; from zennb.metadata.store import MetadataStore;"
        "folder = Path(sys.argv[1]); signer = Signer(folder);"
        "store = MetadataStore(folder / 'm.db', sign=signer.sign_record, countersign=signer.countersign);"
        "store.add(Step(name='a', status=Status.COMPLETED))"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    assert [len(each.split()) for each in seals(tmp_path / "m.db")] == [3]


def test_a_number_that_another_step_has_got_keeps_its_own_seal(signed: MetadataStore, signer: Signer) -> None:
    def fails() -> None:
        signed.add(Step(name="a", status=Status.COMPLETED))
        raise ValueError("rolled back")

    with pytest.raises(ValueError, match="rolled back"):
        signed.atomically(fails)
    other = MetadataStore(signed.path, sign=signer.sign_record)
    added = other.add(Step(name="b", status=Status.COMPLETED))
    other.close()
    signed.close()
    assert added.seal is not None
    assert seals(signed.path) == [added.seal.signature]
