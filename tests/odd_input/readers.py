"""Owns the readers that are tried: each has honest samples, makes odd inputs of them, and reads any input."""

from __future__ import annotations

import io
import json
import os
import tempfile
import zlib
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.odd_input.home_files import HOME_FILES
from tests.odd_input.mutations import mutate_bytes, mutate_json
from tests.odd_input.reader import Reader, as_json, lines
from zennb.errors import ZennbError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

__all__ = ["READERS", "WEIGHTS", "in_a_folder", "made"]

WEIGHTS = {"blobs": 5.0, "notebook status": 0.25, "records": 0.1, "records of steps": 0.025}
"""How many inputs a reader is given, compared with the others: by how long each takes."""

_CORPUS = Path(__file__).parents[1] / "corpus"


@contextmanager
def made(name: str) -> Iterator[Callable[[Random], object]]:
    """Give the reader of that name, with a folder of its own."""
    with in_a_folder() as folder:
        yield READERS.get(name, _failing)(folder)


@contextmanager
def in_a_folder() -> Iterator[Path]:
    """Give a new folder, which is the working folder and has all that zennb keeps."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ["ZENNB_HOME"] = f"{folder}/home"
        os.environ["JUPYTER_DATA_DIR"] = f"{folder}/jupyter"
        os.environ["IPYTHONDIR"] = f"{folder}/ipython"
        os.chdir(folder)
        yield Path(folder)


def _blobs(folder: Path) -> Reader:
    from tests.odd_input.samples import blobs
    from zennb.digests.digest import digest
    from zennb.errors import CannotDigest
    from zennb.materializers.registry import Materializers
    from zennb.materializers.signer import Signer
    from zennb.materializers.summary import summarise

    materializers = Materializers({}, Signer(folder))
    samples = list(blobs(materializers).values())

    def mutated(sample: tuple[str, bytes], random: Random) -> tuple[str, bytes]:
        materializer, honest = sample
        others = [blob for kind, blob in samples if kind == materializer]
        return materializer, mutate_bytes(honest, random, others)

    def read(stored: tuple[str, bytes]) -> None:
        materializer, odd = stored
        value = materializers.load(materializer, odd, name="v")
        assert materializer != "pickle" or stored in samples, "changed bytes pass for signed"
        try:
            digest(value)  # reads all of it
        except (CannotDigest, UnicodeDecodeError):  # a text that is no UTF-8 is an error where it is used
            return
        summarise(value)

    return Reader(read, samples, mutated, tuple)


def _sealed(folder: Path) -> Reader:
    from zennb.materializers.buffers import joined
    from zennb.materializers.sealed import seal, unseal
    from zennb.materializers.signer import Signer

    signer = Signer(folder)
    honest = bytes(joined(seal([b"what a step changed" * 20], materializer="changes", signer=signer)))

    def read(content: bytes) -> None:
        found = unseal(content, materializer="changes", signer=signer, name="settings")
        assert bytes(found) == honest[64:], "changed bytes pass for sealed"

    return Reader(read, [honest], mutate_bytes, bytes)


def _display(_folder: Path) -> Reader:
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

    def mutated(value: Any, random: Random) -> bytes:
        data = zlib.compress(mutate_json(value, random))
        return mutate_bytes(data, random) if random.random() < 0.2 else data

    def read(data: bytes) -> None:
        recording = Recording.load(data)
        captured(recording)
        StepLog(step=Step(name="s", status=Status.COMPLETED), events=tuple(recording)).text
        recording.dump()

    return Reader(read, [events], mutated, lambda value: zlib.compress(as_json(value)))


def _background_state(folder: Path) -> Reader:
    from zennb.core.records.records import Run, StackSpec
    from zennb.engine.background.run_files import RunFiles

    files = RunFiles(folder, 1)
    run = Run(id=1, stack=StackSpec(name="s", components={}), started=5.0)
    files.output.parent.mkdir(exist_ok=True)

    def read(content: bytes) -> None:
        (folder / "background" / "run-1.json").write_bytes(content)
        files.state(run)

    return Reader(read, [{"started": 5.0, "steps": ["a"], "running": ["a"], "keys": {"a": "k"}}])


def _background_output(folder: Path) -> Reader:
    from zennb.core.records.log import event_text
    from zennb.engine.background.run_files import RunFiles, follow
    from zennb.views.background import step_line

    files = RunFiles(folder, 1)
    shown = {"kind": "result", "data": {"text/plain": "x"}, "metadata": {}}
    entries = [
        {"kind": "step", "step": "a", "status": "failed", "seconds": 1.5, "failure": ["E", "no", "lines"]},
        {"kind": "step", "step": "a", "status": "completed", "reason": "first run", "outputs": ["x"]},
        {"kind": "output", "step": "a", "event": {"kind": "stream", "name": "stdout", "text": "a\n"}},
        {"kind": "output", "step": "a", "event": shown},
    ]
    files.output.parent.mkdir(exist_ok=True)

    def mutated(value: Any, random: Random) -> bytes:
        return mutate_bytes(b"\n".join([*(mutate_json(each, random) for each in value), b""]), random)

    def read(content: bytes) -> None:
        files.output.write_bytes(content)
        for entry in follow(files, lambda: True):
            if entry["kind"] == "step":
                step_line(entry)
            else:
                event_text(entry["event"], live=True)

    return Reader(read, [entries], mutated, lines)


def _stack(_folder: Path) -> Reader:
    from zennb.registry.portable import read_stack

    parts = {
        kind: {"name": "default", "flavor": "local", "config": {"path": "/tmp/x", "timeout": "3"}}
        for kind in ("orchestrator", "artifact_store")
    }
    honest = {"zennb_stack": 1, "name": "mine", "components": parts}
    return Reader(lambda content: read_stack(content.decode("utf-8", "replace")), [honest])


def _home(folder: Path) -> Reader:
    from zennb.registry.home import claim

    def read(content: bytes) -> None:
        (folder / "STORE.json").write_bytes(content)
        claim(folder)

    return Reader(read, [{"format": 1, "uuid": "a-b"}])


def _store(folder: Path) -> Reader:
    from zennb.components.artifact_stores.store_directory import StoreDirectory

    def read(content: bytes) -> None:
        (folder / "STORE.json").write_bytes(content)
        StoreDirectory(folder).read_marker()

    return Reader(read, [{"kind": "zennb artifact store", "format": 1, "uuid": "a-b"}])


def _notebooks(folder: Path, read: Callable[[Path], object]) -> Reader:
    path = folder / "odd.ipynb"

    def read_file(content: bytes) -> None:
        path.write_bytes(content)
        read(path)

    return Reader(
        read_file, [json.loads(each.read_text("utf-8")) for each in sorted(_CORPUS.glob("*.ipynb"))]
    )


def _notebook_cells(folder: Path) -> Reader:
    from zennb.headless.read import order, read

    def read_both(path: Path) -> None:
        order(path)
        read(path)

    return _notebooks(folder, read_both)


def _notebook_document(folder: Path) -> Reader:
    import nbformat

    from zennb.headless.execute import _clear
    from zennb.headless.parameters import inject
    from zennb.headless.read import document, runs

    def read(path: Path) -> None:
        node = document(path)
        inject(node, {}, path=path)
        _clear(node)
        for cell in node.cells:
            runs(cell)
        nbformat.writes(node)

    return _notebooks(folder, read)


def _notebook_status(folder: Path) -> Reader:
    from zennb import cli

    def read(path: Path) -> None:
        from zennb.commands.dispatch import run
        from zennb.commands.interface import Interface
        from zennb.commands.outcome import Context

        run(["pipeline", "status", str(path)], Context(interface=Interface.TERMINAL))

    reader = _notebooks(folder, read)
    first = folder / "first.ipynb"
    first.write_bytes(as_json(reader.samples[0]))
    with redirect_stdout(io.StringIO()):
        cli.main(["pipeline", "status", str(first)])
    return reader


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
    "background state": _background_state,
    "background output": _background_output,
    "stack file": _stack,
    "home marker": _home,
    "store marker": _store,
    "notebook cells": _notebook_cells,
    "notebook document": _notebook_document,
    "notebook status": _notebook_status,
    **HOME_FILES,
    "records": _records,
    "records of steps": _records_of_steps,
}
"""Name → makes the reader, given a folder to work in."""
