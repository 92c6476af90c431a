"""Owns the words that tests of two kernels are told in: run a cell, run a step, write a file, restart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.reuse.pair import Action

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.reuse.pair import Pair, Ran

__all__ = ["cell", "restart", "status", "step", "write"]


def cell(pair: Pair, text: str) -> Ran:
    return _ran(pair, "cell", text)


def step(pair: Pair, text: str, name: str = "s") -> Ran:
    return _ran(pair, "step", text, name)


def status(pair: Pair, text: str, name: str = "s") -> str:
    return str(step(pair, text, name).facts["status"])


def _ran(pair: Pair, verb: str, text: str, name: str = "cell") -> Ran:
    ran = pair.do(Action(verb, name, text))
    assert ran is not None
    assert ran.error == ""
    return ran


def write(pair: Pair, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        pair.do(Action("file", name, text))


def restart(pair: Pair) -> None:
    pair.do(Action("restart"))
