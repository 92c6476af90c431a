"""Owns control flow: branches, loops and exceptions, and what is known where paths meet again."""

from __future__ import annotations

import ast
from contextlib import contextmanager
from typing import TYPE_CHECKING

from zennb.core.reading.binding_log import BindingLog, BindingState, Frame, join
from zennb.core.reading.expressions import Expressions
from zennb.core.reading.scopes import definitions_in, last_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Paths"]

_SUPPRESSORS = frozenset({"suppress", "raises", "assertRaises", "assertRaisesRegex"})
"""Context managers known to swallow an exception. We assume that others let it pass."""

_AS_LONG = frozenset({"enumerate", "list", "tuple", "sorted", "reversed", "set", "iter", "tqdm", "trange"})


class Paths(Expressions, ast.NodeVisitor):
    """Reads the statements that direct execution, following every path it may take."""

    def visit_Raise(self, node: ast.Raise | ast.Return) -> None:
        """`raise` and `return` end a path."""
        self.generic_visit(node)
        self.path = None

    visit_Return = visit_Raise  # noqa: N815 - named by ast

    def visit_Break(self, _: ast.Break) -> None:
        """`break` goes on after the loop."""
        self.frames[-1].breaks.append(self.state)
        self.path = None

    def visit_Continue(self, _: ast.Continue) -> None:
        """`continue` goes on at the head of the loop."""
        self.frames[-1].continues.append(self.state)
        self.path = None

    def visit_If(self, node: ast.If) -> None:
        """`if`, `elif`, `else`, iteratively: chains of `elif` nest deeply."""
        ends: list[BindingState | None] = []
        rest: list[ast.stmt] = [node]
        while self.path is not None and len(rest) == 1 and isinstance(rest[0], ast.If):
            test = rest[0]
            holds, fails = self.branch(test.test)
            self.path = holds
            self.block(test.body)
            ends.append(self.path)
            self.path, rest = fails, test.orelse
        self.block(rest)
        self.path = join([*ends, self.path])

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        """`for`, with `else`, `break` and `continue`."""
        self.visit(node.iter)
        entry = self.state
        frame, back = self._rounds(entry, node)
        # An empty loop binds nothing: only what a first iteration is certain to bind counts as bound behind it.
        self.path = back if _surely_iterates(node.iter) else join([entry, back])
        self.block(node.orelse)
        self.path = join([self.path, *frame.breaks])

    def visit_AsyncFor(self, node: ast.AsyncFor) -> None:
        """`async for`."""
        self.waits()
        self.visit_For(node)

    def visit_While(self, node: ast.While) -> None:
        """`while`, with `else`, `break` and `continue`."""
        entry = self.state
        frame, back = self._rounds(entry, node)
        exits: list[BindingState | None] = []
        # The condition is evaluated before the first iteration, and again after each.
        for start in (entry, back):
            if start is not None:
                self.path = start.copy()
                exits.append(self.branch(node.test)[1])
        self.path = join(exits)
        self.block(node.orelse)
        self.path = join([self.path, *frame.breaks])

    def _rounds(
        self, entry: BindingState, node: ast.For | ast.AsyncFor | ast.While
    ) -> tuple[Frame, BindingState | None]:
        """Read the body of a loop; return how it was left, and the state at the end of an iteration."""
        head = entry.copy()
        # From the second iteration on, a function may be called that is defined further down in the loop.
        head.add_bodies(definitions_in(node.body))
        frame, back = self._round(head, node)
        again = join([head, back])
        if again is not None and (again.bound, again.inner) != (head.bound, head.inner):
            # An iteration deletes what the next one may read.
            frame, back = self._round(again, node)
        if back is not None:
            # An iteration that breaks may follow complete iterations.
            for state in frame.breaks:
                state.maybe |= back.maybe
                state.deleted |= back.deleted - state.bound
        return frame, back

    def _round(
        self, head: BindingState, node: ast.For | ast.AsyncFor | ast.While
    ) -> tuple[Frame, BindingState | None]:
        self.path = head.copy()
        frame = Frame()
        self.frames.append(frame)
        if isinstance(node, ast.While):
            self.path, _ = self.branch(node.test)
        else:
            self.visit(node.target)
        self.block(node.body)
        self.frames.pop()
        return frame, join([self.path, *frame.continues])

    def visit_With(self, node: ast.With | ast.AsyncWith) -> None:
        """`with a as b`."""
        for item in node.items:
            self.visit(item.context_expr)
            self.visit_all([item.optional_vars])
        entry = self.state.copy()
        with self._watching() as watch:
            self.block(node.body)
        # Such a block may end at any point and go on below; others that raise do not come here.
        if any(_suppresses(item.context_expr) for item in node.items):
            self.path = join([self.path, _interrupted(entry, watch, node.body)])

    def visit_AsyncWith(self, node: ast.AsyncWith) -> None:
        """`async with`."""
        self.waits()
        self.visit_With(node)

    def visit_Try(self, node: ast.Try | ast.TryStar) -> None:
        """`try` with handlers, `else` and `finally`."""
        if not node.finalbody:
            self._guarded(node)
            return
        entry = self.state.copy()
        inner = Frame()
        self.frames.append(inner)
        with self._watching() as watch:
            self._guarded(node)
        self.frames.pop()
        normal = self.path
        # `finally` runs on every way out. First the way of an exception or `return`, which leaves no path
        # behind; then those of `break` and `continue`, which go on in the loop; last the normal one, from
        # which the code below is read.
        self.path = _interrupted(entry, watch, [node])
        self.block(node.finalbody)
        outer = self.frames[-1]
        for states, goal in ((inner.breaks, outer.breaks), (inner.continues, outer.continues)):
            self.path = join(states)
            self.block(node.finalbody)
            goal.extend([] if self.path is None else [self.path])
        self.path = normal
        self.block(node.finalbody)

    visit_TryStar = visit_Try  # noqa: N815 - named by ast

    def _guarded(self, node: ast.Try | ast.TryStar) -> None:
        """Read a `try` without its `finally`."""
        entry = self.state.copy()
        with self._watching() as watch:
            self.block(node.body)
        self.block(node.orelse)
        ends = [self.path]
        for handler in node.handlers:
            # The exception may have come from anywhere in the body: any of its statements may have run or not.
            self.path = _interrupted(entry, watch, node.body)
            self._handle(handler)
            ends.append(self.path)
        self.path = join(ends)

    def _handle(self, handler: ast.ExceptHandler) -> None:
        self.visit_all([handler.type])
        if handler.name is None:
            self.block(handler.body)
            return
        inner, outer = Frame(), self.frames[-1]
        self.frames.append(inner)
        self.store(handler.name)
        self.block(handler.body)
        self.frames.pop()
        # Python deletes the name however the handler is left.
        end = self.path
        for states, goal in ((inner.breaks, outer.breaks), (inner.continues, outer.continues)):
            for self.path in states:
                self.delete(handler.name)
            goal.extend(states)
        self.path = end
        if self.path is not None:
            self.delete(handler.name)

    @contextmanager
    def _watching(self) -> Iterator[BindingLog]:
        watch = BindingLog()
        self.watches.append(watch)
        try:
            yield watch
        finally:
            self.watches.pop()

    def visit_Match(self, node: ast.Match) -> None:
        """`match`: a pattern that fails may have bound some of its names."""
        self.visit(node.subject)
        ends: list[BindingState | None] = []
        for case in node.cases:
            if self.path is None:
                break
            before = self.state.copy()
            self.visit(case.pattern)
            before.maybe |= self.state.maybe
            guarded: BindingState | None = None
            if case.guard is not None:
                self.path, guarded = self.branch(case.guard)
            self.block(case.body)
            ends.append(self.path)
            # The next case is tried when the pattern fails, or when the guard does.
            self.path = join([None if _irrefutable(case.pattern) else before, guarded])
        self.path = join([*ends, self.path])

    def visit_MatchAs(self, node: ast.MatchAs | ast.MatchStar) -> None:
        """`case pattern as name`, `case name`, `case [*rest]`."""
        self.generic_visit(node)
        if node.name is not None:
            self.store(node.name)

    visit_MatchStar = visit_MatchAs  # noqa: N815 - named by ast

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        """`case {"k": v, **rest}`."""
        self.visit_all([*node.keys, *node.patterns])
        if node.rest is not None:
            self.store(node.rest)


def _interrupted(entry: BindingState, watch: BindingLog, statements: Sequence[ast.AST]) -> BindingState:
    """Return the state after an exception leaves `statements`, entered in state `entry`, at an unknown point."""
    state = entry.copy()
    state.bound -= watch.deleted
    state.inner -= watch.lost
    state.maybe |= watch.bound
    state.deleted |= watch.deleted
    state.add_bodies(definitions_in(statements))
    return state


def _suppresses(manager: ast.expr) -> bool:
    return last_name(manager.func if isinstance(manager, ast.Call) else manager) in _SUPPRESSORS


def _irrefutable(pattern: ast.pattern) -> bool:
    """Say whether a pattern always matches (Python allows that only in the last case)."""
    if isinstance(pattern, ast.MatchOr):
        return any(_irrefutable(one) for one in pattern.patterns)
    return isinstance(pattern, ast.MatchAs) and (pattern.pattern is None or _irrefutable(pattern.pattern))


def _surely_iterates(iterable: ast.expr) -> bool:
    """Say whether a loop over this expression runs at least once, whatever the names in it are."""
    match iterable:
        case ast.List() | ast.Tuple() | ast.Set():
            return any(not isinstance(element, ast.Starred) for element in iterable.elts)
        case ast.Dict():
            return any(key is not None for key in iterable.keys)
        case ast.Constant(value=str() | bytes() as text):
            return bool(text)
        case ast.Call(func=ast.Name(id="range"), args=arguments, keywords=[]) if len(arguments) <= 3:
            numbers = [a.value for a in arguments if isinstance(a, ast.Constant) and isinstance(a.value, int)]
            return len(numbers) == len(arguments) > 0 and 0 not in numbers[2:] and bool(range(*numbers))
        case ast.Call(func=ast.Name(id=name), args=[first, *_]) if name in _AS_LONG:
            return _surely_iterates(first)
        case ast.Call(func=ast.Name(id="zip"), args=[_, *_] as arguments):
            return all(_surely_iterates(argument) for argument in arguments)
        case _:
            return False
