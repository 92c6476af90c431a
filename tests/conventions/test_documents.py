"""The documents say what is there: folders, dependencies, links and make targets."""

from __future__ import annotations

import itertools
import re
import tomllib
from typing import TYPE_CHECKING

from tests.conventions.offenders import ROOT, expect_none

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ARCHITECTURE = ROOT / "ARCHITECTURE.md"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
HEADING = re.compile(r"^#+ +(?P<text>.+)$", re.MULTILINE)
FENCE = re.compile(r"^(`{3,}).*?^\1`*\s*$", re.MULTILINE | re.DOTALL)


def prose(text: str) -> str:
    return FENCE.sub("", text)


def section(text: str, heading: str) -> str:
    found = re.search(rf"^## {heading}\n(?P<body>.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found is not None, f"no section '{heading}'"
    return found["body"]


def folders() -> set[str]:
    """Folders of the package that hold modules, and modules that lie in none."""
    package = ROOT / "zennb"
    files = (file.relative_to(package) for file in package.rglob("*.py") if file.name != "__init__.py")
    return {(file.parent if len(file.parts) > 1 else file.with_suffix("")).as_posix() for file in files}


def listed(text: str) -> set[str]:
    """Folders and modules that the map names: the first cells of its table, and the drawing above it."""
    map_ = section(text, "Packages")
    named = set(re.findall(r"^\| `([\w/]+)` \|", map_, re.MULTILINE))
    drawing = map_.partition("```text")[2].partition("```")[0]
    return named | {word for line in drawing.splitlines() for word in re.split(r" {2,}", line.strip())}


def dependencies() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = itertools.chain(project["dependencies"], *project["optional-dependencies"].values())
    names = {re.split(r"[^\w.-]", line)[0] for line in lines}
    return names - {project["name"]}


def anchors(text: str) -> set[str]:
    plain = (re.sub(r"[^\w\- ]", "", found["text"].lower()) for found in HEADING.finditer(prose(text)))
    return {words.strip().replace(" ", "-") for words in plain}


def broken_links(file: Path) -> list[str]:
    text = file.read_text(encoding="utf-8")
    targets = [found["target"] for found in LINK.finditer(prose(text))]
    return [target for target in targets if not _resolves(file, text, target)]


def _resolves(file: Path, text: str, target: str) -> bool:
    if re.match(r"[a-z]+:", target):
        return True  # elsewhere: tests ask nobody
    path, _, anchor = target.partition("#")
    there = file if not path else file.parent / path
    if not there.exists():
        return False
    if anchor and there.suffix == ".md":
        return anchor in anchors(text if there == file else there.read_text(encoding="utf-8"))
    return True


def test_the_map_names_every_folder_and_no_other() -> None:
    text = ARCHITECTURE.read_text(encoding="utf-8")
    assert sorted(folders() - listed(text) - {"__main__"}) == []
    table = set(re.findall(r"^\| `([\w/]+)` \|", section(text, "Packages"), re.MULTILINE))
    assert sorted(table - folders()) == []


def test_every_dependency_has_its_reason_beside_it() -> None:
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    told = {name for line in lines for name in re.findall(r'"([\w-]+)[^"]*"[^"#]*# \S', line)}
    assert sorted(dependencies() - told) == []


def test_links_inside_the_repository_lead_somewhere() -> None:
    expect_none(DOCUMENTS, lambda file: [f"the link {target} leads nowhere" for target in broken_links(file)])


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    (tmp_path / "other.md").write_text("# Another page\n")
    page.write_text(
        "# Title, here\n[a](other.md) [b](gone.md) [c](#title-here) [d](#no) [e](other.md#another-page) "
        "[f](other.md#no) [g](https://example.org/x) ![h](no.png)\n```text\n[i](not-a-link.md)\n```\n"
    )
    assert broken_links(page) == ["gone.md", "#no", "other.md#no", "no.png"]


def test_make_targets_that_a_document_names_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))

    def faults(file: Path) -> Iterator[str]:
        named = set(re.findall(r"`make ([a-z]+)`", file.read_text(encoding="utf-8")))
        yield from (f"there is no `make {target}`" for target in sorted(named - targets))

    expect_none(DOCUMENTS, faults)


def test_the_readme_names_the_ways_to_start() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for words in (
        "make demo",
        "make lab",
        "make test",
        'pip install -e ".[demo]"',
        "zennb run notebooks/quickstart.ipynb",
    ):
        assert words in readme


def test_the_extras_that_documents_name_exist() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = set(project["optional-dependencies"])
    installing = re.compile(r"pip install [^`\n]*?(?<!zennb-folder)\[([\w,]+)\]")

    def faults(file: Path) -> Iterator[str]:
        for named in installing.findall(file.read_text(encoding="utf-8")):
            yield from (f"there is no extra {name!r}" for name in sorted({*named.split(",")} - extras))

    expect_none(DOCUMENTS, faults)
