"""Owns the readers that are tried: each makes an input from a random generator, and reads it."""

from __future__ import annotations

import io
import json
import os
import tempfile
import zlib
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from tests.odd_input.mutations import mutate_bytes, mutate_json
from zennb.errors import ZennbError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["READERS", "WEIGHTS", "made"]

WEIGHTS = {"blobs": 5.0, "notebook status": 0.25, "records": 0.1, "records of steps": 0.025}
"""How many inputs a reader is given, compared with the others: by how long each takes."""

_CORPUS = Path(__file__).parents[1] / "corpus"


@contextmanager
def made(name: str) -> Iterator[Callable[[Random], object]]:
    """Give the reader of that name, with a folder of its own."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ["ZENNB_HOME"] = f"{folder}/home"
        os.environ["JUPYTER_DATA_DIR"] = f"{folder}/jupyter"
        os.environ["IPYTHONDIR"] = f"{folder}/ipython"
        os.chdir(folder)
        yield READERS.get(name, _failing)(Path(folder))


def _blobs(folder: Path) -> Callable[[Random], object]:
    from tests.odd_input.samples import blobs
    from zennb.digests.digest import digest
    from zennb.errors import CannotDigest
    from zennb.materializers.registry import Materializers
    from zennb.materializers.signer import Signer
    from zennb.materializers.summary import summarise

    materializers = Materializers({}, Signer(folder))
    samples = list(blobs(materializers).values())

    def read(random: Random) -> None:
        materializer, honest = random.choice(samples)
        others = [blob for kind, blob in samples if kind == materializer]
        odd = mutate_bytes(honest, random, others)
        value = materializers.load(materializer, odd, name="v")
        assert materializer != "pickle" or odd in others, "changed bytes pass for signed"
        try:
            digest(value)  # reads all of it
        except (CannotDigest, UnicodeDecodeError):  # a text that is no UTF-8 is an error where it is used
            return
        summarise(value)

    return read


def _sealed(folder: Path) -> Callable[[Random], object]:
    from zennb.materializers.buffers import joined
    from zennb.materializers.sealed import seal, unseal
    from zennb.materializers.signer import Signer

    signer = Signer(folder)
    honest = bytes(joined(seal([b"what a step changed" * 20], materializer="changes", signer=signer)))

    def read(random: Random) -> None:
        found = unseal(mutate_bytes(honest, random), materializer="changes", signer=signer, name="settings")
        assert bytes(found) == honest[64:], "changed bytes pass for sealed"

    return read


def _display(_folder: Path) -> Callable[[Random], object]:
    from zennb.core.records.log import StepLog
    from zennb.core.records.records import Status, Step
    from zennb.engine.step.recording import Recording
    from zennb.views.captured import captured

    events = [
        {"kind": "stream", "name": "stdout", "text": "a\nb\rc\n"},
        {
            "kind": "display",
            "data": {"text/plain": "x", "text/html": "<b>x</b>", "image/png": "aGk="},
            "metadata": {"image/png": {"width": 3}},
            "id": "d",
            "update": True,
        },
        {"kind": "clear", "wait": True},
        {
            "kind": "result",
            "data": {"text/plain": ["1", "2"], "application/json": {"a": [1]}},
            "metadata": {},
        },
    ]

    def read(random: Random) -> None:
        text = mutate_json(events, random)
        data = zlib.compress(text)
        recording = Recording.load(mutate_bytes(data, random) if random.random() < 0.2 else data)
        captured(recording)
        StepLog(step=Step(name="s", status=Status.COMPLETED), events=tuple(recording)).text
        recording.dump()

    return read


def _background(folder: Path) -> Callable[[Random], object]:
    from zennb.core.records.log import event_text
    from zennb.core.records.records import Run, StackSpec
    from zennb.engine.background.run_files import RunFiles, follow
    from zennb.views.background import step_line

    files = RunFiles(folder, 1)
    run = Run(id=1, stack=StackSpec(name="s", components={}), started=5.0)
    state = {"started": 5.0, "steps": ["a"], "running": ["a"], "keys": {"a": "k"}}
    entries = [
        {"kind": "step", "step": "a", "status": "failed", "seconds": 1.5, "failure": ["E", "no", "lines"]},
        {"kind": "step", "step": "a", "status": "completed", "reason": "first run", "outputs": ["x"]},
        {"kind": "output", "step": "a", "event": {"kind": "stream", "name": "stdout", "text": "a\n"}},
        {
            "kind": "output",
            "step": "a",
            "event": {"kind": "result", "data": {"text/plain": "x"}, "metadata": {}},
        },
    ]
    files.output.parent.mkdir()

    def read(random: Random) -> None:
        (folder / "background" / "run-1.json").write_bytes(mutate_json(state, random))
        files.state(run)
        lines = [mutate_json(entry, random) for entry in entries]
        files.output.write_bytes(mutate_bytes(b"\n".join([*lines, b""]), random))
        for entry in follow(files, lambda: True):
            if entry["kind"] == "step":
                step_line(entry)
            else:
                event_text(entry["event"], live=True)

    return read


def _stack(_folder: Path) -> Callable[[Random], object]:
    from zennb.registry.portable import read_stack

    parts = {
        kind: {"name": "default", "flavor": "local", "config": {"path": "/tmp/x", "timeout": "3"}}
        for kind in ("orchestrator", "artifact_store")
    }
    honest = {"zennb_stack": 1, "name": "mine", "components": parts}
    return lambda random: read_stack(mutate_json(honest, random).decode("utf-8", "replace"))


def _home(folder: Path) -> Callable[[Random], object]:
    from zennb.registry.home import claim

    def read(random: Random) -> None:
        (folder / "STORE.json").write_bytes(mutate_json({"format": 1, "uuid": "a-b"}, random))
        claim(folder)

    return read


def _store(folder: Path) -> Callable[[Random], object]:
    from zennb.components.artifact_stores.store_directory import StoreDirectory

    def read(random: Random) -> None:
        honest = {"kind": "zennb artifact store", "format": 1, "uuid": "a-b"}
        (folder / "STORE.json").write_bytes(mutate_json(honest, random))
        StoreDirectory(folder).read_marker()

    return read


def _notebooks(folder: Path) -> Callable[[Random], Path]:
    honest = [json.loads(path.read_text("utf-8")) for path in sorted(_CORPUS.glob("*.ipynb"))]
    path = folder / "odd.ipynb"

    def write(random: Random) -> Path:
        path.write_bytes(mutate_json(random.choice(honest), random))
        return path

    return write


def _notebook_cells(folder: Path) -> Callable[[Random], object]:
    from zennb.headless.read import order, read

    write = _notebooks(folder)

    def read_both(random: Random) -> None:
        path = write(random)
        order(path)
        read(path)

    return read_both


def _notebook_document(folder: Path) -> Callable[[Random], object]:
    import nbformat

    from zennb.headless.execute import _clear
    from zennb.headless.parameters import inject
    from zennb.headless.read import document, runs

    write = _notebooks(folder)

    def read(random: Random) -> None:
        path = write(random)
        node = document(path)
        inject(node, {}, path=path)
        _clear(node)
        for cell in node.cells:
            runs(cell)
        nbformat.writes(node)

    return read


def _notebook_status(folder: Path) -> Callable[[Random], object]:
    from zennb import cli

    write = _notebooks(folder)

    def read(random: Random) -> None:
        from zennb.commands.dispatch import run
        from zennb.commands.interface import Interface
        from zennb.commands.outcome import Context

        run(["pipeline", "status", str(write(random))], Context(interface=Interface.TERMINAL))

    with redirect_stdout(io.StringIO()):
        cli.main(["pipeline", "status", str(write(Random(0)))])
    return read


def _records(folder: Path) -> Callable[[Random], object]:
    from tests.odd_input.records import commands, home, odd_copy
    from zennb import api

    honest, target = home(folder), folder / "odd"
    os.environ["ZENNB_HOME"] = str(target)

    def read(random: Random) -> None:
        odd_copy(honest, target, random)
        try:
            commands(random)
        finally:
            api.close()

    return read


def _records_of_steps(folder: Path) -> Callable[[Random], object]:
    from tests.odd_input.records import home, odd_copy, rerun

    honest, target = home(folder), folder / "odd"
    os.environ["ZENNB_HOME"] = str(target)

    def read(random: Random) -> None:
        odd_copy(honest, target, random)
        rerun(folder)

    return read


def _failing(_folder: Path) -> Callable[[Random], object]:
    """Return what is no reader: it shows that failures are noticed."""
    numbers = iter(range(4))

    def read(_random: Random) -> None:
        match next(numbers):
            case 0:
                bytearray(1 << 30)
            case 1:
                raise ValueError("odd")
            case 2:
                raise ZennbError("a sentence")
            case _:
                os.abort()

    return read


READERS: dict[str, Callable[[Path], Callable[[Random], object]]] = {
    "blobs": _blobs,
    "sealed changes": _sealed,
    "display": _display,
    "background run": _background,
    "stack file": _stack,
    "home marker": _home,
    "store marker": _store,
    "notebook cells": _notebook_cells,
    "notebook document": _notebook_document,
    "notebook status": _notebook_status,
    "records": _records,
    "records of steps": _records_of_steps,
}
"""Name → makes the reader, given a folder to work in."""
