"""Materializers of other packages: found by entry point, proven, signed where loading runs code, missed when gone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

from tests.installed_packages import Packages
from zennb.digests.digest import digest
from zennb.errors import DamagedArtifact, MissingExtra, NotStorable, UnknownName, UntrustedArtifact
from zennb.materializers.buffers import joined
from zennb.materializers.registry import Materializers
from zennb.materializers.signer import Signer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from zennb.materializers.registry import Dumped

GROUP = "zennb.materializers"

GRIDS = """
class Grid:
    def __init__(self, cells):
        self.cells = cells

class Mesh(Grid):
    pass
"""
PLUGIN = """
import json
from zennb.materializers.materializer import Materializer

class GridFiles(Materializer):
    name = "grid"
    runs_code = False

    def handles(self, value):
        return type(value).__name__ == "Grid"

    def dump(self, value):
        return [json.dumps(value.cells).encode()]

    def load(self, buffer, scope):
        from grids import Grid
        return Grid(json.loads(bytes(buffer)))

    def summary(self, value):
        return {"kind": "text", "text": f"{len(value.cells)} cells", "length": 1}
"""


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Packages]:
    found = Packages(tmp_path, monkeypatch)
    found.install("grids", {}, grids=GRIDS)
    yield found
    found.forget()


@pytest.fixture
def grids(packages: Packages) -> ModuleType:
    import grids  # type: ignore[import-not-found] # installed just now

    return grids  # type: ignore[no-any-return] # as above


def plug_in(
    packages: Packages, *, key: str = "grid.grids.Grid", name: str = "zennb-grids", **edits: str
) -> None:
    text = PLUGIN
    for old, new in edits.items():
        text = text.replace(
            *{
                "load": ("return Grid(json.loads(bytes(buffer)))", new),
                "dump": ("return [json.dumps(value.cells).encode()]", new),
                "handles": ('return type(value).__name__ == "Grid"', new),
                "summary": ('return {"kind": "text", "text": f"{len(value.cells)} cells", "length": 1}', new),
                "head": ("import json\n", new),
                "runs_code": ("runs_code = False", new),
                "name_": ('name = "grid"', new),
            }[old]
        )
    module = name.replace("-", "_")
    packages.install(name, {GROUP: {key: f"{module}:GridFiles"}}, **{module: text})


def dump(materializers: Materializers, value: Any) -> Dumped:
    return materializers.dump(value, digest=digest(value), name="g")


def load(materializers: Materializers, dumped: Dumped, data: bytes | None = None) -> Any:
    buffer = bytes(joined(dumped.buffers)) if data is None else data
    source = dumped.summary.get("distribution", "")
    return materializers.load(dumped.materializer, buffer, name="g", distribution=source)


@pytest.mark.parametrize("key", ["grid.grids.Grid", "grid.grids"])
def test_a_package_stores_its_type_and_reads_it_back_by_the_recorded_name(
    key: str, packages: Packages, grids: ModuleType, materializers: Materializers, tmp_path: Path
) -> None:
    plug_in(packages, key=key)
    dumped = dump(materializers, grids.Grid([1, 2]))
    assert (dumped.materializer, dumped.type) == ("grid", "grids.Grid")
    assert bytes(joined(dumped.buffers)) == b"[1, 2]"
    assert dumped.summary == {"kind": "text", "text": "2 cells", "length": 1, "distribution": "zennb-grids"}
    other = Materializers({}, Signer(tmp_path / "other"))
    assert load(other, dumped).cells == [1, 2]


def test_nothing_is_imported_before_a_value_of_its_type_appears(
    packages: Packages, grids: ModuleType
) -> None:
    plug_in(packages, head="raise RuntimeError\n")
    program = (
        "import pathlib, tempfile, decimal\n"
        "from zennb.digests.digest import digest\n"
        "from zennb.materializers.registry import Materializers\n"
        "from zennb.materializers.signer import Signer\n"
        "m = Materializers({}, Signer(pathlib.Path(tempfile.mkdtemp())))\n"
        "for v in ([1], {'a': decimal.Decimal(1)}, print, object()): m.dump(v, digest=digest(v), name='v')\n"
        "import sys; print('zennb_grids' in sys.modules, 'grids' in sys.modules)"
    )
    path = f"{packages.folder}:{Path(__file__).parents[2]}"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={"PYTHONPATH": path}
    )
    assert done.stdout.split() == ["False", "False"]


def test_a_subclass_that_the_package_does_not_name_is_pickled(
    packages: Packages, grids: ModuleType, materializers: Materializers
) -> None:
    plug_in(packages)
    assert dump(materializers, grids.Mesh([1])).materializer == "pickle"


def test_a_format_that_loses_something_is_passed_over(
    packages: Packages, grids: ModuleType, materializers: Materializers
) -> None:
    plug_in(packages, runs_code="exact = True")
    grid = grids.Grid([(1, 2)])  # JSON makes lists of tuples
    dumped = dump(materializers, grid)
    assert dumped.materializer == "pickle"
    assert "distribution" not in dumped.summary
    assert load(materializers, dumped).cells == [(1, 2)]


def test_a_package_may_name_a_type_that_zennb_stores_itself_and_comes_first(
    packages: Packages, grids: ModuleType, materializers: Materializers
) -> None:
    np = pytest.importorskip("numpy")
    edits = {
        "handles": 'return type(value).__name__ == "ndarray"',
        "dump": "return [json.dumps(value.tolist()).encode()]",
        "load": "import numpy; return numpy.array(json.loads(bytes(buffer)))",
        "summary": "return {}",
    }
    plug_in(packages, key="grid.numpy.ndarray", **edits)
    assert dump(materializers, np.arange(3)).materializer == "grid"
    assert dump(materializers, np.zeros(2, "f4")).materializer == "numpy"
    packages.remove("zennb-grids")
    plug_in(packages, key="grid.numpy", name="other-grids", **edits)
    assert dump(materializers, np.arange(3)).materializer == "numpy"


BROKEN = {
    "import": ({"head": "1 / 0\n"}, r"is broken: importing zennb_grids raised ZeroDivisionError"),
    "library": ({"head": "import no_such_library\n"}, "no_such_library"),
    "handles": ({"handles": "return 1 / 0"}, "ZeroDivisionError"),
    "dump raises": ({"dump": "raise ValueError('no')"}, "ValueError: no"),
    "dump gives text": ({"dump": "return 'text'"}, "TypeError"),
    "dump gives None": ({"dump": "return None"}, "TypeError"),
    "dump gives numbers": ({"dump": "return [1]"}, "TypeError"),
    "load raises": ({"load": "raise KeyError('x')"}, "KeyError"),
    "another name": ({"name_": 'name = "mesh"'}, "calls itself 'mesh'"),
    "no class": ({"name_": 'name = "grid"\n\nGridFiles = 3\nclass Other:\n    pass'}, "not a subclass"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_package_that_does_not_work_is_named_and_nothing_is_stored_in_its_stead(
    case: str, packages: Packages, grids: ModuleType, materializers: Materializers
) -> None:
    edits, said = BROKEN[case]
    plug_in(packages, **edits)
    with pytest.raises(NotStorable, match=said) as caught:
        dump(materializers, grids.Grid([1]))
    assert "'zennb-grids'" in str(caught.value)
    assert "`g` cannot be stored by the materializer 'grid'" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert dump(materializers, [1, 2]).materializer == "plain"


def test_a_package_may_refuse_a_value_and_leaves_it_to_the_next(
    packages: Packages, grids: ModuleType, materializers: Materializers
) -> None:
    plug_in(packages, dump="from zennb.errors import NotStorable; raise NotStorable('too large')")
    assert dump(materializers, grids.Grid([1])).materializer == "pickle"


def test_a_value_of_another_type_that_load_returns_is_no_proof(
    packages: Packages, grids: ModuleType, materializers: Materializers
) -> None:
    plug_in(packages, load="return json.loads(bytes(buffer))")
    assert dump(materializers, grids.Grid([1])).materializer == "pickle"


@pytest.mark.parametrize("keys", [("grid.grids.Grid", "grid.grids.Grid"), ("grid.grids", "grid.grids")])
def test_two_packages_for_one_type_are_a_sentence(
    keys: tuple[str, str], packages: Packages, grids: ModuleType, materializers: Materializers
) -> None:
    for key, name in zip(keys, ("b-grids", "a-grids"), strict=True):
        plug_in(packages, key=key, name=name)
    with pytest.raises(
        NotStorable, match=r"`g` is a grids.Grid, for which the packages 'a-grids' and 'b-grids' each bring a"
    ):
        dump(materializers, grids.Grid([1]))


def test_of_two_packages_with_one_name_the_one_that_stored_it_reads_it(
    packages: Packages, grids: ModuleType, materializers: Materializers
) -> None:
    plug_in(packages)
    dumped = dump(materializers, grids.Grid([1]))
    plug_in(packages, name="a-grids", load="raise RuntimeError")
    assert load(materializers, dumped).cells == [1]
    with pytest.raises(MissingExtra, match="'a-grids' and 'zennb-grids' each bring one of that name"):
        materializers.load("grid", b"[1]", name="g")
    packages.remove("zennb-grids")
    with pytest.raises(
        MissingExtra, match=r"of the package 'zennb-grids', which is not installed; pip install"
    ):
        load(materializers, dumped)


@pytest.mark.parametrize("taken", ["plain", "numpy", "pickle"])
def test_no_package_can_take_the_name_of_ours(
    taken: str, packages: Packages, grids: ModuleType, materializers: Materializers
) -> None:
    plain = dump(materializers, [1])
    plug_in(packages, key=f"{taken}.grids.Grid", name_=f'name = "{taken}"')
    with pytest.raises(NotStorable, match=f"'{taken}' is the name of one of zennb's own"):
        dump(materializers, grids.Grid([1]))
    assert load(materializers, plain) == [1]


@pytest.mark.parametrize("key", ["grid", "grid.", ".grids", "grid.*", ""])
def test_entry_points_of_another_form_are_passed_over(
    key: str, packages: Packages, grids: ModuleType, materializers: Materializers
) -> None:
    plug_in(packages, key=key, head="1 / 0\n")
    assert dump(materializers, grids.Grid([1])).materializer == "pickle"


def test_a_removed_package_is_missed_by_name_and_an_unknown_one_too(
    packages: Packages, grids: ModuleType, materializers: Materializers
) -> None:
    plug_in(packages)
    dumped = dump(materializers, grids.Grid([1]))
    packages.remove("zennb-grids")
    with pytest.raises(
        MissingExtra,
        match=r"artifact 'g' is stored by the materializer 'grid' of the package 'zennb-grids', which is not "
        r"installed; pip install zennb-grids",
    ):
        load(materializers, dumped)
    with pytest.raises(UnknownName, match=r"no materializer 'grid'.*is the package installed that brings it"):
        materializers.load("grid", b"[1]", name="g")
    assert dump(materializers, grids.Grid([1])).materializer == "pickle"


def test_bytes_that_a_package_cannot_read_any_more_are_damaged(
    packages: Packages, grids: ModuleType, materializers: Materializers
) -> None:
    plug_in(packages)
    dumped = dump(materializers, grids.Grid([1]))
    with pytest.raises(DamagedArtifact, match=r"artifact 'g' cannot be loaded by the materializer 'grid' of"):
        load(materializers, dumped, b"{")


def test_what_runs_code_when_loaded_is_signed_and_what_others_made_is_refused(
    packages: Packages, grids: ModuleType, materializers: Materializers, signer: Signer, tmp_path: Path
) -> None:
    mark = tmp_path / "ran"
    plug_in(packages, runs_code="runs_code = True", load=f"open({str(mark)!r}, 'w').close(); {_GRID}")
    dumped = dump(materializers, grids.Grid([1]))
    data = bytes(joined(dumped.buffers))
    assert dumped.size == len(data)
    assert data[64:] == b"[1]"
    assert load(materializers, dumped).cells == [1]
    mark.unlink()
    stranger = Materializers({}, Signer(tmp_path / "stranger"))
    for foreign in (data[:-1] + b" ", data[:20] + bytes([data[20] ^ 1]) + data[21:]):
        with pytest.raises(UntrustedArtifact, match=r"whose loading can run code.*zennb trust g"):
            load(materializers, dumped, foreign)
    with pytest.raises(UntrustedArtifact):
        load(stranger, dumped)
    for unsealed in (b"[1]", b"", bytes(64)):
        with pytest.raises(DamagedArtifact, match="does not have the layout"):
            load(materializers, dumped, unsealed)
    assert not mark.exists()


_GRID = "return Grid(json.loads(bytes(buffer)))"


def test_what_somebody_vouched_for_is_loaded(
    packages: Packages, grids: ModuleType, materializers: Materializers, tmp_path: Path
) -> None:
    import hashlib

    plug_in(packages, runs_code="runs_code = True")
    dumped = dump(materializers, grids.Grid([1]))
    data = bytes(joined(dumped.buffers))
    friend = Signer(tmp_path / "friend")
    friend.trust(hashlib.sha256(data).hexdigest())
    assert load(Materializers({}, friend), dumped).cells == [1]


def test_a_seal_does_not_hold_for_another_materializer(
    packages: Packages, grids: ModuleType, materializers: Materializers
) -> None:
    plug_in(packages, runs_code="runs_code = True")
    plug_in(
        packages, key="mesh.grids.Mesh", name="meshes", name_='name = "mesh"', runs_code="runs_code = True"
    )
    dumped = dump(materializers, grids.Grid([1]))
    with pytest.raises(UntrustedArtifact):
        materializers.load("mesh", bytes(joined(dumped.buffers)), name="g")


@pytest.mark.parametrize(
    ("summary", "text"),
    [
        ("return 1 / 0", "<grids.Grid: no summary, ZeroDivisionError>"),
        ("return None", "<grids.Grid: no summary, TypeError>"),
        ("return {'kind': 'hologram'}", "<grids.Grid: no summary, of kind 'hologram'>"),
        ("return {'kind': 'text', 'text': object()}", "<grids.Grid: no summary, TypeError>"),
        ("return {'kind': 'text', 'text': float('nan')}", "<grids.Grid: no summary, ValueError>"),
        ("return {'kind': 'text', 'text': 'x' * 200_000}", "<grids.Grid: no summary, of 200,028 characters>"),
    ],
)
def test_a_summary_that_cannot_be_kept_says_why_and_the_value_is_stored_all_the_same(
    summary: str, text: str, packages: Packages, grids: ModuleType, materializers: Materializers
) -> None:
    plug_in(packages, summary=summary)
    dumped = dump(materializers, grids.Grid([1]))
    assert (dumped.materializer, dumped.summary["text"]) == ("grid", text)
    assert json.dumps(dumped.summary)


def test_values_of_packages_inside_others_are_pickled_with_them(
    packages: Packages, grids: ModuleType, materializers: Materializers
) -> None:
    plug_in(packages)
    assert dump(materializers, {"a": grids.Grid([1])}).materializer == "pickle"


def test_the_public_name_of_a_type_is_enough(packages: Packages, materializers: Materializers) -> None:
    inside = dedent(GRIDS)
    (packages.folder / "deep").mkdir()
    (packages.folder / "deep" / "__init__.py").write_text("from deep._inside import Grid\n")
    (packages.folder / "deep" / "_inside.py").write_text(inside)
    plug_in(
        packages, key="grid.deep.Grid", load="from deep import Grid as G; return G(json.loads(bytes(buffer)))"
    )
    import deep  # type: ignore[import-not-found] # made just now

    assert dump(materializers, deep.Grid([1])).materializer == "grid"
