"""What every panel has: one object per kernel, three faces, escaped names, and a message for what goes wrong."""

from __future__ import annotations

import logging
import threading
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest
from comm import get_comm_manager
from IPython.core.interactiveshell import InteractiveShell
from ipywidgets import HTML, DOMWidget
from ipywidgets.widgets import widget as ipywidgets_widget

import zennb
from tests.jupyter.panels.conftest import widgets, words
from zennb.errors import UsageError
from zennb.jupyter.kernel.extension import unload
from zennb.jupyter.panels.kit.theme import ONE_OF_TWO
from zennb.worker_thread import WorkerThread

if TYPE_CHECKING:
    from tests.jupyter.panels.conftest import Opened

HOSTILE = "<img src=x onerror=alert(1)>"
WIDGET = "application/vnd.jupyter.widget-view+json"


def test_showing_a_panel_fifty_times_makes_nothing_new(opened: Opened) -> None:
    def count() -> tuple[int, int, int]:
        comms = get_comm_manager().comms
        return len(ipywidgets_widget._instances), len(comms), threading.active_count()

    first = opened.run("%stack picker").displays[-1]["data"][WIDGET]
    before = count()
    for _ in range(50):
        opened.notebook.run("%stack picker", "picker = zennb.StackPicker()")
    assert opened.notebook.ns["picker"] is opened.picker
    assert opened.run("%stack picker").displays[-1]["data"][WIDGET] == first
    assert all(now <= then for now, then in zip(count(), before, strict=True))


def test_opening_every_form_twice_makes_nothing_new(opened: Opened) -> None:
    def open_all() -> int:
        stacks, components = opened.stacks, opened.components
        components.refresh()
        for button in (stacks.new, stacks.edit, stacks.copy, stacks.rename, stacks.delete):
            button.click()
        for button in (
            components.new,
            components.edit,
            components.copy,
            components.rename,
            components.delete,
        ):
            button.click()
        components.new.click()
        for flavor in ("threads", "far", "local"):
            components.form.flavor.choose(flavor)
        return len(ipywidgets_widget._instances)

    assert open_all() == open_all()


def test_a_panel_has_a_live_face_and_two_static_ones(opened: Opened) -> None:
    static, live = (shown["data"] for shown in opened.run("%stack picker").displays)
    assert set(live) == {WIDGET}
    assert set(static) == {"text/html", "text/plain"}
    data = {**static, "text/html": static["text/html"].removeprefix(ONE_OF_TWO)}
    assert "● active  default" in data["text/plain"]
    assert data["text/plain"].endswith("run `%stack picker` for the panel itself.")
    assert words(data["text/html"]).startswith("stack orchestrator artifact store ● active default")
    assert not any(element in data["text/html"] for element in ("<script", "<style", "<button"))


def test_the_static_faces_show_what_the_panel_shows(opened: Opened) -> None:
    opened.run("%stack copy default other", "%%step\nx = 1")
    opened.stacks.list.choose("other")
    data = opened.run("%stack picker").displays[0]["data"]
    assert "stack other\n  orchestrator    default  local" in data["text/plain"]
    assert "no runs yet" in data["text/plain"]
    opened.stacks.list.choose("default")
    assert "✔ completed" in opened.run("%stack picker").displays[0]["data"]["text/plain"]


def test_names_are_shown_literally_wherever_they_appear(opened: Opened) -> None:
    quoted = f"'{HOSTILE}'"
    opened.run(
        f"%artifact-store register {quoted} --flavor=local",
        f"%stack register {quoted} -o default -a {quoted} --set",
    )
    stacks, components = opened.stacks, opened.components
    pages = []
    for button in (stacks.edit, stacks.copy, stacks.rename, stacks.delete):
        button.click()
        pages.append(opened.page)
    opened.picker.pages.show("Components")
    components.type.choose("artifact_store")
    components.list.choose(HOSTILE)
    for button in (components.edit, components.copy, components.rename, components.delete):
        button.click()
        pages.append(opened.page)
    components.confirmation.yes.click()
    pages += [opened.page, opened.picker.html]
    assert HOSTILE in opened.message
    assert all(HOSTILE in unescape(page) for page in pages)
    assert not any("<img" in page for page in pages)


def test_a_refusal_is_said_in_the_panel_in_the_words_of_the_magic(opened: Opened) -> None:
    opened.stacks.list.choose("default")
    opened.stacks.delete.click()
    opened.stacks.confirmation.yes.click()
    assert opened.message == opened.error("%stack delete default")
    assert 'role="alert"' in opened.picker.message.widget.value


def test_a_fault_of_the_panel_is_said_and_logged(
    opened: Opened, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise RuntimeError("no such luck")

    with caplog.at_level(logging.CRITICAL), monkeypatch.context() as patch:
        patch.setattr(opened.stacks, "_offer", lambda _chosen: fail())
        opened.picker.attempt(opened.picker.refresh)
    assert opened.message == "this went wrong in the panel (RuntimeError: no such luck)."
    assert caplog.records == []
    with caplog.at_level(logging.ERROR):
        opened.picker.attempt(fail)
    assert [record.exc_info is not None for record in caplog.records] == [True]


def test_the_line_for_a_lost_kernel_is_in_every_panel_and_hidden_by_the_style_sheet(opened: Opened) -> None:
    sheets = [each.value for each in widgets(opened.picker.root, HTML) if "<style>" in each.value]
    assert len(sheets) == 1
    assert ".zennb-panel .zennb-gone { display: none;" in sheets[0]
    assert "jupyter-widgets-disconnected > .zennb-gone { display: flex; }" in sheets[0]
    assert "not connected: this panel's kernel has ended, was restarted or cannot be reached" in opened.words


def test_unloading_the_extension_closes_the_panel(notebook: Any) -> None:
    before = set(ipywidgets_widget._instances)
    notebook.run("import zennb", "picker = zennb.StackPicker()")
    picker = notebook.ns["picker"]
    assert len(set(ipywidgets_widget._instances) - before) > 100
    unload(notebook.shell)
    assert picker.root.comm is None
    assert set(ipywidgets_widget._instances) - before == set()


def test_a_panel_loads_the_extension_when_nobody_has(notebook: Any) -> None:
    unload(notebook.shell)
    notebook.run("import zennb", "picker = zennb.StackPicker()", "%stack")
    assert notebook.ns["picker"].text


def test_without_a_shell_there_is_no_panel(notebook: Any) -> None:
    InteractiveShell.clear_instance()
    with pytest.raises(UsageError, match="zennb stack list"):
        zennb.StackPicker()


def test_the_cursor_goes_into_a_form_and_back_to_the_button_that_opened_it(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    focused: list[str] = []
    monkeypatch.setattr(DOMWidget, "focus", lambda self: focused.append(self.description))
    opened.stacks.new.click()
    opened.stacks.form.cancel.click()
    opened.stacks.delete.click()
    opened.stacks.confirmation.no.click()
    assert focused == ["Name *", "New stack", "Keep", "Delete"]


def test_a_panel_is_silent_when_its_process_ends(opened: Opened, caplog: pytest.LogCaptureFixture) -> None:
    def read() -> None:
        worker.call(int)

    worker = WorkerThread("records")
    worker.close()
    assert not opened.picker.attempt(read)
    assert not caplog.records
