"""Reuse restores only what the step's own code says, and never what runs when a program starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from zennb.engine.environment.restore_policy import RestorePolicy

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "/home/me/study"


def policy(*names: str, texts: tuple[str, ...] = (), folder: str = FOLDER) -> RestorePolicy:
    return RestorePolicy(texts=frozenset(texts), names=frozenset((*names, *texts)), folder=folder)


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("out.csv", ()),
        ("results/2024/out.csv", ()),
        ("results", ()),
        (f"{FOLDER}/out.csv", ()),
        ("/data/out.csv", ("/data/out.csv",)),
        ("/data/runs/7/out.csv", ("/data/runs",)),
        ("/data/runs/7/out.csv", ("/data/runs/",)),
        ("/home/me/shared/out.csv", ("../shared/out.csv",)),
        ("/home/me/shared/7/out.csv", ("../shared",)),
        ("helper.py", ("helper.py",)),
        ("lib/helper.py", ("helper.py",)),
        ("/data/helper.py", ("/data/helper.py",)),
        ("Makefile", ("Makefile",)),
        ("settings.toml", ()),
    ],
)
def test_a_file_in_the_folder_or_named_by_the_step_is_restored(path: str, names: tuple[str, ...]) -> None:
    assert policy(*names).allows_file(path)


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/etc/cron.d/job", ()),
        ("/etc/cron.d/job", ("/",)),
        ("/home/me/out.csv", ("..",)),
        ("/home/me/Desktop/out.csv", ("/home/me",)),
        ("../out.csv", ()),
        ("results/../../out.csv", ()),
        ("/home/me/study2/out.csv", ()),
        (".bashrc", ()),
        (".bashrc", (".bashrc",)),
        ("results/.hidden/out.csv", ("results",)),
        (
            "/home/me/.ipython/profile_default/startup/x.py",
            ("/home/me/.ipython/profile_default/startup/x.py",),
        ),
        ("/opt/startup/x.txt", ("/opt/startup/x.txt",)),
        ("sitecustomize.py", ("sitecustomize.py",)),
        ("kernel.json", ("kernel.json",)),
        ("autostart/x.txt", ("autostart/x.txt",)),
        *(
            (name, ())
            for name in ("Makefile", "x/GNUmakefile", "pyproject.toml", "pytest.ini", "x.egg", "x.desktop")
        ),
        ("conftest.py", ("conftest.py",)),
        ("evil.pth", ("evil.pth",)),
        ("ipython_config.py", ("ipython_config.py",)),
        ("json.py", ()),
        ("lib/numpy.SO", ()),
        ("/data/lib/helper.py", ("/data/lib",)),
        ("/data/out.csv", ("data out.csv",)),
        ("/data/out.csv", ("first\n/data/out.csv",)),
        ("/data/out.csv", ("\0/data/out.csv",)),
    ],
)
def test_no_other_file_is_restored(path: str, names: tuple[str, ...]) -> None:
    assert not policy(*names).allows_file(path)


def test_a_variable_is_set_when_name_and_value_stand_in_the_code() -> None:
    allows = policy(texts=("OMP_NUM_THREADS", "4", "MODE=fast")).allows_variable
    assert allows("OMP_NUM_THREADS", "4")
    assert allows("OMP_NUM_THREADS", None)
    assert allows("MODE", "fast")
    for name, value in (("LD_PRELOAD", "4"), ("OMP_NUM_THREADS", "/tmp/evil.so"), ("PATH", None)):
        assert not allows(name, value)


def test_the_value_of_a_variable_has_to_stand_in_the_step_itself() -> None:
    assert not policy("secret-of-an-input", texts=("TOKEN",)).allows_variable("TOKEN", "secret-of-an-input")


def test_a_folder_of_programs_is_near_or_named_and_not_open_to_all(tmp_path: Path) -> None:
    study = tmp_path / "work" / "study"
    for each in (study / "src", tmp_path / "lib", tmp_path / "work" / "src"):
        each.mkdir(parents=True)
    allows = policy("src", "/opt/tools", folder=str(study)).allows_folder
    for good in ("src", "..", str(study), str(study.parent), "../src", "/opt/tools", "/opt/tools/bin"):
        assert allows(good), good
    for bad in (str(tmp_path / "lib"), "/opt/other"):
        assert not allows(bad), bad
    (study / "src").chmod(0o777)
    (tmp_path / "work" / "src").chmod(0o777)
    assert not allows("src")
    assert not allows("../src")
