"""Python without the private names that we use: cells run as before, and keys stay the same."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from contextlib import nullcontext
from dataclasses import InitVar, dataclass, fields
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from zennb.compat import python
from zennb.compat.event_loops import run_to_end
from zennb.compat.python import CACHED_FUNCTION, CachedFunction, environment_data, field_kind
from zennb.digests.digest import digest_value

if TYPE_CHECKING:
    from tests.jupyter.conftest import Notebook


@dataclass
class Reading:
    value: float
    unit: ClassVar[str] = "K"
    offset: InitVar[float] = 0.0
    later: InitVar[Any] = None


def kinds() -> dict[str, str]:
    held = vars(Reading)["__dataclass_fields__"]
    return {name: field_kind(Reading, field) for name, field in held.items()}


def test_kinds_of_fields_are_the_same_without_the_private_name(monkeypatch: pytest.MonkeyPatch) -> None:
    before = kinds()
    monkeypatch.setattr(python, "_FIELD_KIND", "no_such_name")
    assert kinds() == before
    assert before == {
        "value": "_FIELD",
        "unit": "_FIELD_CLASSVAR",
        "offset": "_FIELD_INITVAR",
        "later": "_FIELD_INITVAR",
    }
    assert [field.name for field in fields(Reading)] == ["value"]


def test_a_dataclass_has_the_same_digest_without_the_private_name(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = "from dataclasses import dataclass\n@dataclass\nclass Point:\n    x: int = 1"
    notebook.run(cell)
    before = digest_value(notebook.ns["Point"]).digest
    monkeypatch.setattr(python, "_FIELD_KIND", "no_such_name")
    assert digest_value(notebook.ns["Point"]).digest == before


def test_the_environment_reads_the_same_without_the_private_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZENNB_SAMPLE", "käse")
    before = dict(environment_data())
    monkeypatch.setattr(python, "_ENVIRONMENT_DATA", "no_such_name")
    assert environment_data() is not before
    assert environment_data() == before
    assert before[os.environ.encodekey("ZENNB_SAMPLE")] == os.environ.encodevalue("käse")


@pytest.mark.parametrize("data", ["_data", "no_such_name"])
def test_what_a_step_reads_and_sets_in_the_environment_is_known_without_the_private_name(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch, data: str
) -> None:
    monkeypatch.setattr(python, "_ENVIRONMENT_DATA", data)
    monkeypatch.setenv("ZENNB_SAMPLE", "1")
    monkeypatch.setenv("ZENNB_SET", "")
    read = "%%step read\nimport os\nvalue = os.environ['ZENNB_SAMPLE']\nos.environ['ZENNB_SET'] = 'by a step'"
    assert notebook.cell(read).status == "completed"
    os.environ["ZENNB_SET"] = ""
    assert notebook.cell(read).status == "cached"
    assert os.environ["ZENNB_SET"] == "by a step"
    os.environ["ZENNB_SAMPLE"] = "2"
    again = notebook.cell(read)
    assert (again.status, notebook.ns["value"]) == ("completed", "2")


def test_functions_behind_a_cache_are_told_by_a_class_that_we_name_ourselves() -> None:
    assert isinstance(lru_cache(maxsize=2)(int), CachedFunction)
    assert CACHED_FUNCTION == "functools._lru_cache_wrapper"


AWAITS = """%%step waits
import asyncio
import os
import signal
import threading
from contextlib import nullcontext
print("before")
await asyncio.sleep(0)
os.environ["ZENNB_SET"] = "by a step"
answer = 42
answer"""


@pytest.mark.parametrize("missing", ["", "asyncio._set_running_loop", "asyncio.tasks._swap_current_task"])
def test_a_step_that_awaits_runs_apart_while_a_loop_runs_here(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    if missing:
        monkeypatch.delattr(missing, raising=False)
    monkeypatch.setenv("ZENNB_SET", "")
    notebook.run("%%step first\nseed = 1", AWAITS, "del answer")
    os.environ["ZENNB_SET"] = ""
    ran = notebook.cell("await asyncio.sleep(0)\n%pipeline run --rerun")
    assert ran.error is None, ran.err
    assert notebook.ns["answer"] == 42
    assert os.environ["ZENNB_SET"] == "by a step"
    os.environ["ZENNB_SET"] = ""
    again = notebook.cell(AWAITS)
    assert (again.status, again.out) == ("cached", "before\nOut[5]: 42\n")
    assert os.environ["ZENNB_SET"] == "by a step"


def test_an_interrupt_reaches_what_another_thread_awaits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(asyncio, "_set_running_loop")
    ended: list[str] = []

    async def sleeps() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    async def around() -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        run_to_end(sleeps(), nullcontext)

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(around())
    assert ended == ["cancelled"]
