"""The records in a store, without a notebook: which of many are read, and what is done with odd ones."""

from __future__ import annotations

import getpass
import json
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from zennb.components.artifact_stores.memory import MemoryArtifactStore
from zennb.components.shared_files import ListedFile
from zennb.core.records.records import CacheKeyParts, ComponentSpec, Run, StackSpec, Status, Step
from zennb.engine.sharing import shared_records as module
from zennb.engine.sharing.record_format import LARGEST, opened_record, record_content
from zennb.engine.sharing.shared_records import SharedRecords, shared_records
from zennb.errors import StoreError
from zennb.materializers.signer import Signer
from zennb.metadata.steps import NewStep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

pytest.importorskip("cryptography")

KEY = "a" * 64
STACK = StackSpec(
    name="team",
    components={
        "orchestrator": ComponentSpec(type="orchestrator", name="default", flavor="local"),
        "artifact_store": ComponentSpec(
            type="artifact_store", name="shared", flavor="s3", config={"cache": "/home/ada/copies"}
        ),
    },
)
RUN = Run(
    kind="session", notebook="study.ipynb", stack=STACK, started=1_773_063_900.0, host="lab-3", process=7
)
STEP = Step(
    name="load",
    status=Status.COMPLETED,
    cache_key=KEY,
    parts=CacheKeyParts(code="c"),
    started=1_773_063_900.5,
    seconds=2.0,
)


class Files:
    """Shared files in memory."""

    only_trusted = False

    def __init__(self) -> None:
        self.content: dict[str, bytes] = {}
        self.times: dict[str, float] = {}
        self.read_names: list[str] = []
        self.before: Callable[[], None] = lambda: None

    def create(self, files: Mapping[str, bytes]) -> None:
        self.before()
        for name, content in files.items():
            self.content.setdefault(name, content)
            self.times.setdefault(name, float(len(self.times)))

    def listed(self, folder: str, *, most: int) -> list[ListedFile]:
        self.before()
        found = {}
        for name in self.content:
            if name.startswith(f"{folder}/"):
                first, _, rest = name.removeprefix(f"{folder}/").partition("/")
                found[first] = ListedFile(name=first, written=self.times[name], is_folder=bool(rest))
        return [found[name] for name in sorted(found)][:most]

    def read(self, names: Iterable[str], *, most: int) -> dict[str, bytes]:
        wanted = list(names)
        self.read_names += wanted
        return {
            name: self.content[name]
            for name in wanted
            if len(self.content.get(name, b"x" * (most + 1))) <= most
        }


@pytest.fixture
def files() -> Files:
    return Files()


@pytest.fixture
def person(tmp_path: Path, files: Files) -> Callable[[str], SharedRecords]:
    def made(name: str) -> SharedRecords:
        return SharedRecords(files, Signer(tmp_path / name), "shared", patience=5.0)

    return made


def left(records: SharedRecords, *, started: float = STEP.started, **more: object) -> None:
    step = replace(STEP, started=started, **more)  # type: ignore[arg-type]
    records.publish([(NewStep.of(step, records.signer.sign_record), 12)], RUN)


def test_what_somebody_leaves_is_found_by_its_key(
    person: Callable[[str], SharedRecords], files: Files
) -> None:
    left(person("ada"))
    (found,) = person("bob").find([KEY, ""])
    assert (found.step.name, found.step.cache_key, found.number, found.run.host) == ("load", KEY, 12, "lab-3")
    assert found.signer == person("ada").signer.identity
    assert "run 12 of " in found.origin
    assert person("bob").find(["b" * 64]) == []
    assert not any(b"/home/ada" in content for content in files.content.values())
    assert all(len(name.rpartition("/")[2]) < 256 for name in files.content)


def test_own_records_come_first_then_those_of_trusted_people(person: Callable[[str], SharedRecords]) -> None:
    bob = person("bob")
    for name in ("bob", "ada", "carol"):
        left(person(name))
    bob.signer.trust(person("ada").signer.identity)
    order = [person(name).signer.identity for name in ("bob", "ada", "carol")]
    assert [each.signer for each in bob.find([KEY])] == order


def test_a_flood_of_records_hides_no_trusted_one_and_is_not_read(
    person: Callable[[str], SharedRecords], files: Files
) -> None:
    left(person("ada"))
    for number in range(900):
        files.create({f"records/{KEY}/{number:064x}-{number:064x}.json": b"{}"})
    bob = person("bob")
    bob.signer.trust(person("ada").signer.identity)
    assert [each.step.name for each in bob.find([KEY])] == ["load"]
    assert len(files.read_names) <= 8


def test_only_reusable_steps_are_found_and_all_are_in_the_history(
    person: Callable[[str], SharedRecords],
) -> None:
    ada = person("ada")
    left(ada, reusable=False, unusable_because="it runs a program")
    left(ada, cache_key="", name="plain", started=STEP.started + 100_000)
    assert person("bob").find([KEY]) == []
    assert [each.step.name for each in person("bob").recent()] == ["plain", "load"]
    (run,) = person("bob").runs()
    assert (run.run, run.host, run.trusted, run.steps) == (
        12,
        "lab-3",
        "no",
        {"load": "completed", "plain": "completed"},
    )
    (own,) = ada.runs()
    assert own.trusted == "you"
    assert person("bob").signers() == {ada.signer.identity}


def test_failed_steps_leave_nothing(person: Callable[[str], SharedRecords], files: Files) -> None:
    left(person("ada"), status=Status.FAILED)
    assert files.content == {}


def test_a_plan_takes_an_answer_of_a_moment_ago_and_a_run_asks(
    person: Callable[[str], SharedRecords],
) -> None:
    bob = person("bob")
    assert bob.find([KEY], is_plan=True) == []
    left(person("ada"))
    assert bob.find([KEY], is_plan=True) == []
    assert len(bob.find([KEY])) == 1
    assert len(bob.find([KEY], is_plan=True)) == 1


def test_a_store_that_fails_is_named_once_and_asked_again_later(
    person: Callable[[str], SharedRecords], files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    left(person("ada"))
    bob = person("bob")
    asked: list[int] = []

    def fail() -> None:
        asked.append(1)
        raise StoreError("The store is closed. Open it.")

    files.before = fail
    assert bob.find([KEY]) == []
    assert bob.find([KEY]) == []
    assert bob.trouble() == "nothing that others share is reused: The store is closed"
    assert bob.trouble() == ""
    left(bob)  # to leave something is another matter
    assert len(asked) == 2
    with pytest.raises(StoreError):
        bob.recent()
    files.before = lambda: None
    monkeypatch.setattr(module, "PAUSE", 0.0)
    assert len(bob.find([KEY])) == 1


def test_whatever_a_library_raises_ends_no_step(person: Callable[[str], SharedRecords], files: Files) -> None:
    def fail() -> None:
        raise RuntimeError("odd")

    files.before = fail
    bob = person("bob")
    assert bob.find([KEY]) == []
    assert "odd" in bob.trouble()


def test_a_store_that_is_silent_is_left_after_a_moment(tmp_path: Path, files: Files) -> None:
    go_on = threading.Event()

    def silent() -> None:
        go_on.wait(20)

    files.before = silent
    bob = SharedRecords(files, Signer(tmp_path / "bob"), "shared", patience=0.1)
    assert bob.find([KEY]) == []
    assert "no answer for 0.1 seconds" in bob.trouble()
    go_on.set()


def test_the_records_of_a_store_are_kept_with_it() -> None:
    assert shared_records(MemoryArtifactStore(), Signer()) is None


def test_a_record_that_is_too_large_is_not_left(tmp_path: Path) -> None:
    signer = Signer(tmp_path / "ada")
    large = replace(STEP, source="x" * 5_000_000)
    assert record_content(NewStep.of(large, signer.sign_record), RUN, 1, signer=signer) is None
    content = record_content(NewStep.of(STEP, signer.sign_record), RUN, None, signer=signer)
    assert content is not None
    found = opened_record(content, signer=signer)
    assert found is not None
    assert "a run of " in found.origin


def signed(body: dict[str, Any], signer: Signer) -> bytes:
    text = json.dumps(body)
    found = {"format": "zennb shared record 1", "signer": signer.identity, "body": text}
    return json.dumps({**found, "signature": signer.sign_shared(text.encode())}).encode()


def body_of_step(signer: Signer) -> dict[str, Any]:
    content = record_content(NewStep.of(STEP, signer.sign_record), RUN, 1, signer=signer)
    assert content is not None
    found: dict[str, Any] = json.loads(json.loads(content)["body"])
    return found


def deep(levels: int) -> Any:
    found: Any = 1
    for _ in range(levels):
        found = [found]
    return found


@pytest.mark.parametrize(
    "change",
    [
        {"author": 17},
        {"number": "12"},
        {"seal": None},
        {"seal": "x y z"},
        {"step": []},
        {"inputs": 3},
        {"outputs": {"x": {"name": "x"}}},
        {"more": deep(60)},
        {"recorded": "yesterday"},
        {"recorded": 10**400},
    ],
    ids=lambda change: next(iter(change)),
)
def test_an_odd_record_is_none_even_if_it_is_signed(tmp_path: Path, change: dict[str, Any]) -> None:
    signer = Signer(tmp_path / "ada")
    body = body_of_step(signer)
    assert opened_record(signed(body, signer), signer=signer) is not None
    found = opened_record(signed({**body, **change}, signer), signer=signer)
    # What is damaged is listed, and never reused: a step without a key, an output without bytes.
    assert found is None or found.step.cache_key != KEY or not found.step.outputs["x"].blob


@pytest.mark.parametrize("odd", [b"", b"[]", b"{}", b"null", b"\xff", b"[" * 100_000, b'{"format":1}'])
def test_what_is_no_record_is_none(tmp_path: Path, odd: bytes) -> None:
    assert opened_record(odd, signer=Signer(tmp_path / "ada")) is None


def test_a_larger_record_is_not_read_whoever_signed_it(
    person: Callable[[str], SharedRecords], files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (LARGEST, module.PATIENCE) == (4_000_000, 10.0)
    monkeypatch.setattr("zennb.engine.sharing.record_format.LARGEST", 10_000_000)
    left(person("ada"), source="x" * 4_500_000)
    bob = person("bob")
    bob.signer.trust(person("ada").signer.identity)
    assert any(len(content) > 4_500_000 for content in files.content.values())
    assert bob.find([KEY]) == []
    left(person("ada"), source="x" * 3_500_000)
    assert len(bob.find([KEY])) == 1


def test_more_than_a_thousand_records_of_one_key_hide_the_others(
    person: Callable[[str], SharedRecords], files: Files
) -> None:
    """A limit that SECURITY.md tells of: so many are listed, and those come first whose names do."""
    left(person("ada"))
    bob = person("bob")
    bob.signer.trust(person("ada").signer.identity)
    for number in range(1001):
        files.create({f"records/{KEY}/{'0' * 64}-{number:064x}.json": b"{}"})
    assert bob.find([KEY]) == []


def test_a_record_tells_everybody_code_names_and_machines_but_no_parameters_and_options(
    person: Callable[[str], SharedRecords], files: Files
) -> None:
    step = replace(STEP, source="%%step load\nrows = read_all()")
    run = replace(RUN, parameters={"limit": "a-parameter-4711"})
    ada = person("ada")
    ada.publish([(NewStep.of(step, ada.signer.sign_record), 12)], run)
    everything = b"".join(files.content.values())
    for told in (b"rows = read_all()", b"study.ipynb", b"lab-3", getpass.getuser().encode()):
        assert told in everything
    for kept in (b"a-parameter-4711", b"/home/ada/copies"):
        assert kept not in everything
