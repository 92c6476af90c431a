"""Owns `Seal`: the signature over what reuse takes from a step's record, so that a forged record is never reused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Seal", "SignerRecords", "joined_texts"]


def joined_texts(texts: Iterable[str]) -> bytes:
    """Return texts as bytes, each after its length, so that no two sequences have the same."""
    return "".join([f"{len(text)}:{text}" for text in texts]).encode("utf-8", "surrogatepass")


@dataclass(frozen=True, slots=True)
class Seal:
    """A signature of a record.

    Attributes:
        signed: what is signed, as bytes or as the texts that make them; see `core.records.signing`. Most records that
            are read are never checked, and a listing would hold long texts once more for each of them.
        signature: as a text of `materializers.signer`; "" when the record has none.
    """

    signed: bytes | tuple[str, ...]
    signature: str

    @property
    def message(self) -> bytes:
        """What is signed, as bytes."""
        return self.signed if isinstance(self.signed, bytes) else joined_texts(self.signed)


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
