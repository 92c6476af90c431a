"""Owns a home with real records, copies of it in which rows hold odd values, and what reads them."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import sqlite3
from contextlib import closing, contextmanager
from random import Random
from typing import TYPE_CHECKING, Any

from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

from tests.odd_input.mutations import ODD_VALUES, mutate_json
from tests.odd_input.reader import Reader
from zennb import api
from zennb.jupyter.kernel.extension import load, unload

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["CELLS", "COMMANDS", "commands", "home", "odd_copy", "rerun", "row_reader", "shell"]

CELLS = (
    "%%step first\nimport os\nprint('hello')\na = [1, 2, 3]\na",
    "def double(x):\n    return [2 * each for each in x]",
    "%%step second --retries 1\nb = double(a)\nwith open('b.txt', 'w') as file:\n    _ = file.write('b')",
    "%%step third -o c --expires 7d\nimport random\nrandom.seed(3)\nc = {'n': len(b), 'at': open('in.txt').read()}",
    "%%step fails --retries 1\nd = 1 / 0",
    "%pipeline run --only first",
)
COMMANDS = (
    "runs",
    "runs --json",
    "runs show 1",
    "runs show 2 --json",
    "runs compare 1 2",
    "runs logs 1",
    "artifacts",
    "artifacts --json",
    "artifacts show a",
    "artifacts show c --json",
    "artifacts history a",
    "artifacts lineage c",
    "artifacts load a",
    "stack list",
    "stack describe default",
    "components",
)


@contextmanager
def shell(folder: Path) -> Iterator[Any]:
    """Give a shell with zennb, as a kernel has it."""
    InteractiveShell.clear_instance()
    config = Config()
    config.HistoryManager.enabled = False
    made: Any = InteractiveShell.instance(config=config)
    made.display_pub = CapturingDisplayPublisher()
    load(made)
    try:
        yield made
    finally:
        unload(made)
        atexit.unregister(made.atexit_operations)  # its folder may be gone by then
        InteractiveShell.clear_instance()
        api.close()


def home(folder: Path) -> Path:
    """Return a home in which some steps have run, were reused and failed."""
    found = folder / "honest"
    os.environ["ZENNB_HOME"] = str(found)
    os.environ["ZENNB_NOTEBOOK"] = str(folder / "n.ipynb")
    (folder / "in.txt").write_text("in")
    cells: list[dict[str, Any]] = [
        {
            "cell_type": "code",
            "source": text,
            "metadata": {},
            "outputs": [],
            "execution_count": None,
            "id": f"c{n}",
        }
        for n, text in enumerate(CELLS)
    ]
    content = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (folder / "n.ipynb").write_text(json.dumps(content))
    for _ in range(2):
        with shell(folder) as opened, capture_output():
            for text in CELLS:
                opened.run_cell(text, store_history=True)
    return found


def odd_copy(honest: Path, target: Path, random: Random) -> None:
    """Copy a home; one to three values in its database become something else."""
    with _copy(honest, target) as database:
        for _ in range(random.choice((1, 1, 2, 3))):
            _change(database, random)


@contextmanager
def _copy(honest: Path, target: Path) -> Iterator[sqlite3.Connection]:
    """Copy a home, and give the database of the copy, which may hold anything."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(honest, target)
    with closing(sqlite3.connect(target / "metadata.db", isolation_level=None)) as database:
        database.execute("PRAGMA ignore_check_constraints = ON")
        yield database


def _tables(database: sqlite3.Connection) -> list[str]:
    tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return [name for name in tables if not name.startswith("sqlite_")]


def _columns(database: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in database.execute(f"PRAGMA table_info({table})")]


def _change(database: sqlite3.Connection, random: Random) -> None:
    table = random.choice(_tables(database))
    column = random.choice(_columns(database, table))
    rows = [value for (value,) in database.execute(f"SELECT {column} FROM {table}")]
    if rows:
        chosen = random.choice(rows)
        _set(database, table, column, chosen, _odd(chosen, random))


def _set(database: sqlite3.Connection, table: str, column: str, chosen: Any, value: Any) -> None:
    try:
        database.execute(f"UPDATE {table} SET {column} = ? WHERE {column} IS ?", (value, chosen))
    except (sqlite3.IntegrityError, sqlite3.DatabaseError, OverflowError):
        return  # SQLite refuses it: NOT NULL, UNIQUE, or an integer of more than 64 bits


def row_reader(folder: Path) -> Reader:
    """Make the reader of a home in which some values are others: `((table, column, value), other value)`.

    Its inputs are pairs: such changes, and the number by which commands are chosen.
    """
    honest, target = home(folder), folder / "odd"
    os.environ["ZENNB_HOME"] = str(target)
    with _copy(honest, target) as database:
        samples = [
            (table, column, value)
            for table in _tables(database)
            for column in _columns(database, table)
            for (value,) in database.execute(f"SELECT DISTINCT {column} FROM {table}").fetchall()
        ]

    def read(content: tuple[list[tuple[tuple[str, str, Any], Any]], int]) -> None:
        changes, number = content
        with _copy(honest, target) as database:
            for place, value in changes:
                _set(database, *place, value)
        try:
            commands(Random(number))
        finally:
            api.close()

    return Reader(read, samples)


def _odd(value: Any, random: Random) -> Any:
    if isinstance(value, str) and value[:1] in {"{", "["} and random.random() < 0.7:
        text = mutate_json(json.loads(value), random)
        return text if random.random() < 0.1 else text.decode("utf-8", "replace")
    odd = random.choice([*ODD_VALUES, b"\xff\xfe", "x" * 10_000_000, "[" * 100_000])
    if isinstance(odd, list | dict):
        return json.dumps(odd)
    return odd.encode("utf-8", "replace").decode() if isinstance(odd, str) else odd


def commands(random: Random) -> None:
    """Read the records with some of the commands that show them; each returns or raises one sentence."""
    from zennb.commands.dispatch import run
    from zennb.commands.interface import Interface
    from zennb.commands.outcome import Context
    from zennb.errors import ZennbError

    refused: ZennbError | None = None
    for command in [*random.sample(COMMANDS, 4), f"pipeline status {os.environ['ZENNB_NOTEBOOK']}"]:
        try:
            outcome = run(command.split(), Context(interface=Interface.TERMINAL))
        except ZennbError as error:
            refused = error
            continue
        if outcome.raised is not None and not isinstance(outcome.raised, ZennbError):
            raise outcome.raised
        if outcome.view is not None:
            assert len(outcome.view.text) < 2_000_000, f"{command} shows {len(outcome.view.text)} characters"
            assert len(outcome.view.html) < 2_000_000, (
                f"{command} shows {len(outcome.view.html)} characters of HTML"
            )
    if refused is not None:
        raise refused


def rerun(folder: Path) -> None:
    """Run the cells in a new kernel: whatever the records hold, the values are right."""
    with shell(folder) as opened, capture_output() as shown:
        for text in CELLS[:4]:
            result = opened.run_cell(text, store_history=True)
            error = result.error_in_exec or result.error_before_exec
            if error is not None:
                raise error
        values = {name: opened.user_ns.get(name) for name in "abc"}
        opened.run_line_magic("pipeline", "status")
    assert values == {"a": [1, 2, 3], "b": [2, 4, 6], "c": {"n": 3, "at": "in"}}, values
    assert "Traceback" not in shown.stderr + shown.stdout, shown.stderr + shown.stdout
