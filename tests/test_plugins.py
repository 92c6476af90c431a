from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from zennb import plugins
from zennb.components.component import COMPONENT_TYPES, Component
from zennb.core.records.component_types import FLAVORS_OF
from zennb.errors import MissingExtra, UnknownName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Install = Callable[..., None]

GOOD = """
from zennb.components.orchestrators.local import LocalOrchestrator
class Dream(LocalOrchestrator):
    flavor = "dream"
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Put a distribution on the path: a module and a dist-info directory with entry points."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(tmp_path))

    def put(name: str, points: str, **modules: str) -> None:
        info = tmp_path / f"{name.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[zennb.flavors]\n{points}\n")
        for module, text in modules.items():
            (tmp_path / f"{module}.py").write_text(text)

    yield put
    for module in set(sys.modules) - before:
        if module.startswith("dreams"):
            del sys.modules[module]


def test_our_flavors_are_known_for_each_type() -> None:
    assert {"local", "threads"} <= set(plugins.flavors("orchestrator"))
    assert {"local", "memory"} <= set(plugins.flavors("artifact-store"))
    assert plugins.flavors("sandbox") == {}


@pytest.mark.parametrize("kind", [known.name for known in COMPONENT_TYPES])
def test_every_listed_flavor_of_ours_loads_as_what_it_says(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugins, "find_spec", lambda _: object())  # as if every library were installed
    for name, info in plugins.flavors(kind).items():
        loaded = plugins.load(kind, name)
        assert (loaded.type, loaded.flavor) == (FLAVORS_OF.get(kind, kind), name)
        assert issubclass(loaded, Component)
        assert info.description == loaded.description


def test_a_flavor_of_ours_whose_library_is_not_installed_names_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(plugins, "find_spec", lambda name: None if name == "s3fs" else object())
    with pytest.raises(MissingExtra, match=r"No module named 's3fs'.*: pip install \"zennb\[s3\]\""):
        plugins.load("artifact_store", "s3")
    assert plugins.load("artifact_store", "gcs").flavor == "gcs"


def test_listing_imports_no_flavor(install: Install) -> None:
    install("dreams", "orchestrator.dream = dreams_mod:Dream", dreams_mod="raise RuntimeError")
    assert plugins.flavors("orchestrator")["dream"].target == "dreams_mod:Dream"
    assert "dreams_mod" not in sys.modules


def test_a_flavor_of_another_package_is_found_and_loaded(install: Install) -> None:
    install("dreams", "orchestrator.dream = dreams_mod:Dream", dreams_mod=GOOD)
    info = plugins.flavors("orchestrator")["dream"]
    assert (info.type, info.name, info.source) == ("orchestrator", "dream", "dreams")
    assert plugins.load("orchestrator", "dream").__name__ == "Dream"


def test_a_flavor_is_listed_under_its_own_type_only(install: Install) -> None:
    install("dreams", "orchestrator.dream = dreams_mod:Dream", dreams_mod=GOOD)
    assert "dream" not in plugins.flavors("artifact_store")


def test_no_package_can_take_the_place_of_our_flavors(install: Install) -> None:
    install("dreams", "orchestrator.local = dreams_mod:Dream", dreams_mod=GOOD)
    assert plugins.flavors("orchestrator")["local"].source == "zennb"
    assert plugins.load("orchestrator", "local").__name__ == "LocalOrchestrator"


def test_of_two_packages_the_first_by_name_wins(install: Install) -> None:
    install("dreams-b", "orchestrator.dream = dreams_b:Dream", dreams_b="")
    install("dreams-a", "orchestrator.dream = dreams_a:Dream", dreams_a=GOOD)
    assert plugins.flavors("orchestrator")["dream"].source == "dreams-a"


@pytest.mark.parametrize("points", ["dream = dreams_mod:Dream", "orchestrator. = dreams_mod:Dream", ""])
def test_entry_points_of_another_form_are_passed_over(points: str, install: Install) -> None:
    install("dreams", points, dreams_mod=GOOD)
    assert set(plugins.flavors("orchestrator")) == {
        "local",
        "threads",
        "processes",
        "dask",
        "slurm",
        "flux",
        "executor",
    }


def test_an_unknown_flavor_names_the_nearest() -> None:
    with pytest.raises(
        UnknownName, match="no orchestrator flavor 'thread'; did you mean 'threads'"
    ) as caught:
        plugins.load("orchestrator", "thread")
    assert caught.value.known == ("local", "threads", "processes", "dask", "slurm", "flux", "executor")


@pytest.mark.parametrize("ask", [plugins.flavors, lambda kind: plugins.load(kind, "local")])
def test_an_unknown_type_names_the_nearest(ask: Callable[[str], object]) -> None:
    with pytest.raises(UnknownName, match="no component type 'orchestrators'; did you mean 'orchestrator'"):
        ask("orchestrators")


def test_an_extra_that_is_not_installed_is_named(install: Install) -> None:
    install("dreams", "orchestrator.dream = dreams_mod:Dream [sleep]", dreams_mod="import no_such_library")
    with pytest.raises(MissingExtra, match=r'pip install "dreams\[sleep\]"') as caught:
        plugins.load("orchestrator", "dream")
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)


def test_a_library_that_is_not_installed_is_named(install: Install) -> None:
    install("dreams", "orchestrator.dream = dreams_mod:Dream", dreams_mod="import no_such_library")
    with pytest.raises(MissingExtra, match=r"`no_such_library`.*pip show dreams"):
        plugins.load("orchestrator", "dream")


def test_a_module_that_is_gone_is_said_to_be(install: Install) -> None:
    install("dreams", "orchestrator.dream = dreams_gone:Dream")
    with pytest.raises(MissingExtra, match=r"dreams_gone.*pip install --force-reinstall dreams"):
        plugins.load("orchestrator", "dream")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("def", "SyntaxError"),
        ("Other = 1", "AttributeError"),
        ("Dream = 1", "not a class of that type and flavor"),
        (GOOD.replace('"dream"', '"nightmare"'), "not a class of that type and flavor"),
    ],
)
def test_a_broken_package_is_named_with_the_way_out(text: str, said: str, install: Install) -> None:
    install("dreams", "orchestrator.dream = dreams_mod:Dream", dreams_mod=text)
    with pytest.raises(MissingExtra, match=f"package 'dreams' is broken.*{said}.*pip install -U dreams"):
        plugins.load("orchestrator", "dream")
