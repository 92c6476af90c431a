"""Owns reading compiled code objects when there is no source: their digest, and the names they read and bind."""

from __future__ import annotations

import dis
import marshal
import sys
from types import CodeType
from typing import TYPE_CHECKING, Any

from zennb.core.reading.reflection import NOTED
from zennb.core.reading.source import Analysis
from zennb.digests.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["code_digest", "nested", "read_code"]

DYNAMIC = frozenset({"exec", "eval", "globals", "locals", "vars", "__import__"})
"""Builtins whose effect cannot be seen from the names a code object mentions."""

READS = frozenset({"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"})
FOLLOWS = frozenset({"LOAD_ATTR", "LOAD_METHOD"})


def nested(code: CodeType) -> Iterator[CodeType]:
    """Yield a code object and every one inside it."""
    waiting = [code]
    while waiting:
        one = waiting.pop()
        yield one
        waiting.extend(const for const in one.co_consts if isinstance(const, CodeType))


def code_digest(code: CodeType) -> str:
    """Return a digest of what a code object does: no positions, no file; it holds for one minor version of Python."""
    stream = Stream()
    stream.text(f"{sys.version_info[0]}.{sys.version_info[1]}")
    for one in nested(code):
        _write(stream, one)
    return stream.digest().hex()


def _write(stream: Stream, code: CodeType) -> None:
    # `co_code` is the bytecode as it was compiled, without what the interpreter specializes while it runs.
    stream.buffer(code.co_code)
    stream.buffer(code.co_exceptiontable)
    for names in (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars):
        stream.number(len(names))
        for name in names:
            stream.text(name)
    for number in (code.co_flags, code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount):
        stream.number(number)
    stream.number(len(code.co_consts))
    for const in code.co_consts:
        stream.buffer(_constant(const))


def _constant(const: Any) -> bytes:
    # Nested code is written by `code_digest`; here only its place among the constants counts.
    if isinstance(const, CodeType):
        return const.co_name.encode()
    if isinstance(const, tuple):
        return b"(" + b"".join(b"%d:" % len(part) + part for part in map(_constant, const))
    if isinstance(const, frozenset):
        # The order of a frozenset of text differs from process to process.
        return b"<" + b"".join(b"%d:" % len(part) + part for part in sorted(map(_constant, const)))
    if const is Ellipsis:
        return b"..."
    return marshal.dumps(const, 2)


def read_code(code: CodeType) -> Analysis:
    """Return which global names a code object reads, with the attributes taken of them, and which it binds."""
    chains: set[tuple[str, ...]] = set()
    binds: dict[str, None] = {}
    for one in nested(code):
        chains |= _chains(one)
        binds.update(
            (step.argval, None) for step in dis.get_instructions(one) if step.opname == "STORE_GLOBAL"
        )
    names = sorted({chain[0] for chain in chains})
    inside = list(nested(code))
    methods = NOTED.intersection(name for one in inside for name in one.co_names)
    return Analysis(
        reads=dict.fromkeys(names, frozenset()),
        chains=frozenset(chains),
        binds=tuple(binds),
        # Whether `eval` is called, or handed to something that calls it, cannot be told here.
        dynamic=tuple("eval" if name == "eval" else f"{name}(...)" for name in names if name in DYNAMIC),
        texts=frozenset(text for one in inside for text in one.co_consts if isinstance(text, str)),
        lookups={("", name): frozenset() for name in methods},
    )


def _chains(code: CodeType) -> set[tuple[str, ...]]:
    found: set[tuple[str, ...]] = set()
    chain: tuple[str, ...] = ()
    for step in dis.get_instructions(code):
        if step.opname in FOLLOWS and chain:
            chain = (*chain, step.argval)
            continue
        if chain:
            found.add(chain)
        chain = (step.argval,) if step.opname in READS else ()
    if chain:
        found.add(chain)
    return found
