"""Messages of calls on other machines, through files that both sides reach."""

from __future__ import annotations

import pickle
import threading
from typing import TYPE_CHECKING

from zennb.components.relay import FileRelay

if TYPE_CHECKING:
    from pathlib import Path


def test_messages_arrive_in_order_while_the_call_runs_and_the_file_is_deleted_after_it(
    tmp_path: Path,
) -> None:
    relay, heard, two = FileRelay(tmp_path, every=0.01), list[str](), threading.Event()

    def receive(message: str) -> None:
        heard.append(message)
        if len(heard) == 2:
            two.set()

    end = pickle.loads(pickle.dumps(relay.expect("one", receive)))
    with end.open(heard.append) as send:
        send("first")
        send("zwei €")
        assert two.wait(20)
        send("third")
    relay.close("one")
    assert heard == ["first", "zwei €", "third"]
    assert list(tmp_path.iterdir()) == []


def test_a_message_of_which_only_a_part_is_written_waits_for_the_rest(tmp_path: Path) -> None:
    relay, heard = FileRelay(tmp_path, every=60), list[str]()
    relay.expect("one", heard.append)
    path = tmp_path / "zennb-one.messages"
    path.write_bytes(b"whole\nhal")
    relay._files["one"].read()
    assert heard == ["whole"]
    path.write_bytes(b"whole\nhalf\n")
    relay.close("one")
    assert heard == ["whole", "half"]


def test_a_folder_that_is_not_there_is_no_reason_to_fail(tmp_path: Path) -> None:
    relay = FileRelay(tmp_path / "gone", every=0.01)
    end, heard = relay.expect("one", print), list[str]()
    with end.open(heard.append) as send:
        assert send is None
    relay.close("one")
