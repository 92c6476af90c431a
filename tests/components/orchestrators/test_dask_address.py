"""An address where no scheduler answers: closed, silent, or of another service."""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from zennb import plugins
from zennb.errors import InvalidConfiguration, WorkerLost

if TYPE_CHECKING:
    from collections.abc import Iterator


def made(**config: str) -> Any:
    return plugins.load("orchestrator", "dask").from_config("test", config)


@pytest.fixture
def service(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a service that begins with these bytes; with none, it hangs up; with None, it is silent."""
    begun: list[socket.socket] = []
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection = server.accept()[0]
            except OSError:
                return
            begun.append(connection)
            if request.param is not None:
                connection.sendall(request.param)
            if request.param == b"":
                connection.close()

    threading.Thread(target=serve, daemon=True).start()
    yield f"tcp://127.0.0.1:{server.getsockname()[1]}"
    server.shutdown(socket.SHUT_RDWR)
    for each in (server, *begun):
        each.close()


@pytest.mark.parametrize(
    ("service", "why"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", r"nothing that speaks Dask answers at {}, but another service\."),
        (None, r"nothing that speaks Dask answers at {} within 0\.5 s\."),
        (b"", r"the Dask scheduler {} cannot be reached \(it hangs up\)\."),
    ],
    indirect=["service"],
    ids=["ssh", "silent", "hangs up"],
)
def test_another_service_is_one_sentence_within_a_bound(service: str, why: str) -> None:
    started = time.monotonic()
    with pytest.raises(WorkerLost, match=why.format(service)):
        made(address=service).probe(seconds=0.5)
    with pytest.raises(WorkerLost, match=r"nothing that speaks Dask answers|does not answer"):
        made(address=service, patience="1").submit(abs, -1)
    assert time.monotonic() - started < 10


def test_a_closed_port_is_a_refused_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(WorkerLost, match=f"the connection to the Dask scheduler {address} was refused"):
        made(address=address).probe(seconds=0.5)
    with pytest.raises(WorkerLost, match=r"does not answer within 1 s \(the connection was refused\)"):
        made(address=address, patience="1").submit(abs, -1)


def test_what_is_no_address_is_one_sentence() -> None:
    with pytest.raises(
        InvalidConfiguration, match=r"`tcp://here` is not an address of a Dask scheduler \(missing port"
    ):
        made(address="tcp://here").probe(seconds=0.5)


def test_an_address_of_another_protocol_is_left_to_dask() -> None:
    made(address="tls://127.0.0.1:9").probe(seconds=0.5)
