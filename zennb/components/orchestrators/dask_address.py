"""Owns the look at the address of a Dask scheduler: whether anything listens there, and whether it speaks Dask.

Dask takes the first bytes of any service for the length of a message, and tries to make room for it.
"""

from __future__ import annotations

import socket
import time

from distributed.comm.addressing import get_address_host_port, parse_address

from zennb.errors import InvalidConfiguration, WorkerLost

__all__ = ["look_at"]

_LARGEST = 1 << 20
"""Bytes of the longest message that a scheduler can begin with: it names its protocol."""

_ADVICE = "Nothing was started; check the address, and that the scheduler runs."


def look_at(address: str, *, seconds: float, is_patient: bool = False) -> None:
    """Connect to a scheduler for a moment.

    Args:
        address: `tcp://host:8786`; one of another protocol is not looked at.
        seconds: how long this may take.
        is_patient: whether somebody else will wait for a scheduler that is not there yet.

    Raises:
        WorkerLost: no scheduler answers there, or another service does.
        InvalidConfiguration: it is no address.
    """
    try:
        place = get_address_host_port(address) if parse_address(address)[0] == "tcp" else None
    except ValueError as error:
        raise InvalidConfiguration(
            f"`{address}` is not an address of a Dask scheduler ({error}); give one as tcp://host:8786.",
            option="address",
        ) from error
    if place is None:
        return
    try:
        first = _first_bytes(place, seconds)
    except OSError as error:
        if is_patient and not isinstance(error, TimeoutError):
            return
        if isinstance(error, ConnectionRefusedError):
            why = f"the connection to the Dask scheduler {address} was refused"
        elif isinstance(error, TimeoutError):
            why = f"nothing that speaks Dask answers at {address} within {seconds:g} s"
        else:
            why = f"the Dask scheduler {address} cannot be reached ({error})"
        raise WorkerLost(f"{why}. {_ADVICE}") from error
    if not 0 < int.from_bytes(first, "little") < _LARGEST:
        raise WorkerLost(f"nothing that speaks Dask answers at {address}, but another service. {_ADVICE}")


def _first_bytes(place: tuple[str, int], seconds: float) -> bytes:
    """Return what somebody sends who was just connected: a scheduler, the length of its first message."""
    end, found = time.monotonic() + seconds, b""
    with socket.create_connection(place, timeout=seconds) as connection:
        while len(found) < 8:
            connection.settimeout(max(0.01, end - time.monotonic()))
            more = connection.recv(8 - len(found))
            if not more:
                raise ConnectionResetError("it hangs up")
            found += more
    return found
