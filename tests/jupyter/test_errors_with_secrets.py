"""Whatever road an error, a warning or a log record takes to the notebook, the secrets of components are masked."""

from __future__ import annotations

import getpass
import logging
import sys
import threading
import warnings
from typing import TYPE_CHECKING

import pytest

from tests.jupyter.planted import forms, found_in_files, found_in_tables
from tests.keyrings import without_keyring
from zennb.components import secret_store

if TYPE_CHECKING:
    from pathlib import Path

    from tests.jupyter.conftest import Notebook

VALUE = "c4nary-7f3a9b21<&>'x"

PREPARED = (
    "%secret set TEAM",
    "import logging, threading, warnings\nfrom zennb.components.secret import Secret",
    "def asked():\n    return 'no answer from ' + Secret('secret:TEAM').reveal()",
)
ROADS = {
    "an error": "raise ValueError(asked())",
    "a group": "raise ExceptionGroup('two', [ValueError(asked()), OSError(2, 'no', asked())])",
    "the message of a group": "raise ExceptionGroup(asked(), [ValueError(1)])",
    "a group in a group": "raise ExceptionGroup('a', [ExceptionGroup('b', [KeyError({'k': [asked()]})])])",
    "a group that led to an error": (
        "try:\n    raise ExceptionGroup('two', [ValueError(asked())])\n"
        "except ExceptionGroup:\n    raise RuntimeError('later')"
    ),
    "a group that caused an error": (
        "raise RuntimeError('later') from ExceptionGroup('two', [ValueError(asked())])"
    ),
    "an error that caused a group": "raise ExceptionGroup('two', [OSError(1)]) from ValueError(asked())",
    "a note": "_e = ValueError('x')\n_e.add_note(asked())\nraise _e",
    "a note of a group": "_e = ExceptionGroup('x', [ValueError(1)])\n_e.add_note(asked())\nraise _e",
    "a cause": "raise RuntimeError('later') from ValueError(asked())",
    "a context": "try:\n    raise ValueError(asked())\nexcept ValueError:\n    1 / 0",
    "an error that makes its text": (
        "class _Odd(Exception):\n    def __str__(self):\n        return asked()\nraise _Odd"
    ),
    "a group of such errors": (
        "class _Odd(Exception):\n    def __str__(self):\n        return asked()\nraise ExceptionGroup('two', [_Odd()])"
    ),
    "a warning": "warnings.warn(asked())\nn = 1",
    "a log record": "logging.getLogger('odd').warning('%s', asked())\nn = 1",
    "a log record of an error": (
        "try:\n    raise ExceptionGroup('two', [ValueError(asked())])\n"
        "except ExceptionGroup:\n    logging.getLogger('odd').exception('failed')\nn = 1"
    ),
    "a thread": "_t = threading.Thread(target=lambda: [].index(asked()))\n_t.start()\n_t.join()\nn = 1",
}


@pytest.fixture(autouse=True)
def secret_of_a_component(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret_store, "_of_process", {})
    monkeypatch.setattr(getpass, "getpass", lambda _prompt="": VALUE)
    without_keyring(monkeypatch)


def as_without_pytest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let warnings, log records and errors of threads go where they go in a kernel; pytest collects them."""
    monkeypatch.setattr(
        warnings,
        "_showwarnmsg_impl",
        lambda message: sys.stderr.write(warnings._formatwarnmsg(message)),  # type: ignore[attr-defined]
    )
    monkeypatch.setattr(logging.root, "handlers", [])
    monkeypatch.setattr(threading, "excepthook", threading.__excepthook__)


@pytest.mark.filterwarnings("always")
def test_what_is_shown_of_an_error_a_warning_or_a_log_record_holds_no_secret(
    notebook: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_without_pytest(monkeypatch)
    notebook.run(*PREPARED)
    shown = {}
    for road, body in ROADS.items():
        for head in ("", f"%%step {road.replace(' ', '_')}\n"):
            ran = notebook.cell(head + body)
            shown[road, head] = f"{ran.out}{ran.err}{ran.displays}"
    for place, text in shown.items():
        # Of a group that led to an error IPython shows only the title.
        assert "••••" in text or "a group that" in place[0], (place, text)
        assert not [form for form in forms(VALUE) if form in text.encode()], (place, text)
    notebook.stop()
    assert found_in_tables(tmp_path, VALUE) == []
    assert found_in_files(tmp_path, VALUE) == []
    notebook.start()
