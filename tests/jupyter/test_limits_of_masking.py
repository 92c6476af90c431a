"""Where masking ends, as SECURITY.md says: what is recorded of a secret all the same."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from tests.jupyter.planted import found_in_files
from zennb import api
from zennb.digests.digest import digest_value

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.jupyter.conftest import Notebook

VALUE = "Qx7vKp93LmTz"
KNOWN = (f"password = {VALUE!r}", "%%step first\nn = len(password)")


def test_in_code_a_known_value_is_masked_by_name_and_form_only(notebook: Notebook) -> None:
    notebook.run(*KNOWN, f"%%step plain\nm = len({VALUE!r})", f"%%step named\npassword = {VALUE!r}\nk = 1")
    recorded = {step.name: step.source for step in api.workspace().metadata.latest_steps("")}
    assert VALUE in recorded["plain"]
    assert VALUE not in recorded["named"]


def test_the_name_of_a_step_or_file_and_the_digest_of_a_file_are_recorded(
    notebook: Notebook, tmp_path: Path
) -> None:
    (tmp_path / f"{VALUE}.txt").write_text(VALUE)
    notebook.run(
        *KNOWN,
        f"%%step step_{VALUE}\nimport pathlib\nsize = len(pathlib.Path({VALUE + '.txt'!r}).read_text())",
    )
    (step,) = [each for each in api.workspace().metadata.latest_steps("") if each.name.startswith("step_")]
    assert step.name == f"step_{VALUE}"
    assert step.observed.files.keys() == {f"{VALUE}.txt"}


def test_a_known_value_of_fewer_than_six_characters_is_not_looked_for(notebook: Notebook) -> None:
    notebook.run("password = 'hunt7'\npin = 'hunt78'\n", "%%step first\nn = len(password)")
    cell = "%%step s\nprint('hunt7')\nm = 1"
    notebook.run(cell)
    (again,) = notebook.run(cell)
    assert (again.status, again.out) == ("cached", "hunt7\n")


def test_the_value_of_an_environment_variable_is_sealed(
    notebook: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An ordinary one as well: neither it nor a digest of it that others could try is recorded."""
    value = "an-ordinary-mode-of-ours"
    monkeypatch.setenv("ZENNB_TEST_MODE", value)
    cell = "%%step s\nimport os\nn = len(os.environ['ZENNB_TEST_MODE'])"
    notebook.run(cell)
    (step,) = api.workspace().metadata.latest_steps("")
    assert step.observed.environment.keys() == {"ZENNB_TEST_MODE"}
    notebook.stop()
    plain = (
        value,
        digest_value(value).digest,
        *(hashlib.new(name, value.encode()).hexdigest() for name in ("sha256", "blake2b", "md5")),
    )
    assert [each for each in plain if found_in_files(tmp_path / "home", each[:24])] == []
    (key,) = tmp_path.rglob("signing-key")
    key.unlink()
    notebook.start()
    notebook.run("%%step t\nimport os\nn = len(os.environ['ZENNB_TEST_MODE'])")
    other = {each.name: each for each in api.workspace().metadata.latest_steps("")}["t"]
    assert other.observed.environment != step.observed.environment
