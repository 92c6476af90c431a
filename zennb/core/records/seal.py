"""Owns `Seal`: the signature over what reuse takes from a step's record, so that a forged record is never reused."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Seal", "SignerRecords"]


@dataclass(frozen=True, slots=True)
class Seal:
    """A signature of a record.

    Attributes:
        message: what is signed; see `core.records.signing`.
        signature: as a text of `materializers.signer`; "" when the record has none.
    """

    message: bytes
    signature: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerRecords:
    """How much somebody signed in a home.

    Attributes:
        key: their public key, 64 hexadecimal digits; "" of records that only their maker can check.
        records: number of step records.
        hosts: machines that they were made on.
    """

    key: str
    records: int
    hosts: tuple[str, ...]
