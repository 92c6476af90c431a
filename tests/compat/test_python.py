"""Python without the private names that we use: cells run as before, and keys stay the same."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from contextlib import nullcontext, suppress
from dataclasses import InitVar, dataclass, fields
from fractions import Fraction
from functools import lru_cache
from itertools import chain, count, repeat
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from tests.interrupted import InterruptedAt
from zennb.compat import python
from zennb.compat.event_loops import run_to_end
from zennb.compat.python import (
    CACHED_FUNCTION,
    CachedFunction,
    deep_recursion,
    environment_data,
    field_kind,
    iterator_recipe,
    own_annotations,
    recursion_limit,
)
from zennb.digests.digest import digest_value
from zennb.with_blocks import end_abandoned

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
from contextlib import nullcontext, suppress
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
    assert (again.status, again.out) == ("cached", "before\nOut[5]: 42\n"), again.reason
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


def advanced(iterator: Any, by: int) -> Any:
    for _ in range(by):
        next(iterator)
    return iterator


@pytest.mark.parametrize(
    ("value", "arguments", "digest"),
    [
        (count(), (0,), "3573fa0cd6bad3ca59bca4474dcbb7fe"),
        (advanced(count(5), 2), (7,), "78d56e4a8a5a2500dec622a41f69ec62"),
        (advanced(count(-5, 3), 1), (-2, 3), "4c42826eefdbaea3fb2f9507fbe5bca8"),
        (count(2**70), (2**70, 1), "48192ba1add1362a3ebf62f735af564d"),
        (advanced(count(1.5, 0.5), 1), (2.0, 0.5), "ebaeb45f1c5fa5c7ab88754715475479"),
        (count(Fraction(1, 3)), (Fraction(1, 3), 1), "5ff3cbb50b59743be7484053abffd434"),
        (advanced(repeat("a", 3), 1), ("a", 2), "1e72f6e074327826add0c646f75fe7d8"),
        (repeat("a"), ("a",), "dce08ccbbff1d4579eb24407ef6e92e5"),
    ],
)
def test_counters_and_repetitions_are_taken_apart_alike_in_every_version_of_python(
    value: Any, arguments: tuple[Any, ...], digest: str
) -> None:
    assert iterator_recipe(value) == (type(value), arguments)
    assert digest_value(value).digest == digest
    assert repr(type(value)(*arguments)) == repr(value)


def test_other_iterators_have_no_recipe_of_ours() -> None:
    assert iterator_recipe(chain([1], [2])) is None
    assert iterator_recipe(iter([1])) is None


def test_annotations_are_read_without_telling_the_function_or_class(notebook: Notebook) -> None:
    notebook.run(
        "class Kind: pass\ndef f(x: Kind, y: int = 1) -> Kind: return x\nclass Holder:\n    kind: Kind"
    )
    kind = notebook.ns["Kind"]
    assert own_annotations(notebook.ns["f"]) == {"x": kind, "y": int, "return": kind}
    assert own_annotations(notebook.ns["Holder"]) == {"kind": kind}
    if sys.version_info >= (3, 14):  # they are evaluated when the user asks, not when we did
        notebook.run(
            "class Kind: pass\nseen = f.__annotations__['x'] is Holder.__annotations__['kind'] is Kind"
        )
        assert notebook.ns["seen"]


@pytest.mark.skipif(sys.version_info < (3, 14), reason="earlier versions evaluate annotations at once")
def test_annotations_of_names_that_are_not_bound_yet_are_text(notebook: Notebook) -> None:
    notebook.run("def f(x: Later) -> int: return x\nclass Holder:\n    later: Later")
    assert own_annotations(notebook.ns["f"]) == {"x": "Later", "return": "int"}
    assert own_annotations(notebook.ns["Holder"]) == {"later": "Later"}


@pytest.mark.parametrize("limit", [1000, 3000, 5000, 10_000])
def test_a_recursion_limit_holds_whatever_number_it_is(limit: int) -> None:
    before = sys.getrecursionlimit()
    with deep_recursion():
        pass  # what was set before must not be taken for what is set now
    try:
        sys.setrecursionlimit(limit)
        with deep_recursion(), deep_recursion():
            assert sys.getrecursionlimit() > 4000
            assert recursion_limit() == limit  # which is what a step in another thread has
        assert sys.getrecursionlimit() == recursion_limit() == limit
    finally:
        sys.setrecursionlimit(before)


def test_an_interrupt_at_any_line_leaves_the_recursion_limit_as_it_was() -> None:
    def look() -> None:
        with deep_recursion():
            pass

    before = sys.getrecursionlimit()
    with InterruptedAt(within=("compat/python.py",)) as counted:
        look()
    assert counted.lines > 8
    try:
        for line in range(1, counted.lines + 1):
            with suppress(KeyboardInterrupt), InterruptedAt(line, within=("compat/python.py",)):
                look()
            end_abandoned()
            look()  # an interrupt at the very end is made good by the next look
            assert sys.getrecursionlimit() == before, line
    finally:
        sys.setrecursionlimit(before)
