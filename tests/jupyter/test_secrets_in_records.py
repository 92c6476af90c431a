"""A secret that a step handles is not kept with metrics, tags, names, errors and alerts, nor shown by lists."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING

import pytest

from tests.jupyter.planted import found_in_files, found_in_outputs, found_in_tables
from tests.keyrings import without_keyring
from zennb.components import secret_store

if TYPE_CHECKING:
    from pathlib import Path

    from tests.jupyter.conftest import Notebook

VALUE = "c4nary-7f3a9b21-x"
SECRET = "Secret('secret:TEAM').reveal()"
STEP = "%%step train\nmodel = 1\n"
LISTINGS = (
    *("%runs", "%runs show 1", "%runs show 1 --json", "%runs logs 1", "%artifacts", "%pipeline status"),
    *("%model list", "%model show --json", "%zennb sync --json", "%deployment list"),
)


@pytest.fixture(autouse=True)
def team(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret_store, "_of_process", {})
    monkeypatch.setattr(getpass, "getpass", lambda _prompt="": VALUE)
    without_keyring(monkeypatch)


@pytest.mark.parametrize(
    "cells",
    [
        [f"{STEP}zennb.log({{{SECRET}: 1, 'a' + {SECRET}: 2}})"],
        [f"{STEP}raise KeyError({{'key': [{SECRET}, ({SECRET},)]}})"],
        [f"{STEP}raise FileNotFoundError(2, 'no such file', '/x/' + {SECRET})"],
        [f"{STEP}error = ValueError('a')\nerror.add_note('with ' + {SECRET})\nraise error"],
        [f"{STEP}raise ValueError('b') from OSError({SECRET})"],
        ["%xmode Verbose", f"{STEP}def use(given):\n    held = given\n    raise ValueError('no')\nuse({SECRET})"],
        ["%alerter register team --flavor=local --path=alerts.log", f"%%step a --notify team\nopen({SECRET})"],
        ["schema = {'max': 3}", f"%%step train --check out=schema\nout = [{SECRET}]"],
        [STEP, f"zennb.register_model('m', 'model', note={SECRET}, tags={{'t': {SECRET}, {SECRET}: ''}})"],
        [STEP, f"zennb.register_model({SECRET}, 'model')"],
        [STEP, f"zennb.runs()[0].tag({SECRET}, stage={SECRET})", f"zennb.runs()[0].set_note({SECRET})"],
        [STEP, f"zennb.artifacts()[0].tag({SECRET}, stage={SECRET}).set_note({SECRET})"],
        ["%secret set 'it''s a <b>name</b>/ü'", "%secret list", "%secret list --json"],
    ],
    ids=lambda cells: cells[-1][-40:],
)  # fmt: skip
def test_a_secret_in_the_hands_of_a_step(notebook: Notebook, tmp_path: Path, cells: list[str]) -> None:
    ran = notebook.run("%secret set TEAM", "from zennb.components.secret import Secret\nimport zennb")
    ran += [notebook.cell(text) for text in (*cells, *LISTINGS)]
    notebook.stop()
    try:
        assert found_in_outputs(ran, VALUE) == []
        assert found_in_tables(tmp_path, VALUE) == []
        assert found_in_files(tmp_path, VALUE) == []
    finally:
        notebook.start()
