"""Registrations in Python and in libraries: steps after them are as in a plain kernel, edited and reused."""

from __future__ import annotations

import atexit
import calendar
import codecs
import copyreg
import csv
import gc
import json
import mimetypes
import signal
import socket
import sqlite3
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.jupyter.conftest import Notebook

pytestmark = pytest.mark.early


class Case(NamedTuple):
    """One kind of registration: cells before it, it and an edit of it, what to look at, and how a new kernel is."""

    before: str
    sets: str
    edited: str
    look: str
    undo: Callable[[], object]


def _no_dialect() -> None:
    with suppress(csv.Error):
        csv.unregister_dialect("mine")


def _no_colormap() -> None:
    import matplotlib as mpl

    with suppress(ValueError, KeyError):
        mpl.colormaps.unregister("mine")


def _no_accessor() -> None:
    import pandas as pd

    for name in ("mine", "shout"):
        with suppress(AttributeError):
            delattr(pd.DataFrame, name)
    vars(pd.DataFrame)["_accessors"].discard("mine")


def _no_adapter() -> None:
    sqlite3.adapters.clear()


def _no_error_call() -> None:
    import numpy as np

    np.seterrcall(None)


_ENCODE = json.JSONEncoder.default


def _default() -> None:
    json.JSONEncoder.default = _ENCODE  # type: ignore[method-assign]


def _at_exit() -> None:
    atexit.unregister(print)
    atexit.unregister(len)


def _zone() -> None:
    import os

    os.environ.pop("TZ", None)
    time.tzset()


CASES = {
    "csv": Case(
        "import csv, io",
        "csv.register_dialect('mine', delimiter=';')",
        "csv.register_dialect('mine', delimiter=',')",
        "list(csv.reader(io.StringIO('a;b,c'), dialect='mine'))",
        _no_dialect,
    ),
    "csv in a loop": Case(
        "import csv, io",
        "for sep in ';':\n    csv.register_dialect('mine', delimiter=sep)",
        "for sep in ',':\n    csv.register_dialect('mine', delimiter=sep)",
        "list(csv.reader(io.StringIO('a;b,c'), dialect='mine'))",
        _no_dialect,
    ),
    "csv by name": Case(
        "from csv import register_dialect, reader\nimport io",
        "register_dialect('mine', delimiter=';')",
        "register_dialect('mine', delimiter=',')",
        "list(reader(io.StringIO('a;b,c'), dialect='mine'))",
        _no_dialect,
    ),
    "colormaps": Case(
        "import matplotlib as mpl\nfrom matplotlib.colors import ListedColormap",
        "mpl.colormaps.register(ListedColormap(['#ff0000'], name='mine'))",
        "mpl.colormaps.register(ListedColormap(['#00ff00'], name='mine'))",
        "mpl.colormaps['mine'](0)",
        _no_colormap,
    ),
    "colormaps with a variable": Case(
        "import matplotlib as mpl\nfrom matplotlib.colors import ListedColormap",
        "cmap = ListedColormap(['#ff0000'], name='mine')\nmpl.colormaps.register(cmap)",
        "cmap = ListedColormap(['#00ff00'], name='mine')\nmpl.colormaps.register(cmap)",
        "mpl.colormaps['mine'](0)",
        _no_colormap,
    ),
    "adapter": Case(
        "import sqlite3\nclass P: pass",
        "sqlite3.register_adapter(P, lambda p: 'a')",
        "sqlite3.register_adapter(P, lambda p: 'b')",
        "sqlite3.connect(':memory:').execute('select ?', (P(),)).fetchall()",
        _no_adapter,
    ),
    "calendar": Case(
        "import calendar",
        "calendar.setfirstweekday(6)",
        "calendar.setfirstweekday(calendar.MONDAY)",
        "calendar.weekheader(2)",
        lambda: calendar.setfirstweekday(0),
    ),
    "zone": Case(
        "import os, time",
        "os.environ['TZ'] = 'Asia/Tokyo'\ntime.tzset()",
        "os.environ['TZ'] = 'America/New_York'\ntime.tzset()",
        "time.localtime(0).tm_hour",
        _zone,
    ),
    "socket": Case(
        "import socket",
        "socket.setdefaulttimeout(3)",
        "socket.setdefaulttimeout(4)",
        "socket.getdefaulttimeout()",
        lambda: socket.setdefaulttimeout(None),
    ),
    "signal": Case(
        "import signal\ndef stop(number, frame): pass",
        "signal.signal(signal.SIGUSR1, stop)",
        "signal.signal(signal.SIGUSR1, signal.SIG_IGN)",
        "str(getattr(signal.getsignal(signal.SIGUSR1), '__name__', signal.getsignal(signal.SIGUSR1)))",
        lambda: signal.signal(signal.SIGUSR1, signal.SIG_DFL),
    ),
    "signal kept": Case(
        "import signal\ndef stop(number, frame): pass",
        "old = signal.signal(signal.SIGUSR1, stop)",
        "old = signal.signal(signal.SIGUSR1, signal.SIG_IGN)",
        "str(getattr(signal.getsignal(signal.SIGUSR1), '__name__', signal.getsignal(signal.SIGUSR1)))",
        lambda: signal.signal(signal.SIGUSR1, signal.SIG_DFL),
    ),
    "abstract class": Case(
        "from abc import ABC\nclass Shape(ABC): pass\nclass Sq: pass",
        "Shape.register(Sq)",
        "Shape",
        "isinstance(Sq(), Shape)",
        lambda: None,
    ),
    "accessor": Case(
        "import pandas as pd",
        "@pd.api.extensions.register_dataframe_accessor('mine')\nclass Mine:\n"
        "    def __init__(self, df): pass\n    def say(self): return 'a'",
        "@pd.api.extensions.register_dataframe_accessor('mine')\nclass Mine:\n"
        "    def __init__(self, df): pass\n    def say(self): return 'b'",
        "pd.DataFrame().mine.say()",
        _no_accessor,
    ),
    "method": Case(
        "import pandas as pd",
        "def shout(self): return 'a'\npd.DataFrame.shout = shout",
        "def shout(self): return 'b'\npd.DataFrame.shout = shout",
        "pd.DataFrame().shout()",
        _no_accessor,
    ),
    "single dispatch": Case(
        "from functools import singledispatch\n@singledispatch\ndef fun(x): return 'any'",
        "@fun.register\ndef _(x: int): return 'a'",
        "@fun.register\ndef _(x: int): return 'b'",
        "fun(1)",
        lambda: None,
    ),
    "single dispatch by a call": Case(
        "from functools import singledispatch\n@singledispatch\ndef fun(x): return 'any'",
        "fun.register(int, lambda x: 'a')",
        "fun.register(int, lambda x: 'b')",
        "fun(1)",
        lambda: None,
    ),
    "numpy errors": Case(
        "import numpy as np\nnp.seterr(all='call')\nsaid = []",
        "np.seterrcall(lambda kind, flag: said.append('a'))",
        "np.seterrcall(lambda kind, flag: said.append('b'))",
        "(np.float64(1) / np.float64(0), str(np.geterrcall()('x', 1)), said[-1])",
        _no_error_call,
    ),
    "collector": Case("import gc", "gc.disable()", "gc.enable()", "gc.isenabled()", gc.enable),
    "mimetypes": Case(
        "import mimetypes",
        "mimetypes.add_type('text/a', '.mine')",
        "mimetypes.add_type('text/b', '.mine')",
        "mimetypes.guess_type('f.mine')",
        lambda: mimetypes.init(),
    ),
    "codec errors": Case(
        "import codecs",
        "codecs.register_error('mine', lambda e: ('a', e.end))",
        "codecs.register_error('mine', lambda e: ('b', e.end))",
        "'ü'.encode('ascii', 'mine')",
        lambda: codecs.register_error("mine", codecs.strict_errors),
    ),
    "pickle": Case(
        "import copyreg, copy\nclass P: pass\ndef a(p): return str, ('a',)\ndef b(p): return str, ('b',)",
        "copyreg.pickle(P, a)",
        "copyreg.pickle(P, b)",
        "copy.copy(P())",
        lambda: [
            copyreg.dispatch_table.pop(each) for each in list(copyreg.dispatch_table) if each.__name__ == "P"
        ],
    ),
    "json": Case(
        "import json",
        "def f(self, o): return 'a'\njson.JSONEncoder.default = f",
        "def f(self, o): return 'b'\njson.JSONEncoder.default = f",
        "json.dumps({1: json})",
        _default,
    ),
    "switch interval": Case(
        "import sys",
        "sys.setswitchinterval(0.25)",
        "sys.setswitchinterval(0.5)",
        "sys.getswitchinterval()",
        lambda: sys.setswitchinterval(0.005),
    ),
    "at exit": Case(
        "import atexit",
        "atexit.register(print)",
        "atexit.register(len)",
        "1",
        _at_exit,
    ),
    "formatter": Case(
        "class P: pass\np = P()",
        "get_ipython().display_formatter.formatters['text/plain'].for_type(P, lambda p, q, c: q.text('a'))",
        "get_ipython().display_formatter.formatters['text/plain'].for_type(P, lambda p, q, c: q.text('b'))",
        "get_ipython().display_formatter.formatters['text/plain'](p)",
        lambda: None,
    ),
    "logging": Case(
        "import logging, io\nstream = io.StringIO()",
        "logging.basicConfig(format='a %(message)s', stream=stream, force=True)",
        "logging.basicConfig(format='b %(message)s', stream=stream, force=True)",
        "(logging.error('x'), logging.getLogger().handlers[0].formatter._fmt)[1]",
        lambda: None,
    ),
    "handlers": Case(
        "import logging",
        "logger = logging.getLogger('mine.log')\nlogger.handlers.clear()\nh = logging.StreamHandler()\n"
        "h.setFormatter(logging.Formatter('%(message)s a'))\nlogger.addHandler(h)",
        "logger = logging.getLogger('mine.log')\nlogger.handlers.clear()\nh = logging.StreamHandler()\n"
        "h.setFormatter(logging.Formatter('%(message)s b'))\nlogger.addHandler(h)",
        "logging.getLogger('mine.log').handlers[0].formatter._fmt",
        lambda: None,
    ),
}


def _plain(notebook: Notebook, case: Case, sets: str) -> Any:
    """Return what a kernel without steps gives."""
    notebook.run(case.before, sets, f"seen = {case.look}")
    found = notebook.ns["seen"]
    _restart(notebook, case)
    return found


def _restart(notebook: Notebook, case: Case) -> None:
    case.undo()
    notebook.restart()


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_step_after_a_registration_in_a_plain_cell(case: Case, notebook: Notebook) -> None:
    try:
        step = f"%%step used\nseen = {case.look}"
        expected = {text: _plain(notebook, case, text) for text in (case.sets, case.edited)}
        for text in (case.sets, case.sets, case.edited, case.edited, case.sets):
            *_, ran = notebook.run(case.before, text, step)
            assert notebook.ns["seen"] == expected[text], f"{ran.status}: {ran.reason}"
            _restart(notebook, case)
    finally:
        case.undo()


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_an_edit_of_the_plain_cell_in_one_kernel(case: Case, notebook: Notebook) -> None:
    try:
        step, plain = f"%%step used\nseen = {case.look}", f"wanted = {case.look}"
        for text in (case.sets, case.edited):
            if text is case.edited and "colormaps" in text:
                notebook.run("mpl.colormaps.unregister('mine')")
            elif text is case.edited and "accessor" in text:
                notebook.run("del pd.DataFrame.mine")
            *_, ran, _ = notebook.run(*([case.before] if text is case.sets else []), text, step, plain)
            assert notebook.ns["seen"] == notebook.ns["wanted"], f"{ran.status}: {ran.reason}"
    finally:
        case.undo()


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_registration_in_a_step(case: Case, notebook: Notebook) -> None:
    try:
        expected = _plain(notebook, case, case.sets)
        cells = [
            case.before,
            f"%%step sets\n{case.sets}",
            f"%%step used\nseen = {case.look}",
            f"now = {case.look}",
        ]
        for _ in range(3):
            _, sets, used, _ = notebook.run(*cells)
            assert (notebook.ns["seen"], notebook.ns["now"]) == (expected, expected), (
                f"{sets.reason} / {used.reason}"
            )
            _restart(notebook, case)
        assert sets.status == "cached" or sets.reason.startswith("not cacheable: "), sets.reason
    finally:
        case.undo()
