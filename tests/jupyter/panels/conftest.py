"""A notebook with its stack picker, and flavors that no package brings: one far away, one not installed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest
from ipywidgets import HTML, Text
from traitlets import Enum, Unicode

from zennb import plugins
from zennb.components.component import Orchestrator, SecretRef, Visibility
from zennb.errors import MissingExtra
from zennb.plugins import FlavorInfo
from zennb.registry.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future


class FarOrchestrator(Orchestrator):
    """Runs nothing, far away."""

    flavor = "far"
    description = "runs steps on a cluster"
    visibility = Visibility.NETWORK

    address = Unicode(help="Where the cluster is.").tag(config=True, required=True)
    size = Enum(["small", "large"], "small", help="How large its machines are.").tag(config=True)
    token = SecretRef(help="Access token.").tag(config=True)

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        raise AssertionError


MORE = (
    FlavorInfo(type="orchestrator", name="far", target="", description="runs steps on a cluster"),
    FlavorInfo(type="orchestrator", name="absent", target="", description="runs steps nowhere"),
)


@pytest.fixture(autouse=True)
def more_flavors(monkeypatch: pytest.MonkeyPatch) -> None:
    load = plugins.load

    def found(type: str, flavor: str) -> Any:
        if flavor == "absent":
            raise MissingExtra(
                "The orchestrator flavor 'absent' is not installed: pip install \"zennb[absent]\""
            )
        return FarOrchestrator if (type, flavor) == ("orchestrator", "far") else load(type, flavor)

    monkeypatch.setattr(plugins, "load", found)
    monkeypatch.setattr(plugins, "_OURS", (*plugins._OURS, *MORE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A notebook and the picker that it shows."""

    notebook: Any
    picker: Any

    @property
    def stacks(self) -> Any:
        return self.picker.stacks

    @property
    def components(self) -> Any:
        return self.picker.components

    @property
    def message(self) -> str:
        return str(self.picker.message.text)

    @property
    def page(self) -> str:
        """All HTML in the panel, as it is."""
        return "\n".join(str(each.value) for each in widgets(self.picker.root, HTML))

    @property
    def words(self) -> str:
        """The text of all HTML in the panel, as a person reads it."""
        return words(self.page)

    def typed(self) -> list[str]:
        """The value of every line of text in the panel."""
        return [str(each.value) for each in widgets(self.picker.root, Text)]

    def run(self, *cells: str) -> Any:
        return self.notebook.run(*cells)[-1]

    def error(self, cell: str) -> str:
        """The sentence with which a cell fails."""
        return str(self.notebook.cell(cell).error.message)


def words(html: str) -> str:
    """The text of HTML: parts of a line as they stand, everything else apart by a blank."""
    inside = re.sub(
        r"</?(code|span|strong|bdi)\b[^>]*>", "", re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)
    )
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", inside)).replace("\ufe0e", "").split())


def plain(sentence: str) -> str:
    """A sentence as `words` has it."""
    return sentence.replace("`", "")


def widgets(root: Any, kind: type) -> Iterator[Any]:
    if isinstance(root, kind):
        yield root
    for child in getattr(root, "children", ()):
        yield from widgets(child, kind)


@pytest.fixture
def opened(notebook: Any) -> Opened:
    notebook.run("import zennb", "%stack picker", "picker = zennb.StackPicker()")
    return Opened(notebook=notebook, picker=notebook.ns["picker"])


@pytest.fixture
def other_kernel(notebook: Any) -> Iterator[Workspace]:
    """The workspace of another kernel on the same home."""
    found = Workspace(notebook._home)
    yield found
    found.close()
