"""What changed of a model is written, once; and what other versions share with it stays as long as one needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from zennb import api
from zennb.compat.tensors import new_storage
from zennb.core.records.space import PruneRule
from zennb.materializers import tensors
from zennb.space.prune import prune

if TYPE_CHECKING:
    from pathlib import Path

    from tests.jupyter.conftest import Notebook

pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")  # what torch says about itself

LAYER = 400 * 400 * 4
MODEL = """
import torch
from torch import nn
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(400, 400), nn.Linear(400, 400))
x = torch.ones(2, 400)
"""
TRAIN = """
model(x).pow(2).mean().backward()
opt.step()
opt.zero_grad()
"""
SUM = "print(model.training, sum(p.double().sum().item() for p in model.parameters()))"


def stored(folder: Path) -> int:
    """The bytes of all large blobs."""
    blobs = folder.glob("**/blobs/*/*")
    return sum(size for size in (each.stat().st_size for each in blobs) if size >= LAYER)


def grown(notebook: Notebook, tmp_path: Path, cell: str) -> float:
    """How many layers a step added to the store."""
    before = stored(tmp_path)
    ran = notebook.cell(f"%%step\n{cell}")
    assert ran.error is None
    return (stored(tmp_path) - before) / LAYER


def test_only_what_changed_is_written(notebook: Notebook, tmp_path: Path) -> None:
    cells = {
        MODEL: 2,
        "model.eval()\nNone": 0,
        "opt = torch.optim.Adam(model.parameters())": 0,
        TRAIN: 6,
        "model.train()\nNone": 0,
        "import copy\nbest = copy.deepcopy(model.state_dict())": 0,
        "model[1].weight.data.mul_(2)\nNone": 1,
        "tied = nn.Sequential(model[0], model[0])": 0,
        "rows = model[0].weight.data[3:9]": 0,
    }
    assert {cell: grown(notebook, tmp_path, cell) for cell in cells} == cells


def test_memory_that_was_loaded_is_not_written_again(notebook: Notebook, tmp_path: Path) -> None:
    notebook.run(f"%%step made\n{MODEL}")
    notebook.restart()
    assert notebook.cell(f"%%step made\n{MODEL}").status == "cached"
    assert grown(notebook, tmp_path, "model.eval()\nNone") == 0


@pytest.fixture
def versions(notebook: Notebook) -> Notebook:
    """A model in two versions that share all memory but one layer."""
    notebook.run(f"%%step made\n{MODEL}", "%%step changed\nmodel[1].weight.data.mul_(2)\nmodel.eval()\nNone")
    return notebook


def artifact(version: int) -> object:
    return api.find_artifact(api.workspace(), "model", version=version)


def test_a_prune_leaves_what_a_kept_version_shares_with_a_deleted_one(versions: Notebook) -> None:
    expected = versions.cell(SUM).out
    first, second = (
        api.find_artifact(api.workspace(), "model", version=1),
        api.find_artifact(api.workspace(), "model"),
    )
    assert len(set(first.parts) & set(second.parts)) == 1
    workspace = api.workspace()
    versions.stop()
    workspace = api.workspace()
    done = prune(workspace, PruneRule(to=0), delete=False, grace=-1.0)
    listed = {each.digest: each.labels for each in done.plan.blobs}
    assert not set(second.blobs) & listed.keys()
    versions.start()
    versions.cell(f"%%step made\n{MODEL}")
    assert (
        versions.cell("%%step changed\nmodel[1].weight.data.mul_(2)\nmodel.eval()\nNone").status == "cached"
    )
    assert versions.cell(SUM).out == expected


def test_a_pinned_version_keeps_its_memory(versions: Notebook) -> None:
    first = api.find_artifact(api.workspace(), "model", version=1)
    space = api.workspace().metadata.space
    assert first.id is not None
    space.pin(first.id)
    assert space.records().pinned >= set(first.blobs)
    assert {each.blob for each in space.records().references} >= set(first.blobs)
    del versions


@pytest.mark.parametrize("damage", ["missing", "changed"])
def test_memory_that_is_gone_is_computed_again(versions: Notebook, tmp_path: Path, damage: str) -> None:
    expected = versions.cell(SUM).out
    part = api.find_artifact(api.workspace(), "model").parts[-1]
    (path,) = tmp_path.glob(f"**/blobs/*/{part}")
    versions.restart()
    content = path.read_bytes()
    path.unlink()
    if damage == "changed":
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    versions.run(f"%%step made\n{MODEL}", "%%step changed\nmodel[1].weight.data.mul_(2)\nmodel.eval()\nNone")
    assert versions.cell(SUM).out == expected


def test_the_check_of_a_pickle_copies_no_memory(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    copied = []
    make = new_storage

    def counted(memory: memoryview, size: int, device: str) -> object:
        copied.append(len(memory))
        return make(memory, size, device)

    monkeypatch.setattr(tensors, "new_storage", counted)
    notebook.run(f"%%step made\n{MODEL}")
    assert max(copied) < LAYER


def test_an_artifact_with_memory_apart_is_loaded_by_name(versions: Notebook) -> None:
    value = api.load("model", version=1)
    assert value.training
    assert versions.ns["model"][0].weight.equal(value[0].weight)
