"""What is said of values that cannot be stored: one line of what a library says, and the name that the cell uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from zennb.digests.digest import digest
from zennb.errors import CannotDigest, NotStorable
from zennb.materializers.registry import Materializers
from zennb.materializers.signer import Signer

if TYPE_CHECKING:
    from pathlib import Path

SAID = "graphs cannot be pickled\n\n  hint: call `detach()`\n" + "\n".join("more" for _ in range(40))


class Wordy:
    """An object that says much about why it cannot be pickled."""

    def __reduce__(self) -> Any:
        raise ValueError(SAID)


class Lossy:
    """An object that can be pickled, but not loaded."""

    def __reduce__(self) -> Any:
        return _fail, ()


def _fail() -> None:
    raise OSError("\ncannot open resource\nat all")


@pytest.fixture
def materializers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Materializers:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path))
    return Materializers({}, Signer())


def test_one_line_of_an_error_is_quoted(materializers: Materializers) -> None:
    with pytest.raises(
        NotStorable, match=r"^`model\.part` is a .*Wordy, which .* \(graphs cannot be pickled\)\. "
    ):
        materializers.dump(_with(Wordy()), digest="0", name="model")
    with pytest.raises(CannotDigest, match=r"\(ValueError: graphs cannot be pickled\)"):
        digest([Wordy()])


def _with(part: object) -> object:
    found = Holder()
    found.part = part
    return found


class Holder:
    """An object with a part."""

    part: object = None


def test_of_variables_that_share_state_the_one_at_fault_is_named(materializers: Materializers) -> None:
    shared = [1]
    with pytest.raises(NotStorable, match=r"^`second\[1\]` is a .*Wordy"):
        materializers.dump_together(
            {"first": [shared], "second": [shared, Wordy()]},
            name="first and second",
            memory={"first": (), "second": ()},
        )


def test_variables_that_cannot_be_loaded_again_are_named_together(materializers: Materializers) -> None:
    wanted = (
        r"^`a and b` share state and can be pickled but not loaded again \(OSError: cannot open resource\)"
    )
    with pytest.raises(NotStorable, match=wanted):
        materializers.dump_together({"a": [Lossy()], "b": []}, name="a and b", memory={"a": (), "b": ()})
